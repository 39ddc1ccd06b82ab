"""What a PUT and a PATCH make of a cache."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from api.arm.principals import HOME_TENANT, application, user_assigned
from api.errors import ArmError
from api.redis import changes, schema
from controller.children import FirewallRule
from controller.errors import CacheNotFoundError
from controller.model import Change, Record, Work
from tests.builders import KEY, KEYS
from tests.redis_requests import (
    MINTED,
    PRINCIPAL,
    SUBNET,
    existing,
    patch,
    premium,
    provisioned,
    put,
    request,
    sku,
)

USER = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity"
    "/userAssignedIdentities/me"
)


def test_a_new_cache_gets_the_recorded_defaults() -> None:
    """They are in the spec, so that a later PUT of the same body changes nothing."""
    change = put(request(tags={"a": "b"}))
    spec = change.spec
    assert change.work is Work.CREATING
    assert spec.access_keys == KEYS
    assert (spec.redis_version, spec.update_channel) == ("6.0", "Stable")
    assert (spec.public_network_access, spec.enable_non_ssl_port) == ("Enabled", False)
    assert spec.disable_access_key_authentication is False
    assert spec.tags == {"a": "b"}
    unset = (spec.minimum_tls_version, spec.tenant_settings, spec.shard_count)
    assert unset == (None, None, None)
    assert (spec.zones, spec.identity, spec.replicas_per_primary) == (None, None, None)


@pytest.mark.parametrize(
    ("raw", "policy", "zones"),
    [
        pytest.param(request(), None, None, id="Basic"),
        pytest.param(
            request(zonalAllocationPolicy="NoZones"), None, None, id="Basic NoZones"
        ),
        pytest.param(request("C1", "Standard"), "Automatic", None, id="Standard"),
        pytest.param(premium(), "Automatic", None, id="Premium"),
        pytest.param(premium(location="westus"), "NoZones", None, id="region without"),
        pytest.param(
            premium(zonalAllocationPolicy="NoZones"), "NoZones", None, id="no zones"
        ),
        pytest.param(
            premium(zones=["1", "2"]), "UserDefined", ("1", "2"), id="user's zones"
        ),
        pytest.param(premium(zones=[]), "Automatic", None, id="empty list"),
    ],
)
def test_the_zonal_policy_follows_tier_region_and_zones(
    raw: dict[str, Any], policy: str | None, zones: tuple[str, ...] | None
) -> None:
    """As recorded."""
    spec = put(raw).spec
    assert (spec.zonal_allocation_policy, spec.zones) == (policy, zones)


@pytest.mark.parametrize("member", ["replicasPerPrimary", "replicasPerMaster"])
def test_replicas_have_two_names(member: str) -> None:
    """Either one sets the number."""
    assert put(premium(**{member: 2})).spec.replicas_per_primary == 2


FULL = premium(
    tags={"a": "b"},
    zones=["1", "2"],
    identity={"type": "SystemAssigned"},
    enableNonSslPort=True,
    redisVersion="6",
    shardCount=2,
    replicasPerPrimary=2,
    minimumTlsVersion="1.2",
    publicNetworkAccess="Disabled",
    updateChannel="Preview",
    tenantSettings={"x": "1"},
    subnetId=SUBNET,
    staticIP="10.0.0.5",
    redisConfiguration={"maxmemory-policy": "allkeys-lru", "databases": "8"},
)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(request(), id="Basic"),
        pytest.param(request("C1", "Standard"), id="Standard"),
        pytest.param(premium(), id="Premium"),
        pytest.param(FULL, id="everything"),
    ],
)
def test_the_same_put_again_changes_nothing(raw: dict[str, Any]) -> None:
    """Templates are deployed again and again."""
    old = existing(raw)
    assert put(raw, old).spec == old.spec


def _unchanged(*bodies: dict[str, Any]) -> list[Any]:
    return [pytest.param(each, id=str(each)[:60]) for each in bodies]


@pytest.mark.parametrize(
    "raw",
    _unchanged(
        {},
        {"properties": {}},
        {"location": "westeurope"},
        {"zones": ["2", "1"]},
        {"tags": {"a": "b"}, "identity": {"type": "systemassigned"}},
        {"properties": {"sku": sku("P1", "premium"), "redisVersion": "latest"}},
        {"properties": {"redisConfiguration": {"maxmemory-delta": "642"}}},
        {"properties": {"redisConfiguration": {"maxclients": "1"}}},
        {"properties": {"publicNetworkAccess": "disabled", "replicasPerMaster": 2}},
        {"properties": {"subnetId": SUBNET.upper(), "staticIP": "10.0.0.5"}},
        {"properties": {"minimumTlsVersion": None, "hostName": "other"}},
    ),
)
def test_what_comes_back_unchanged_is_no_change(raw: dict[str, Any]) -> None:
    """Az sends the whole object with one member changed."""
    old = existing(FULL)
    assert patch(raw, old).spec == old.spec


def test_one_replica_that_is_spelled_out_is_no_change() -> None:
    """Answers show the default, and clients send it back."""
    old = existing(premium())
    assert patch({"properties": {"replicasPerPrimary": 1}}, old).spec == old.spec


def test_a_put_resets_what_it_leaves_out() -> None:
    """Except what cannot change, the keys and the identity. Recorded for the access."""
    old = existing(FULL)
    spec = put(premium(), old).spec
    assert spec == replace(
        put(premium()).spec,
        zones=("1", "2"),
        zonal_allocation_policy="UserDefined",
        subnet_id=SUBNET,
        static_ip="10.0.0.5",
        identity=old.spec.identity,
        redis_configuration=spec.redis_configuration,
    )
    assert spec.redis_configuration["databases"] == "8"
    assert "maxmemory-policy" not in spec.redis_configuration


def test_children_outlive_every_write() -> None:
    """They are not in these bodies, so nobody asked for them to go."""
    rules = {"office": FirewallRule(start_ip="10.0.0.1", end_ip="10.0.0.9")}
    old = existing(FULL)
    old = replace(old, spec=replace(old.spec, firewall_rules=rules))
    for spec in (put(premium(), old).spec, patch({"tags": {}}, old).spec):
        assert spec.children == old.spec.children


def test_a_patch_merges_settings_and_replaces_tags() -> None:
    """Tags are one value; settings are merged key by key."""
    old = existing(FULL)
    settings = {"redisConfiguration": {"aad-enabled": "true"}}
    spec = patch({"tags": {"c": "d"}, "properties": settings}, old).spec
    assert spec.tags == {"c": "d"}
    assert spec.redis_configuration == {
        **old.spec.redis_configuration,
        "aad-enabled": "true",
    }
    assert patch({"tags": {}}, old).spec.tags == {}


@pytest.mark.parametrize(
    ("raw", "work"),
    [
        pytest.param({"tags": {"a": "b"}}, None, id="tags"),
        pytest.param({"properties": {"minimumTlsVersion": "1.2"}}, None, id="tls"),
        pytest.param({"properties": {"enableNonSslPort": True}}, None, id="port"),
        pytest.param({"properties": {"updateChannel": "Preview"}}, None, id="channel"),
        pytest.param(
            {"properties": {"redisConfiguration": {"maxmemory-policy": "noeviction"}}},
            None,
            id="policy",
        ),
        pytest.param(
            {"properties": {"redisConfiguration": {"aad-enabled": "False"}}},
            None,
            id="off as it was",
        ),
        pytest.param(
            {"properties": {"redisConfiguration": {"aad-enabled": "true"}}},
            Work.CONFIGURING_AAD,
            id="Entra",
        ),
        pytest.param(
            {"identity": {"type": "SystemAssigned"}},
            Work.UPDATING_IDENTITY,
            id="identity",
        ),
        pytest.param(
            {"properties": {"publicNetworkAccess": "Disabled"}},
            Work.UPDATING,
            id="access",
        ),
        pytest.param(
            {"properties": {"sku": sku("P2", "Premium")}}, Work.SCALING, id="size"
        ),
        pytest.param({"properties": {"shardCount": 2}}, Work.SCALING, id="shards"),
        pytest.param(
            {"properties": {"replicasPerPrimary": 2}}, Work.SCALING, id="replicas"
        ),
        pytest.param(
            {"properties": {"zonalAllocationPolicy": "NoZones"}},
            Work.SCALING,
            id="zones",
        ),
        pytest.param(
            {
                "properties": {
                    "sku": sku("P2", "Premium"),
                    "publicNetworkAccess": "Disabled",
                }
            },
            Work.SCALING,
            id="the longer one",
        ),
    ],
)
def test_the_work_of_a_change(raw: dict[str, Any], work: Work | None) -> None:
    """What changes decides, in the words that were recorded."""
    old = existing(premium())
    change = patch(raw, old)
    assert change.spec != old.spec
    assert changes.work_of(old.spec, change.spec) is work
    assert change.work is (work or Work.UPDATING)


def test_zones_go_when_the_policy_leaves_them() -> None:
    """Recorded: from ``UserDefined`` to ``Automatic``."""
    old = existing(premium(zones=["1", "2"]))
    raw = {"properties": {"zonalAllocationPolicy": "Automatic"}}
    assert patch(raw, old).spec.zones is None


def test_a_basic_cache_gets_a_zonal_policy_when_it_grows_out_of_it() -> None:
    """A Standard one always has one."""
    raw = {"properties": {"sku": sku("C0", "Standard")}}
    assert patch(raw, existing(request())).spec.zonal_allocation_policy == "Automatic"


def test_a_system_identity_stays_until_it_is_removed() -> None:
    """Its principal is kept, and one that is added again is another."""
    old = existing(premium(identity={"type": "SystemAssigned"}))
    assert old.spec.identity is not None
    assert old.spec.identity["principalId"] == PRINCIPAL
    assert set(old.spec.identity) == {"type", "principalId", "tenantId"}
    later = replace(MINTED, principal_id="later")

    def identity(of: Record, kind: dict[str, Any]) -> Any:  # noqa: ANN401 (JSON)
        asked = schema.read({"identity": kind}, schema.CacheBody)
        return changes.merge(of, asked, later).spec.identity

    both = {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {USER: {}}}
    kept = identity(old, both)
    assert kept["type"] == "SystemAssigned, UserAssigned"
    assert kept["principalId"] == PRINCIPAL
    assert set(kept["userAssignedIdentities"][USER]) == {"principalId", "clientId"}
    assert identity(old, {"type": "None"}) is None
    assert identity(existing(premium()), {"type": "SystemAssigned"})["principalId"] == (
        "later"
    )


def test_a_user_identity_is_the_same_for_every_cache() -> None:
    """It exists beside the caches, under its own resource id."""
    asked = {"type": "UserAssigned", "userAssignedIdentities": {USER: {}}}
    first, second = (put(raw).spec.identity for raw in _both_tiers(identity=asked))
    assert first == second
    assert first is not None
    assert set(first) == {"type", "userAssignedIdentities"}


def test_a_user_identity_is_the_one_that_its_tokens_name() -> None:
    """A policy that is assigned to it lets in who signs in as it."""
    asked = {"type": "UserAssigned", "userAssignedIdentities": {USER: {}}}
    identity = put(request(identity=asked)).spec.identity
    assert identity is not None
    shown = identity["userAssignedIdentities"][USER]
    who = user_assigned(USER)
    assert shown == {"principalId": who.object_id, "clientId": who.client_id}
    assert application(HOME_TENANT, shown["clientId"]).object_id == who.object_id


def _both_tiers(**members: object) -> tuple[dict[str, Any], dict[str, Any]]:
    return request(**members), premium(**members)


def test_a_cache_cannot_move() -> None:
    """The error names both places, and it is a conflict."""
    for raw, change in (
        (premium(location="eastus"), put),
        ({"location": "eastus"}, patch),
    ):
        with pytest.raises(ArmError) as refused:
            change(raw, existing(premium()))
        error = refused.value
        assert (error.status, error.code) == (409, "InvalidResourceLocation")
        assert error.gateway
        assert "in location 'westeurope' in resource group 'my-rg'" in error.message
        assert "cannot be created in location 'eastus'" in error.message


def test_a_change_of_what_exists_creates_nothing() -> None:
    """A cache that was deleted meanwhile stays deleted."""
    old = existing(request())
    change = changes.existing(KEY, lambda seen: Change(seen.spec, Work.UPDATING))
    assert change(old).spec is old.spec
    with pytest.raises(CacheNotFoundError):
        change(None)


def test_a_cache_that_never_came_to_be_can_be_put_again() -> None:
    """A good PUT after a bad one recovers it."""
    failed = replace(provisioned(put(request()).spec), generation=2)
    assert put(request("C1"), failed).spec.sku.size == "C1"


@pytest.mark.parametrize(
    ("before", "after", "emptied"),
    [
        pytest.param(request("C0"), request("C1"), True, id="Basic resized"),
        pytest.param(request("C1"), request("C1", "Standard"), False, id="to Standard"),
        pytest.param(
            request("C1", "Standard"), request("C2", "Standard"), False, id="Standard"
        ),
        pytest.param(request("C0"), request("C0"), False, id="nothing changed"),
    ],
)
def test_a_faithful_resize_of_a_basic_cache_loses_its_data(
    before: dict[str, Any], after: dict[str, Any], *, emptied: bool
) -> None:
    """As in Azure, where another server takes its place; every other one keeps them."""
    old = existing(before)
    asked = schema.read(after, schema.CreateBody)
    faithful = replace(MINTED, boot="r2")
    assert (changes.put(old, asked, faithful).spec.boot == "r2") is emptied
    assert changes.put(old, asked, MINTED).spec.boot == ""
