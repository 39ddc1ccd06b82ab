"""Private endpoint connections, and what they can be made for."""

from __future__ import annotations

import pytest

from tests.wire.children import RESOURCE, mistakes, operation, put, settled, style
from tests.wire.rig import CACHE, SUBSCRIPTION, Wire

CONNECTIONS = CACHE + "/privateEndpointConnections"
CONNECTION = CONNECTIONS + "/pe.1"
ENDPOINTS = (
    SUBSCRIPTION + "/resourceGroups/my-rg/providers/Microsoft.Network/privateEndpoints"
)
APPROVED = {"status": "Approved", "description": "Auto-Approved"}


def test_a_connection_lives_from_put_to_delete(wire: Wire) -> None:
    """201 with an operation; 200 when it goes, then 204."""
    settled(wire)
    created = put(wire, CONNECTION, privateLinkServiceConnectionState=APPROVED)
    assert created.status_code == 201
    assert style(created) == ("asyncOperations", "asyncOperations")
    assert operation(wire, created) == "Succeeded"
    assert created.json == {
        "id": f"{RESOURCE}/privateEndpointConnections/pe.1",
        "name": "pe.1",
        "type": "Microsoft.Cache/Redis/privateEndpointConnections",
        "properties": {
            "provisioningState": "Succeeded",
            "privateEndpoint": {"id": f"{ENDPOINTS}/pe.1"},
            "privateLinkServiceConnectionState": APPROVED | {"actionsRequired": "None"},
        },
    }
    assert wire.call("GET", CONNECTION).json == created.json
    assert wire.call("GET", CONNECTIONS).json == {"value": [created.json]}
    deleted = wire.call("DELETE", CONNECTION)
    assert (deleted.status_code, deleted.content) == (200, b"")
    assert wire.call("GET", CONNECTION).status_code == 404
    assert wire.call("DELETE", CONNECTION).status_code == 204


def test_a_decision_keeps_the_endpoint(wire: Wire) -> None:
    """Who rejects a connection need not say again whose it is."""
    settled(wire)
    endpoint = {"id": f"{ENDPOINTS}/theirs"}
    put(
        wire,
        CONNECTION,
        privateEndpoint=endpoint,
        privateLinkServiceConnectionState=APPROVED,
    )
    state = {"status": "rejected", "actionsRequired": None}
    put(wire, CONNECTION.upper(), privateLinkServiceConnectionState=state)
    properties = wire.call("GET", CONNECTION).json["properties"]
    assert properties["privateEndpoint"] == endpoint
    assert properties["privateLinkServiceConnectionState"] == {
        "status": "Rejected",
        "description": "",
        "actionsRequired": "None",
    }


@pytest.mark.parametrize(
    ("name", "properties", "wrong"),
    [
        pytest.param("pe", {}, ["privateLinkServiceConnectionState"], id="no state"),
        pytest.param(
            "pe",
            {"privateLinkServiceConnectionState": {"status": "Maybe"}},
            ["privateLinkServiceConnectionState.status"],
            id="status",
        ),
        pytest.param(
            "pe",
            {
                "privateLinkServiceConnectionState": APPROVED,
                "privateEndpoint": {"id": "pe"},
            },
            ["privateEndpoint.id"],
            id="endpoint",
        ),
    ],
)
def test_a_wrong_connection_is_refused(
    wire: Wire, name: str, properties: dict[str, object], wrong: list[str]
) -> None:
    """Each mistake by its path, and nothing is stored."""
    settled(wire)
    found = mistakes(put(wire, f"{CONNECTIONS}/{name}", **properties))
    assert found == [f"properties.{each}" for each in wrong]
    assert wire.call("GET", CONNECTIONS).json == {"value": []}


def test_a_wrong_name_is_refused(wire: Wire) -> None:
    """Before it becomes part of an id."""
    settled(wire)
    path = CONNECTIONS + "/pe'1"
    refused = put(wire, path, privateLinkServiceConnectionState=APPROVED)
    assert mistakes(refused) == ["privateEndpointConnectionName"]


def test_a_cache_can_be_linked_as_one_thing(wire: Wire) -> None:
    """Clients read the group id and the zone to set up the other end."""
    settled(wire)
    assert wire.call("GET", CACHE + "/privateLinkResources").json == {
        "value": [
            {
                "id": f"{RESOURCE}/privateLinkResources/redisCache",
                "name": "redisCache",
                "type": "Microsoft.Cache/Redis/privateLinkResources",
                "properties": {
                    "groupId": "redisCache",
                    "requiredMembers": ["redisCache"],
                    "requiredZoneNames": ["privatelink.redis.cache.windows.net"],
                },
            }
        ]
    }
