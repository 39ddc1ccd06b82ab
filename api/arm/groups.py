"""``/subscriptions/{subscription}/resourcegroups``: resource groups.

Source: "Resource Groups", api-version 2021-04-01, and recorded answers.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import falcon
from pydantic import AfterValidator, Field

from api import locations, lro, mistakes
from api.arm import lists
from api.arm.scopes import Group, Scopes
from api.body import read_object
from api.context import api_version, base_url, cause
from api.errors import ArmError
from api.fields import Body
from api.tags import Tags

LOCATION_UNKNOWN = "LocationNotAvailableForResourceGroup"


def _known_location(value: str) -> str:
    """Give a region in the spelling of identifiers, as groups show it."""
    found = locations.find(value)
    if found is None:
        known = ",".join(each.name for each in locations.LOCATIONS)
        raise mistakes.in_words(
            LOCATION_UNKNOWN,
            f"The provided location '{value}' is not available for resource group. "
            f"List of available regions is '{known}'.",
        )
    return found.name


class PatchBody(Body):
    """Body of a PATCH; without tags it changes nothing."""

    tags: Tags | None = None


class PutBody(PatchBody):
    """Body of a PUT."""

    location: Annotated[
        str,
        AfterValidator(_known_location),
        Field(json_schema_extra={"enum": [*locations.SPELLINGS]}),
    ]
    managed_by: str | None = None


class GroupCollection:
    """``GET .../resourcegroups``."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, subscription: str
    ) -> None:
        """List the groups, oldest first; ``$filter`` is for tags."""
        groups = [
            lists.Item(render(each), {"name": each.name}, each.tags)
            for each in self._scopes.groups(subscription)
        ]
        resp.media = lists.page(req, groups, frozenset({"name"}))


class GroupResource:
    """``.../resourcegroups/{group}``."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes

    def on_get(
        self, _req: falcon.Request, resp: falcon.Response, subscription: str, group: str
    ) -> None:
        """Read a group."""
        resp.media = render(self._scopes.group(subscription, group))

    def on_head(
        self, _req: falcon.Request, resp: falcon.Response, subscription: str, group: str
    ) -> None:
        """Tell whether there is such a group: 204, or else 404."""
        self._scopes.group(subscription, group)
        resp.status = falcon.HTTP_204

    def on_put(
        self, req: falcon.Request, resp: falcon.Response, subscription: str, group: str
    ) -> None:
        """Create a group, or replace its tags."""
        body = mistakes.judged(read_object(req), PutBody)
        wanted = Group(
            subscription=subscription,
            name=group,
            location=body.location,
            tags=body.tags or {},
            managed_by=body.managed_by,
        )
        created = self._scopes.put_group(wanted)
        resp.status = falcon.HTTP_201 if created else falcon.HTTP_200
        resp.media = render(self._scopes.group(subscription, group))

    def on_patch(
        self, req: falcon.Request, resp: falcon.Response, subscription: str, group: str
    ) -> None:
        """Replace the tags, all of them."""
        tags = mistakes.judged(read_object(req), PatchBody).tags
        if tags is not None:
            self._scopes.tag_group(subscription, group, tags)
        resp.media = render(self._scopes.group(subscription, group))

    def on_delete(
        self, req: falcon.Request, resp: falcon.Response, subscription: str, group: str
    ) -> None:
        """Begin to delete a group and all caches in it."""
        self._scopes.delete_group(subscription, group, cause(req))
        resp.status = falcon.HTTP_202
        resp.location = _poll_url(req, subscription, cause(req).request_id)
        lro.hurry(req, resp)


class GroupOperation:
    """``GET /subscriptions/{subscription}/operationresults/{operation}``."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes

    def on_get(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        subscription: str,
        operation: str,
    ) -> None:
        """Tell whether the group is gone: 202 as long as it is not."""
        match self._scopes.deleted(operation):
            case None:
                raise ArmError(
                    404,
                    "OperationNotFound",
                    f"The operation '{operation}' is not known. The emulator forgets "
                    "operations when it stops; read the resource group instead.",
                    gateway=True,
                )
            case False:
                resp.status = falcon.HTTP_202
                resp.location = _poll_url(req, subscription, operation)
                lro.hurry(req, resp)
            case True:
                resp.status = falcon.HTTP_200


def render(group: Group) -> dict[str, Any]:
    """Show a group as ARM does."""
    managed_by = {"managedBy": group.managed_by} if group.managed_by else {}
    return {
        "id": group.arm_id,
        "name": group.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
        **managed_by,
        "tags": dict(group.tags),
        "properties": {
            "provisioningState": "Deleting" if group.deleting else "Succeeded"
        },
    }


def _poll_url(req: falcon.Request, subscription: str, operation: str) -> str:
    return (
        f"{base_url(req)}/subscriptions/{quote(subscription)}/operationresults"
        f"/{operation}?api-version={quote(api_version(req))}"
    )
