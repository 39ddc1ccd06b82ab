"""``/subscriptions/{subscription}/locations``: regions, and their zones."""

from __future__ import annotations

from typing import Any

import falcon

from api.locations import LOCATIONS, Location

ZONES = ("1", "2", "3")  # of each region that has any


class LocationCollection:
    """``GET .../locations``. Source: "List Locations", api-version 2022-12-01."""

    def on_get(
        self, _req: falcon.Request, resp: falcon.Response, subscription: str
    ) -> None:
        """List the regions in which a cache can be."""
        resp.media = {"value": [_render(subscription, each) for each in LOCATIONS]}


def _render(subscription: str, location: Location) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": f"/subscriptions/{subscription}/locations/{location.name}",
        "name": location.name,
        "type": "Region",
        "displayName": location.display_name,
        "regionalDisplayName": location.display_name,
        "metadata": {
            "regionType": "Physical",
            "regionCategory": "Recommended" if location.zones else "Other",
        },
    }
    if location.zones:
        shown["availabilityZoneMappings"] = [
            {"logicalZone": zone, "physicalZone": f"{location.name}-az{zone}"}
            for zone in ZONES
        ]
    return shown
