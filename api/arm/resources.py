"""``.../resources``: every kind of resource in one list; here that is caches.

Source: "Resources - List", api-version 2021-04-01.
"""

from __future__ import annotations

from typing import Any

import falcon

from api.arm import lists
from api.locations import Location
from api.parts import Parts
from controller.model import Record

TYPE = "Microsoft.Cache/Redis"
FILTERED = frozenset({"name", "location", "resourcetype", "resourcegroup"})


class ResourceCollection:
    """``GET`` of a subscription's resources, or of a group's."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        subscription: str,
        group: str | None = None,
    ) -> None:
        """List top-level resources, those that are being deleted too."""
        found = [_item(each) for each in self._parts.caches(subscription, group)]
        resp.media = lists.page(req, found, FILTERED)


def _item(record: Record) -> lists.Item:
    location = Location(record.spec.location).name
    members = {
        "name": record.key.name,
        "location": location,
        "resourcetype": TYPE,
        "resourcegroup": record.key.group,
    }
    return lists.Item(_render(record, location), members, record.spec.tags)


def _render(record: Record, location: str) -> dict[str, Any]:
    spec = record.spec
    optional: dict[str, Any] = {
        "zones": None if spec.zones is None else list(spec.zones),
        "identity": None if spec.identity is None else dict(spec.identity),
    }
    return {
        "id": record.key.arm_id,
        "name": record.key.name,
        "type": TYPE,
        "location": location,
        "tags": dict(spec.tags),
        **{name: value for name, value in optional.items() if value is not None},
    }
