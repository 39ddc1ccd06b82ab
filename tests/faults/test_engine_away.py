"""A daemon that hangs, goes away or says nothing costs nobody else any time."""

from __future__ import annotations

import math
import threading

import pytest
import requests

from tests.emulator import Emulator, basic, eventually
from tests.faults.journeys import CREATE, START
from tests.faults.proxy import Delay, EngineProxy, Hold, LoseRequest, Mute
from tests.faults.rig import Rig, admits
from tests.faults.servers import DockerServers

pytestmark = pytest.mark.docker

AT_ONCE_SECONDS = 5.0  # generous, and half of what a call to the daemon may take
EVENTS = "GET /events"


def answers_at_once(emulator: Emulator, existing: str, new: str) -> None:
    """Read and write, and wait for no answer longer than for one of the API's own."""
    tags = {"tags": {"written": "meanwhile"}}
    for method, path, body, status in (
        ("PUT", new, basic(), 201),
        ("GET", new, None, 200),
        ("GET", "", None, 200),
        ("POST", f"{existing}/listKeys", None, 200),
        ("PATCH", existing, tags, 200),
        ("GET", existing, None, 200),
    ):
        answer = emulator.call(method, path, body, seconds=AT_ONCE_SECONDS)
        assert answer.status_code == status, answer.text
    assert emulator.state(new) == "Creating"
    assert emulator.call("GET", existing).json()["tags"] == tags["tags"]


def deletes_at_once(emulator: Emulator, *caches: str) -> None:
    """Ask for the end of caches, and see that it is under way."""
    for cache in caches:
        answer = emulator.call("DELETE", cache, seconds=AT_ONCE_SECONDS)
        assert answer.status_code == 202
        assert emulator.state(cache) == "Deleting"


def test_the_api_answers_while_the_daemon_hangs(
    docked: Rig[DockerServers], healthy: EngineProxy
) -> None:
    """Nobody waits for Docker but who asks for a new key; then all is done."""
    docked.emulator.create("kept")
    docked.emulator.create("dropped")
    first, old = docked.servers.runs("kept"), docked.emulator.keys("kept")
    healthy.hang()
    healthy.cut(EVENTS)  # so that the next look at all nodes is not waited for

    answers_at_once(docked.emulator, "kept", "new")
    deletes_at_once(docked.emulator, "dropped")
    late = docked.emulator.call("POST", "kept/regenerateKey", {"keyType": "Primary"})
    assert late.status_code == 504
    [reason] = eventually(docked.emulator.reasons)
    assert "does not answer" in reason
    healthy.heal()

    docked.settle("new")
    docked.settle("kept")
    eventually(lambda: docked.emulator.call("GET", "dropped").status_code == 404)
    eventually(lambda: not docked.emulator.reasons())
    assert docked.servers.runs("kept") == first
    assert not admits(docked.door("kept"), old["primaryKey"])
    assert docked.servers.containers("dropped") == []
    for cache in ("new", "kept"):
        docked.emulator.delete(cache)


def test_a_slow_daemon_slows_down_nobody_else(
    docked: Rig[DockerServers], healthy: EngineProxy
) -> None:
    """Every call to it takes its time, and the API none."""
    docked.emulator.create("old")
    healthy.harm("", Delay(seconds=0.3), times=math.inf)

    answers_at_once(docked.emulator, "old", "late")

    docked.settle("late")
    deletes_at_once(docked.emulator, "old", "late")
    eventually(lambda: not docked.servers.nodes())


def test_a_restarted_daemon_is_caught_up_with(
    docked: Rig[DockerServers], healthy: EngineProxy
) -> None:
    """What ended with it is started again; what outlived it is not touched."""
    for cache in ("ended", "outlived"):
        docked.emulator.create(cache)
    first = docked.servers.runs("outlived")
    healthy.away()
    docked.servers.crash("ended")
    [reason] = eventually(docked.emulator.reasons)
    assert "does not answer" in reason
    answers_at_once(docked.emulator, "outlived", "begun")
    healthy.calls.clear()
    healthy.heal()

    for cache in ("ended", "outlived", "begun"):
        docked.settle(cache)
        assert docked.servers.phase(cache) == "running"
    assert docked.servers.runs("outlived") == first
    assert healthy.changes().count(CREATE) == 1
    assert healthy.changes().count(START) == 2
    eventually(lambda: not docked.emulator.reasons())
    for cache in ("ended", "outlived", "begun"):
        docked.emulator.delete(cache)


def test_a_daemon_that_comes_later_is_waited_for(
    docked: Rig[DockerServers], healthy: EngineProxy
) -> None:
    """An emulator that starts before its daemon takes orders and says what it lacks."""
    docked.emulator.stop()
    healthy.away()
    docked.emulator.launch()
    eventually(lambda: unready(docked.emulator))

    docked.emulator.call("PUT", "early", basic())
    assert docked.emulator.state("early") == "Creating"
    healthy.heal()

    docked.settle("early")
    eventually(lambda: not docked.emulator.reasons())
    docked.emulator.delete("early")


def unready(emulator: Emulator) -> bool:
    """Tell whether it answers, and that it is not ready."""
    try:
        return any("does not answer" in reason for reason in emulator.reasons())
    except requests.ConnectionError:
        return False


def test_missed_events_are_made_up_for(
    docked: Rig[DockerServers], healthy: EngineProxy
) -> None:
    """A resync sees what no event told of, and nothing is called ready meanwhile."""
    docked.emulator.create("unheard")
    muted = healthy.harm(EVENTS, Mute())
    healthy.cut(EVENTS)
    eventually(lambda: muted.struck)
    go = threading.Event()
    start = healthy.harm(START, Hold(until=go))

    docked.servers.crash("unheard")

    try:
        eventually(lambda: start.struck)
        assert docked.emulator.state("unheard") == "Updating"
    finally:
        go.set()
    docked.settle("unheard")
    docked.emulator.delete("unheard")


def test_an_ended_stream_is_opened_again(
    docked: Rig[DockerServers], healthy: EngineProxy
) -> None:
    """While the stream fails the cache is looked after all the same."""
    docked.emulator.create("cut-off")
    healthy.harm(EVENTS, LoseRequest(), times=math.inf)
    healthy.cut(EVENTS)

    docked.servers.crash("cut-off")

    eventually(lambda: docked.servers.phase("cut-off") == "running")
    docked.settle("cut-off")
    healthy.heal()
    healthy.calls.clear()
    eventually(lambda: EVENTS in healthy.calls)
    docked.emulator.delete("cut-off")
