"""Bodies that are wrong by themselves."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.errors import ArmError
from api.redis import schema
from tests.redis_requests import (
    SUBNET,
    existing,
    patch,
    premium,
    put,
    request,
    sku,
)


def found(raw: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Give code and message of every mistake by its path."""
    asked = schema.read(raw, schema.CreateBody)
    return {each.target: (each.code, each.message) for each in asked.mistakes}


def without(raw: dict[str, Any], *path: str) -> dict[str, Any]:
    """Leave one member out."""
    name, *rest = path
    if rest:
        return raw | {name: without(raw[name], *rest)}
    return {key: value for key, value in raw.items() if key != name}


@pytest.mark.parametrize(
    ("raw", "path", "says"),
    [
        pytest.param(
            without(request(), "properties"), "properties", "required", id="properties"
        ),
        pytest.param(
            without(request(), "properties", "sku"),
            "properties.sku",
            "required",
            id="sku",
        ),
        pytest.param(
            without(request(), "properties", "sku", "capacity"),
            "properties.sku.capacity",
            "required",
            id="capacity",
        ),
        pytest.param(
            request(sku=sku() | {"capacity": "1"}),
            "properties.sku.capacity",
            "integer",
            id="capacity as text",
        ),
        pytest.param(
            request(sku=sku() | {"capacity": True}),
            "properties.sku.capacity",
            "integer",
            id="capacity as bool",
        ),
        pytest.param(
            request(sku=sku() | {"capacity": 1.0}),
            "properties.sku.capacity",
            "integer",
            id="capacity as float",
        ),
        pytest.param(
            request(sku=sku("C0", "Ultra")),
            "properties.sku.name",
            "'Basic', 'Standard' or 'Premium'",
            id="tier",
        ),
        pytest.param(
            request(sku="Basic"), "properties.sku", "object", id="sku as text"
        ),
        pytest.param(
            request(enableNonSslPort="true"),
            "properties.enableNonSslPort",
            "boolean",
            id="bool as text",
        ),
        pytest.param(
            request(redisVersion="7"),
            "properties.redisVersion",
            "6, 6.0",
            id="version of no cache",
        ),
        pytest.param(
            request(redisVersion=6), "properties.redisVersion", "string", id="version"
        ),
        pytest.param(
            request(shardCount=11), "properties.shardCount", "10", id="many shards"
        ),
        pytest.param(
            request(shardCount=0), "properties.shardCount", "1", id="no shard"
        ),
        pytest.param(
            request(replicasPerPrimary=4),
            "properties.replicasPerPrimary",
            "3",
            id="many replicas",
        ),
        pytest.param(
            request(minimumTlsVersion=1.2),
            "properties.minimumTlsVersion",
            "'1.2'",
            id="tls as number",
        ),
        pytest.param(
            request(publicNetworkAccess="No"),
            "properties.publicNetworkAccess",
            "'Enabled' or 'Disabled'",
            id="access",
        ),
        pytest.param(
            request(updateChannel="Beta"),
            "properties.updateChannel",
            "'Stable' or 'Preview'",
            id="channel",
        ),
        pytest.param(
            request(zonalAllocationPolicy="Some"),
            "properties.zonalAllocationPolicy",
            "'Automatic', 'UserDefined' or 'NoZones'",
            id="zonal policy",
        ),
        pytest.param(
            request(subnetId=f"{SUBNET}/more"),
            "properties.subnetId",
            "resource id",
            id="subnet",
        ),
        pytest.param(
            request(staticIP="10.0.0.256"), "properties.staticIP", "IPv4", id="address"
        ),
        pytest.param(
            request(tenantSettings={"a": 1}),
            "properties.tenantSettings.a",
            "string",
            id="tenant setting",
        ),
        pytest.param(request(zones=["1", "4"]), "zones[1]", "'3'", id="zone"),
        pytest.param(request(zones=["1", "1"]), "zones", "once", id="zone twice"),
        pytest.param(request(zones="1"), "zones", "array", id="zones as text"),
        pytest.param(request(tags=["a"]), "tags", "object", id="tags as list"),
        pytest.param(request(tags={"a": 1}), "tags.a", "string", id="tag as number"),
        pytest.param(request(tags={"a/b": ""}), "tags.a/b", "<>%&", id="tag name"),
        pytest.param(
            request(tags={"a" * 513: ""}),
            f"tags.{'a' * 513}",
            "512",
            id="long tag name",
        ),
        pytest.param(request(tags={"a": "b" * 257}), "tags.a", "256", id="long tag"),
        pytest.param(
            request(tags={f"t{n}": "" for n in range(51)}), "tags", "50", id="many tags"
        ),
        pytest.param(request(identity={}), "identity.type", "required", id="identity"),
        pytest.param(
            request(identity={"type": "Own"}), "identity.type", "'None'", id="own"
        ),
        pytest.param(
            request(identity={"type": "UserAssigned"}),
            "identity",
            "at least one",
            id="no user identity",
        ),
        pytest.param(
            request(
                identity={"type": "UserAssigned", "userAssignedIdentities": {"me": {}}}
            ),
            "identity.userAssignedIdentities.me",
            "resource id",
            id="user identity",
        ),
    ],
)
def test_a_wrong_value_is_named_by_its_path(
    raw: dict[str, Any], path: str, says: str
) -> None:
    """The one mistake of a body is told in the service's words, and explained."""
    (target, (code, message)), *others = found(raw).items()
    assert others == []
    assert (target, code) == (path, "InvalidRequestBody")
    assert message.startswith(f"The value of the parameter '{path}' is invalid. ")
    assert says in message


def test_a_missing_location_is_told_as_arm_does() -> None:
    """ARM checks that before the service is asked."""
    assert found(without(request(), "location")) == {
        "location": (
            "LocationRequired",
            "The location property is required for this definition.",
        )
    }


def test_an_unknown_location_is_told_with_the_known_ones() -> None:
    """The reader can pick one from the message."""
    code, message = found(request(location="Mars"))["location"]
    assert code == "LocationNotAvailableForResourceType"
    assert message.startswith(
        "The provided location 'Mars' is not available for resource type "
        "'Microsoft.Cache/redis'. List of available regions for the resource type is '"
    )
    assert ",westeurope," in message


@pytest.mark.parametrize(
    ("tier", "family", "capacity"),
    [
        pytest.param("Basic", "P", 1, id="Basic P"),
        pytest.param("Premium", "C", 1, id="Premium C"),
        pytest.param("Standard", "C", 7, id="C7"),
        pytest.param("Premium", "P", 0, id="P0"),
        pytest.param("Premium", "P", 6, id="P6"),
        pytest.param("Basic", "C", -1, id="negative"),
        pytest.param("Basic", "X", 0, id="family"),
    ],
)
def test_a_size_that_is_not_sold(tier: str, family: str, capacity: int) -> None:
    """The service's odd message comes first, then what would fit."""
    raw = request(sku={"name": tier, "family": family, "capacity": capacity})
    code, message = found(raw)["properties.sku"]
    assert code == "BadRequest"
    assert message.startswith(
        "Exception of type 'AzCacheRP.Exceptions.SkuFamilyNotSupportedException' was "
        "thrown. "
    )


def test_all_mistakes_are_found_at_once() -> None:
    """Nobody has to send a body five times to learn of five mistakes."""
    raw = request(
        location="Mars",
        zones=["9"],
        tags={"a": 1, "b?": "c"},
        identity={"type": "Own"},
        shardCount="2",
        redisConfiguration={"maxmemory-policy": "lru", "nothing": "1"},
        sku=sku() | {"capacity": None},
    )
    assert set(found(raw)) == {
        "location",
        "zones[0]",
        "tags.a",
        "tags.b?",
        "identity.type",
        "properties.shardCount",
        "properties.redisConfiguration.maxmemory-policy",
        "properties.redisConfiguration.nothing",
        "properties.sku.capacity",
    }


def test_wrong_values_count_as_absent_so_that_the_rest_is_judged() -> None:
    """What is right beside a mistake is understood all the same."""
    raw = request(
        enableNonSslPort=1,
        tags={"good": "1", "bad": 2},
        zones=["1", "9"],
        identity={"type": "UserAssigned"},
        sku=sku() | {"family": "P"},
    )
    body = schema.read(raw, schema.CreateBody).body
    assert body.location == "West Europe"
    assert body.tags == {"good": "1"}
    assert (body.zones, body.identity, body.properties.sku) == (None, None, None)
    assert body.properties.enable_non_ssl_port is None


def test_case_does_not_matter_and_the_canonical_one_is_kept() -> None:
    """Words of enumerations pass in any case; az sends the family in lower case."""
    body = schema.read(
        request(
            location=" WESTEUROPE ",
            sku={"name": "premium", "family": "p", "capacity": 1},
            redisVersion="LATEST",
            publicNetworkAccess="disabled",
            updateChannel="PREVIEW",
            zonalAllocationPolicy="userdefined",
            identity={"type": "systemassigned"},
        ),
        schema.CreateBody,
    ).body
    properties = body.properties
    assert body.location == "West Europe"
    assert properties.sku is not None
    assert properties.sku.value.size == "P1"
    assert properties.redis_version == "6.0"
    assert properties.public_network_access == "Disabled"
    assert properties.update_channel == "Preview"
    assert properties.zonal_allocation_policy == "UserDefined"
    assert body.identity is not None
    assert body.identity.type == "SystemAssigned"


def test_null_is_absent_and_unknown_members_are_ignored() -> None:
    """Clients send back what answers have: ids, state, keys, members set to null."""
    raw = request(
        identity={"type": "None", "userAssignedIdentities": None},
        tags=None,
        subnetId=None,
        hostName="cache.example",
        accessKeys=None,
        provisioningState="Succeeded",
        instances=[{"sslPort": 15000}],
    ) | {"id": "/x", "type": "Microsoft.Cache/Redis", "systemData": {}, "etag": 1}
    asked = schema.read(raw, schema.CreateBody)
    assert asked.mistakes == ()
    assert asked.body.tags is None


def test_nothing_is_required_of_a_patch() -> None:
    """An empty object changes nothing, and is no mistake."""
    assert schema.read({}, schema.CacheBody) == schema.Asked(schema.CacheBody(), ())


def test_a_sku_is_whole_in_a_patch_too() -> None:
    """Half a SKU would be guesswork."""
    asked = schema.read({"properties": {"sku": {"capacity": 1}}}, schema.CacheBody)
    targets = [each.target for each in asked.mistakes]
    assert targets == ["properties.sku.name", "properties.sku.family"]


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "location",
                    "tags",
                    "zones",
                    "identity",
                    "type",
                    "userAssignedIdentities",
                    "properties",
                    "sku",
                    "name",
                    "family",
                    "capacity",
                    "redisConfiguration",
                    "maxmemory-delta",
                    "staticIP",
                    "tenantSettings",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # busy machines
@given(
    st.dictionaries(
        st.sampled_from(["location", "tags", "zones", "identity", "properties"]), json
    )
)
def test_any_json_is_judged(raw: dict[str, Any]) -> None:
    """Whatever arrives is understood or refused; nothing else is raised."""
    old = existing(premium())
    with suppress(ArmError):
        put(raw)
    with suppress(ArmError):
        put(raw, old)
    with suppress(ArmError):
        patch(raw, old)
