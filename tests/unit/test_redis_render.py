"""The JSON of a cache, member by member."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from api.redis import render
from controller.model import CacheStatus, Endpoint, Record
from tests.builders import record
from tests.redis_requests import SUBNET, existing, premium, put, request

ENDPOINT = Endpoint(host="localhost", port=6379, ssl_port=6380)

ALWAYS = [
    "provisioningState",
    "redisVersion",
    "sku",
    "enableNonSslPort",
    "instances",
    "publicNetworkAccess",
    "redisConfiguration",
    "accessKeys",
    "hostName",
    "port",
    "sslPort",
    "linkedServers",
    "updateChannel",
    "disableAccessKeyAuthentication",
]


def new(raw: dict[str, Any]) -> Record:
    """Give a cache that was created by ``raw`` a moment ago."""
    return record(put(raw).spec)


def properties(of: Record) -> dict[str, Any]:
    """Render, and give what is under ``properties``."""
    found: dict[str, Any] = render.cache(of, ENDPOINT)["properties"]
    return found


def test_a_new_basic_cache_as_recorded() -> None:
    """The whole answer, in the recorded order."""
    body = render.cache(new(request()), ENDPOINT, with_keys=True)
    expected = {
        "id": (
            "/subscriptions/my-sub/resourceGroups/my-rg/providers/Microsoft.Cache/Redis"
            "/Cache1"
        ),
        "location": "West Europe",
        "name": "Cache1",
        "type": "Microsoft.Cache/Redis",
        "tags": {},
        "properties": {
            "provisioningState": "Creating",
            "redisVersion": "6.0",
            "sku": {"name": "Basic", "family": "C", "capacity": 0},
            "enableNonSslPort": False,
            "instances": [{"sslPort": 15000, "isMaster": False, "isPrimary": False}],
            "publicNetworkAccess": "Enabled",
            "redisConfiguration": {
                "maxclients": "256",
                "maxmemory-reserved": "30",
                "maxfragmentationmemory-reserved": "30",
                "maxmemory-delta": "30",
            },
            "accessKeys": {"primaryKey": "first", "secondaryKey": "second"},
            "hostName": "localhost",
            "port": 6379,
            "sslPort": 6380,
            "linkedServers": [],
            "updateChannel": "Stable",
            "disableAccessKeyAuthentication": False,
        },
    }
    assert json.dumps(body) == json.dumps(expected)


def test_everything_at_once_is_in_the_recorded_order() -> None:
    """Optional members have their places too."""
    body = render.cache(
        existing(
            premium(
                zones=["1", "2"],
                identity={"type": "SystemAssigned"},
                shardCount=1,
                minimumTlsVersion="1.2",
                tenantSettings={},
                subnetId=SUBNET,
                staticIP="10.0.0.5",
            )
        ),
        ENDPOINT,
    )
    assert list(body)[5:] == ["properties", "zones", "identity"]
    assert body["zones"] == ["1", "2"]
    assert list(body["properties"]) == [
        "provisioningState",
        "redisVersion",
        "sku",
        "enableNonSslPort",
        "instances",
        "minimumTlsVersion",
        "publicNetworkAccess",
        "tenantSettings",
        "redisConfiguration",
        "accessKeys",
        "hostName",
        "port",
        "sslPort",
        "shardCount",
        "replicasPerMaster",
        "linkedServers",
        "replicasPerPrimary",
        "updateChannel",
        "zonalAllocationPolicy",
        "disableAccessKeyAuthentication",
        "subnetId",
        "staticIP",
    ]


def test_what_was_not_asked_for_is_not_shown() -> None:
    """Azurerm would take it for a change; only the keys are null."""
    shown = properties(existing(request()))
    assert list(shown) == ALWAYS
    assert [name for name, value in shown.items() if value is None] == ["accessKeys"]


def test_keys_and_state_are_shown_as_told() -> None:
    """Keys in answers to PUT alone; the state may be that of the change."""
    told = render.cache(existing(request()), ENDPOINT, state="Scaling")
    assert told["properties"]["provisioningState"] == "Scaling"
    assert told["properties"]["accessKeys"] is None
    assert properties(existing(request()))["provisioningState"] == "Succeeded"


PRIMARY = {"isMaster": True, "isPrimary": True}
OTHER = {"isMaster": False, "isPrimary": False}


@pytest.mark.parametrize(
    ("raw", "created", "there"),
    [
        pytest.param(
            request("C1", "Standard"),
            [{"sslPort": 15000} | OTHER, {"sslPort": 15001} | OTHER],
            [{"sslPort": 15000} | PRIMARY, {"sslPort": 15001} | OTHER],
            id="Standard",
        ),
        pytest.param(
            request("C1", "Standard", enableNonSslPort=True),
            [
                {"sslPort": 15000, "nonSslPort": 13000} | OTHER,
                {"sslPort": 15001, "nonSslPort": 13001} | OTHER,
            ],
            [
                {"sslPort": 15000, "nonSslPort": 13000} | PRIMARY,
                {"sslPort": 15001, "nonSslPort": 13001} | OTHER,
            ],
            id="plain port",
        ),
        pytest.param(
            premium(),
            [{"sslPort": 15000} | OTHER, {"sslPort": 15001} | OTHER],
            [
                {"sslPort": 15000, "shardId": 0} | PRIMARY,
                {"sslPort": 15001, "shardId": 0} | OTHER,
            ],
            id="Premium",
        ),
        pytest.param(
            premium(location="westus"),
            [{"sslPort": 15000} | OTHER, {"sslPort": 15001} | OTHER],
            [{"sslPort": 15000} | PRIMARY, {"sslPort": 15001} | OTHER],
            id="Premium without zones",
        ),
        pytest.param(
            premium(zones=["1", "2"]),
            [{"sslPort": 15000} | OTHER, {"sslPort": 15001} | OTHER],
            [
                {"sslPort": 15000, "zone": "1", "shardId": 0} | PRIMARY,
                {"sslPort": 15001, "zone": "2", "shardId": 0} | OTHER,
            ],
            id="zones",
        ),
        pytest.param(
            premium(shardCount=2, replicasPerPrimary=2, location="westus"),
            [
                {"sslPort": 15000 + number, "shardId": number // 3} | OTHER
                for number in range(6)
            ],
            [
                {"sslPort": 15000 + number, "shardId": number // 3}
                | (PRIMARY if number in {0, 3} else OTHER)
                for number in range(6)
            ],
            id="cluster",
        ),
    ],
)
def test_the_nodes_of_a_cache(
    raw: dict[str, Any], created: list[dict[str, Any]], there: list[dict[str, Any]]
) -> None:
    """While it is created no node has a role, a zone, or an unasked shard id."""
    assert properties(new(raw))["instances"] == created
    assert properties(existing(raw))["instances"] == there


@pytest.mark.parametrize(
    ("raw", "created", "there"),
    [
        pytest.param(request("C1", "Standard"), None, None, id="Standard"),
        pytest.param(premium(), None, 1, id="Premium"),
        pytest.param(premium(zones=["1"]), 1, 1, id="zones"),
        pytest.param(premium(location="westus"), None, None, id="without zones"),
        pytest.param(
            premium(location="westus", replicasPerMaster=1), 1, 1, id="asked for"
        ),
        pytest.param(premium(replicasPerPrimary=3), 3, 3, id="three"),
    ],
)
def test_when_replicas_are_shown(
    raw: dict[str, Any], created: int | None, there: int | None
) -> None:
    """Under both of their names, as recorded."""
    for of, number in ((new(raw), created), (existing(raw), there)):
        shown = properties(of)
        both = [shown.get(f"replicasPer{name}") for name in ("Master", "Primary")]
        assert both == [number, number]


def test_zones_show_as_a_setting_once_they_are_there() -> None:
    """Recorded: JSON text with CRLF, the last zone preferred."""
    raw = premium(zones=["1", "2"])
    assert "zonal-configuration" not in properties(new(raw))["redisConfiguration"]
    text = properties(existing(raw))["redisConfiguration"]["zonal-configuration"]
    assert text == (
        '{\r\n  "preferredPrimaryZoneId": "2",\r\n  "zoneNodeTopology": {\r\n'
        '    "1": [\r\n      "0"\r\n    ],\r\n    "2": [\r\n      "1"\r\n    ]\r\n'
        "  }\r\n}"
    )


def test_a_repaired_cache_keeps_its_roles() -> None:
    """It was there before; only its state tells."""
    unsettled = existing(request())
    lost = replace(unsettled, status=CacheStatus(observed_generation=1))
    shown = properties(lost)
    assert shown["provisioningState"] == "Updating"
    assert shown["instances"] == [{"sslPort": 15000} | PRIMARY]
