"""Linked servers over HTTP: one link, seen from both of its caches."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import falcon.testing
import pytest

from tests.wire.children import mistakes, operation, premium, put, settled, style
from tests.wire.rig import BASIC, CACHE, CACHES, Wire

SECOND = CACHES + "/Second"
LINKS = CACHE + "/linkedServers"
LINK = LINKS + "/Second"


def resource(path: str) -> str:
    """Spell a path as answers do."""
    return path.replace("/redis/", "/Redis/")


def link(
    wire: Wire,
    path: str = LINK,
    to: str = SECOND,
    change: Mapping[str, object] = MappingProxyType({}),
) -> falcon.testing.Result:
    """Ask for a link; by default from Cache1 to Second."""
    asked: dict[str, object] = {
        "linkedRedisCacheId": to,
        "linkedRedisCacheLocation": "westeurope",
        "serverRole": "Secondary",
    }
    return put(wire, path, **asked | dict(change))


@pytest.fixture
def pair(wire: Wire) -> Wire:
    """Give two caches that can be linked."""
    settled(wire)
    settled(wire, "Second")
    return wire


def test_a_link_is_seen_from_both_ends(pair: Wire) -> None:
    """As Secondary from the primary, and the other way round."""
    created = link(pair)
    assert (created.status_code, style(created)) == (201, ("asyncOperations", ""))
    properties = {
        "linkedRedisCacheId": resource(SECOND),
        "linkedRedisCacheLocation": "West Europe",
        "serverRole": "Secondary",
        "geoReplicatedPrimaryHostName": "Second.geo.redis.cache.windows.net",
        "primaryHostName": "cache1",
        "provisioningState": "Creating",
    }
    shown = {
        "id": resource(LINK),
        "name": "Second",
        "type": "Microsoft.Cache/Redis/linkedServers",
        "properties": properties,
    }
    assert created.json == shown
    assert operation(pair, created) == "Succeeded"
    shown["properties"] = properties | {"provisioningState": "Succeeded"}
    assert pair.call("GET", LINK).json == shown
    assert pair.call("GET", LINKS).json == {"value": [shown]}
    back = pair.call("GET", SECOND + "/linkedServers/CACHE1").json
    assert back["id"] == resource(SECOND) + "/linkedServers/Cache1"
    assert back["properties"] == {
        "linkedRedisCacheId": resource(CACHE),
        "linkedRedisCacheLocation": "West Europe",
        "serverRole": "Primary",
        "geoReplicatedPrimaryHostName": "Cache1.geo.redis.cache.windows.net",
        "primaryHostName": "cache1",
        "provisioningState": "Succeeded",
    }


@pytest.mark.parametrize("path", [LINK, SECOND + "/linkedServers/cache1"])
def test_either_end_can_unlink(pair: Wire, path: str) -> None:
    """202 with both headers; and 200 once it is gone, since clients know no 204."""
    link(pair)
    deleted = pair.call("DELETE", path)
    assert (deleted.status_code, deleted.content) == (202, b"")
    assert style(deleted) == ("asyncOperations", "asyncOperations")
    assert operation(pair, deleted) == "Succeeded"
    for cache in (CACHE, SECOND):
        assert pair.call("GET", cache + "/linkedServers").json == {"value": []}
    assert pair.call("GET", path).status_code == 404
    assert pair.call("DELETE", path).status_code == 200


def test_the_same_link_again_is_there_already(pair: Wire) -> None:
    """200, and nothing is done."""
    link(pair)
    generation = {each.key: each.generation for each in pair.store.records()}
    again = link(pair)
    assert (again.status_code, style(again)) == (200, ("", ""))
    assert again.json["properties"]["provisioningState"] == "Succeeded"
    assert generation == {each.key: each.generation for each in pair.store.records()}


@pytest.mark.parametrize(
    ("path", "to"),
    [
        pytest.param(LINKS + "/Third", CACHES + "/Third", id="primary"),
        pytest.param(CACHES + "/Third/linkedServers/Second", SECOND, id="secondary"),
        pytest.param(SECOND + "/linkedServers/Cache1", CACHE, id="back"),
    ],
)
def test_a_cache_has_one_link(pair: Wire, path: str, to: str) -> None:
    """A second one is refused in the service's words, from either end."""
    settled(pair, "Third")
    link(pair)
    refused = link(pair, path, to)
    assert refused.status_code == 400
    assert refused.json["error"]["code"] == "BadRequest"
    assert "is already linked to another cache" in refused.json["error"]["message"]


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        pytest.param(
            {"linkedRedisCacheId": CACHES + "/Third"},
            ["linkedServerName", "properties.linkedRedisCacheId"],
            id="no such cache, other name",
        ),
        pytest.param(
            {"linkedRedisCacheId": "Second"},
            ["properties.linkedRedisCacheId"],
            id="no id",
        ),
        pytest.param(
            {"linkedRedisCacheLocation": "West US", "serverRole": "primary"},
            ["properties.linkedRedisCacheLocation", "properties.serverRole"],
            id="other location, other role",
        ),
        pytest.param(
            {"serverRole": "Boss"}, ["properties.serverRole"], id="no such role"
        ),
    ],
)
def test_a_wrong_request_is_refused(
    pair: Wire, change: dict[str, object], wrong: list[str]
) -> None:
    """Each mistake by its path, and nothing is linked."""
    assert mistakes(link(pair, change=change)) == wrong
    assert pair.call("GET", LINKS).json == {"value": []}


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        pytest.param(premium(), BASIC, "Premium and Basic", id="tier"),
        pytest.param(
            premium(sku={"name": "Premium", "family": "P", "capacity": 2}),
            premium(),
            "P1, cannot be smaller than the primary, P2",
            id="smaller",
        ),
        pytest.param(
            premium(shardCount=2), premium(), "same number of shards", id="shards"
        ),
        pytest.param(
            premium(), premium(replicasPerPrimary=2), "one replica", id="replicas"
        ),
        pytest.param(
            premium(redisConfiguration={"aof-backup-enabled": "true"}),
            premium(),
            "'Cache1' has persistence",
            id="persistence",
        ),
    ],
)
def test_caches_that_do_not_fit_are_not_linked(
    wire: Wire, first: dict[str, object], second: dict[str, object], says: str
) -> None:
    """The reason names what has to be changed."""
    for path, body in ((CACHE, first), (SECOND, second)):
        assert wire.call("PUT", path, json=body).status_code == 201
    wire.settle()
    refused = link(wire)
    assert mistakes(refused) == ["properties.linkedRedisCacheId"]
    assert says in refused.json["error"]["message"]


def test_a_cache_is_not_linked_to_itself(wire: Wire) -> None:
    """Not even under another spelling."""
    settled(wire)
    refused = link(wire, LINKS + "/cache1", CACHE.upper())
    assert mistakes(refused) == ["properties.linkedRedisCacheId"]
    assert "itself" in refused.json["error"]["message"]


def test_a_busy_secondary_is_not_linked(wire: Wire) -> None:
    """The conflict names the cache that has to be waited for."""
    settled(wire)
    wire.call("PUT", SECOND, json=premium())
    busy = link(wire)
    assert (busy.status_code, busy.json["error"]["code"]) == (409, "Conflict")
    assert "/Redis/Second'" in busy.json["error"]["message"]


def test_a_link_ends_with_its_secondary(pair: Wire) -> None:
    """A later cache of the same name was never linked."""
    link(pair)
    pair.store.delete(pair.store.records()[1].key, pair.store.records()[1].cause)
    assert pair.call("GET", LINKS).json == {"value": []}
    pair.settle()
    settled(pair, "Second")
    assert pair.call("GET", LINKS).json == {"value": []}
    assert link(pair).status_code == 201
