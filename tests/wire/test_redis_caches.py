"""``Microsoft.Cache/redis`` over HTTP: create, read, list, delete."""

from __future__ import annotations

from typing import Any

import pytest

from tests.redis_requests import premium, request, sku
from tests.wire.rig import BASIC, CACHE, CACHES, HOST, SUBSCRIPTION, VERSION, Wire

OTHER_GROUP = CACHES.replace("my-rg", "other-rg")
ACTIONS = ("listKeys", "regenerateKey")


def state(body: dict[str, Any]) -> str:
    """Read the state of a cache."""
    found: str = body["properties"]["provisioningState"]
    return found


def test_a_creation_is_answered_at_once(wire: Wire) -> None:
    """201, both headers, both keys; GET then hides the keys."""
    made = wire.call("PUT", json=BASIC)
    assert (made.status_code, state(made.json)) == (201, "Creating")
    operation = made.headers["x-ms-request-id"]
    polled = f"{SUBSCRIPTION}/providers/Microsoft.Cache/locations/West%20Europe"
    assert made.headers["azure-asyncoperation"] == (
        f"http://{HOST}{polled}/asyncOperations/{operation}?api-version=2024-11-01"
    )
    assert made.headers["location"] == f"http://{HOST}{CACHE}?api-version=2024-11-01"
    keys = made.json["properties"]["accessKeys"]
    assert [len(key) for key in keys.values()] == [44, 44]
    got = wire.call("GET")
    assert (got.status_code, state(got.json)) == (200, "Creating")
    assert got.json["properties"]["accessKeys"] is None


def test_a_cache_is_succeeded_once_it_is_in_place(wire: Wire) -> None:
    """Nothing but the state and the roles of the nodes is different then."""
    made = wire.create().json
    wire.settle()
    got = wire.call("GET").json
    assert state(got) == "Succeeded"
    changed = {"provisioningState", "instances", "accessKeys"}
    for name, value in made["properties"].items():
        assert (got["properties"][name] == value) is (name not in changed)


def test_a_mocked_cache_is_succeeded_at_once() -> None:
    """There is nothing to wait for; the headers are the same."""
    made = Wire(prompt=True).call("PUT", json=BASIC)
    assert (made.status_code, state(made.json)) == (201, "Succeeded")
    assert "azure-asyncoperation" in made.headers


def test_the_endpoint_is_where_the_cache_can_be_reached(wire: Wire) -> None:
    """Host and ports are those of the backend."""
    properties = wire.create().json["properties"]
    assert properties["hostName"] == "cache1"
    ports = wire.store.records()[0].ports
    assert (properties["port"], properties["sslPort"]) == (ports.plain, ports.tls)


def test_paths_have_no_case_and_answers_keep_that_of_creation(wire: Wire) -> None:
    """A cache's own id is a path that works."""
    made = wire.create().json
    wire.settle()
    for path in (CACHE.lower(), CACHE.upper(), made["id"]):
        got = wire.call("GET", path)
        assert (got.status_code, got.json["id"]) == (200, made["id"])
    assert made["id"].endswith("/providers/Microsoft.Cache/Redis/Cache1")


def test_an_unknown_cache_is_not_found(wire: Wire) -> None:
    """ARM itself says so, for every operation but DELETE and PUT."""
    calls = [
        wire.call("GET"),
        wire.call("PATCH", json={}),
        wire.call("POST", f"{CACHE}/listKeys"),
        wire.call("POST", f"{CACHE}/regenerateKey", json={"keyType": "Primary"}),
    ]
    for missing in calls:
        assert missing.status_code == 404
        assert missing.json["error"] == {
            "code": "ResourceNotFound",
            "message": (
                "The Resource 'Microsoft.Cache/Redis/Cache1' under resource group "
                "'my-rg' was not found. For more details please go to "
                "https://aka.ms/ARMResourceNotFoundFix"
            ),
        }
        assert missing.headers["x-ms-failure-cause"] == "gateway"


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(f"{CACHES}/bad--name", id="hyphens"),
        pytest.param(f"{CACHES}/{'x' * 64}", id="long"),
        pytest.param(f"{CACHES}/a%0a", id="line feed"),
        pytest.param(f"{CACHES}/a%00", id="NUL"),
        pytest.param(CACHE.replace("my-rg", "my-rg."), id="group"),
        pytest.param(CACHE.replace("my-sub", "{id}"), id="subscription"),
    ],
)
def test_a_bad_name_is_refused_by_every_operation(wire: Wire, path: str) -> None:
    """The store never sees it."""
    calls = [wire.call(method, path) for method in ("GET", "DELETE")]
    calls += [wire.call(method, path, json=BASIC) for method in ("PUT", "PATCH")]
    calls += [
        wire.call("POST", f"{path}/{action}", json={"keyType": "Primary"})
        for action in ACTIONS
    ]
    assert {each.status_code for each in calls} == {400}
    assert wire.store.records() == ()


def test_a_refused_creation_leaves_nothing(wire: Wire) -> None:
    """All mistakes in one answer, with the id of the request."""
    refused = wire.call("PUT", json=request(redisVersion="9", shardCount="1"))
    error = refused.json["error"]
    assert (refused.status_code, error["code"]) == (400, "InvalidRequestBody")
    assert error["message"].endswith(
        f"\r\nRequestID={refused.headers['x-ms-request-id']}"
    )
    assert [each["target"] for each in error["details"]] == [
        "properties.redisVersion",
        "properties.shardCount",
    ]
    assert wire.call("GET").status_code == 404
    assert "azure-asyncoperation" not in refused.headers


def test_one_mistake_is_the_error_itself(wire: Wire) -> None:
    """In the service's shape: no details, and a target that is null."""
    error = wire.call("PUT", json=request(minimumTlsVersion="1.9")).json["error"]
    assert set(error) == {"code", "message", "target"}
    assert error["target"] is None
    assert "'properties.minimumTlsVersion'" in error["message"]


def test_a_missing_location_is_refused_by_arm(wire: Wire) -> None:
    """So the error has the shape of ARM's own."""
    refused = wire.call("PUT", json={"properties": {"sku": sku()}})
    assert refused.json["error"] == {
        "code": "LocationRequired",
        "message": "The location property is required for this definition.",
    }


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        pytest.param({}, "LocationRequired", id="no location"),
        pytest.param(
            {"location": "Mars", "properties": {}},
            "LocationNotAvailableForResourceType",
            id="no such location",
        ),
    ],
)
def test_a_wrong_location_gives_the_code_whatever_else_is_wrong(
    wire: Wire, raw: dict[str, Any], code: str
) -> None:
    """ARM looks at it before the provider sees the rest, which is told all the same."""
    error = wire.call("PUT", json=raw).json["error"]
    assert set(error) == {"code", "message", "details"}
    assert error["code"] == code
    first, second = error["details"]
    assert (first["target"], first["code"]) == ("location", code)
    assert second["target"].startswith("properties")


def test_older_versions_show_less(wire: Wire) -> None:
    """What a version does not have is left out of each kind of answer."""
    old = {"api-version": "2019-07-01"}
    wire.call("PUT", json=premium(), params=old)
    wire.settle()
    answers = [
        wire.call("GET", params=old).json,
        wire.call("GET", CACHES, params=old).json["value"][0],
        wire.call("PATCH", json={"tags": {}}, params=old).json,
        wire.call("PUT", json=premium(), params=old).json,
    ]
    for body in answers:
        assert "zonalAllocationPolicy" not in body["properties"]
    assert "zonalAllocationPolicy" in wire.call("GET").json["properties"]


def test_lists_are_whole_and_in_order(wire: Wire) -> None:
    """Of a group, or of the subscription; other subscriptions do not show."""
    foreign = CACHE.replace("my-sub", "your-sub").replace("Cache1", "cache9")
    for path in (CACHE, f"{OTHER_GROUP}/cache3", f"{CACHES}/cache2", foreign):
        wire.create(path)
    group = wire.call("GET", CACHES.upper())
    assert [each["name"] for each in group.json["value"]] == ["Cache1", "cache2"]
    assert set(group.json) == {"value"}
    listed = wire.call("GET", f"{SUBSCRIPTION}/providers/Microsoft.Cache/redis").json
    assert [each["name"] for each in listed["value"]] == ["Cache1", "cache3", "cache2"]
    assert {each["properties"]["accessKeys"] for each in listed["value"]} == {None}


def test_an_empty_list_is_a_list(wire: Wire) -> None:
    """A group exists as soon as it is named."""
    assert wire.call("GET", CACHES).json == {"value": []}
    refused = wire.call("GET", CACHES.replace("my-rg", "my-rg."))
    assert refused.json["error"]["code"] == "InvalidResourceGroup"


def test_a_deletion_takes_its_time(wire: Wire) -> None:
    """202 with the result's URL alone; readable meanwhile, then gone."""
    wire.create()
    gone = wire.call("DELETE")
    assert (gone.status_code, gone.content) == (202, b"")
    assert "/locations/West%20Europe/operationresults/" in gone.headers["location"]
    assert "azure-asyncoperation" not in gone.headers
    assert state(wire.call("GET").json) == "Deleting"
    assert wire.call("DELETE").status_code == 202
    wire.settle()
    assert wire.call("GET").status_code == 404


def test_an_absent_cache_is_deleted_already(wire: Wire) -> None:
    """204, without a body or headers to poll."""
    done = wire.call("DELETE")
    assert (done.status_code, done.content) == (204, b"")
    assert "location" not in done.headers


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_busy_cache_takes_no_write(wire: Wire, method: str) -> None:
    """Reads and listKeys go on."""
    wire.create()
    busy = wire.call(method, json=request(tags={"a": "b"}))
    assert (busy.status_code, busy.json["error"]["code"]) == (409, "Conflict")
    assert wire.call("GET").json["tags"] == {}
    assert wire.call("POST", f"{CACHE}/listKeys", params=VERSION).status_code == 200
