"""PUT and PATCH of a cache that is there, over HTTP."""

from __future__ import annotations

from typing import Any

import falcon.testing
import pytest

from tests.redis_requests import premium, request, sku
from tests.wire.rig import CACHE, VERSION, Wire

DISABLED = {"properties": {"publicNetworkAccess": "Disabled"}}
POLICY = {"properties": {"redisConfiguration": {"maxmemory-policy": "noeviction"}}}


@pytest.fixture
def prompt() -> Wire:
    """Give the API over one Premium cache, whose loop is quick."""
    wire = Wire(prompt=True)
    assert wire.call("PUT", json=premium()).status_code == 201
    return wire


@pytest.fixture
def slow(wire: Wire) -> Wire:
    """Give the API over one Premium cache, whose loop does no more."""
    assert wire.call("PUT", json=premium()).status_code == 201
    wire.settle()
    return wire


def seen(answer: falcon.testing.Result) -> dict[str, Any]:
    """Read the properties of an answer."""
    found: dict[str, Any] = answer.json["properties"]
    return found


def polls(answer: falcon.testing.Result) -> bool:
    """Tell whether the client is sent to an operation."""
    return "azure-asyncoperation" in answer.headers


def test_a_small_change_is_done_when_it_is_answered(prompt: Wire) -> None:
    """200 with the new values, and nothing to poll."""
    raw = POLICY | {"tags": {"a": "b"}}
    done = prompt.call("PATCH", json=raw)
    assert done.status_code == 200
    assert seen(done)["provisioningState"] == "Succeeded"
    assert seen(done)["redisConfiguration"]["maxmemory-policy"] == "noeviction"
    assert done.json["tags"] == {"a": "b"}
    assert not polls(done)
    assert "location" not in done.headers
    assert prompt.call("GET").json == done.json


def test_a_small_change_that_is_not_in_place_is_not_claimed_to_be(slow: Wire) -> None:
    """It becomes an operation, and the old values are shown until it ends."""
    begun = slow.call("PATCH", json=POLICY)
    assert begun.status_code == 202
    assert seen(begun)["provisioningState"] == "Updating"
    assert "maxmemory-policy" not in seen(begun)["redisConfiguration"]
    assert polls(begun)
    slow.settle()
    assert "maxmemory-policy" in seen(slow.call("GET"))["redisConfiguration"]


def test_a_large_change_is_an_operation_that_is_over_when_answered(
    prompt: Wire,
) -> None:
    """Both headers are the operation's URL; azurerm reads the cache at once."""
    begun = prompt.call("PATCH", json=DISABLED)
    assert begun.status_code == 202
    assert seen(begun)["provisioningState"] == "Updating"
    assert seen(begun)["publicNetworkAccess"] == "Enabled"
    assert seen(begun)["accessKeys"] is None
    url = begun.headers["azure-asyncoperation"]
    assert begun.headers["location"] == url
    assert url.partition("?")[0].endswith(
        f"/asyncOperations/{begun.headers['x-ms-request-id']}"
    )
    got = seen(prompt.call("GET"))
    assert got["provisioningState"] == "Succeeded"
    assert got["publicNetworkAccess"] == "Disabled"


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        pytest.param(
            {"properties": {"sku": sku("P2", "Premium")}}, "Scaling", id="sku"
        ),
        pytest.param({"properties": {"shardCount": 2}}, "Scaling", id="shards"),
        pytest.param(
            {"properties": {"redisConfiguration": {"aad-enabled": "true"}}},
            "ConfiguringAAD",
            id="Entra",
        ),
    ],
)
def test_the_word_of_a_large_change(
    prompt: Wire, raw: dict[str, Any], word: str
) -> None:
    """The old values stand beside it."""
    before = prompt.call("GET").json
    begun = prompt.call("PATCH", json=raw)
    assert (begun.status_code, seen(begun)["provisioningState"]) == (202, word)
    before["properties"]["provisioningState"] = word
    assert begun.json == before


def test_a_new_identity_shows_at_once(prompt: Wire) -> None:
    """Recorded: it is the one member that the first answer has already."""
    begun = prompt.call("PATCH", json={"identity": {"type": "SystemAssigned"}})
    assert begun.status_code == 202
    assert seen(begun)["provisioningState"] == "UpdatingManagedIdentity"
    assert prompt.call("GET").json["identity"] == begun.json["identity"]
    removed = prompt.call("PATCH", json={"identity": {"type": "None"}})
    assert "identity" not in removed.json


def test_older_versions_answer_200_to_a_large_change(prompt: Wire) -> None:
    """With the same headers and body."""
    begun = prompt.call("PATCH", json=DISABLED, params={"api-version": "2021-06-01"})
    assert (begun.status_code, polls(begun)) == (200, True)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_unchanged_cache_is_left_alone(slow: Wire, method: str) -> None:
    """No work, no operation, no new generation, though the loop does nothing."""
    before = slow.store.records()
    done = slow.call(method, json=premium())
    assert (done.status_code, seen(done)["provisioningState"]) == (200, "Succeeded")
    assert not polls(done)
    assert slow.store.records() == before


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(request(), id="Basic"),
        pytest.param(request("C1", "Standard"), id="Standard"),
        pytest.param(premium(), id="Premium"),
        pytest.param(premium(zones=["1", "2"], shardCount=2), id="zones"),
    ],
)
def test_what_is_shown_can_be_sent_back(
    method: str, raw: dict[str, Any], wire: Wire
) -> None:
    """Scripts read a cache, change one member, and send the whole."""
    assert wire.call("PUT", json=raw).status_code == 201
    wire.settle()
    before = wire.store.records()
    done = wire.call(method, json=wire.call("GET").json)
    assert (done.status_code, polls(done)) == (200, False), done.text
    assert wire.store.records() == before


def test_a_put_over_a_cache_keeps_its_keys_and_shows_them(prompt: Wire) -> None:
    """200 with an operation if it makes work; what it left out has its default."""
    old = prompt.call("POST", f"{CACHE}/listKeys").json
    begun = prompt.call("PUT", json=premium(publicNetworkAccess="Disabled"))
    assert (begun.status_code, polls(begun)) == (200, True)
    assert seen(begun)["provisioningState"] == "Updating"
    assert seen(begun)["accessKeys"] == old
    again = prompt.call("PUT", json=premium(tags={"a": "b"}))
    assert seen(prompt.call("GET"))["publicNetworkAccess"] == "Enabled"
    assert seen(again)["accessKeys"] == old


def test_a_small_put_is_done_when_it_is_answered(prompt: Wire) -> None:
    """As a small PATCH is."""
    done = prompt.call("PUT", json=premium(tags={"a": "b"}))
    assert (done.status_code, polls(done)) == (200, False)
    assert seen(done)["provisioningState"] == "Succeeded"
    assert done.json["tags"] == {"a": "b"}
    assert seen(done)["accessKeys"] == prompt.call("POST", f"{CACHE}/listKeys").json


def test_a_refused_change_changes_nothing(prompt: Wire) -> None:
    """Recorded: the text for a step down."""
    before = prompt.store.records()
    refused = prompt.call("PATCH", json={"properties": {"sku": sku()}, "tags": {}})
    error = refused.json["error"]
    assert (refused.status_code, error["code"]) == (400, "BadRequest")
    assert error["message"].startswith(
        "Invalid update request: properties.sku.name cannot be updated to Basic.\r\n"
    )
    assert prompt.store.records() == before


def test_another_location_is_a_conflict(prompt: Wire) -> None:
    """The gateway's, so without the id of the request."""
    refused = prompt.call("PUT", json=premium(location="East US"))
    error = refused.json["error"]
    assert (refused.status_code, error["code"]) == (409, "InvalidResourceLocation")
    assert "target" not in error


def test_a_failed_cache_is_recovered_by_a_good_put(wire: Wire) -> None:
    """It is written to although nobody repaired it, and says what it is at."""
    wire.create()
    wire.fail("ImageMissing", "no image")
    assert seen(wire.call("GET"))["provisioningState"] == "Failed"
    again = wire.call("PUT", json=request())
    assert (again.status_code, polls(again)) == (200, True)
    assert seen(again)["provisioningState"] == "Creating"
    wire.settle()
    assert seen(wire.call("GET"))["provisioningState"] == "Succeeded"


def test_a_change_that_fails_is_followed_to_its_failure(
    slow: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is an operation, and the operation says why."""

    def fail_at_once(_key: object) -> None:
        slow.fail("NoMemory", "the machine has no memory left")

    monkeypatch.setattr(slow.store, "_notify", fail_at_once)
    begun = slow.call("PATCH", json=POLICY)
    assert (begun.status_code, polls(begun)) == (202, True)
    path = begun.headers["azure-asyncoperation"].partition("?")[0]
    polled = slow.call("GET", path.partition("4577")[2], params=VERSION)
    assert polled.json["status"] == "Failed"
    assert polled.json["error"]["message"] == "the machine has no memory left"
