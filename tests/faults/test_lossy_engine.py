"""Replies that get lost, refusals, and a slow daemon: work is done once, and ends."""

from __future__ import annotations

import math
from collections.abc import Iterator
from http import HTTPStatus

import pytest

from tests.emulator import basic, eventually
from tests.faults.journeys import (
    CACHE,
    CREATE,
    CREATION,
    DELETION,
    REPAIR,
    UNPACK,
    Journey,
    Point,
    points,
)
from tests.faults.proxy import (
    MUTATING,
    WORDS,
    EngineProxy,
    LoseReply,
    LoseRequest,
    Refuse,
)
from tests.faults.rig import Rig
from tests.faults.servers import DockerServers

pytestmark = pytest.mark.docker


@pytest.fixture
def begun(
    docked: Rig[DockerServers], healthy: EngineProxy
) -> Iterator[Rig[DockerServers]]:
    """Begin and end without a cache."""
    yield docked
    healthy.heal()
    if docked.servers.containers(CACHE):
        docked.emulator.delete(CACHE)


def ended(rig: Rig[DockerServers], journey: Journey) -> None:
    """Wait until a journey's aim is reached."""
    if journey is DELETION:
        eventually(lambda: rig.emulator.call("GET", CACHE).status_code == 404)
        assert rig.servers.nodes() == []
    else:
        eventually(lambda: rig.servers.phase(CACHE) == "running" and rig.serves(CACHE))


@pytest.mark.parametrize("point", points(CREATION, DELETION, REPAIR), ids=str)
def test_a_lost_reply_costs_nothing(
    begun: Rig[DockerServers], healthy: EngineProxy, point: Point
) -> None:
    """What the daemon has done is seen, and not done again; files may come twice."""
    point.journey.before(begun)
    healthy.calls.clear()
    lost = healthy.harm(MUTATING, LoseReply(), spare=point.spared)

    point.journey.act(begun)

    eventually(lambda: lost.struck)
    ended(begun, point.journey)
    once = [call for call in healthy.changes() if call != UNPACK]
    assert once == [call for call in point.journey.calls if call != UNPACK]


@pytest.mark.parametrize(
    "failures",
    [
        pytest.param([LoseRequest()], id="lost"),
        pytest.param([Refuse(HTTPStatus.CONFLICT)], id="409"),
        pytest.param([Refuse(HTTPStatus.SERVICE_UNAVAILABLE)] * 2, id="503 twice"),
    ],
)
@pytest.mark.parametrize("point", points(CREATION, DELETION, REPAIR), ids=str)
def test_what_failed_is_done_later(
    begun: Rig[DockerServers],
    healthy: EngineProxy,
    point: Point,
    failures: list[LoseRequest | Refuse],
) -> None:
    """A call that comes to nothing is made up for, whatever it was."""
    point.journey.before(begun)
    [fault, *_], times = failures, len(failures)
    failed = healthy.harm(f"^{point.call}$", fault, times=times)

    point.journey.act(begun)

    eventually(lambda: failed.struck == times)
    ended(begun, point.journey)
    assert len(begun.servers.containers(CACHE)) == (point.journey is not DELETION)


def test_what_the_engine_refuses_for_good_is_told(
    begun: Rig[DockerServers], healthy: EngineProxy
) -> None:
    """The operation fails with the engine's own words; the cache may come yet."""
    healthy.harm(f"^{CREATE}$", Refuse(HTTPStatus.BAD_REQUEST), times=math.inf)

    ended = begun.emulator.ended(begun.emulator.call("PUT", CACHE, basic()))

    assert (ended["status"], ended["error"]["code"]) == ("Failed", "RefusedByDocker")
    assert WORDS in ended["error"]["message"]
    assert begun.emulator.state(CACHE) == "Failed"
    healthy.heal()
    begun.settle(CACHE)
