"""With persistent storage a restart loses nothing, however the process ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import pytest
import requests

from controller.journal import FILE
from tests.emulator import PATIENCE_SECONDS, Emulator, basic, eventually, resource
from tests.faults.journeys import (
    CACHE,
    CREATION,
    DELETION,
    JOURNEYS,
    REPAIR,
    SHUTDOWN,
    Point,
    kill_at,
    points,
)
from tests.faults.logins import logging_in
from tests.faults.proxy import EngineProxy
from tests.faults.rig import RIGS, Rig, admits, docker_rig
from tests.faults.servers import DockerServers, Servers

PERSISTENT = {"FLOCI_AZ_STORAGE_MODE": "persistent"}
RULE = {"properties": {"startIP": "0.0.0.0", "endIP": "255.255.255.255"}}

SECOND = resource("second").replace("/redis/", "/Redis/")
APPROVED = {"status": "Approved", "description": "Auto-Approved"}
ENTRY = {"dayOfWeek": "Tuesday", "startHourUtc": 1, "maintenanceWindow": "PT10H"}
POLICY = {"permissions": "+get allkeys"}
CHILDREN: dict[str, dict[str, Any]] = {
    "firewallRules/Office": {"startIP": "10.0.0.1", "endIP": "10.0.0.9"},
    "patchSchedules/default": {"scheduleEntries": [ENTRY]},
    "privateEndpointConnections/pe": {"privateLinkServiceConnectionState": APPROVED},
    "accessPolicies/readers": POLICY,
    "accessPolicyAssignments/alice": {
        "accessPolicyName": "readers",
        "objectId": "6497c918-11ad-41e7-1b0f-7c518a87d0b0",
        "objectIdAlias": "alice",
    },
    "linkedServers/second": {
        "linkedRedisCacheId": SECOND,
        "linkedRedisCacheLocation": "westeurope",
        "serverRole": "Secondary",
    },
}


class MakeRig(Protocol):
    """Makes a rig whose emulator has further settings."""

    def __call__(
        self, state: Path, **variables: str
    ) -> AbstractContextManager[Rig[Servers]]:
        """Run it for as long as the block lasts."""
        ...


def shown(emulator: Emulator, cache: str = CACHE) -> tuple[Any, ...]:
    """Read what a user can know of a cache that is ready."""
    emulator.settled(cache)
    rules = emulator.call("GET", f"{cache}/firewallRules").json()
    return emulator.call("GET", cache).json(), emulator.keys(cache), rules


def furnish(rig: Rig[Servers]) -> tuple[Any, ...]:
    """Create a cache with tags, a rule, and a key that was rotated."""
    emulator = rig.emulator
    body = {**basic(), "tags": {"team": "blue"}}
    assert emulator.call("PUT", CACHE, body).status_code == 201
    rig.settle(CACHE)
    assert emulator.call("PUT", f"{CACHE}/firewallRules/all", RULE).ok
    emulator.rotate(CACHE)
    return shown(emulator)


@pytest.mark.parametrize("make", RIGS)
def test_a_killed_controller_adopts_its_servers(make: MakeRig, tmp_path: Path) -> None:
    """They are the same as before, and let clients in all the while."""
    with make(tmp_path, **PERSISTENT) as rig:
        before, door = furnish(rig), rig.door(CACHE)
        rig.emulator.connect(CACHE).set("greeting", "hello")
        server = rig.servers.runs(CACHE)
        key = rig.emulator.keys(CACHE)["primaryKey"]

        with logging_in(door, key) as logins:
            rig.emulator.kill()
            rig.emulator.start()
            assert shown(rig.emulator) == before

        assert (logins.refused, logins.unanswered) == (0, 0)
        assert rig.servers.runs(CACHE) == server
        assert rig.emulator.connect(CACHE).get("greeting") == "hello"
        assert admits(door, rig.emulator.rotate(CACHE)["primaryKey"])
        assert not admits(door, key)
        assert rig.servers.runs(CACHE) == server


@pytest.mark.parametrize("make", RIGS)
def test_a_polite_end_keeps_the_caches(make: MakeRig, tmp_path: Path) -> None:
    """Nothing runs while the emulator does not; then all is as it was."""
    with make(tmp_path, **PERSISTENT) as rig:
        before = furnish(rig)

        assert rig.emulator.stop() == 0
        assert rig.servers.left() == []
        rig.emulator.start()

        assert shown(rig.emulator) == before
        rig.settle(CACHE)
        rig.emulator.delete(CACHE)
        assert rig.emulator.stop() == 0
        rig.emulator.start()
        assert rig.emulator.call("GET", CACHE).status_code == 404


@pytest.mark.parametrize("make", RIGS)
def test_what_is_answered_is_kept(make: MakeRig, tmp_path: Path) -> None:
    """A cache that was asked for a moment ago comes to be; a deleted one goes."""
    with make(tmp_path, **PERSISTENT) as rig:
        rig.emulator.create("deleted")
        assert rig.emulator.call("PUT", CACHE, basic()).status_code == 201
        keys = rig.emulator.keys(CACHE)
        assert rig.emulator.call("DELETE", "deleted").status_code == 202

        rig.emulator.kill()
        rig.emulator.start()

        rig.settle(CACHE)
        assert rig.emulator.keys(CACHE) == keys
        eventually(lambda: rig.emulator.call("GET", "deleted").status_code == 404)
        assert rig.servers.runs("deleted") == set()


@pytest.mark.parametrize("make", RIGS)
def test_a_rotation_goes_on(make: MakeRig, tmp_path: Path) -> None:
    """A key that was stored, and that its hung server never had, is the valid one."""
    with make(tmp_path, **PERSISTENT) as rig:
        rig.emulator.create(CACHE)
        old = rig.emulator.keys(CACHE)["primaryKey"]
        waiting = rig.begin_rotation(CACHE)
        new = rig.emulator.keys(CACHE)["primaryKey"]
        rig.emulator.kill()
        waiting.join()

        rig.emulator.start()

        rig.settle(CACHE)
        assert rig.emulator.keys(CACHE)["primaryKey"] == new != old
        assert not admits(rig.door(CACHE), old)


@pytest.fixture
def lasting(healthy: EngineProxy, tmp_path: Path) -> Iterator[Rig[DockerServers]]:
    """Run an emulator that keeps its caches, and that may be killed at any call."""
    address = {"DOCKER_HOST": healthy.address}
    with docker_rig(tmp_path, **address, **PERSISTENT) as rig:
        yield rig


def served(rig: Rig[DockerServers]) -> None:
    """Find the cache ready, on one server."""
    rig.settle(CACHE)
    assert len(rig.servers.containers(CACHE)) == 1


def gone(rig: Rig[DockerServers]) -> None:
    """Find nothing of the cache."""
    eventually(lambda: rig.emulator.call("GET", CACHE).status_code == 404)
    assert rig.servers.nodes() == []


ENDINGS: dict[str, Callable[[Rig[DockerServers]], None]] = {
    CREATION.name: served,
    DELETION.name: gone,
    REPAIR.name: served,
    SHUTDOWN.name: served,
}


@pytest.mark.docker
@pytest.mark.parametrize("point", points(*JOURNEYS), ids=str)
def test_a_killed_controller_goes_on(
    lasting: Rig[DockerServers], healthy: EngineProxy, point: Point
) -> None:
    """The next one brings to its end what it finds half done."""
    kill_at(point, lasting, healthy)

    lasting.emulator.start()

    ENDINGS[point.journey.name](lasting)


@pytest.fixture
def mocked(tmp_path: Path) -> Iterator[Emulator]:
    """Run an emulator without servers that keeps its caches."""
    emulator = Emulator(tmp_path, FLOCI_AZ_SERVICES_REDIS_MOCKED="true", **PERSISTENT)
    try:
        emulator.start()
        yield emulator
    finally:
        emulator.kill()


def test_children_of_all_kinds_are_kept(mocked: Emulator) -> None:
    """What a cache has below itself is a part of it."""
    premium = {"name": "Premium", "family": "P", "capacity": 1}
    for name in (CACHE, "second"):
        mocked.create(name, sku=premium)
    for child, properties in CHILDREN.items():
        answer = mocked.call("PUT", f"{CACHE}/{child}", {"properties": properties})
        assert answer.ok, answer.text
        mocked.settled(CACHE)
    before = [mocked.call("GET", f"{CACHE}/{child}").json() for child in CHILDREN]

    mocked.kill()
    mocked.start()

    mocked.settled(CACHE)
    mocked.settled("second")
    after = [mocked.call("GET", f"{CACHE}/{child}").json() for child in CHILDREN]
    assert after == before


def test_the_status_page_says_how_caches_are_kept(mocked: Emulator) -> None:
    """Nobody has to guess whether a restart costs them their caches."""
    url = f"{mocked.base}/_emulator/status"
    assert requests.get(url, timeout=PATIENCE_SECONDS).json()["storage"] == "persistent"


def test_a_damaged_file_ends_the_start(mocked: Emulator) -> None:
    """An emulator without its caches would remove the servers of all of them."""
    mocked.stop()
    file = mocked.directory / FILE
    file.write_text("these are my caches\n" * 100)
    mocked.launch()
    assert mocked.process is not None
    assert mocked.process.wait(PATIENCE_SECONDS) == 1
    last = mocked.log.read_text().splitlines()[-1].strip()
    assert last.startswith(f"{file}, where this emulator's caches are kept, cannot be")
    mocked.process = None
