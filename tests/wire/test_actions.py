"""flush, forceReboot, import and export over HTTP, and operations that are slow."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import falcon.testing
import pytest

from controller.model import Record
from controller.pace import realistic
from controller.places import Local, Remote
from controller.spec import Errand, ErrandKind
from tests.redis_requests import request
from tests.wire.children import mistakes, premium, settled, style
from tests.wire.rig import CACHE, SUBSCRIPTION, VERSION, Wire

EXPORT = {"container": "https://a.test/c?sig=s", "prefix": "dump"}
IMPORT = {"files": ["https://a.test/c/dump"]}
ACTIONS = [
    pytest.param("flush", None, id="flush"),
    pytest.param("forceReboot", {"rebootType": "AllNodes"}, id="reboot"),
    pytest.param("import", IMPORT, id="import"),
    pytest.param("export", EXPORT, id="export"),
]
POLLED = SUBSCRIPTION + "/providers/Microsoft.Cache/locations/West Europe"


def act(wire: Wire, action: str, body: object = None) -> falcon.testing.Result:
    """Send an action, with or without a body."""
    options = {} if body is None else {"json": body}
    return wire.call("POST", f"{CACHE}/{action}", **options)


def cache(wire: Wire) -> Record:
    """Read the one cache."""
    (record,) = wire.store.records()
    return record


@pytest.mark.parametrize(("action", "body"), ACTIONS)
def test_there_has_to_be_a_cache(wire: Wire, action: str, body: object) -> None:
    """An action on nothing is told so by the gateway."""
    missing = act(wire, action, body)
    error = missing.json["error"]
    assert (missing.status_code, error["code"]) == (404, "ResourceNotFound")
    assert missing.headers["x-ms-failure-cause"] == "gateway"


@pytest.mark.parametrize(("action", "body"), ACTIONS)
def test_a_busy_cache_does_nothing_else(wire: Wire, action: str, body: object) -> None:
    """The write before it comes first: here, the creation."""
    wire.call("PUT", json=premium())
    before = wire.store.records()
    busy = act(wire, action, body)
    assert (busy.status_code, busy.json["error"]["code"]) == (409, "Conflict")
    assert wire.store.records() == before


@pytest.mark.parametrize(
    ("action", "body", "told"),
    [
        pytest.param("flush", None, ("operationresults", "operationresults"), id="f"),
        pytest.param("import", IMPORT, ("", "operationresults"), id="import"),
        pytest.param("export", EXPORT, ("", "operationresults"), id="export"),
    ],
)
def test_an_operation_is_followed_by_its_result(
    wire: Wire, action: str, body: object, told: tuple[str, str]
) -> None:
    """202 and no body, then 202 while it runs, and 200 with `Succeeded`."""
    settled(wire)
    begun = act(wire, action, body)
    assert (begun.status_code, begun.content) == (202, b"")
    assert style(begun) == told
    url = urlsplit(begun.headers["location"])
    running = wire.client.simulate_get(url.path, query_string=url.query)
    assert (running.status_code, running.json["status"]) == (202, "InProgress")
    assert wire.call("GET").json["properties"]["provisioningState"] == "Updating"
    wire.settle()
    done = wire.client.simulate_get(url.path, query_string=url.query)
    name = begun.headers["x-ms-request-id"]
    assert (done.status_code, done.json) == (
        200,
        {
            "id": f"{POLLED}/operationresults/{name}",
            "name": name,
            "status": "Succeeded",
        },
    )


def test_each_flush_is_an_errand_of_its_own(wire: Wire) -> None:
    """A later one takes the place of an earlier one, and others stay."""
    settled(wire)
    act(wire, "export", EXPORT)
    wire.settle()
    act(wire, "flush")
    wire.settle()
    again = act(wire, "flush").headers["x-ms-request-id"]
    export, flush = cache(wire).spec.errands
    assert export.kind is ErrandKind.EXPORT
    assert flush == Errand(ErrandKind.FLUSH, again)


CLUSTER = premium(shardCount=2, replicasPerPrimary=2)  # nodes 0 to 2, and 3 to 5
BASIC = request("C0", "Basic")
STANDARD = request("C1", "Standard")


@pytest.mark.parametrize(
    ("spec", "body", "effect"),
    [
        pytest.param(STANDARD, {"rebootType": "AllNodes"}, "empty", id="all"),
        pytest.param(STANDARD, {"rebootType": "allnodes"}, "empty", id="any case"),
        pytest.param(STANDARD, {}, "empty", id="nothing said"),
        pytest.param(STANDARD, {"rebootType": None}, "empty", id="null"),
        pytest.param(STANDARD, {"rebootType": "PrimaryNode"}, "failover", id="primary"),
        pytest.param(STANDARD, {"rebootType": "SecondaryNode"}, "", id="replica"),
        pytest.param(BASIC, {"rebootType": "PrimaryNode"}, "empty", id="Basic"),
        pytest.param(BASIC, {"rebootType": "SecondaryNode"}, "empty", id="Basic too"),
        pytest.param(CLUSTER, {"shardId": 1}, "empty", id="a shard"),
        pytest.param(
            CLUSTER, {"shardId": 1, "rebootType": "PrimaryNode"}, "failover", id="one"
        ),
        pytest.param(CLUSTER, {"ports": [15003]}, "failover", id="port of a primary"),
        pytest.param(CLUSTER, {"ports": [13001, 15005]}, "", id="ports of replicas"),
        pytest.param(CLUSTER, {"ports": [13003, 15004, 15005]}, "empty", id="ports"),
        pytest.param(
            CLUSTER,
            {"shardId": 0, "rebootType": "AllNodes", "ports": [13000, 15001]},
            "failover",
            id="ports come first",
        ),
        pytest.param(CLUSTER, {"shardId": 0, "ports": []}, "empty", id="no port"),
    ],
)
def test_what_a_reboot_does(
    wire: Wire, spec: dict[str, Any], body: dict[str, object], effect: str
) -> None:
    """Data go with the last node of a shard, connections with a primary."""
    wire.call("PUT", json=spec)
    wire.settle()
    done = act(wire, "forceReboot", body)
    assert done.status_code == 200, done.text
    failover = Errand(ErrandKind.DISCONNECT, done.headers["x-ms-request-id"])
    assert (cache(wire).spec.boot, cache(wire).spec.errands) == {
        "empty": (failover.request_id, ()),
        "failover": ("", (failover,)),
        "": ("", ()),
    }[effect]
    state = wire.call("GET").json["properties"]["provisioningState"]
    assert state == ("Updating" if effect else "Succeeded")


@pytest.mark.parametrize(
    ("version", "name"),
    [
        pytest.param("2024-11-01", "Value", id="new"),
        pytest.param("2018-03-01", "PrimaryNode", id="old"),
    ],
)
def test_what_a_reboot_answers(wire: Wire, version: str, name: str) -> None:
    """At once, and in the recorded words."""
    settled(wire)
    done = wire.call(
        "POST",
        f"{CACHE}/forceReboot",
        json={"rebootType": "primarynode"},
        params={"api-version": version},
    )
    assert done.json == {
        "message": f"The requested reboot operation for '{name}' has been "
        "successfully scheduled and should be executed shortly."
    }
    assert style(done) == ("", "")


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        pytest.param({"rebootType": "Both"}, ["rebootType"], id="type"),
        pytest.param({"rebootType": 1}, ["rebootType"], id="number"),
        pytest.param({"shardId": "0"}, ["shardId"], id="text"),
        pytest.param({"shardId": 2}, ["shardId"], id="no such shard"),
        pytest.param({"shardId": -1}, ["shardId"], id="negative"),
        pytest.param({"ports": 15000}, ["ports"], id="one port"),
        pytest.param({"ports": [6380]}, ["ports[0]"], id="the cache's own"),
        pytest.param(
            {"shardId": 9, "ports": [15000, 15006, 13006]},
            ["shardId", "ports[1]", "ports[2]"],
            id="all of them",
        ),
    ],
)
def test_a_bad_reboot_changes_nothing(
    wire: Wire, body: dict[str, object], wrong: list[str]
) -> None:
    """Every mistake is named."""
    wire.call("PUT", json=CLUSTER)
    wire.settle()
    before = wire.store.records()
    assert mistakes(act(wire, "forceReboot", body)) == wrong
    assert wire.store.records() == before


@pytest.mark.parametrize("second", ["AllNodes", "PrimaryNode", "SecondaryNode"])
@pytest.mark.parametrize("first", ["AllNodes", "PrimaryNode"])
def test_a_reboot_may_follow_a_reboot(wire: Wire, first: str, second: str) -> None:
    """It is only scheduled, so it need not wait; whatever else comes has to."""
    settled(wire)
    act(wire, "forceReboot", {"rebootType": first})
    again = act(wire, "forceReboot", {"rebootType": second})
    assert again.status_code == 200, again.text
    assert wire.call("PATCH", json={"tags": {"a": "b"}}).status_code == 409
    assert act(wire, "flush").status_code == 409
    assert wire.call("DELETE").status_code == 202
    assert act(wire, "forceReboot", {"rebootType": second}).status_code == 409


def test_a_reboot_does_not_follow_anything_else(wire: Wire) -> None:
    """A flush is carried out first, also if there was a reboot before it."""
    settled(wire)
    act(wire, "forceReboot", {"rebootType": "AllNodes"})
    wire.settle()
    act(wire, "flush")
    assert act(wire, "forceReboot", {"rebootType": "AllNodes"}).status_code == 409


@pytest.mark.parametrize("action", ["import", "export"])
@pytest.mark.parametrize("tier", ["Basic", "Standard"])
def test_only_premium_caches_move_data(wire: Wire, action: str, tier: str) -> None:
    """The message says what to do about it."""
    wire.call("PUT", json=request("C1", tier))
    wire.settle()
    refused = act(wire, action, IMPORT | EXPORT)
    error = refused.json["error"]
    assert (refused.status_code, error["code"]) == (400, "BadRequest")
    assert error["message"].startswith(
        f"{action.title()} is not allowed on '{tier}' cache instances. Scale the cache"
    )


AUTH = "preferred-data-archive-auth-method"


@pytest.mark.parametrize(
    ("action", "body", "wrong"),
    [
        pytest.param("import", {}, ["files"], id="no files"),
        pytest.param("import", {"files": []}, ["files"], id="empty list"),
        pytest.param("import", {"files": ["a", ""]}, ["files[1]"], id="empty name"),
        pytest.param("import", {"files": "a"}, ["files"], id="one file"),
        pytest.param("export", {}, ["container", "prefix"], id="nothing"),
        pytest.param("export", EXPORT | {"prefix": ""}, ["prefix"], id="empty prefix"),
        pytest.param("export", EXPORT | {"format": "AOF"}, ["format"], id="format"),
        pytest.param("export", EXPORT | {AUTH: "Key"}, [AUTH], id="auth method"),
        pytest.param(
            "import",
            IMPORT | {"storage-subscription-id": 1},
            ["storage-subscription-id"],
            id="subscription",
        ),
        pytest.param(
            "import",
            {"files": ["https://a.test/c/d", "s3://a/b", "../d", "file:///a/../b"]},
            ["files[1]", "files[2]", "files[3]"],
            id="no places",
        ),
        pytest.param(
            "export",
            {"container": "https://u:p@a.test/c", "prefix": "a/../../b"},
            ["container", "prefix"],
            id="no container and no name",
        ),
    ],
)
def test_a_bad_transfer_changes_nothing(
    wire: Wire, action: str, body: dict[str, object], wrong: list[str]
) -> None:
    """Every mistake is named."""
    settled(wire)
    before = wire.store.records()
    assert mistakes(act(wire, action, body)) == wrong
    assert wire.store.records() == before


def test_an_errand_knows_the_places(wire: Wire) -> None:
    """They come with it, and what opens them is not in its text."""
    settled(wire)
    files = ["https://a.test/c/one?sig=s3cret", "c/two"]
    imported = act(wire, "import", {"files": files}).headers["x-ms-request-id"]
    wire.settle()
    exported = act(wire, "export", EXPORT).headers["x-ms-request-id"]
    first, second = cache(wire).spec.errands
    two = Local(PurePosixPath("containers/c/two"))
    assert first == Errand(ErrandKind.IMPORT, imported, (Remote(files[0]), two))
    container = Remote(EXPORT["container"])
    assert second == Errand(ErrandKind.EXPORT, exported, (container,), "dump")
    assert "sig=" not in f"{first!r} {second!r} {first} {second}"
    assert len({first, second}) == 2


def test_a_refusal_quotes_no_place(wire: Wire) -> None:
    """It says what, why and what next, and not what could be a signature."""
    settled(wire)
    body = EXPORT | {"container": "ftp://a.test/c?sig=s3cret"}
    refused = act(wire, "export", body)
    error = refused.json["error"]
    assert (refused.status_code, error["code"]) == (400, "InvalidRequestBody")
    assert error["message"].splitlines()[0] == (
        "The value of the parameter 'container' is invalid. It has a scheme that is "
        "not served; give the https:// address of a container or a blob with its SAS, "
        "a file:/// address in the emulator's state directory, or the bare name of a "
        "container."
    )


def test_words_of_a_transfer_have_no_case(wire: Wire) -> None:
    """And what is null counts as absent."""
    settled(wire)
    body = {"format": "rdb", AUTH: "managedidentity", "storage-subscription-id": None}
    assert act(wire, "export", EXPORT | body).status_code == 202


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Give the API where operations are slow; whoever waits for one, fails."""
    wire = Wire(prompt=True, pace=realistic)

    def wait(*_: object) -> None:
        pytest.fail("a request waits")

    monkeypatch.setattr(wire.store, "wait", wait)
    return wire


def test_a_slow_operation_holds_no_request(slow: Wire) -> None:
    """Creation and large changes are answered before they are in place."""
    begun = slow.call("PUT", json=premium())
    assert (begun.status_code, style(begun)) == (201, ("asyncOperations", "resource"))
    assert begun.json["properties"]["provisioningState"] == "Creating"
    for method, status in (("PATCH", 202), ("PUT", 200)):
        access = "Disabled" if method == "PATCH" else "Enabled"
        changed = slow.call(method, json=premium(publicNetworkAccess=access))
        assert changed.status_code == status
        assert changed.headers["azure-asyncoperation"]
        assert changed.json["properties"]["provisioningState"] == "Updating"
    unchanged = slow.call("PATCH", json=premium())
    assert (unchanged.status_code, style(unchanged)) == (200, ("", ""))


def test_what_is_no_operation_is_not_slow() -> None:
    """Keys and tags are changed when the service answers."""
    wire = Wire(prompt=True, pace=realistic)
    wire.call("PUT", json=premium())
    tagged = wire.call("PATCH", json={"tags": {"a": "b"}})
    assert (tagged.status_code, style(tagged)) == (200, ("", ""))
    path, body = f"{CACHE}/regenerateKey", {"keyType": "Primary"}
    assert wire.call("POST", path, json=body, params=VERSION).status_code == 200
