"""Polling a long-running operation, from its first answer to its end."""

from __future__ import annotations

from urllib.parse import urlsplit

import falcon.testing
import pytest

from tests.wire.rig import HOST, SUBSCRIPTION, VERSION, Wire

POLLED = SUBSCRIPTION + "/providers/Microsoft.Cache/locations/West Europe"
UNKNOWN = "00000000-0000-0000-0000-000000000000"


def follow(wire: Wire, url: str) -> falcon.testing.Result:
    """GET a URL that the server gave, as it gave it."""
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc) == ("http", HOST)
    return wire.client.simulate_get(parts.path, query_string=parts.query)


def test_a_creation_is_in_progress_until_it_succeeded(wire: Wire) -> None:
    """Each poll is a 200 with the recorded members, and repeats its own URL."""
    url = wire.create().headers["azure-asyncoperation"]
    running = follow(wire, url)
    name = urlsplit(url).path.rpartition("/")[2]
    assert running.status_code == 200
    assert running.json == {
        "id": f"{POLLED}/asyncOperations/{name}",
        "name": name,
        "status": "InProgress",
        "startTime": None,
        "endTime": None,
        "percentComplete": None,
        "properties": None,
        "error": None,
    }
    assert running.headers["azure-asyncoperation"] == url
    assert running.headers["x-ms-retry-after-ms"] == "50"
    assert running.headers["content-type"] == "application/json"
    assert "location" not in running.headers
    wire.settle()
    ended = follow(wire, url)
    assert ended.json == running.json | {"status": "Succeeded"}
    assert ended.headers["azure-asyncoperation"] == url
    assert "x-ms-retry-after-ms" not in ended.headers


def test_a_failed_operation_says_why(wire: Wire) -> None:
    """The error is the controller's, and stays when a later try helps."""
    first = wire.create().headers["azure-asyncoperation"]
    wire.fail("ImageMissing", "no image x: run `docker pull x`")
    for _ in range(2):
        failed = follow(wire, first)
        assert failed.status_code == 200
        assert failed.json["status"] == "Failed"
        assert failed.json["error"] == {
            "code": "ImageMissing",
            "message": "no image x: run `docker pull x`",
        }
        wire.settle()


def test_an_operation_that_a_deletion_overtook_is_canceled(wire: Wire) -> None:
    """Nobody waits for a creation that will not be."""
    url = wire.create().headers["azure-asyncoperation"]
    wire.call("DELETE")
    canceled = follow(wire, url).json
    assert canceled["status"] == "Canceled"
    assert canceled["error"]["code"] == "OperationCanceled"


def test_a_deletion_is_202_until_nothing_is_left(wire: Wire) -> None:
    """Both headers lead to the result while it runs, and neither afterwards."""
    wire.create()
    deleted = wire.call("DELETE")
    assert (deleted.status_code, deleted.content) == (202, b"")
    assert "azure-asyncoperation" not in deleted.headers
    url = deleted.headers["location"]
    running = follow(wire, url)
    name = urlsplit(url).path.rpartition("/")[2]
    body = {"id": f"{POLLED}/operationresults/{name}", "name": name}
    assert running.status_code == 202
    assert running.json == body | {"status": "InProgress"}
    assert running.headers["location"] == url
    assert running.headers["azure-asyncoperation"] == url
    assert running.headers["x-ms-retry-after-ms"] == "50"
    wire.settle()
    ended = follow(wire, url)
    assert ended.status_code == 200
    assert ended.json == body | {"status": "Succeeded"}
    told = {"location", "azure-asyncoperation", "x-ms-retry-after-ms"}
    assert told.isdisjoint(ended.headers)


def test_a_failed_result_is_a_409_with_an_error_body(wire: Wire) -> None:
    """That is how clients hear of it in this style."""
    wire.create()
    url = wire.call("DELETE").headers["location"]
    wire.fail("EngineSilent", "the engine does not answer")
    failed = follow(wire, url)
    assert failed.status_code == 409
    assert failed.json["error"]["code"] == "EngineSilent"
    assert failed.json["error"]["message"].startswith("the engine does not answer\r\n")


def test_old_versions_poll_results_without_a_body(wire: Wire) -> None:
    """Until 2022 the status alone told how far it was."""
    wire.create()
    url = wire.call("DELETE", params={"api-version": "2022-06-01"}).headers["location"]
    running = follow(wire, url)
    assert (running.status_code, running.content) == (202, b"")
    assert "azure-asyncoperation" not in running.headers
    wire.settle()
    ended = follow(wire, url)
    assert (ended.status_code, ended.content) == (200, b"")


@pytest.mark.parametrize("style", ["asyncOperations", "operationresults"])
def test_an_operation_is_found_in_any_case_and_only_in_its_subscription(
    wire: Wire, style: str
) -> None:
    """Paths have no case, and nobody sees the operations of others."""
    name = wire.create().headers["x-ms-request-id"]
    path = f"{POLLED}/{style}/{name}"
    wire.settle()
    assert wire.call("GET", path.upper()).json["status"] == "Succeeded"
    foreign = path.replace("my-sub", "your-sub")
    for unknown in (foreign, path.replace(name, UNKNOWN)):
        missing = wire.call("GET", unknown)
        assert missing.status_code == 404
        assert missing.json["error"]["code"] == "ResourceNotFound"


def test_the_region_of_a_poll_is_shown_by_its_display_name(wire: Wire) -> None:
    """However the client spells it, the id has the space."""
    name = wire.create().headers["x-ms-request-id"]
    path = f"{SUBSCRIPTION}/providers/microsoft.cache/locations/westeurope"
    polled = wire.call("GET", f"{path}/asyncoperations/{name}", params=VERSION)
    assert polled.json["id"] == f"{POLLED}/asyncOperations/{name}"
