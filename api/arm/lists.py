"""Lists of ARM itself: filtered, and in pages when ``$top`` asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import falcon

from api.arm import filters
from api.context import base_url, query
from api.errors import ArmError


@dataclass(frozen=True, slots=True)
class Item:
    """One resource: what is shown of it, and what a filter can ask about.

    ``members`` have lower-case names.
    """

    body: Mapping[str, Any]
    members: Mapping[str, str]
    tags: Mapping[str, str]


def page(
    req: falcon.Request, items: Sequence[Item], names: frozenset[str]
) -> dict[str, Any]:
    """Answer a list request; ``names`` are the members that ``$filter`` may name.

    ``$expand`` adds only what no client needs, and is accepted. ``$skiptoken`` is the
    number of resources that earlier pages had.
    """
    wanted = filters.parse(query(req, "$filter"), names)
    left = [each.body for each in items if wanted.takes(each.members, each.tags)]
    top, skipped = _count(req, "$top"), _count(req, "$skiptoken") or 0
    shown = left[skipped : skipped + top] if top else left[skipped:]
    answer: dict[str, Any] = {"value": shown}
    if top and skipped + top < len(left):
        rest = {"$skiptoken": str(skipped + top)}
        kept = {k: v for k, v in req.params.items() if k.lower() != "$skiptoken"}
        answer["nextLink"] = (
            f"{base_url(req)}{quote(req.path)}?{urlencode(kept | rest, doseq=True)}"
        )
    return answer


def _count(req: falcon.Request, name: str) -> int | None:
    """Read a number of resources; ``None``: it is not given."""
    text = query(req, name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < len("1000000")):
        raise ArmError(
            400,
            "InvalidQueryParameterValue",
            f"The value '{text}' of the query parameter '{name}' is invalid. It is a "
            "whole number.",
            gateway=True,
        )
    return int(text)
