"""Record to the JSON of a cache, as the newest api-version shows it; pure.

Source of order and presence: recorded answers, api-version 2024-11-01.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from api.redis.private_endpoints import connections
from controller.model import Endpoint, Record
from controller.spec import AccessKeys, CacheSpec, Tier

FIRST_SSL_PORT = 15000  # of the first node, and so on; nothing listens there
FIRST_PLAIN_PORT = 13000


def cache(
    record: Record,
    endpoint: Endpoint,
    *,
    linked: Sequence[Mapping[str, str]] = (),
    state: str | None = None,
    with_keys: bool = False,
) -> dict[str, Any]:
    """Render the whole resource.

    ``linked`` are the links of the cache, from either side. ``state`` is what
    ``provisioningState`` says if not what the record is in. Only answers to PUT have
    the keys; elsewhere ``accessKeys`` is null.
    """
    spec = record.spec
    properties = _properties(record, endpoint) | {
        "provisioningState": state or record.provisioning_state,
        "accessKeys": access_keys(spec.access_keys) if with_keys else None,
        "linkedServers": list(linked),
    }
    return {
        "id": record.key.arm_id,
        "location": spec.location,
        "name": record.key.name,
        "type": "Microsoft.Cache/Redis",
        "tags": dict(spec.tags),
        "properties": {
            name: value
            for name, value in properties.items()
            if value is not None or name == "accessKeys"
        },
        **({"zones": list(spec.zones)} if spec.zones else {}),
        **({"identity": dict(spec.identity)} if spec.identity else {}),
    }


def access_keys(keys: AccessKeys) -> dict[str, str]:
    """Render both keys, readable."""
    return {
        "primaryKey": keys.primary.reveal,
        "secondaryKey": keys.secondary.reveal,
    }


def _properties(record: Record, endpoint: Endpoint) -> dict[str, Any]:
    """Give every property in its place; `None` stands for those that are not shown."""
    spec, replicas = record.spec, _shown_replicas(record)
    return {
        "provisioningState": None,
        "redisVersion": spec.redis_version,
        "sku": {
            "name": spec.sku.tier,
            "family": spec.sku.family,
            "capacity": spec.sku.capacity,
        },
        "enableNonSslPort": spec.enable_non_ssl_port,
        "instances": _instances(record),
        "minimumTlsVersion": spec.minimum_tls_version,
        "publicNetworkAccess": spec.public_network_access,
        "privateEndpointConnections": connections(record) or None,
        "tenantSettings": _plain(spec.tenant_settings),
        "redisConfiguration": _configuration(record),
        "accessKeys": None,
        "hostName": endpoint.host,
        "port": endpoint.port,
        "sslPort": endpoint.ssl_port,
        "shardCount": spec.shard_count,
        "replicasPerMaster": replicas,
        "linkedServers": None,
        "replicasPerPrimary": replicas,
        "updateChannel": spec.update_channel,
        "zonalAllocationPolicy": spec.zonal_allocation_policy,
        "disableAccessKeyAuthentication": spec.disable_access_key_authentication,
        "subnetId": spec.subnet_id,
        "staticIP": spec.static_ip,
    }


def _instances(record: Record) -> list[dict[str, Any]]:
    """Render the nodes of every shard; the first of each is its primary."""
    spec, there = record.spec, _provisioned(record)
    per_shard = nodes_per_shard(spec)
    numbered = spec.shard_count is not None or (there and _shows_layout(spec))
    instances = []
    for number in range((spec.shard_count or 1) * per_shard):
        shard, index = divmod(number, per_shard)
        primary = there and index == 0
        node: dict[str, Any] = {"sslPort": FIRST_SSL_PORT + number}
        if spec.enable_non_ssl_port:
            node["nonSslPort"] = FIRST_PLAIN_PORT + number
        if there and spec.zones:
            node["zone"] = _zone(spec.zones, index)
        if numbered:
            node["shardId"] = shard
        instances.append(node | {"isMaster": primary, "isPrimary": primary})
    return instances


def _configuration(record: Record) -> dict[str, str]:
    """Add the one setting that is never set: which node is in which zone."""
    spec = record.spec
    settings = dict(spec.redis_configuration)
    if spec.zones and _provisioned(record):
        nodes = range(nodes_per_shard(spec))
        topology = {
            "preferredPrimaryZoneId": spec.zones[-1],
            "zoneNodeTopology": {
                zone: [str(node) for node in nodes if _zone(spec.zones, node) == zone]
                for zone in spec.zones
            },
        }
        text = json.dumps(topology, indent=2)
        settings["zonal-configuration"] = text.replace("\n", "\r\n")
    return settings


def _shown_replicas(record: Record) -> int | None:
    """Give the number of replicas where it is shown.

    Recorded: always if it or zones were asked for; else once it exists, where shard
    ids are shown too.
    """
    spec = record.spec
    if spec.replicas_per_primary is not None:
        return spec.replicas_per_primary
    shown = bool(spec.zones) or (_provisioned(record) and _shows_layout(spec))
    return 1 if shown else None


def _shows_layout(spec: CacheSpec) -> bool:
    """Tell whether shard ids and replicas are shown unasked."""
    return spec.sku.tier is Tier.PREMIUM and spec.zonal_allocation_policy != "NoZones"


def nodes_per_shard(spec: CacheSpec) -> int:
    """Count the primary of a shard and its replicas."""
    match spec.sku.tier:
        case Tier.BASIC:
            return 1
        case Tier.STANDARD:
            return 2
        case Tier.PREMIUM:
            return 1 + (spec.replicas_per_primary or 1)


def _provisioned(record: Record) -> bool:
    """Tell whether the cache was ever in place; before that no node has a role."""
    return record.status.observed_generation > 0


def _zone(zones: tuple[str, ...], index: int) -> str:
    return zones[index % len(zones)]


def _plain(values: Mapping[str, str] | None) -> dict[str, str] | None:
    return None if values is None else dict(values)
