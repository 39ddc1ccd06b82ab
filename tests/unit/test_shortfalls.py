"""What of a cache is only stored is said to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from controller.children import FirewallRule, LinkedServer, ScheduleEntry
from controller.shortfalls import shortfalls
from controller.spec import Sku, Tier
from tests import builders as b

PREMIUM = Sku(Tier.PREMIUM, 1)
RULE = FirewallRule(start_ip="10.0.0.0", end_ip="10.0.0.9")
ENTRY = ScheduleEntry(
    day_of_week="Everyday", start_hour_utc=1, maintenance_window="PT5H"
)


def found(*, isolates: bool = True, **changes: Any) -> list[str]:  # noqa: ANN401 (members of a spec)
    """Name the properties of a cache that have not all their effect."""
    record = b.record(replace(b.SPEC, **changes))
    return [each.property for each in shortfalls(record, b.LIMITS, isolates=isolates)]


@pytest.mark.parametrize(
    ("changes", "properties"),
    [
        pytest.param({}, [], id="a Basic cache has all that it asks for"),
        pytest.param(
            {"sku": PREMIUM}, ["sku", "replicasPerPrimary"], id="memory, replicas"
        ),
        pytest.param({"shard_count": 2}, ["shardCount"], id="shards"),
        pytest.param({"zones": ("1",)}, ["zones"], id="zones"),
        pytest.param(
            {"subnet_id": "/s", "static_ip": "10.0.0.4"},
            ["subnetId", "staticIP"],
            id="subnet",
        ),
        pytest.param({"minimum_tls_version": "1.0"}, ["minimumTlsVersion"], id="TLS"),
        pytest.param({"minimum_tls_version": "1.2"}, [], id="TLS of today"),
        pytest.param({"public_network_access": "Disabled"}, [], id="network"),
        pytest.param({"identity": {"type": "SystemAssigned"}}, ["identity"], id="id"),
        pytest.param({"update_channel": "Preview"}, ["updateChannel"], id="channel"),
        pytest.param({"update_channel": "Stable"}, [], id="usual channel"),
        pytest.param({"tenant_settings": {"a": "b"}}, ["tenantSettings"], id="tenant"),
        pytest.param({"firewall_rules": {"a": RULE}}, ["firewallRules"], id="rules"),
        pytest.param({"patch_schedule": (ENTRY,)}, ["patchSchedules"], id="schedule"),
        pytest.param(
            {"linked_servers": {"other": LinkedServer(uid="u")}},
            ["linkedServers"],
            id="links",
        ),
    ],
)
def test_what_is_merely_stored_is_named(
    changes: Mapping[str, Any], properties: list[str]
) -> None:
    """Nobody has to find out by a wrong result."""
    assert found(**changes) == properties


def test_where_there_is_no_network_to_hide_in_is_told() -> None:
    """A server that goes on to listen on the loopback interface says so."""
    names = found(isolates=False, public_network_access="Disabled")
    assert names == ["publicNetworkAccess"]


def test_a_cap_is_told_with_its_setting() -> None:
    """Both sizes are named, and what to set."""
    record = b.record(replace(b.SPEC, sku=Sku(Tier.STANDARD, 1)))
    cap, *_ = shortfalls(record, b.LIMITS, isolates=True)
    assert "1024 MB" in cap.why
    assert "256 MB" in cap.why
    assert "FLOCI_AZ_SERVICES_REDIS_MAX_MEMORY" in cap.why


def test_where_durable_data_are_is_told() -> None:
    """A connection string to a storage account is not used."""
    settings = {"rdb-backup-enabled": "true", "rdb-backup-max-snapshot-count": "5"}
    names = found(sku=PREMIUM, redis_configuration=settings)
    assert names[2:] == [
        "redisConfiguration.storage",
        "redisConfiguration.rdb-backup-max-snapshot-count",
    ]
