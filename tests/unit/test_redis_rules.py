"""What a cache may not be, and what it may not become."""

from __future__ import annotations

from typing import Any

import pytest

from api.errors import ArmError
from tests.redis_requests import (
    SUBNET,
    existing,
    mistakes,
    patch,
    premium,
    put,
    request,
    sku,
)

SETTING = "properties.redisConfiguration"


def refused(raw: dict[str, Any], old: dict[str, Any] | None = None) -> ArmError:
    """Send a PUT, or a PATCH of a cache that ``old`` created; give the error."""
    with pytest.raises(ArmError) as caught:
        _ = put(raw) if old is None else patch(raw, existing(old))
    return caught.value


@pytest.mark.parametrize(
    ("raw", "path", "says"),
    [
        pytest.param(
            request("C1", "Standard", shardCount=1),
            "properties.shardCount",
            "Only Premium",
            id="shards",
        ),
        pytest.param(
            request(replicasPerMaster=1),
            "properties.replicasPerPrimary",
            "this one is Basic",
            id="replicas",
        ),
        pytest.param(
            request("C1", "Standard", subnetId=SUBNET),
            "properties.subnetId",
            "Only Premium",
            id="subnet",
        ),
        pytest.param(
            request(staticIP="10.0.0.5"), "properties.staticIP", "", id="address"
        ),
        pytest.param(
            premium(staticIP="10.0.0.5"),
            "properties.staticIP",
            "needs 'properties.subnetId'",
            id="address without subnet",
        ),
        pytest.param(
            request(
                "C1", "Standard", redisConfiguration={"rdb-backup-enabled": "True"}
            ),
            f"{SETTING}.rdb-backup-enabled",
            "Only Premium",
            id="rdb",
        ),
        pytest.param(
            request(redisConfiguration={"aof-backup-enabled": "true"}),
            f"{SETTING}.aof-backup-enabled",
            "Only Premium",
            id="aof",
        ),
        pytest.param(
            request(redisConfiguration={"databases": "17"}),
            f"{SETTING}.databases",
            "C0 has at most 16",
            id="databases",
        ),
        pytest.param(
            request(disableAccessKeyAuthentication=True),
            "properties.disableAccessKeyAuthentication",
            "aad-enabled",
            id="no way in",
        ),
        pytest.param(
            request(zonalAllocationPolicy="Automatic"),
            "properties.zonalAllocationPolicy",
            "Basic caches have no zones",
            id="Basic with zones",
        ),
        pytest.param(
            request("C1", "Standard", zonalAllocationPolicy="UserDefined"),
            "properties.zonalAllocationPolicy",
            "Only Premium",
            id="Standard with own zones",
        ),
        pytest.param(
            premium(zonalAllocationPolicy="UserDefined"),
            "properties.zonalAllocationPolicy",
            "needs 'zones'",
            id="which zones",
        ),
        pytest.param(
            premium(zones=["1"], zonalAllocationPolicy="NoZones"),
            "properties.zonalAllocationPolicy",
            "'UserDefined'",
            id="zones and none",
        ),
        pytest.param(
            premium(replicasPerPrimary=1, replicasPerMaster=2),
            "properties.replicasPerMaster",
            "another name of",
            id="two words for one value",
        ),
        pytest.param(
            premium(location="West US", zones=["1"]),
            "zones",
            "West US has no availability zones",
            id="region without",
        ),
    ],
)
def test_settings_that_do_not_go_together(
    raw: dict[str, Any], path: str, says: str
) -> None:
    """The path names what to change, and the message why."""
    error = refused(raw)
    assert (error.status, error.code) == (400, "InvalidRequestBody")
    assert f"The value of the parameter '{path}' is invalid." in error.message
    assert says in error.message
    assert (error.target, error.details) == (None, ())


def test_mistakes_of_both_kinds_are_told_together() -> None:
    """Wrong by itself, and wrong beside another value."""
    raw = request(
        enableNonSslPort=1,
        shardCount=2,
        zones=["1"],
        redisConfiguration={"maxmemory-policy": "lru"},
    )
    error = refused(raw)
    assert error.code == "InvalidRequestBody"
    assert error.message.startswith("4 values of the request are invalid: ")
    assert set(mistakes(error)) == {
        "properties.enableNonSslPort",
        "properties.shardCount",
        "zones",
        f"{SETTING}.maxmemory-policy",
    }


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_basic_caches_take_no_memory_settings(method: str) -> None:
    """In the service's words; the values that answers show are let pass."""
    shown = {"redisConfiguration": {"maxmemory-reserved": "30"}}
    wrong = {"redisConfiguration": {"maxmemory-reserved": "50"}}
    if method == "PUT":
        put(request(**shown))
        error = refused(request(**wrong))
    else:
        patch({"properties": shown}, existing(request()))
        error = refused({"properties": wrong}, request())
    assert (error.status, error.code) == (400, "BadRequest")
    assert error.message == (
        "The setting 'maxmemory-reserved' is not allowed on 'Basic' cache instances."
    )


def test_memory_settings_do_not_count_while_scaling() -> None:
    """Az sends those of the old size along."""
    raw = {
        "properties": {
            "sku": sku("C1"),
            "redisConfiguration": {"maxmemory-reserved": "30"},
        }
    }
    settings = patch(raw, existing(request())).spec.redis_configuration
    assert settings["maxmemory-reserved"] == "125"


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        pytest.param({"zones": ["1"]}, "zones", id="zones"),
        pytest.param(
            {"properties": {"subnetId": SUBNET + "2", "staticIP": "10.0.0.6"}},
            "properties.subnet,properties.staticIP",
            id="network",
        ),
        pytest.param(
            {"properties": {"redisConfiguration": {"databases": "4"}}},
            f"{SETTING}.databases",
            id="databases",
        ),
    ],
)
def test_what_cannot_change(raw: dict[str, Any], names: str) -> None:
    """One error names all of it, in the service's words."""
    old = premium(zones=["1", "2"], subnetId=SUBNET, staticIP="10.0.0.5")
    error = refused(raw, old)
    assert (error.status, error.code) == (400, "BadRequest")
    assert error.message == (
        "The requested update to the resource is not permitted. The following "
        f"properties(s) cannot be modified: '{names}'."
    )


P1, C1, C2 = sku("P1", "Premium"), sku("C1", "Standard"), sku("C2", "Standard")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            P1,
            sku("C0"),
            "Invalid update request: properties.sku.name cannot be updated to Basic.",
            id="Premium to Basic",
        ),
        pytest.param(
            P1,
            C1,
            "properties.sku.name cannot be updated to Standard.",
            id="Premium to Standard",
        ),
        pytest.param(
            sku("C1"), P1, "SkuFamilyNotSupportedException", id="Basic to Premium"
        ),
        pytest.param(sku("C1"), C2, "Change the tier first", id="tier and size"),
        pytest.param(
            C1,
            sku("C0", "Standard"),
            "properties.sku.capacity cannot be updated to 0",
            id="down to C0",
        ),
    ],
)
def test_a_scale_that_is_not_possible(
    old: dict[str, Any], new: dict[str, Any], message: str
) -> None:
    """It is refused alone, whatever else the new size would not have."""
    raw = {"properties": {"sku": new, "zonalAllocationPolicy": "Automatic"}}
    error = refused(raw, request(sku=old))
    assert (error.status, error.code) == (400, "BadRequest")
    assert message in error.message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(sku("C1"), C1, id="Basic to Standard"),
        pytest.param(C1, P1, id="Standard to Premium"),
        pytest.param(C2, C1, id="smaller"),
        pytest.param(sku("C0"), sku("C2"), id="larger"),
    ],
)
def test_a_scale_that_is_possible(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Along the documented paths."""
    change = patch({"properties": {"sku": new}}, existing(request(sku=old)))
    assert change.spec.sku.capacity == new["capacity"]


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        pytest.param(
            {"publicNetworkAccess": "Disabled"},
            "properties.publicNetworkAccess",
            id="access",
        ),
        pytest.param({"sku": sku("P2", "Premium")}, "properties.sku", id="sku"),
    ],
)
def test_an_identity_changes_alone(properties: dict[str, Any], named: str) -> None:
    """The service's own spelling is kept."""
    error = refused(
        {"identity": {"type": "SystemAssigned"}, "properties": properties}, premium()
    )
    assert (error.status, error.code) == (400, "BadRequest")
    assert error.message == (
        "The following updates can't be processed in one single request, please send "
        f"seperate request to update them: '{named},identity'."
    )


def test_entra_cannot_be_switched_off_while_it_is_the_only_way_in() -> None:
    """What is judged is the cache as it would be."""
    old = premium(
        disableAccessKeyAuthentication=True, redisConfiguration={"aad-enabled": "true"}
    )
    off = {"redisConfiguration": {"aad-enabled": "false"}}
    assert "aad-enabled" in refused({"properties": off}, old).message
    both = off | {"disableAccessKeyAuthentication": False}
    spec = patch({"properties": both}, existing(old)).spec
    assert spec.disable_access_key_authentication is False
