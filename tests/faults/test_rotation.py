"""A regenerated key works and the old one does not, from the answer on, for ever."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from controller.spec import Secret
from tests.emulator import eventually
from tests.faults.logins import logging_in
from tests.faults.proxy import EngineProxy
from tests.faults.rig import Rig, admits
from tests.faults.servers import DockerServers, Servers

ROTATIONS = 25
OTHER = {"primaryKey": "secondaryKey", "secondaryKey": "primaryKey"}


@pytest.fixture
def cache(rig: Rig[Servers]) -> Iterator[str]:
    """Create a cache that serves."""
    rig.emulator.create("rotated")
    yield "rotated"
    rig.emulator.delete("rotated")


@pytest.mark.parametrize(
    ("which", "name"), [("Primary", "primaryKey"), ("Secondary", "secondaryKey")]
)
def test_a_key_is_exchanged_on_the_running_server(
    rig: Rig[Servers], cache: str, which: str, name: str
) -> None:
    """When the answer is out the new key works and the old does not; nothing else."""
    old, door = rig.emulator.keys(cache), rig.door(cache)
    server = rig.servers.runs(cache)

    new = rig.emulator.rotate(cache, which)

    assert admits(door, new[name])
    assert not admits(door, old[name])
    assert new[OTHER[name]] == old[OTHER[name]]
    assert admits(door, new[OTHER[name]])
    assert rig.servers.runs(cache) == server
    assert rig.emulator.keys(cache) == new


def test_the_other_key_is_never_refused(rig: Rig[Servers], cache: str) -> None:
    """Clients that log in while the primary key is exchanged are let in each time.

    Some may have to come back: connections end with a key, whichever opened them.
    """
    keys, door = rig.emulator.keys(cache), rig.door(cache)
    with logging_in(door, keys["secondaryKey"]) as logins:
        for _ in range(ROTATIONS):
            new = rig.emulator.rotate(cache)
            assert admits(door, new["primaryKey"])
        eventually(lambda: logins.admitted >= ROTATIONS)
    assert logins.refused == 0


def test_an_old_key_is_refused_from_the_answer_on(
    rig: Rig[Servers], cache: str
) -> None:
    """A client that goes on with the old key is let in before, and never after."""
    keys, door = rig.emulator.keys(cache), rig.door(cache)
    with logging_in(door, keys["primaryKey"]) as logins:
        eventually(lambda: logins.admitted)
        rig.emulator.rotate(cache)
        with logging_in(door, keys["primaryKey"]) as later:
            eventually(lambda: later.refused > ROTATIONS)
    assert logins.refused
    assert (later.admitted, later.unanswered) == (0, 0)


@pytest.mark.docker
def test_a_restart_revives_no_old_key(docked: Rig[DockerServers]) -> None:
    """Whoever restarts the container finds the new keys, with no controller about."""
    docked.emulator.create("restarted")
    old, door = docked.emulator.keys("restarted"), docked.door("restarted")
    new = docked.emulator.rotate("restarted")

    with docked.emulator.stopped():
        docked.servers.restart("restarted")
        eventually(lambda: admits(door, new["primaryKey"]))
        assert not admits(door, old["primaryKey"])
        assert admits(door, new["secondaryKey"])

    docked.emulator.delete("restarted")


def test_what_a_server_starts_from_has_the_new_key(
    rig: Rig[Servers], cache: str
) -> None:
    """The file is written before the answer is out, and the old key is not in it."""
    old = rig.emulator.keys(cache)

    new = rig.emulator.rotate(cache)

    files = rig.servers.shown(cache)
    assert Secret(new["primaryKey"]).digest.encode() in files
    assert Secret(new["secondaryKey"]).digest.encode() in files
    assert Secret(old["primaryKey"]).digest.encode() not in files


@pytest.mark.docker
def test_a_rotation_does_nothing_to_the_container(
    docked: Rig[DockerServers], healthy: EngineProxy
) -> None:
    """The engine is not asked to change anything."""
    docked.emulator.create("rotated")
    healthy.calls.clear()
    docked.emulator.rotate("rotated")
    assert healthy.changes() == []
    docked.emulator.delete("rotated")


def test_rotations_at_once_leave_two_keys(rig: Rig[Servers], cache: str) -> None:
    """Requests that come at the same time are done one by one, or refused as busy."""
    door = rig.door(cache)
    old = rig.emulator.keys(cache)
    with ThreadPoolExecutor(4) as pool:
        calls = [
            pool.submit(rig.emulator.call, "POST", f"{cache}/regenerateKey", body)
            for body in ({"keyType": "Primary"}, {"keyType": "Secondary"}) * 4
        ]
    statuses = {call.result().status_code for call in calls}
    assert statuses <= {200, 409}
    assert 200 in statuses
    keys = rig.emulator.keys(cache)
    assert all(admits(door, key) for key in keys.values())
    assert set(keys.values()) != set(old.values())
    for key in set(old.values()) - set(keys.values()):
        assert not admits(door, key)
