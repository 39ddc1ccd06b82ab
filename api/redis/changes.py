"""From a request to the new spec of a cache, and to what the change means; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from api.errors import ArmError, Detail
from api.locations import Location, has_zones
from api.mistakes import refusal
from api.redis import configuration, rules
from api.redis.identity import granted
from api.redis.schema import Asked, CacheBody
from controller.errors import CacheNotFoundError
from controller.model import CacheKey, Change, Record, Work
from controller.spec import AAD_ENABLED, NOTHING, AccessKeys, CacheSpec, Tier, enabled

# Properties that a spec takes over as they are.
_TAKEN_OVER = (
    "redis_version",
    "enable_non_ssl_port",
    "minimum_tls_version",
    "public_network_access",
    "update_channel",
    "zonal_allocation_policy",
    "disable_access_key_authentication",
    "shard_count",
    "tenant_settings",
    "subnet_id",
    "static_ip",
)

# What a PUT resets when it leaves it out; `_filled` goes on from there.
_DEFAULTS: Mapping[str, Any] = {
    "redis_version": "6.0",
    "enable_non_ssl_port": False,
    "minimum_tls_version": None,
    "public_network_access": None,
    "update_channel": None,
    "disable_access_key_authentication": None,
    "shard_count": None,
    "replicas_per_primary": None,
    "tenant_settings": None,
    "tags": NOTHING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Minted:
    """Random values a change may need, made before, so that it is pure itself."""

    access_keys: AccessKeys
    principal_id: str
    boot: str = ""  # for the server of a Basic cache of another size; empty: it stays


def existing(
    key: CacheKey, change: Callable[[Record], Change]
) -> Callable[[Record | None], Change]:
    """Make a change for `Store.put` that never creates: `CacheNotFoundError`."""

    def changed(old: Record | None) -> Change:
        if old is None:
            raise CacheNotFoundError(key)
        return change(old)

    return changed


def put(old: Record | None, asked: Asked, minted: Minted) -> Change:
    """Make the spec that a PUT asks for, or raise `ArmError` with all that is wrong."""
    return _create(asked, minted) if old is None else _overwrite(old, asked, minted)


def merge(old: Record, asked: Asked, minted: Minted) -> Change:
    """Make the spec that a PATCH asks for: what it leaves out stays."""
    return _step(old, asked, _applied(old.spec, asked.body, minted), minted)


def work_of(old: CacheSpec, new: CacheSpec) -> Work | None:
    """Name the work of a change; `None`: so little that the answer can wait for it.

    Source: ``provisioningState`` of recorded PATCH answers.
    """
    if _shape(old) != _shape(new):
        return Work.SCALING
    if _entra(old) != _entra(new):
        return Work.CONFIGURING_AAD
    if old.identity != new.identity:
        return Work.UPDATING_IDENTITY
    if old.public_network_access != new.public_network_access:
        return Work.UPDATING
    return None


def _create(asked: Asked, minted: Minted) -> Change:
    location, sku = asked.body.location, asked.body.properties.sku
    if location is None or sku is None:
        raise refusal(asked.mistakes)
    base = CacheSpec(location=location, sku=sku.value, access_keys=minted.access_keys)
    spec = _applied(base, asked.body, minted)
    _check(asked, rules.of_spec(spec, asked.body, scaled=False))
    return Change(spec, Work.CREATING)


def _overwrite(old: Record, asked: Asked, minted: Minted) -> Change:
    """Make the spec that a PUT gives to a cache which is there already.

    What the request leaves out gets its default, except what cannot change, the
    zonal policy, the access keys, the identity, and the children.
    """
    kept = {
        name: value
        for name, value in old.spec.redis_configuration.items()
        if name == configuration.DATABASES
    }
    base = replace(old.spec, redis_configuration=kept, **_DEFAULTS)
    return _step(old, asked, _applied(base, asked.body, minted), minted)


def _step(old: Record, asked: Asked, spec: CacheSpec, minted: Minted) -> Change:
    """Judge the way from the old spec to the new one.

    Source of what a resize costs: "How to scale an Azure Cache for Redis instance".
    """
    _check_location(old, asked.body.location)
    spec = _respelled(old.spec, spec)
    scaled = spec.sku != old.spec.sku
    if scaled and minted.boot and spec.sku.tier is Tier.BASIC:
        spec = replace(spec, boot=minted.boot)
    _check(
        asked,
        # A cache that can never be like this need not be judged.
        tuple(rules.of_step(old.spec, spec, asked.body))
        or rules.of_spec(spec, asked.body, scaled=scaled),
    )
    return Change(spec, work_of(old.spec, spec) or Work.UPDATING)


def _respelled(old: CacheSpec, new: CacheSpec) -> CacheSpec:
    """Keep the old spelling of what is no change.

    One replica is the default, whether it was spelled out or not. What cannot change
    may come back in another case or order; another value is refused by `rules`.
    """
    same = (old.replicas_per_primary or 1) == (new.replicas_per_primary or 1)
    return replace(
        new,
        replicas_per_primary=(old if same else new).replicas_per_primary,
        zones=new.zones and old.zones,
        subnet_id=old.subnet_id,
        static_ip=old.static_ip,
    )


def _check(asked: Asked, found: Iterable[Detail]) -> None:
    mistakes = [*asked.mistakes, *found]
    if mistakes:
        raise refusal(mistakes)


def _check_location(old: Record, asked: str | None) -> None:
    if asked in {None, old.spec.location}:
        return
    here, there = Location(old.spec.location), Location(asked or "")
    raise ArmError(
        409,
        "InvalidResourceLocation",
        f"The resource '{old.key.name}' already exists in location '{here.name}' in "
        f"resource group '{old.key.group}'. A resource with the same name cannot be "
        f"created in location '{there.name}'. Please select a new resource name.",
        gateway=True,
    )


def _applied(base: CacheSpec, body: CacheBody, minted: Minted) -> CacheSpec:
    """Put what the body sets into ``base``, and fill in what neither sets."""
    asked = body.properties
    sku = asked.sku.value if asked.sku is not None else base.sku
    sent = asked.redis_configuration.sent if asked.redis_configuration else {}
    identity = base.identity
    if body.identity is not None:
        identity = granted(body.identity, identity, minted.principal_id)
    given: dict[str, Any] = {name: getattr(asked, name) for name in _TAKEN_OVER}
    given["replicas_per_primary"] = (
        asked.replicas_per_primary or asked.replicas_per_master
    )
    given["zones"] = tuple(body.zones) if body.zones else None
    given["tags"] = body.tags
    spec = replace(
        base,
        sku=sku,
        redis_configuration=configuration.merged(
            base.redis_configuration, sent, sku, base.sku
        ),
        identity=identity,
        **{name: value for name, value in given.items() if value is not None},
    )
    return _zoned(_filled(spec), keep_zones=bool(body.zones))


def _filled(spec: CacheSpec) -> CacheSpec:
    """Give what is unset and always shown its default."""
    return replace(
        spec,
        public_network_access=spec.public_network_access or "Enabled",
        update_channel=spec.update_channel or "Stable",
        disable_access_key_authentication=bool(spec.disable_access_key_authentication),
    )


def _zoned(spec: CacheSpec, *, keep_zones: bool) -> CacheSpec:
    """Settle the zonal policy, and drop zones which it makes void.

    Recorded: zones mean ``UserDefined``; else it is ``Automatic`` in a region that
    has zones; Basic caches have none; from ``UserDefined`` to another, zones go.
    """
    policy = spec.zonal_allocation_policy
    if spec.sku.tier is Tier.BASIC:
        return replace(
            spec, zonal_allocation_policy=None if policy == "NoZones" else policy
        )
    if policy is None:
        without = "Automatic" if has_zones(spec.location) else "NoZones"
        policy = "UserDefined" if spec.zones else without
    zones = spec.zones if keep_zones or policy == "UserDefined" else None
    return replace(spec, zonal_allocation_policy=policy, zones=zones)


def _shape(spec: CacheSpec) -> tuple[object, ...]:
    """Give what takes other servers, or more of them."""
    return (
        spec.sku,
        spec.shard_count,
        spec.replicas_per_primary,
        spec.zonal_allocation_policy,
    )


def _entra(spec: CacheSpec) -> bool:
    return enabled(spec.redis_configuration, AAD_ENABLED)
