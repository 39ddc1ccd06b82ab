"""Log lines are events that programs can read, and they show no secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from controller import logs
from controller.actions import (
    Again,
    CreateNode,
    Done,
    Outcome,
    Plan,
    StartNode,
    Stuck,
    Wait,
)
from controller.spec import Secret
from tests import builders

ACCESS_KEY = "a" * 33 + "AzCaA" + "b" * 5 + "="


@pytest.fixture(autouse=True)
def afterwards() -> Iterator[None]:
    """Leave logging as it was found."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logging.basicConfig(handlers=handlers, level=level, force=True)


@pytest.fixture
def stream() -> io.StringIO:
    """Receive every event as JSON, from debug on."""
    stream = io.StringIO()
    logs.configure("json", "debug", stream)
    return stream


def events(stream: io.StringIO) -> list[dict[str, Any]]:
    """Read the lines back."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json(stream: io.StringIO) -> None:
    """It has a name, a level, a time in UTC, and the request's ids."""
    structlog.contextvars.bind_contextvars(request_id="r-1")
    structlog.get_logger().info("cache.seen", text="two\nlines")
    (event,) = events(stream)
    assert list(event)[:3] == ["timestamp", "level", "event"]
    assert event.pop("timestamp").endswith("Z")
    assert event == {
        "event": "cache.seen",
        "level": "info",
        "request_id": "r-1",
        "text": "two\nlines",
    }


def test_libraries_speak_in_events_too(stream: io.StringIO) -> None:
    """A warning of a library is an event with the logger's name; chatter is not."""
    logging.getLogger("urllib3.pool").warning("pool is %s", "full")
    logging.getLogger("urllib3.pool").info("GET /containers/json")
    logging.getLogger("waitress.queue").warning("Task queue depth is 1")
    (event,) = events(stream)
    assert event["event"] == "urllib3.pool"
    assert event["message"] == "pool is full"
    assert event["level"] == "warning"


def test_levels_below_the_wanted_one_are_silent() -> None:
    """A level in the settings is the lowest that is written."""
    stream = io.StringIO()
    logs.configure("json", "warning", stream)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("heard")
    assert [event["event"] for event in events(stream)] == ["heard"]


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_no_secret_is_written(log_format: logs.LogFormat) -> None:
    """Neither a secret, nor a key in a text, nor one among a traceback's variables."""
    stream = io.StringIO()
    logs.configure(log_format, "debug", stream)
    secret, log = Secret("open sesame"), structlog.get_logger()

    def fail() -> None:
        hidden = secret.reveal  # what a traceback with variables would show
        raise RuntimeError(f"cannot send {ACCESS_KEY} ({len(hidden)})")

    log.info("direct", secret=secret, nested={"keys": [secret]}, text=ACCESS_KEY)
    try:
        fail()
    except RuntimeError:
        log.exception("failed")
        logging.getLogger("waitress").exception("failed")
    text = stream.getvalue()
    assert "open sesame" not in text
    assert ACCESS_KEY not in text
    assert text.count(str(Secret(ACCESS_KEY))) == 3
    assert text.count("Traceback") == 2


@pytest.mark.parametrize("before", ["?", "?sv=2020-10-02&", "?sp=r&"])
def test_a_signature_is_not_shown(stream: io.StringIO, before: str) -> None:
    """Libraries quote addresses as a whole; what is no secret stays readable."""
    signature = "%2Bx/y%3D"
    address = f"http://a.test/c{before}sig={signature}&se=2030"
    logging.getLogger("urllib3").warning("Failed to parse headers (url=%s)", address)
    structlog.get_logger().info("told", address=address)
    text = stream.getvalue()
    assert signature not in text
    assert text.count(f"{before}sig={Secret(signature)}&se=2030") == 2


def test_values_are_shown_as_people_write_them(stream: io.StringIO) -> None:
    """A secret has its digest, so that two can be told apart; a cache has its name."""
    secret = Secret("open sesame")
    structlog.get_logger().info("cache.seen", key=builders.KEY, secret=secret)
    (event,) = events(stream)
    assert event["key"] == "my-rg/Cache1"
    assert event["secret"] == f"sha256:{secret.digest[:8]}"


def test_the_console_is_for_people() -> None:
    """A stream that is no terminal gets no colours."""
    stream = io.StringIO()
    logs.configure("console", "info", stream)
    structlog.get_logger().info("cache.seen", name="one")
    assert "cache.seen" in stream.getvalue()
    assert "name=one" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


CREATE = CreateNode(spec=builders.wanted(), keep_data=False, cause="no node")
START = StartNode(keep_data=False, cause="node is stopped")
WAIT = Wait(seconds=0.02, cause="server does not answer yet")


@pytest.mark.parametrize(
    ("plan", "outcome", "level"),
    [
        pytest.param(Plan(), Done(), "debug", id="nothing to do"),
        pytest.param(Plan((WAIT,)), Again(0.02, "late"), "debug", id="waited"),
        pytest.param(Plan((CREATE, START)), Again(0, "did"), "info", id="acted"),
        pytest.param(
            Plan((CREATE,)), Stuck("NoImage", "no image"), "warning", id="stuck"
        ),
    ],
)
def test_a_round_is_as_loud_as_it_matters(
    plan: Plan, outcome: Outcome, level: str, stream: io.StringIO
) -> None:
    """A quiet emulator writes nothing at level info."""
    logs.log_round(builders.record(), plan, outcome, 0.0123)
    (event,) = events(stream)
    assert event["level"] == level


def test_a_round_is_told_with_the_request_behind_it(stream: io.StringIO) -> None:
    """One search for a request's id finds what was done for it."""
    logs.log_round(
        builders.record(), Plan((CREATE, START)), Again(0, "created"), 0.01234
    )
    (event,) = events(stream)
    del event["timestamp"], event["level"]
    assert event == {
        "event": "round.done",
        "key": "my-rg/Cache1",
        "uid": "uid-1",
        "generation": 1,
        "plan": "CreateNode: no node; StartNode: node is stopped",
        "outcome": "Again",
        "cause": "created",
        "took_ms": 12.3,
        "request_id": builders.CAUSE.request_id,
        "correlation_id": "",
        "client_request_id": "",
    }
