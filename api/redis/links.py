"""Geo-replication links, as both of their caches see them; pure.

A link is written to its primary alone, with the uid of its secondary. It is over as
soon as one of the two is deleted, and a later cache of the same name has no part in it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from api.errors import ArmError, Detail
from api.mistakes import BAD_REQUEST, invalid
from controller.model import CacheKey, Record
from controller.sizing import SIZES
from controller.spec import AOF_ENABLED, RDB_ENABLED, CacheSpec, Tier, enabled

SEGMENT = "linkedServers"

_LINKED_ID = "properties.linkedRedisCacheId"


class Role(enum.StrEnum):
    """What a cache is in a link, as ARM spells it."""

    PRIMARY = "Primary"
    SECONDARY = "Secondary"


@dataclass(frozen=True, slots=True)
class Link:
    """A link as ``owner`` sees it; ``role`` is that of the ``other``."""

    owner: Record
    other: Record
    role: Role

    @property
    def primary(self) -> Record:
        """The cache that can be written to, and that holds the link."""
        return self.other if self.role is Role.PRIMARY else self.owner

    @property
    def secondary(self) -> Record:
        """The cache that follows it."""
        return self.owner if self.role is Role.PRIMARY else self.other


Links = Mapping[CacheKey, tuple[Link, ...]]


def links_of(records: Iterable[Record]) -> Links:
    """Find the links among ``records``; caches that have none are left out."""
    there = [record for record in records if not record.deleting]
    primaries = [record for record in there if record.spec.linked_servers]
    if not primaries:  # as nearly always, and asked for with every cache shown
        return {}
    by_uid = {record.uid: record for record in there}
    found: dict[CacheKey, tuple[Link, ...]] = {}
    for primary in primaries:
        for linked in primary.spec.linked_servers.values():
            secondary = by_uid.get(linked.uid)
            if secondary is None:
                continue
            for link in (
                Link(primary, secondary, Role.SECONDARY),
                Link(secondary, primary, Role.PRIMARY),
            ):
                key = link.owner.key
                found[key] = (*found.get(key, ()), link)
    return found


def mistakes(primary: Record, secondary: Record, links: Links) -> Iterator[Detail]:
    """Find why two caches cannot be linked.

    Source of the conditions: "Configure passive geo-replication for Premium Azure
    Cache for Redis instances". The words are ours but for the last.
    """
    if primary.key == secondary.key:
        yield invalid(_LINKED_ID, "A cache cannot be linked to itself.")
        return
    for why in _misfits(primary, secondary):
        yield invalid(_LINKED_ID, why)
    if links.get(primary.key) or links.get(secondary.key):
        yield Detail(
            BAD_REQUEST,
            "Cannot create geo-replication link, since this cache is already linked to "
            "another cache.",
            _LINKED_ID,
        )


def check_deletion(key: CacheKey, links: Links) -> None:
    """Raise `ArmError` if the cache is linked; source as above, words ours."""
    for link in links.get(key, ()):
        raise ArmError(
            400,
            BAD_REQUEST,
            f"The cache '{key.name}' cannot be deleted while it is linked to "
            f"'{link.other.key.name}'. Delete the link first: DELETE {_path(link)}.",
        )


def check_scaling(old: Record, new: CacheSpec, links: Links) -> None:
    """Raise `ArmError` if a linked cache would get another size, or more servers."""
    if _scale(old.spec) == _scale(new):
        return
    for link in links.get(old.key, ()):
        raise ArmError(
            400,
            BAD_REQUEST,
            f"The cache '{old.key.name}' cannot be scaled while it is linked to "
            f"'{link.other.key.name}'. Delete the link first: DELETE {_path(link)}.",
        )


def ids(owner: CacheKey, links: Links) -> list[dict[str, str]]:
    """Render ``properties.linkedServers`` of a cache."""
    return [{"id": _path(link)} for link in links.get(owner, ())]


def _path(link: Link) -> str:
    return f"{link.owner.key.arm_id}/{SEGMENT}/{link.other.key.name}"


def _misfits(primary: Record, secondary: Record) -> Iterator[str]:
    one, two = primary.spec, secondary.spec
    if primary.key.subscription.lower() != secondary.key.subscription.lower():
        yield "Both caches have to be in the same subscription."
    if {one.sku.tier, two.sku.tier} != {Tier.PREMIUM}:
        tiers = f"{one.sku.tier} and {two.sku.tier}"
        yield f"Both caches have to be Premium; they are {tiers}."
    elif SIZES[two.sku.size].memory_bytes < SIZES[one.sku.size].memory_bytes:
        yield (
            f"The secondary, {two.sku.size}, cannot be smaller than the primary, "
            f"{one.sku.size}."
        )
    if (one.shard_count or 0) != (two.shard_count or 0):
        yield "Both caches have to have the same number of shards."
    for record in (primary, secondary):
        name = record.key.name
        if (record.spec.replicas_per_primary or 1) > 1:
            yield f"The cache '{name}' has more than one replica per primary."
        if _persistent(record.spec):
            yield f"The cache '{name}' has persistence enabled."


def _persistent(spec: CacheSpec) -> bool:
    switches = (RDB_ENABLED, AOF_ENABLED)
    return any(enabled(spec.redis_configuration, each) for each in switches)


def _scale(spec: CacheSpec) -> tuple[object, ...]:
    return (spec.sku, spec.shard_count, spec.replicas_per_primary or 1)
