"""listKeys and regenerateKey over HTTP."""

from __future__ import annotations

import pytest

from tests.redis_requests import request
from tests.wire.rig import BASIC, CACHE, Wire

LIST = f"{CACHE}/listKeys"
REGENERATE = f"{CACHE}/regenerateKey"


@pytest.fixture
def prompt() -> Wire:
    """Give the API over one cache, whose loop is quick."""
    wire = Wire(prompt=True)
    wire.create()
    return wire


def test_the_listed_keys_are_those_of_the_creation(wire: Wire) -> None:
    """Also while the cache is created, and whatever the body is."""
    made = wire.call("PUT", json=BASIC).json["properties"]["accessKeys"]
    for body in (None, "", "{}", "not JSON"):
        listed = wire.call("POST", LIST, body=body)
        assert (listed.status_code, listed.json) == (200, made)


def test_keys_are_listed_while_they_are_disabled(prompt: Wire) -> None:
    """Azurerm reads them on every refresh."""
    raw = request(
        disableAccessKeyAuthentication=True, redisConfiguration={"aad-enabled": "true"}
    )
    prompt.call("PUT", json=raw)
    assert set(prompt.call("POST", LIST).json) == {"primaryKey", "secondaryKey"}


@pytest.mark.parametrize(
    ("asked", "new", "kept"),
    [
        pytest.param("Primary", "primaryKey", "secondaryKey", id="primary"),
        pytest.param("secondary", "secondaryKey", "primaryKey", id="any case"),
    ],
)
def test_one_key_is_new_and_the_other_stays(
    prompt: Wire, asked: str, new: str, kept: str
) -> None:
    """Both are answered once the new one works."""
    old = prompt.call("POST", LIST).json
    done = prompt.call("POST", REGENERATE, json={"keyType": asked})
    assert done.status_code == 200
    assert done.json[kept] == old[kept]
    assert done.json[new] != old[new]
    assert prompt.call("POST", LIST).json == done.json
    assert "azure-asyncoperation" not in done.headers


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="none"),
        pytest.param({"keyType": "Tertiary"}, id="unknown"),
        pytest.param({"keyType": 1}, id="number"),
        pytest.param({"keyType": None}, id="null"),
    ],
)
def test_a_bad_key_type_changes_nothing(prompt: Wire, body: dict[str, object]) -> None:
    """The path and the two possible words are in the message."""
    old = prompt.call("POST", LIST).json
    refused = prompt.call("POST", REGENERATE, json=body)
    error = refused.json["error"]
    assert (refused.status_code, error["code"]) == (400, "InvalidRequestBody")
    assert error["message"].startswith(
        "The value of the parameter 'keyType' is invalid."
    )
    assert prompt.call("POST", LIST).json == old


def test_a_key_that_does_not_work_yet_is_not_claimed_to(wire: Wire) -> None:
    """The gateway timed out, but the new key is stored and will be applied."""
    wire.create()
    wire.settle()
    old = wire.call("POST", LIST).json
    late = wire.call("POST", REGENERATE, json={"keyType": "Primary"})
    error = late.json["error"]
    assert (late.status_code, error["code"]) == (504, "GatewayTimeout")
    assert "stored" in error["message"]
    assert "target" not in error
    stored = wire.call("POST", LIST).json
    assert stored["primaryKey"] != old["primaryKey"]
    assert stored["primaryKey"] not in late.text
    assert wire.call("GET").json["properties"]["provisioningState"] == "Updating"


def test_what_keeps_a_key_from_being_applied_is_told(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop's reason is in the message."""
    wire.create()
    wire.settle()

    def fail_at_once(_key: object) -> None:
        wire.fail("EngineSilent", "the engine does not answer")

    monkeypatch.setattr(wire.store, "_notify", fail_at_once)
    late = wire.call("POST", REGENERATE, json={"keyType": "Primary"})
    assert late.status_code == 504
    assert "the engine does not answer" in late.json["error"]["message"]


def test_a_cache_that_is_deleted_meanwhile_has_no_keys(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is gone, which is no timeout."""
    wire.create()
    wire.settle()

    def delete_at_once(_key: object) -> None:
        (record,) = wire.store.records()
        if not record.deleting:
            wire.store.delete(record.key, record.cause)
            wire.settle()

    monkeypatch.setattr(wire.store, "_notify", delete_at_once)
    gone = wire.call("POST", REGENERATE, json={"keyType": "Primary"})
    assert gone.status_code == 404


def test_a_busy_cache_gets_no_new_key(wire: Wire) -> None:
    """The write before it comes first."""
    made = wire.create().json["properties"]["accessKeys"]
    busy = wire.call("POST", REGENERATE, json={"keyType": "Primary"})
    assert (busy.status_code, busy.json["error"]["code"]) == (409, "Conflict")
    assert wire.call("POST", LIST).json == made
