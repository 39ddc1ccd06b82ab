"""The requests of Terraform's azurerm provider are answered so that it settles.

The provider cannot be had from a package registry, so its requests are sent as it sends
them: see `tests.e2e.azurerm`. After every step the next plan has to say no change.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e import azurerm_others as others
from tests.e2e.azurerm import SUBSCRIPTION, Azurerm
from tests.e2e.azurerm_cache import Attributes, Cache, drift
from tests.emulator import running

BASIC = {"sku_name": "Basic", "family": "C", "capacity": 0, "location": "westeurope"}
STANDARD = {**BASIC, "sku_name": "Standard", "capacity": 1}
PREMIUM = {**BASIC, "sku_name": "Premium", "family": "P", "capacity": 1}
STORAGE = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=c2VjcmV0"
SUBNET = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/net/providers"
    "/Microsoft.Network/virtualNetworks/vnet/subnets/caches"
)
OWN_IDENTITY = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/ids/providers"
    "/Microsoft.ManagedIdentity/userAssignedIdentities/mine"
)
PRINCIPAL = "6f3e2f9c-7c62-4b7a-9bb0-6d0b6f7d8a11"

MONDAY: Attributes = {
    "day_of_week": "Monday",
    "maintenance_window": "PT5H",
    "start_hour_utc": 0,
}
FRIDAY: Attributes = {
    "day_of_week": "Friday",
    "maintenance_window": "PT6H",
    "start_hour_utc": 8,
}


def configured(base: Attributes, **settings: object) -> dict[str, Any]:
    """Add a ``redis_configuration`` block."""
    return {**base, "redis_configuration": settings}


STEPS = [
    pytest.param([BASIC, {**BASIC, "tags": {"a": "1"}}, BASIC], id="tags"),
    pytest.param(
        [
            configured(STANDARD, maxmemory_policy="allkeys-lru", maxmemory_delta=200),
            configured(
                {**STANDARD, "non_ssl_port_enabled": True},
                maxmemory_policy="allkeys-lfu",
                maxmemory_delta=200,
                notify_keyspace_events="KEA",
            ),
            configured({**STANDARD, "capacity": 2}, notify_keyspace_events="KEA"),
        ],
        id="settings",
    ),
    pytest.param(
        [
            {**PREMIUM, "zones": ["1", "2"], "patch_schedule": [FRIDAY, MONDAY]},
            {**PREMIUM, "zones": ["1", "2"], "patch_schedule": [MONDAY]},
            {**PREMIUM, "zones": ["1", "2"], "public_network_access_enabled": False},
        ],
        id="zones-and-schedule",
    ),
    pytest.param(
        [
            {**BASIC, "capacity": 1},
            STANDARD,
            PREMIUM,
            {**PREMIUM, "shard_count": 2},
        ],
        id="scale",
    ),
    pytest.param(
        [
            configured(
                PREMIUM,
                rdb_backup_enabled=True,
                rdb_backup_frequency=60,
                rdb_backup_max_snapshot_count=1,
                rdb_storage_connection_string=STORAGE,
            ),
            configured(PREMIUM, rdb_backup_enabled=False),
            configured(
                PREMIUM,
                aof_backup_enabled=True,
                aof_storage_connection_string_0=STORAGE,
                aof_storage_connection_string_1=STORAGE,
            ),
            configured(PREMIUM, aof_backup_enabled=False),
        ],
        id="persistence",
    ),
    pytest.param(
        [
            configured(STANDARD, active_directory_authentication_enabled=True),
            configured(
                {**STANDARD, "access_keys_authentication_enabled": False},
                active_directory_authentication_enabled=True,
            ),
        ],
        id="entra",
    ),
    pytest.param(
        [
            {**STANDARD, "identity": {"type": "SystemAssigned"}},
            {
                **STANDARD,
                "identity": {
                    "type": "SystemAssigned, UserAssigned",
                    "identity_ids": [OWN_IDENTITY],
                },
            },
            STANDARD,
        ],
        id="identity",
    ),
    pytest.param(
        [
            configured(
                {
                    **PREMIUM,
                    "subnet_id": SUBNET,
                    "private_static_ip_address": "10.0.0.9",
                    "tenant_settings": {"setting": "1"},
                    "replicas_per_primary": 2,
                },
                authentication_enabled=False,
            )
        ],
        id="network",
    ),
]


@pytest.fixture(
    scope="module", params=["mocked", pytest.param("docker", marks=pytest.mark.docker)]
)
def provider(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Azurerm]:
    """Configure the provider with an emulator, with servers and without."""
    variables = {
        "mocked": {"FLOCI_AZ_SERVICES_REDIS_MOCKED": "true"},
        "docker": {"FLOCI_AZ_SERVICES_REDIS_BACKEND": "docker"},
    }
    state = tmp_path_factory.mktemp("azurerm")
    with running(state, **variables[request.param]) as emulator:
        yield Azurerm(emulator)


@pytest.fixture
def group(provider: Azurerm) -> Iterator[str]:
    """Create a group, and delete it when all resources in it are gone."""
    name = f"tf-{uuid.uuid4().hex[:8]}"
    others.create_group(provider, name, {})
    yield name
    others.delete_group(provider, name)


def child(cache: Cache, collection: str, name: str) -> str:
    """Give the path of a child of a cache."""
    return f"{cache.path}/{collection}/{name}"


def test_the_provider_can_be_configured(provider: Azurerm) -> None:
    """Its identity is in the token, so that it need not ask Graph."""
    assert provider.claims["oid"]
    assert isinstance(provider.claims["aud"], str)
    path = "//metadata/endpoints?api-version=2018-01-01"
    provider.send("GET", path, takes=(200, 404))


def test_older_providers_see_that_all_is_registered(provider: Azurerm) -> None:
    """Version 3 and 4 list the namespaces first."""
    path = f"/subscriptions/{SUBSCRIPTION}/providers?api-version=2022-09-01"
    listed = provider.read(path)["value"]
    states = {each["namespace"]: each["registrationState"] for each in listed}
    assert states["Microsoft.Cache"] == "Registered"
    assert set(states.values()) == {"Registered"}


def test_the_subscription_is_a_data_source(provider: Azurerm) -> None:
    """It is whatever was configured."""
    path = f"/subscriptions/{SUBSCRIPTION}"
    shown = provider.read(f"{path}?api-version=2022-12-01")
    assert (shown["id"], shown["subscriptionId"]) == (path, SUBSCRIPTION)
    assert {"displayName", "state", "tenantId"} <= shown.keys()


def test_a_group_settles(provider: Azurerm) -> None:
    """Its tags are changed, and taken away."""
    shown = others.create_group(provider, "tf-tags", {"a": "1"})
    assert (shown["location"], shown["tags"]) == ("westeurope", {"a": "1"})
    assert "managedBy" not in shown or shown["managedBy"] is None
    assert others.tag_group(provider, "tf-tags", {"b": "2"})["tags"] == {"b": "2"}
    assert others.tag_group(provider, "tf-tags", {}).get("tags", {}) == {}
    others.delete_group(provider, "tf-tags")


@pytest.mark.parametrize("steps", STEPS)
def test_a_cache_settles(provider: Azurerm, group: str, steps: list[Any]) -> None:
    """It is created, changed step by step, and destroyed, with nothing left to plan."""
    cache = Cache(provider, group, f"{group}-cache")
    assert drift(steps[0], cache.create(steps[0])) == []
    for step in steps[1:]:
        assert drift(step, cache.update(step)) == []
    cache.delete()


def test_what_was_not_asked_for_stays_away(provider: Azurerm, group: str) -> None:
    """Each of these in an answer would be a difference, or even a new cache."""
    cache = Cache(provider, group, f"{group}-plain")
    cache.create(STANDARD)
    shown = provider.read(cache.path)
    assert not {"zones", "identity"} & shown.keys()
    unasked = {"shardCount", "tenantSettings", "subnetId", "staticIP"}
    assert not unasked & shown["properties"].keys()
    cache.delete()


def test_a_cache_is_imported(provider: Azurerm, group: str) -> None:
    """Reading it gives what was configured, and the keys it was created with."""
    wanted = configured({**STANDARD, "tags": {"a": "1"}}, maxmemory_policy="noeviction")
    created = Cache(provider, group, f"{group}-import").create(wanted)
    imported = Cache(provider, group.upper(), f"{group}-import")
    assert imported.refresh() == created
    assert drift(wanted, created) == []
    imported.delete()


def test_firewall_rules_are_written_in_parallel(provider: Azurerm, group: str) -> None:
    """The provider takes no lock, and none of its writes may be refused."""
    caches = [Cache(provider, group, f"{group}-{each}") for each in range(5)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda cache: cache.create(BASIC), caches))
        rules = [
            child(cache, "firewallRules", name)
            for cache in caches
            for name in ("one", "two")
        ]
        list(pool.map(provider.find, rules))
        written = list(
            pool.map(
                lambda path: others.write_rule(provider, path, "10.0.0.1", "10.0.0.9"),
                rules,
            )
        )
        assert written == [{"startIP": "10.0.0.1", "endIP": "10.0.0.9"}] * 10
        list(pool.map(lambda path: others.delete_rule(provider, path), rules))
        list(pool.map(Cache.delete, caches))


def test_a_firewall_rule_is_changed(provider: Azurerm, group: str) -> None:
    """An update is the same request as the creation."""
    cache = Cache(provider, group, f"{group}-rule")
    cache.create(BASIC)
    path = child(cache, "firewallRules", "office")
    assert provider.find(path) is None
    others.write_rule(provider, path, "10.0.0.1", "10.0.0.9")
    changed = others.write_rule(provider, path, "10.0.0.1", "10.0.0.5")
    assert changed["endIP"] == "10.0.0.5"
    others.delete_rule(provider, path)
    cache.delete()


def test_two_caches_are_linked(provider: Azurerm, group: str) -> None:
    """The link has all that is read of it, and stays away once it is deleted."""
    primary = Cache(provider, group, f"{group}-primary")
    secondary = Cache(provider, group, f"{group}-secondary")
    primary.create(PREMIUM)
    secondary.create({**PREMIUM, "location": "eastus"})
    linked = provider.read(secondary.path)
    path = child(primary, "linkedServers", f"{group}-secondary")
    shown = others.create_link(provider, path, linked)
    assert shown["linkedRedisCacheId"].lower() == secondary.path.lower()
    assert shown["linkedRedisCacheLocation"].replace(" ", "").lower() == "eastus"
    assert shown["serverRole"] == "Secondary"
    assert shown["geoReplicatedPrimaryHostName"]
    assert drift(PREMIUM, primary.refresh()) == []
    others.delete_link(provider, path)
    for cache in (primary, secondary):
        cache.delete()


def test_access_policies_and_assignments(provider: Azurerm, group: str) -> None:
    """Names and permissions come back as they were written."""
    cache = Cache(provider, group, f"{group}-access")
    cache.create(configured(STANDARD, active_directory_authentication_enabled=True))
    policy = child(cache, "accessPolicies", "readers")
    written = {"permissions": "+@read ~app:*", "type": "Custom"}
    shown = others.create_named(provider, policy, written)
    assert shown["name"] == "readers"
    assert shown["properties"]["permissions"] == "+@read ~app:*"
    changed = others.update_policy(provider, policy, "+@read +@connection ~app:*")
    assert changed["properties"]["permissions"] == "+@read +@connection ~app:*"
    for name, given in (("custom", "readers"), ("builtin", "Data Owner")):
        path = child(cache, "accessPolicyAssignments", name)
        asked = {
            "accessPolicyName": given,
            "objectId": PRINCIPAL,
            "objectIdAlias": f"an app ({name})",
        }
        shown = others.create_named(provider, path, asked)
        assert shown["name"] == name
        assert shown["properties"].items() >= asked.items()
        provider.delete(path)
    provider.delete(policy)
    cache.delete()
