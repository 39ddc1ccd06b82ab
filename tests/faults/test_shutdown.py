"""A polite end takes eight seconds at most, and leaves nothing behind."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.emulator import Emulator, basic, eventually
from tests.faults.journeys import CACHE, CREATION, SHUTDOWN, Point, points
from tests.faults.proxy import MUTATING, EngineProxy, LoseReply, Then
from tests.faults.rig import RIGS, Rig
from tests.faults.servers import DockerServers, Servers

END_SECONDS = 8.0  # the promise: Docker itself kills after ten
ATTEMPTS = 5  # at what happens to every other one by chance
CACHES = [f"cache-{number}" for number in range(6)]

MakeRig = Callable[[Path], AbstractContextManager[Rig[Servers]]]


def terminate(emulator: Emulator) -> None:
    """Say that it should end, and wait for nothing."""
    assert emulator.process is not None
    emulator.process.send_signal(signal.SIGTERM)


def last_event(emulator: Emulator) -> dict[str, object]:
    """Read the end of the log."""
    event: dict[str, object] = json.loads(emulator.log.read_text().splitlines()[-1])
    return event


@pytest.mark.parametrize("make", RIGS)
def test_nothing_is_left_of_six_caches(make: MakeRig, tmp_path: Path) -> None:
    """Servers that run are removed, and what they shared."""
    with make(tmp_path) as rig:
        for cache in CACHES:
            rig.emulator.call("PUT", cache, basic())
        for cache in CACHES:
            rig.settle(cache)

        assert rig.emulator.stop(END_SECONDS) == 0

        assert rig.servers.left() == []
        assert last_event(rig.emulator)["event"] == "shutdown.clean"


@pytest.mark.parametrize("make", RIGS)
def test_nothing_is_left_of_what_is_being_created(
    make: MakeRig, tmp_path: Path
) -> None:
    """Servers that are on their way do not come to be afterwards."""
    with make(tmp_path) as rig:
        for cache in CACHES:
            rig.emulator.call("PUT", cache, basic())

        assert rig.emulator.stop(END_SECONDS) == 0

        assert rig.servers.left() == []


@pytest.mark.docker
@pytest.mark.parametrize("point", points(CREATION), ids=str)
def test_the_end_may_come_at_any_point_of_a_creation(
    lone: Rig[DockerServers], healthy: EngineProxy, point: Point
) -> None:
    """Between any two calls to the engine."""
    ending = Then(lambda: terminate(lone.emulator))
    signalled = healthy.harm(MUTATING, ending, spare=point.spared)
    point.journey.act(lone)
    eventually(lambda: signalled.struck)

    assert lone.emulator.process is not None
    assert lone.emulator.process.wait(END_SECONDS) == 0

    assert lone.servers.left() == []


@pytest.mark.docker
@pytest.mark.parametrize("point", points(SHUTDOWN), ids=str)
def test_a_lost_reply_leaves_nothing(
    lone: Rig[DockerServers], healthy: EngineProxy, point: Point
) -> None:
    """What the daemon has removed counts as removed."""
    point.journey.before(lone)
    healthy.harm(MUTATING, LoseReply(), spare=point.spared)

    assert lone.emulator.stop(END_SECONDS) == 0

    assert lone.servers.left() == []
    assert last_event(lone.emulator)["event"] == "shutdown.clean"


@pytest.mark.docker
def test_a_daemon_that_hangs_does_not_hold_up_the_end(
    lone: Rig[DockerServers], healthy: EngineProxy
) -> None:
    """What could not be removed is named, and removed by the next start."""
    lone.emulator.create(CACHE)
    healthy.hang()

    assert lone.emulator.stop(END_SECONDS) == 0

    assert last_event(lone.emulator)["event"] == "shutdown.left"
    healthy.forget_clients()
    assert lone.servers.nodes()
    lone.emulator.start()
    eventually(lambda: not lone.servers.nodes())


def test_a_process_that_was_frozen_hears_the_signal(tmp_path: Path) -> None:
    """The system may wake another thread with it than the one that has to act."""
    emulator = Emulator(tmp_path, FLOCI_AZ_SERVICES_REDIS_MOCKED="true")
    try:
        for _ in range(ATTEMPTS):
            emulator.start()
            with emulator.stopped():
                pass
            assert emulator.stop(END_SECONDS) == 0
    finally:
        emulator.kill()
