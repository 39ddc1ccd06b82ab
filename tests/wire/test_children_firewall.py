"""Firewall rules over HTTP; bodies and statuses as recorded."""

from __future__ import annotations

import pytest

from tests.wire.children import RESOURCE, mistakes, premium, put, serve, settled
from tests.wire.rig import CACHE, HOST, Wire

RULES = CACHE + "/firewallRules"
RULE = RULES + "/Rule_1"
RANGE = {"startIP": "10.0.0.1", "endIP": "10.0.0.9"}
SHOWN = {
    "id": f"{RESOURCE}/firewallRules/Rule_1",
    "name": "Cache1/Rule_1",
    "type": "Microsoft.Cache/Redis/firewallRules",
    "properties": RANGE,
}


def test_a_rule_lives_from_put_to_delete(wire: Wire) -> None:
    """201, 200, 200 and 204, without a long-running operation anywhere."""
    settled(wire)
    created = put(wire, RULE, **RANGE)
    assert created.status_code == 201
    assert created.headers["location"] == f"http://{HOST}{RULE}?api-version=2024-11-01"
    assert "azure-asyncoperation" not in created.headers
    again = put(wire, RULE, **RANGE)
    assert (again.status_code, "location" in again.headers) == (200, False)
    assert wire.call("GET", RULE).json == SHOWN
    deleted = wire.call("DELETE", RULE)
    assert (deleted.status_code, deleted.content) == (200, b"")
    assert wire.call("GET", RULE).status_code == 404
    assert wire.call("DELETE", RULE).status_code == 204


def test_put_alone_answers_in_the_casing_of_its_path(wire: Wire) -> None:
    """Properties come first, and ids and types are the request's."""
    settled(wire)
    path = RULE.replace("Microsoft.Cache/redis", "microsoft.cache/REDIS")
    created = put(wire, path.replace("firewallRules", "firewallrules"), **RANGE)
    assert list(created.json) == ["properties", "id", "name", "type"]
    assert created.json == {
        "properties": RANGE,
        "id": path.replace("firewallRules", "firewallrules"),
        "name": "Cache1/Rule_1",
        "type": "microsoft.cache/REDIS/firewallrules",
    }


def test_a_rule_has_no_case_and_keeps_its_first(wire: Wire) -> None:
    """Another casing changes the rule, its place and name stay."""
    settled(wire)
    put(wire, RULE, **RANGE)
    put(wire, RULES + "/other", **RANGE)
    changed = put(wire, RULE.upper(), startIP="10.0.0.2", endIP="10.0.0.2")
    assert changed.status_code == 200
    listed = wire.call("GET", RULES).json["value"]
    assert [each["name"] for each in listed] == ["Cache1/Rule_1", "Cache1/other"]
    assert listed[0]["properties"] == {"startIP": "10.0.0.2", "endIP": "10.0.0.2"}
    assert wire.call("DELETE", RULE.lower()).status_code == 200
    assert len(wire.call("GET", RULES).json["value"]) == 1


def test_writes_to_the_cache_keep_its_rules(wire: Wire) -> None:
    """They are written through their own paths alone."""
    settled(wire)
    put(wire, RULE, **RANGE)
    for method in ("PUT", "PATCH"):
        written = wire.call(method, json=premium() | {"tags": {"by": method}})
        assert written.status_code == 200
        serve(wire)
    assert wire.call("GET", RULES).json == {"value": [SHOWN]}


def test_no_rules_are_an_empty_list(wire: Wire) -> None:
    """Clients page through it like through a full one."""
    settled(wire)
    assert wire.call("GET", RULES).json == {"value": []}


def test_a_rule_leaves_the_cache_in_place(wire: Wire) -> None:
    """Clients write many at once, and take a conflict for an error."""
    settled(wire)
    for number in range(5):
        assert put(wire, f"{RULES}/r{number}", **RANGE).status_code == 201
    assert wire.call("GET").json["properties"]["provisioningState"] == "Succeeded"


@pytest.mark.parametrize(
    ("name", "properties", "wrong"),
    [
        pytest.param("a-b", RANGE, ["ruleName"], id="name"),
        pytest.param("r" * 257, RANGE, ["ruleName"], id="long name"),
        pytest.param("r", {"startIP": "10.0.0.1"}, ["properties.endIP"], id="no end"),
        pytest.param(
            "r",
            {"startIP": "10.0.0.2", "endIP": "10.0.0.1"},
            ["properties.endIP"],
            id="end below start",
        ),
        pytest.param(
            "r",
            {"startIP": "10.0.0.256", "endIP": "::1"},
            ["properties.startIP", "properties.endIP"],
            id="no IPv4 addresses",
        ),
        pytest.param(
            "a b",
            {"startIP": 7, "endIP": "10.0.0.01"},
            ["ruleName", "properties.startIP", "properties.endIP"],
            id="everything",
        ),
    ],
)
def test_every_mistake_is_named_and_nothing_is_stored(
    wire: Wire, name: str, properties: dict[str, object], wrong: list[str]
) -> None:
    """One answer is enough to mend the whole request."""
    settled(wire)
    assert mistakes(put(wire, f"{RULES}/{name}", **properties)) == wrong
    assert wire.call("GET", RULES).json == {"value": []}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_rules_of_no_cache_are_not_found(wire: Wire, method: str) -> None:
    """The cache is what is missing, and the error says so."""
    missing = wire.call(method, RULE, json={"properties": RANGE})
    assert missing.status_code == 404
    assert "Microsoft.Cache/Redis/Cache1" in missing.json["error"]["message"]


def test_a_busy_cache_takes_no_rule(wire: Wire) -> None:
    """As for any other write, the client is told to try again."""
    wire.create()
    busy = put(wire, RULE, **RANGE)
    assert (busy.status_code, busy.json["error"]["code"]) == (409, "Conflict")
    assert wire.call("GET", RULES).json == {"value": []}
