"""A controller that is killed at any point leaves nothing half done behind.

See Note [What a crash point is]. An emulator keeps its records in memory: after a
`kill -9` its caches are gone, and so must be all that ran for them.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.emulator import basic, eventually
from tests.faults.journeys import CACHE, JOURNEYS, Journey, Point, kill_at, points
from tests.faults.proxy import EngineProxy
from tests.faults.rig import Rig
from tests.faults.servers import DockerServers, ProcessServers, Servers


@pytest.mark.docker
@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.name)
def test_the_crash_points_are_all_there_are(
    lone: Rig[DockerServers], healthy: EngineProxy, journey: Journey
) -> None:
    """An undisturbed run makes these calls, each once, and no other."""
    journey.before(lone)
    healthy.calls.clear()

    journey.act(lone)

    eventually(lambda: len(healthy.changes()) >= len(journey.calls))
    assert tuple(healthy.changes()) == journey.calls


@pytest.mark.docker
@pytest.mark.parametrize("point", points(*JOURNEYS), ids=str)
def test_a_killed_controller_leaves_nothing_half_done(
    lone: Rig[DockerServers], healthy: EngineProxy, point: Point
) -> None:
    """The next one clears away what it finds, and the cache can be made anew."""
    kill_at(point, lone, healthy)
    lone.servers.nodes()  # remembers volumes

    lone.emulator.start()

    eventually(lambda: not lone.servers.nodes())
    assert lone.emulator.call("GET", CACHE).status_code == 404
    lone.emulator.create(CACHE)
    lone.settle(CACHE)
    assert len(lone.servers.containers(CACHE)) == 1


def settled(rig: Rig[Servers]) -> None:
    """Kill it when nothing is under way."""
    rig.emulator.create(CACHE)


def creating(rig: Rig[Servers]) -> None:
    """Kill it while it creates, or has not even begun to."""
    rig.emulator.call("PUT", CACHE, basic())


def rotating(rig: Rig[Servers]) -> None:
    """Kill it when a new key is stored, and the server does not have it yet."""
    rig.emulator.create(CACHE)
    waiting = rig.begin_rotation(CACHE)
    rig.emulator.kill()
    waiting.join()


def deleting(rig: Rig[Servers]) -> None:
    """Kill it while it deletes."""
    rig.emulator.create(CACHE)
    rig.emulator.call("DELETE", CACHE)


@pytest.mark.parametrize("until", [settled, creating, rotating, deleting])
def test_nothing_of_a_killed_controller_is_left(
    native: Rig[ProcessServers], until: Callable[[Rig[Servers]], None]
) -> None:
    """Whatever it was doing, the next one starts from zero."""
    until(native)
    cleared_away_after_a_kill(native)


@pytest.mark.docker
def test_nothing_of_a_killed_rotation_is_left(docked: Rig[DockerServers]) -> None:
    """No call to the engine is a part of it; a hung server is removed all the same."""
    rotating(docked)
    cleared_away_after_a_kill(docked)


def cleared_away_after_a_kill(rig: Rig[Servers]) -> None:
    """Kill the emulator if it still runs, and see what the next one makes of it."""
    rig.emulator.kill()
    rig.servers.nodes()  # remembers volumes

    rig.emulator.start()

    eventually(lambda: not rig.servers.nodes())
    assert rig.emulator.call("GET", CACHE).status_code == 404
    rig.emulator.create(CACHE)
    rig.settle(CACHE)
    rig.emulator.delete(CACHE)
