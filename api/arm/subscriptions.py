"""``/subscriptions``, and how strict mode gets a new one.

Source: "Subscriptions", api-version 2022-12-01, and "Alias", api-version 2021-10-01.
"""

from __future__ import annotations

from typing import Annotated, Any

import falcon
from pydantic import Field

from api import mistakes
from api.arm.principals import HOME_TENANT, object_id
from api.arm.scopes import HOME_SUBSCRIPTION, Scopes
from api.body import read_object
from api.fields import Body
from api.names import SUBSCRIPTION, check_subscription


class SubscriptionCollection:
    """``GET /subscriptions``."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """List the home subscription, and those that were created or are in use."""
        found = self._scopes.subscriptions()
        resp.media = {"value": [_render(each) for each in found]}


class SubscriptionResource:
    """``GET /subscriptions/{subscription}``."""

    def on_get(
        self, _req: falcon.Request, resp: falcon.Response, subscription: str
    ) -> None:
        """Read a subscription, which is there as soon as it is named."""
        resp.media = _render(subscription)


class AliasProperties(Body):
    """Properties of an alias."""

    subscription_id: (
        Annotated[str, Field(json_schema_extra=SUBSCRIPTION.json_schema)] | None
    ) = None


class AliasBody(Body):
    """Body of a PUT."""

    properties: AliasProperties = AliasProperties()


class SubscriptionAlias:
    """``PUT /providers/microsoft.subscription/aliases/{alias}``."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes

    def on_put(self, req: falcon.Request, resp: falcon.Response, alias: str) -> None:
        """Create a subscription: the one that is named, or the alias's own."""
        subscription = mistakes.judged(
            read_object(req), AliasBody
        ).properties.subscription_id
        if subscription is None:
            subscription = object_id(f"alias {alias}")
        check_subscription(subscription)
        self._scopes.add_subscription(subscription)
        resp.media = {
            "id": f"/providers/Microsoft.Subscription/aliases/{alias}",
            "name": alias,
            "type": "Microsoft.Subscription/aliases",
            "properties": {
                "subscriptionId": subscription,
                "provisioningState": "Succeeded",
            },
        }


def _render(subscription: str) -> dict[str, Any]:
    home = subscription == HOME_SUBSCRIPTION
    return {
        "id": f"/subscriptions/{subscription}",
        "subscriptionId": subscription,
        "tenantId": HOME_TENANT,
        "displayName": "Emulator" if home else f"Emulator {subscription}",
        "state": "Enabled",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }
