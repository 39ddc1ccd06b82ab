"""What an emulator does to the engine, call by call; see Note [What a crash point is].

``calls`` are all that change something in an undisturbed run of ``act``, which
`test_crash_points.test_the_crash_points_are_all_there_are` makes sure of.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import requests

from tests.emulator import basic, eventually
from tests.faults.proxy import MUTATING, EngineProxy, Kill
from tests.faults.rig import Rig
from tests.faults.servers import DockerServers

CACHE = "travelled"

CREATE_NETWORK = "POST /networks/create"
CREATE = "POST /containers/create"
UNPACK = "PUT /containers/{id}/archive"
START = "POST /containers/{id}/start"
REMOVE = "DELETE /containers/{id}"
REMOVE_VOLUME = "DELETE /volumes/{id}"
REMOVE_NETWORK = "DELETE /networks/azure-redis-emulator-{id}"

Step = Callable[[Rig[DockerServers]], None]


def nothing(rig: Rig[DockerServers]) -> None:
    """Begin without even a network."""
    for network in rig.servers.networks():
        rig.servers.api.remove_network(network)


def ready(rig: Rig[DockerServers]) -> None:
    """Begin with a cache that serves."""
    rig.emulator.create(CACHE)


def create(rig: Rig[DockerServers]) -> None:
    """Ask for a cache."""
    rig.emulator.call("PUT", CACHE, basic())


def delete(rig: Rig[DockerServers]) -> None:
    """Ask for its end."""
    rig.emulator.call("DELETE", CACHE)


def crash(rig: Rig[DockerServers]) -> None:
    """Make a repair necessary."""
    rig.servers.crash(CACHE)


def stop(rig: Rig[DockerServers]) -> None:
    """Ask for the end of all, and wait for it."""
    rig.emulator.stop()


@dataclass(frozen=True, slots=True)
class Journey:
    """One thing that an emulator is made to do, and its way."""

    name: str
    before: Step
    act: Step
    calls: tuple[str, ...]


CREATION = Journey("create", nothing, create, (CREATE_NETWORK, CREATE, UNPACK, START))
DELETION = Journey("delete", ready, delete, (REMOVE, REMOVE_VOLUME))
REPAIR = Journey("repair", ready, crash, (UNPACK, START))
SHUTDOWN = Journey("shutdown", ready, stop, (REMOVE, REMOVE_VOLUME, REMOVE_NETWORK))

JOURNEYS = (CREATION, DELETION, REPAIR, SHUTDOWN)


@dataclass(frozen=True, slots=True)
class Point:
    """One call of a journey: so many go well before it."""

    journey: Journey
    spared: int

    @property
    def call(self) -> str:
        """Which one it is."""
        return self.journey.calls[self.spared]

    def __str__(self) -> str:
        return f"{self.journey.name}: {self.call}"


def points(*journeys: Journey) -> list[Point]:
    """Give every call of these journeys."""
    return [
        Point(journey, spared)
        for journey in journeys
        for spared in range(len(journey.calls))
    ]


def kill_at(point: Point, rig: Rig[DockerServers], engine: EngineProxy) -> None:
    """Take the journey as far as this call, in which the emulator is killed."""
    point.journey.before(rig)
    engine.harm(MUTATING, Kill(rig.emulator.kill), spare=point.spared)
    with contextlib.suppress(requests.ConnectionError):  # killed before it answered
        point.journey.act(rig)
    eventually(lambda: rig.emulator.process is None)
    engine.forget_clients()
