"""What a cache may not be, and what it may not become; pure.

The words in which the service refuses are recorded, or quoted in issues of its
clients, unless a comment says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from api.errors import Detail
from api.locations import has_zones
from api.mistakes import BAD_REQUEST, SKU_FAMILY, invalid
from api.redis import configuration
from api.redis.schema import CacheBody
from controller.sizing import SIZES, ScaleFault, scale_fault
from controller.spec import (
    AAD_ENABLED,
    AOF_ENABLED,
    RDB_ENABLED,
    CacheSpec,
    Tier,
    enabled,
)

_SETTING = "properties.redisConfiguration"
_ZONAL_POLICY = "properties.zonalAllocationPolicy"


def of_spec(spec: CacheSpec, body: CacheBody, *, scaled: bool) -> Iterator[Detail]:
    """Find settings that contradict each other, or the tier.

    ``spec`` is what the cache would be after ``body``, in another size if ``scaled``.
    """
    match spec.sku.tier:
        case Tier.BASIC:
            yield from _premium_only(spec)
            yield from _basic(spec, body, scaled=scaled)
        case Tier.STANDARD:
            yield from _premium_only(spec)
            if spec.zonal_allocation_policy == "UserDefined":
                yield invalid(_ZONAL_POLICY, "Only Premium caches choose their zones.")
        case Tier.PREMIUM:
            yield from _premium(spec, body)
        case _:
            assert_never(spec.sku.tier)
    settings = spec.redis_configuration
    most = SIZES[spec.sku.size].databases
    if int(settings.get(configuration.DATABASES, most)) > most:
        yield invalid(
            f"{_SETTING}.databases", f"{spec.sku.size} has at most {most} databases."
        )
    entra = enabled(settings, AAD_ENABLED)
    if spec.disable_access_key_authentication and not entra:
        yield invalid(
            "properties.disableAccessKeyAuthentication",
            f"It needs '{_SETTING}.aad-enabled' to be \"true\", or nobody could sign "
            "in.",
        )


def of_step(old: CacheSpec, new: CacheSpec, body: CacheBody) -> Iterator[Detail]:
    """Find what forbids the change from ``old`` to ``new``."""
    fixed = ",".join(_fixed(old, body))
    if fixed:
        yield Detail(
            BAD_REQUEST,
            "The requested update to the resource is not permitted. The following "
            f"properties(s) cannot be modified: '{fixed}'.",
            fixed,
        )
    fault = scale_fault(old.sku, new.sku)
    if fault is not None:
        yield _scale(fault, new)
    together = ",".join(_apart_from_identity(old, new))
    if together and old.identity != new.identity:
        yield Detail(
            BAD_REQUEST,
            "The following updates can't be processed in one single request, please "
            f"send seperate request to update them: '{together},identity'.",
            "identity",
        )


def _basic(spec: CacheSpec, body: CacheBody, *, scaled: bool) -> Iterator[Detail]:
    """Find what Basic alone does not have: zones, and memory of one's own choice."""
    if spec.zonal_allocation_policy is not None:
        yield invalid(_ZONAL_POLICY, "Basic caches have no zones.")
    asked = body.properties.redis_configuration
    if asked is None or scaled:
        return
    for name in configuration.MEMORY:
        default = spec.redis_configuration[name]
        if asked.sent.get(name, default) != default:
            yield Detail(
                BAD_REQUEST,
                f"The setting '{name}' is not allowed on 'Basic' cache instances.",
                f"{_SETTING}.{name}",
            )


def _premium_only(spec: CacheSpec) -> Iterator[Detail]:
    settings = spec.redis_configuration
    asked = {
        "zones": spec.zones is not None,
        "properties.shardCount": spec.shard_count is not None,
        "properties.replicasPerPrimary": spec.replicas_per_primary is not None,
        "properties.subnetId": spec.subnet_id is not None,
        "properties.staticIP": spec.static_ip is not None,
    } | {
        f"{_SETTING}.{name}": enabled(settings, name)
        for name in (RDB_ENABLED, AOF_ENABLED)
    }
    why = f"Only Premium caches have it; this one is {spec.sku.tier}."
    yield from (invalid(path, why) for path, found in asked.items() if found)


def _premium(spec: CacheSpec, body: CacheBody) -> Iterator[Detail]:
    if spec.zones and not has_zones(spec.location):
        yield invalid("zones", f"{spec.location} has no availability zones.")
    if body.zones and spec.zonal_allocation_policy != "UserDefined":
        yield invalid(_ZONAL_POLICY, "With 'zones' it can only be 'UserDefined'.")
    if spec.zonal_allocation_policy == "UserDefined" and not spec.zones:
        yield invalid(_ZONAL_POLICY, "It needs 'zones' from the cache's creation on.")
    if spec.static_ip is not None and spec.subnet_id is None:
        yield invalid("properties.staticIP", "It needs 'properties.subnetId'.")
    if body.properties.replicas_per_master not in {
        None,
        spec.replicas_per_primary or 1,
    }:
        why = "It is another name of 'properties.replicasPerPrimary', which differs."
        yield invalid("properties.replicasPerMaster", why)


def _fixed(old: CacheSpec, body: CacheBody) -> Iterator[str]:
    """Name what is sent with another value, and cannot change."""
    properties = body.properties
    if body.zones and set(body.zones) != set(old.zones or ()):
        yield "zones"
    subnet = properties.subnet_id
    if subnet is not None and subnet.lower() != (old.subnet_id or "").lower():
        yield "properties.subnet"
    if properties.static_ip not in {None, old.static_ip}:
        yield "properties.staticIP"
    name = configuration.DATABASES
    sent = properties.redis_configuration
    databases = sent.databases if sent is not None else None
    most = str(SIZES[old.sku.size].databases)
    if databases not in {None, old.redis_configuration.get(name, most)}:
        yield f"{_SETTING}.{name}"


def _apart_from_identity(old: CacheSpec, new: CacheSpec) -> Iterator[str]:
    if old.sku != new.sku:
        yield "properties.sku"
    if old.public_network_access != new.public_network_access:
        yield "properties.publicNetworkAccess"


def _scale(fault: ScaleFault, new: CacheSpec) -> Detail:
    path = "properties.sku.name"
    match fault:
        case ScaleFault.TIER_DOWN:
            message = (
                f"Invalid update request: {path} cannot be updated to {new.sku.tier}."
            )
        case ScaleFault.TIER_SKIPPED:
            message = (
                f"{SKU_FAMILY} Basic cannot become Premium at once: make it Standard "
                "first, of the same size."
            )
        case ScaleFault.TIER_AND_SIZE:  # the words are ours
            message = (
                f"Invalid update request: {path} and properties.sku.capacity cannot be "
                "updated at once. Change the tier first, and then the size."
            )
        case ScaleFault.DOWN_TO_C0:  # the words are ours
            path = "properties.sku.capacity"
            message = f"Invalid update request: {path} cannot be updated to 0."
        case _:
            assert_never(fault)
    return Detail(BAD_REQUEST, message, path)
