"""Api-versions: which are accepted, and all that differs between them.

Sources: the published specifications and the changelog of azure-mgmt-redis for the
version in which a member first appears; recorded answers for the rest. A preview
counts with the stable version that followed it, so dates alone are compared.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import falcon

from api.context import api_version
from api.errors import ArmError
from api.locations import LOCATIONS

KNOWN = (  # of Microsoft.Cache/redis, newest first
    "2025-08-01-preview",
    "2024-11-01",
    "2024-04-01-preview",
    "2024-03-01",
    "2023-08-01",
    "2023-05-01-preview",
    "2023-04-01",
    "2022-06-01",
    "2022-05-01",
    "2021-06-01",
    "2020-12-01",
    "2020-06-01",
    "2019-07-01",
    "2019-07-01-preview",
    "2018-03-01",
    "2017-10-01",
    "2017-02-01",
    "2016-04-01",
    "2015-08-01",
    "2014-04-01",
    "2014-04-01-preview",
    "2014-04-01-alpha",
)
NEWEST_STABLE = "2024-11-01"

# ARM itself takes any date; an error names those that its clients send today.
ARM_EXAMPLES = ("2024-11-01", "2022-12-01", "2022-09-01", "2021-04-01", "2020-06-01")

_FORM = re.compile(r"(\d{4}-\d{2}-\d{2})(-(preview|alpha|beta|privatepreview))?")

_TOP: Mapping[str, str] = {"identity": "2021-06-01"}
_PROPERTIES: Mapping[str, str] = {
    "minimumTlsVersion": "2018-03-01",
    "instances": "2019-07-01",
    "replicasPerMaster": "2019-07-01",
    "publicNetworkAccess": "2020-12-01",
    "privateEndpointConnections": "2020-12-01",
    "replicasPerPrimary": "2020-12-01",
    "updateChannel": "2023-05-01",
    "disableAccessKeyAuthentication": "2024-03-01",
    "zonalAllocationPolicy": "2024-04-01",
}
_INSTANCE: Mapping[str, str] = {"isMaster": "2020-06-01", "isPrimary": "2020-12-01"}
_UNCLUSTERED_SHARD_ID = "2024-04-01"  # clusters show it in every version
_PATCH_ACCEPTED = "2022-05-01"  # from then on a PATCH that makes work answers 202
_REBOOTS_NAMED = "2018-03-01"  # until then a reboot's answer names what was asked for
_RESULT_BODIES = "2023-04-01"  # from then on a polled operation result has a body


def check_cache(req: falcon.Request) -> None:
    """Refuse an api-version that Microsoft.Cache neither had nor may get."""
    version = api_version(req)
    if version in KNOWN or (_day(version) or "") > NEWEST_STABLE:
        return
    supported = ", ".join(KNOWN)
    if req.method == "GET" and req.path.rstrip("/").lower().endswith("/redis"):
        raise ArmError(
            404,
            "InvalidResourceType",
            "The resource type could not be found in the namespace 'Microsoft.Cache' "
            f"for api version '{version}'. The supported api-versions are "
            f"'{supported}'.",
            gateway=True,
        )
    # The service names the location of the request; most requests have none.
    raise ArmError(
        400,
        "NoRegisteredProviderFound",
        "No registered resource provider found for location '' and API version "
        f"'{version}' for type 'redis'. The supported api-versions are '{supported}'. "
        f"The supported locations are '{', '.join(each.name for each in LOCATIONS)}'.",
        gateway=True,
    )


def check_form(req: falcon.Request) -> None:
    """Refuse an api-version that is no date; ARM's own paths take every date."""
    version = api_version(req)
    if _day(version) is None:
        raise ArmError(
            400,
            "InvalidApiVersionParameter",
            f"The api-version '{version}' is invalid. The supported versions are "
            f"'{','.join(ARM_EXAMPLES)}'.",
            gateway=True,
        )


def shape(body: dict[str, Any], version: str) -> dict[str, Any]:
    """Leave out of a rendered cache what ``version`` does not have yet.

    ``body`` is the whole resource, as the newest version shows it.
    """
    day = version[:10]
    properties = _since(body["properties"], _PROPERTIES, day)
    if "instances" in properties:
        instances = [_since(each, _INSTANCE, day) for each in properties["instances"]]
        if day < _UNCLUSTERED_SHARD_ID and "shardCount" not in properties:
            for each in instances:
                each.pop("shardId", None)
        properties["instances"] = instances
    return _since(body, _TOP, day) | {"properties": properties}


def patch_status(version: str) -> int:
    """Give the status of a PATCH that makes work; recorded: 200, and later 202."""
    return 202 if version[:10] >= _PATCH_ACCEPTED else 200


def reboot_name(version: str, asked: str) -> str:
    """Give what the answer to a reboot calls it; recorded: a mere word, by now."""
    return asked if version[:10] <= _REBOOTS_NAMED else "Value"


def results_have_bodies(version: str) -> bool:
    """Tell whether a poll of an operation result is answered with JSON."""
    return version[:10] >= _RESULT_BODIES


def _day(version: str) -> str | None:
    """Give the date in an api-version; `None` if it has another form."""
    found = _FORM.fullmatch(version)
    if found is None:
        return None
    try:
        return date.fromisoformat(found[1]).isoformat()
    except ValueError:
        return None


def _since(
    members: Mapping[str, Any], first: Mapping[str, str], day: str
) -> dict[str, Any]:
    return {name: each for name, each in members.items() if first.get(name, "") <= day}
