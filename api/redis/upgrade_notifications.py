"""``…/redis/{name}/listUpgradeNotifications``: there never are any.

Source: NotificationListResponse, api-version 2024-11-01.
"""

from __future__ import annotations

import math

import falcon

from api.context import query
from api.mistakes import invalid, refusal
from api.parts import Parts
from api.redis import children


class UpgradeNotifications:
    """``…/listUpgradeNotifications?history={minutes}``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(self, req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """List the notifications of so many minutes, or refuse another number."""
        children.parent(self._parts, path)
        if not _is_number(query(req, "history")):
            why = "It is the number of minutes to look back, such as 5000."
            raise refusal([invalid("history", why)])
        resp.media = {"value": []}


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and float(text) >= 0
    except ValueError:
        return False
