"""Requests for caches, and what becomes of them, for tests without HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from api.errors import ArmError
from api.redis import changes, schema
from api.redis.changes import Minted
from controller.model import CacheStatus, Change, Condition, Record
from controller.spec import CacheSpec
from tests.builders import KEYS, START, record

PRINCIPAL = "00000000-0000-0000-0000-00000000000a"
MINTED = Minted(access_keys=KEYS, principal_id=PRINCIPAL)
SUBNET = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network"
    "/virtualNetworks/v/subnets/n"
)


def sku(size: str = "C0", tier: str = "Basic") -> dict[str, Any]:
    """Write a SKU as requests have it: ``sku("P1", "Premium")``."""
    return {"name": tier, "family": size[0], "capacity": int(size[1:])}


def request(
    size: str = "C0", tier: str = "Basic", /, **members: object
) -> dict[str, Any]:
    """Write the body of a PUT; names in camelCase go to ``properties``."""
    top: dict[str, Any] = {
        name: members.pop(name)
        for name in ("location", "tags", "zones", "identity")
        if name in members
    }
    properties = {"sku": sku(size, tier), **members}
    return {"location": "West Europe", "properties": properties, **top}


def premium(**members: object) -> dict[str, Any]:
    """Write the body of a PUT of a P1."""
    return request("P1", "Premium", **members)


def put(raw: dict[str, Any], old: Record | None = None) -> Change:
    """Make the change of a PUT."""
    return changes.put(old, schema.read(raw, schema.CreateBody), MINTED)


def patch(raw: dict[str, Any], old: Record) -> Change:
    """Make the change of a PATCH."""
    return changes.merge(old, schema.read(raw, schema.CacheBody), MINTED)


def existing(raw: dict[str, Any]) -> Record:
    """Give a cache that was created by ``raw`` and is in place."""
    return provisioned(put(raw).spec)


def provisioned(spec: CacheSpec) -> Record:
    """Give a cache that is as its spec asks."""
    condition = Condition(
        type="Running", holds=True, reason="Told", message="", since=START
    )
    status = CacheStatus(observed_generation=1, conditions=(condition,))
    return replace(record(spec), status=status)


def mistakes(error: ArmError) -> dict[str, str]:
    """Give the messages of a refusal by the paths they are about."""
    return {each.target: each.message for each in error.details}
