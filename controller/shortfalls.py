"""Where a cache is less than its spec asks for, and why; pure.

What is merely stored is worse than what is refused, unless somebody says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from controller.config import Limits, durable
from controller.model import Record
from controller.sizing import size_of
from controller.spec import CacheSpec, Tier

_SETTING = "redisConfiguration"


@dataclass(frozen=True, slots=True)
class Shortfall:
    """One property that has not all the effect that it has in Azure."""

    property: str  # as ARM names it
    why: str  # one sentence, for people


def shortfalls(
    record: Record, limits: Limits, *, isolates: bool
) -> tuple[Shortfall, ...]:
    """Find them all; ``isolates`` is what the backend says of itself."""
    spec = record.spec
    return (
        *_memory(spec, limits),
        *_servers(spec),
        *_network(spec, isolates=isolates),
        *_settings(spec),
        *_children(spec),
    )


def _memory(spec: CacheSpec, limits: Limits) -> Iterator[Shortfall]:
    size = size_of(spec.sku)
    if size is not None and size.memory_bytes > limits.max_memory_bytes:
        yield Shortfall(
            "sku",
            f"{spec.sku.size} has {size.memory_bytes >> 20} MB; here it has "
            f"{limits.max_memory_bytes >> 20} MB, the most that "
            "FLOCI_AZ_SERVICES_REDIS_MAX_MEMORY allows.",
        )


def _servers(spec: CacheSpec) -> Iterator[Shortfall]:
    one = "One server stands for all nodes of the cache"
    if (spec.shard_count or 1) > 1:
        yield Shortfall("shardCount", f"{one}, and is no cluster.")
    if spec.sku.tier is not Tier.BASIC:
        yield Shortfall("replicasPerPrimary", f"{one}; there are no replicas.")
    if spec.zones:
        yield Shortfall("zones", f"{one}, and is where the emulator is.")


def _network(spec: CacheSpec, *, isolates: bool) -> Iterator[Shortfall]:
    stored = "It is stored and shown; all networks are the emulator's."
    if spec.subnet_id is not None:
        yield Shortfall("subnetId", stored)
    if spec.static_ip is not None:
        yield Shortfall("staticIP", stored)
    if spec.public_network_access == "Disabled" and not isolates:
        yield Shortfall(
            "publicNetworkAccess",
            "The server goes on to listen on this machine's loopback interface, by "
            "which alone the emulator reaches it here.",
        )
    if spec.minimum_tls_version in {"1.0", "1.1"}:
        yield Shortfall(
            "minimumTlsVersion",
            "Versions below 1.2 are served as far as the server's OpenSSL has them, "
            "which not every build does.",
        )


def _settings(spec: CacheSpec) -> Iterator[Shortfall]:
    settings = spec.redis_configuration
    if durable(spec):
        yield Shortfall(
            f"{_SETTING}.storage",
            "Data are kept on a volume of the emulator's, in an append-only file, and "
            "not in a storage account.",
        )
    if int(settings.get("rdb-backup-max-snapshot-count", 1)) > 1:
        yield Shortfall(
            f"{_SETTING}.rdb-backup-max-snapshot-count", "There is only the newest one."
        )
    if spec.identity is not None:
        yield Shortfall("identity", "It is granted, and nothing here has to trust it.")
    if spec.update_channel == "Preview":
        yield Shortfall("updateChannel", "The server is that of the configured image.")
    if spec.tenant_settings:
        yield Shortfall("tenantSettings", "They are stored and shown.")


def _children(spec: CacheSpec) -> Iterator[Shortfall]:
    if spec.firewall_rules:
        yield Shortfall(
            "firewallRules",
            "They are stored and shown; a server sees the engine's address, not that "
            "of its clients.",
        )
    if spec.patch_schedule:
        yield Shortfall("patchSchedules", "Nothing is patched, at no time.")
    if spec.private_endpoint_connections:
        yield Shortfall("privateEndpointConnections", "They are stored and shown.")
    if spec.linked_servers:
        yield Shortfall("linkedServers", "No data are replicated from one to another.")
