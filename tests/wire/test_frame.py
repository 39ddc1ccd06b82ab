"""What every answer has: ids, headers, an envelope for errors, a line in the log."""

from __future__ import annotations

import json
import re
import uuid

import falcon.testing
import pytest
import structlog
from structlog.testing import capture_logs

from controller.errors import ControllerError
from tests.wire.rig import BASIC, CACHE, CACHES, SUBSCRIPTION, VERSION, Wire

CALLER = "5f3c1f0e-9d26-4f6e-8a53-0c6c2a1a7c11"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", CACHES, id="answer"),
        pytest.param("DELETE", CACHE, id="no content"),
        pytest.param("GET", CACHE, id="not found"),
        pytest.param("GET", "/nowhere", id="no route"),
        pytest.param("PUT", "/healthz", id="no method"),
    ],
)
def test_every_answer_has_arms_headers(wire: Wire, method: str, path: str) -> None:
    """Whatever the answer is, it has the recorded headers."""
    headers = wire.call(method, path).headers
    assert headers["cache-control"] == "no-cache"
    assert headers["pragma"] == "no-cache"
    assert headers["expires"] == "-1"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert headers["x-go-azure-sdk-skip-polling-delay"] == "true"
    assert any("x-ms-ratelimit-remaining-subscription-" in name for name in headers)
    for name in (
        "x-ms-request-id",
        "x-ms-correlation-request-id",
        "x-rp-server-mvid",
    ):
        assert str(uuid.UUID(headers[name])) == headers[name]
    correlation = headers["x-ms-correlation-request-id"]
    route = headers["x-ms-routing-request-id"]
    assert re.fullmatch(rf"LOCALHOST:\d{{8}}T\d{{6}}Z:{correlation}", route)


def test_bodies_are_json_in_utf_8(wire: Wire) -> None:
    """Clients decode by the type, errors included."""
    for path in (CACHES, CACHE):
        kind = wire.call("GET", path).headers["content-type"]
        assert kind == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    ("method", "counter"),
    [("GET", "reads"), ("PUT", "writes"), ("DELETE", "deletes")],
)
def test_the_rate_limit_that_a_call_counts_for_is_told(
    wire: Wire, method: str, counter: str
) -> None:
    """Clients log it, and some slow down when it runs low."""
    headers = wire.call(method, json=BASIC).headers
    named = [name for name in headers if "ratelimit" in name]
    assert named == [f"x-ms-ratelimit-remaining-subscription-{counter}"]


def test_ids_of_the_caller_come_back(wire: Wire) -> None:
    """The correlation id always, the client's own when it asks for it."""
    sent = {
        "x-ms-correlation-request-id": CALLER,
        "x-ms-client-request-id": "mine",
    }
    silent = wire.call("GET", CACHES, headers=sent)
    assert silent.headers["x-ms-correlation-request-id"] == CALLER
    assert "client-request-id" not in silent.headers
    sent["x-ms-return-client-request-id"] = "true"
    asked = wire.call("GET", CACHES, headers=sent)
    assert asked.headers["client-request-id"] == "mine"


def test_a_browser_is_not_told_to_use_https_for_all_of_localhost(wire: Wire) -> None:
    """It would hold other programs of the developer to it for a year."""
    page = wire.call("GET", "/healthz", headers={"User-Agent": "Mozilla/5.0 (X11)"})
    assert "strict-transport-security" not in page.headers


def test_the_request_id_is_the_operations(wire: Wire) -> None:
    """As recorded: one id finds the request, the work and the poll."""
    created = wire.create()
    url = created.headers["azure-asyncoperation"]
    assert created.headers["x-ms-request-id"] in url


def test_errors_of_arm_itself_have_no_target(wire: Wire) -> None:
    """A cache that is not there is ARM's own answer, in the service's words."""
    missing = wire.call("GET")
    assert missing.status_code == 404
    assert missing.headers["x-ms-failure-cause"] == "gateway"
    assert missing.json == {
        "error": {
            "code": "ResourceNotFound",
            "message": "The Resource 'Microsoft.Cache/Redis/Cache1' under resource "
            "group 'my-rg' was not found. For more details please go to "
            "https://aka.ms/ARMResourceNotFoundFix",
        }
    }


def test_errors_of_the_provider_end_with_the_request_id(wire: Wire) -> None:
    """A write while busy is refused in the service's words."""
    wire.create()
    busy = wire.call("PUT", json=BASIC | {"tags": {"a": "b"}})
    assert busy.status_code == 409
    assert "x-ms-failure-cause" not in busy.headers
    resource = CACHE.replace("/redis/", "/Redis/")
    assert busy.json == {
        "error": {
            "code": "Conflict",
            "message": f"The resource '{resource}' is busy processing a previous "
            "update request or is undergoing system maintenance.  As such, it is "
            "currently unable to accept the update request.  Please try again "
            "later.\r\n"
            f"RequestID={busy.headers['x-ms-request-id']}",
            "target": None,
        }
    }


def test_a_name_that_is_taken_elsewhere_is_refused(wire: Wire) -> None:
    """Names are DNS labels, so that there is one of each in all of Azure."""
    wire.create()
    other = CACHE.replace("my-rg", "other-rg").replace("Cache1", "CACHE1")
    taken = wire.call("PUT", other, json=BASIC)
    assert (taken.status_code, taken.json["error"]["code"]) == (409, "NameNotAvailable")


@pytest.mark.parametrize(
    ("path", "code", "says"),
    [
        pytest.param("/nowhere", "NotFound", "'/nowhere'", id="path"),
        pytest.param(
            f"{SUBSCRIPTION}/providers/Microsoft.Cache/redisEnterprise",
            "InvalidResourceType",
            "'Microsoft.Cache/redisEnterprise'",
            id="type",
        ),
        pytest.param(
            f"{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Web/sites/s",
            "InvalidResourceNamespace",
            "'Microsoft.Web'",
            id="namespace",
        ),
    ],
)
def test_an_unknown_path_says_what_of_it_is_unknown(
    wire: Wire, path: str, code: str, says: str
) -> None:
    """Clients parse one shape of error, wherever it is found."""
    refused = wire.call("GET", path)
    error = refused.json["error"]
    assert (refused.status_code, error["code"]) == (404, code)
    assert says in error["message"]
    assert set(error) == {"code", "message"}


def test_a_wrong_method_is_told_the_right_ones(wire: Wire) -> None:
    """The ``Allow`` header is kept beside the envelope."""
    refused = wire.call("POST", "/healthz")
    assert refused.status_code == 405
    assert refused.json["error"]["code"] == "MethodNotAllowed"
    assert "'POST'" in refused.json["error"]["message"]
    assert "GET" in refused.headers["allow"].split(", ")
    assert "GET" in refused.json["error"]["message"]


def test_a_method_that_falcon_keeps_for_itself_is_refused(wire: Wire) -> None:
    """It never reaches the middleware, and is answered all the same."""
    environ = falcon.testing.create_environ(CACHE, method="WEBSOCKET")
    answer = falcon.testing.StartResponseMock()
    (body,) = wire.client.app(environ, answer)
    assert answer.status == "400 Bad Request"
    assert json.loads(body)["error"]["code"] == "BadRequest"


class NewError(ControllerError):
    """A class that nobody thought of in the table."""


@pytest.mark.parametrize("surprise", [RuntimeError("inner"), NewError("inner")])
def test_a_mistake_of_ours_shows_nothing_of_us(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, surprise: Exception
) -> None:
    """The client gets a number to report, and the log gets the story, once."""

    def fail(_operation: str) -> None:
        raise surprise

    monkeypatch.setattr(wire.store, "operation", fail)
    path = f"{SUBSCRIPTION}/providers/Microsoft.Cache/locations/x/operationresults/y"
    with capture_logs() as events:
        broken = wire.call("GET", path)
    assert broken.status_code == 500
    assert broken.json["error"]["code"] == "InternalServerError"
    assert "inner" not in broken.text
    assert broken.headers["x-ms-request-id"] in broken.json["error"]["message"]
    failures = [each for each in events if each["log_level"] == "error"]
    assert [each["event"] for each in failures] == ["request.failed"]
    assert failures[0]["exc_info"] is surprise


def test_a_request_is_one_line_in_the_log_with_its_ids(wire: Wire) -> None:
    """Method, path, status and time, never a body; whatever is logged has the ids."""
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as events:
        done = wire.call("PUT", json=BASIC, headers={"x-ms-client-request-id": "mine"})
    (line,) = (each for each in events if each["event"] == "request.done")
    took_ms = line.pop("took_ms")
    assert took_ms >= 0
    assert line == {
        "event": "request.done",
        "log_level": "info",
        "method": "PUT",
        "path": CACHE,
        "status": 201,
        "request_id": done.headers["x-ms-request-id"],
        "correlation_id": done.headers["x-ms-correlation-request-id"],
        "client_request_id": "mine",
    }
    assert structlog.contextvars.get_contextvars() == {}


def test_probes_stay_out_of_the_log(wire: Wire) -> None:
    """They are asked every few seconds, for ever."""
    with capture_logs() as events:
        wire.call("GET", "/healthz", params=VERSION)
    assert [each["log_level"] for each in events] == ["debug"]
