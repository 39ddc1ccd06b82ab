"""Settings of a server, from the spec and from the server's own answer; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from controller.sizing import Size, size_of
from controller.spec import CacheSpec

MAXMEMORY_POLICY = "maxmemory-policy"
NOTIFY = "notify-keyspace-events"
DATABASES = "16"  # in every size, unless more were asked for at the creation
DEFAULT_POLICY = "volatile-lru"  # source: "How to configure Azure Cache for Redis"

# CONFIG names that the controller sets live, and reads back in every look
LIVE = ("maxmemory", "maxclients", MAXMEMORY_POLICY, NOTIFY)

_ALL_EVENTS = "g$lshzxetd"  # what the letter A stands for (valkey.conf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the operator allows each server, whatever its SKU says."""

    image: str
    max_memory_bytes: int


def live_settings(spec: CacheSpec, limits: Limits) -> Mapping[str, str]:
    """Give what ``CONFIG SET`` must have set, by name.

    ``maxmemory`` is that of the SKU, capped, so that a laptop survives a P5.
    """
    size = _size(spec)
    configuration = spec.redis_configuration
    return {
        "maxmemory": str(min(size.memory_bytes, limits.max_memory_bytes)),
        "maxclients": str(size.max_clients),
        MAXMEMORY_POLICY: configuration.get(MAXMEMORY_POLICY, DEFAULT_POLICY),
        NOTIFY: configuration.get(NOTIFY, ""),
    }


def immutable_settings(spec: CacheSpec) -> Mapping[str, str]:
    """Give what only a new server can change, by CONFIG name."""
    return {"databases": spec.redis_configuration.get("databases", DATABASES)}


def drift(
    wanted: Mapping[str, str], seen: Mapping[str, str], ceilings: Mapping[str, str]
) -> Mapping[str, str]:
    """Pick the settings whose value is not the wanted one.

    Where that is beyond the machine's most, one of ``ceilings``, the most will do.
    """
    return {
        name: value
        for name, value in wanted.items()
        if name not in seen
        or _canonical(name, seen[name]) not in _good(name, value, ceilings)
    }


def _good(name: str, value: str, ceilings: Mapping[str, str]) -> set[str]:
    most = ceilings.get(name)
    capped = {most} if most is not None and int(most) < int(value) else set()
    return {_canonical(name, value), *capped}


def _size(spec: CacheSpec) -> Size:
    size = size_of(spec.sku)
    if size is None:  # api.redis.schema lets no such SKU in
        raise ValueError(spec.sku.size)
    return size


def _canonical(name: str, value: str) -> str:
    """Spell a value in the one way that makes equal settings equal texts."""
    if name != NOTIFY:
        return value
    return "".join(sorted(set(value.replace("A", _ALL_EVENTS))))
