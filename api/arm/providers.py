"""``/providers``: which resource providers there are; all are registered, always.

Clients read from here which api-version to speak (az resource), whether they have to
register first (azurerm 3 and 4), and where a type can be had (PowerShell). Source:
"Providers", api-version 2021-04-01.
"""

from __future__ import annotations

from typing import Any

import falcon

from api import versions
from api.arm.regions import ZONES
from api.errors import ArmError
from api.forms import Form
from api.locations import LOCATIONS

CACHE = "Microsoft.Cache"
RESOURCES = "Microsoft.Resources"

CHILDREN = (
    "accessPolicies",
    "accessPolicyAssignments",
    "firewallRules",
    "linkedServers",
    "patchSchedules",
    "privateEndpointConnections",
    "privateLinkResources",
)
PLACELESS = (
    "checkNameAvailability",
    "locations",
    "locations/asyncOperations",
    "locations/operationResults",
    "operations",
)
OF_ARM = ("providers", "resourceGroups", "resources", "subscriptions", "tenants")

NAMESPACE = Form(
    pattern=r"[A-Za-z0-9]+(\.[A-Za-z0-9]+)*",
    hint="It is made of letters and digits, with dots between: Microsoft.Cache",
)


class ProviderCollection:
    """``GET /providers``, below a subscription too."""

    def on_get(
        self,
        _req: falcon.Request,
        resp: falcon.Response,
        subscription: str | None = None,
    ) -> None:
        """List what is served here; a client takes what is not listed as optional."""
        found = [_provider(subscription, each) for each in (CACHE, RESOURCES)]
        resp.media = {"value": found}


class ProviderResource:
    """``GET .../providers/{namespace}``, and ``POST .../register`` below it."""

    def on_get(
        self,
        _req: falcon.Request,
        resp: falcon.Response,
        namespace: str,
        subscription: str | None = None,
    ) -> None:
        """Read one, which is registered even if nothing of it is served."""
        resp.media = _provider(subscription, namespace)


class ProviderRegistration:
    """``POST /subscriptions/{subscription}/providers/{namespace}/register``."""

    def on_post(
        self,
        _req: falcon.Request,
        resp: falcon.Response,
        subscription: str,
        namespace: str,
    ) -> None:
        """Register what is registered already; azurerm does so for 66 of them."""
        resp.media = _provider(subscription, namespace)


def _provider(subscription: str | None, namespace: str) -> dict[str, Any]:
    if not NAMESPACE.fits(namespace):
        raise ArmError(
            404,
            "InvalidResourceNamespace",
            f"The resource namespace '{namespace}' is invalid. {NAMESPACE.hint}.",
            gateway=True,
        )
    known = {each.lower(): each for each in (CACHE, RESOURCES)}
    name = known.get(namespace.lower(), namespace)
    below = f"/subscriptions/{subscription}" if subscription else ""
    return {
        "id": f"{below}/providers/{name}",
        "namespace": name,
        "resourceTypes": _types(name),
        "registrationState": "Registered",
        "registrationPolicy": "RegistrationRequired",
    }


def _types(namespace: str) -> list[dict[str, Any]]:
    match namespace:
        case "Microsoft.Cache":
            plain = (*(f"Redis/{each}" for each in CHILDREN), *PLACELESS)
            return [_cache_type(), *(_type(each, versions.KNOWN) for each in plain)]
        case "Microsoft.Resources":
            return [_type(each, versions.ARM_EXAMPLES) for each in OF_ARM]
        case _:
            return []


def _cache_type() -> dict[str, Any]:
    return _type("Redis", versions.KNOWN) | {
        "locations": [each.display_name for each in LOCATIONS],
        "zoneMappings": [
            {"location": each.display_name, "zones": list(ZONES)}
            for each in LOCATIONS
            if each.zones
        ],
        "defaultApiVersion": versions.NEWEST_STABLE,
        "capabilities": "SystemAssignedResourceIdentity, SupportsTags, "
        "SupportsLocation",
    }


def _type(name: str, api_versions: tuple[str, ...]) -> dict[str, Any]:
    return {
        "resourceType": name,
        "locations": [],
        "apiVersions": list(api_versions),
        "capabilities": "None",
    }
