"""Premium caches with persistence keep their data, whatever happens to servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import pytest

from controller.backends.docker.shape import ARM_ID, INSTANCE, NODE, container_name
from controller.nodes import NodeKey
from tests.emulator import eventually
from tests.faults.proxy import EngineProxy
from tests.faults.rig import RIGS, Rig
from tests.faults.servers import DockerServers, Servers, cache_key, identity

PERSISTENT = {"FLOCI_AZ_STORAGE_MODE": "persistent"}
PREMIUM = {"name": "Premium", "family": "P", "capacity": 1}
NONE: dict[str, str] = {}
SNAPSHOTS = {"rdb-backup-enabled": "true", "rdb-backup-frequency": "60"}
APPENDED = {"aof-backup-enabled": "true"}
KINDS = {"snapshots": SNAPSHOTS, "appended": APPENDED}

Hurt = Callable[..., None]  # of a rig, to the servers of caches


class MakeRig(Protocol):
    """Makes a rig whose emulator has further settings."""

    def __call__(
        self, state: Path, **variables: str
    ) -> AbstractContextManager[Rig[Servers]]:
        """Run it for as long as the block lasts."""
        ...


@pytest.fixture(scope="module", params=RIGS)
def lasting(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rig[Servers]]:
    """Run an emulator that keeps its caches."""
    make: MakeRig = request.param
    with make(tmp_path_factory.mktemp("lasting"), **PERSISTENT) as rig:
        yield rig


def fill(rig: Rig[Servers], cache: str, kind: dict[str, str]) -> str:
    """Create a Premium cache that holds something, and name its server's run."""
    rig.emulator.create(cache, sku=PREMIUM, redisConfiguration=kind)
    with rig.emulator.connect(cache) as client:
        client.set("greeting", "hello")
        return run_of(rig, cache)


def run_of(rig: Rig[Servers], cache: str) -> str:
    """Name the run of its server; another one after each start."""
    with rig.emulator.connect(cache) as client:
        run: str = client.info("server")["run_id"]
    return run


def held(rig: Rig[Servers], cache: str) -> object:
    """Read what the cache holds, once it is ready."""
    rig.settle(cache)
    with rig.emulator.connect(cache) as client:
        return client.get("greeting")


def configure(rig: Rig[Servers], cache: str, **settings: str) -> None:
    """Change its redisConfiguration, and wait until that is in place."""
    body = {"properties": {"redisConfiguration": settings}}
    answer = rig.emulator.call("PATCH", cache, body)
    assert answer.ok, answer.text
    rig.emulator.settled(cache)


def reboot(rig: Rig[Servers], *caches: str) -> None:
    """Reboot all nodes, and wait for the next ones."""
    for cache in caches:
        before, body = rig.servers.runs(cache), {"rebootType": "AllNodes"}
        answer = rig.emulator.call("POST", f"{cache}/forceReboot", body)
        assert answer.ok, answer.text
        await_another(rig, cache, before)


def crash(rig: Rig[Servers], *caches: str) -> None:
    """Kill servers, and wait for the next ones."""
    for cache in caches:
        before = rig.servers.runs(cache)
        rig.servers.crash(cache)
        await_another(rig, cache, before)


def await_another(rig: Rig[Servers], cache: str, before: set[str]) -> None:
    """Wait until another server runs."""
    eventually(lambda: rig.servers.runs(cache) not in (before, set()))


def power_cut(rig: Rig[Servers], *caches: str) -> None:
    """Kill the emulator and its servers, and start the emulator again."""
    rig.emulator.kill()
    for cache in caches:
        rig.servers.crash(cache)
    rig.emulator.start()


def kill_emulator(rig: Rig[Servers], *caches: str) -> None:
    """Kill the emulator alone."""
    del caches
    rig.emulator.kill()
    rig.emulator.start()


def stop_emulator(rig: Rig[Servers], *caches: str) -> None:
    """End the emulator as an operator would."""
    del caches
    assert rig.emulator.stop() == 0
    rig.emulator.start()


@pytest.mark.parametrize(
    "hurt", [reboot, crash, power_cut, kill_emulator, stop_emulator]
)
def test_data_survive(lasting: Rig[Servers], hurt: Hurt) -> None:
    """All that the server had answered for is there again, and goes with the cache."""
    for cache, kind in KINDS.items():
        fill(lasting, cache, kind)
    hurt(lasting, *KINDS)
    for cache in KINDS:
        assert held(lasting, cache) == "hello"
        lasting.emulator.delete(cache)
    assert lasting.servers.nodes() == []


@pytest.mark.docker
def test_data_survive_the_removal_of_the_container(docked: Rig[DockerServers]) -> None:
    """``docker rm -f -v`` takes no named volume, and the next container has it."""
    fill(docked, "removed", SNAPSHOTS)
    container = docked.servers.inspect("removed")["Id"]
    docked.servers.api.remove_container(container, v=True, force=True)
    eventually(lambda: docked.servers.phase("removed") == "running")
    assert held(docked, "removed") == "hello"
    docked.emulator.delete("removed")
    assert docked.servers.nodes() == []


@pytest.mark.parametrize("hurt", [reboot, crash])
def test_data_are_lost_without_persistence(rig: Rig[Servers], hurt: Hurt) -> None:
    """As on Azure, and although the server may have written them down once."""
    fill(rig, "lost", NONE)
    with rig.admin("lost") as server:
        server.run("SAVE")
    hurt(rig, "lost")
    assert held(rig, "lost") is None
    rig.emulator.delete("lost")


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_persistence_is_turned_on_and_off_live(
    rig: Rig[Servers], kind: dict[str, str]
) -> None:
    """The same server runs on with its data, and a crash finds the newest setting."""
    run = fill(rig, "turned", NONE)

    configure(rig, "turned", **kind)
    assert (held(rig, "turned"), run_of(rig, "turned")) == ("hello", run)
    crash(rig, "turned")
    assert held(rig, "turned") == "hello"

    run = run_of(rig, "turned")
    configure(rig, "turned", **{next(iter(kind)): "false"})
    assert (held(rig, "turned"), run_of(rig, "turned")) == ("hello", run)
    crash(rig, "turned")
    assert held(rig, "turned") is None
    rig.emulator.delete("turned")
    assert rig.servers.nodes() == []


@pytest.mark.docker
def test_what_becomes_durable_in_a_new_container_is_kept(
    docked: Rig[DockerServers],
) -> None:
    """A change that also needs another container loses nothing, on or off."""
    fill(docked, "changed", NONE)
    for enabled, access in (("true", "Disabled"), ("false", "Enabled")):
        configuration = {"aof-backup-enabled": enabled}
        change = {"redisConfiguration": configuration, "publicNetworkAccess": access}
        answer = docked.emulator.call("PATCH", "changed", {"properties": change})
        assert answer.ok, answer.text
        docked.emulator.settled("changed")
    assert held(docked, "changed") == "hello"
    docked.emulator.delete("changed")


def test_a_reboot_is_survived_by_what_was_written_last(rig: Rig[Servers]) -> None:
    """Not by what was there when persistence was turned on before."""
    fill(rig, "again", APPENDED)
    configure(rig, "again", **{"aof-backup-enabled": "false"})
    with rig.emulator.connect("again") as client:
        client.set("greeting", "bye")
    configure(rig, "again", **APPENDED)
    reboot(rig, "again")
    assert held(rig, "again") == "bye"
    rig.emulator.delete("again")


@pytest.mark.docker
def test_a_volume_of_nobody_is_removed_at_the_start(
    lone: Rig[DockerServers], healthy: EngineProxy
) -> None:
    """A cache that is not known any more has no container, and leaves nothing."""
    key = cache_key("forgotten")
    mine = {INSTANCE: identity(lone.emulator)["id"], ARM_ID: key.arm_id, NODE: "0"}
    lone.emulator.kill()
    healthy.forget_clients()
    name = container_name(mine[INSTANCE], NodeKey(key))
    lone.servers.api.create_volume(name, labels=mine)
    assert lone.servers.nodes() == [name]
    strange = lone.servers.api.create_volume(labels={**mine, INSTANCE: "another"})
    lone.emulator.start()
    try:
        eventually(lambda: not lone.servers.nodes())
        assert lone.servers.api.inspect_volume(strange["Name"])
    finally:
        lone.servers.api.remove_volume(strange["Name"])


def test_a_namesake_inherits_nothing(lasting: Rig[Servers]) -> None:
    """A cache that is created anew is empty, durable or not."""
    fill(lasting, "namesake", APPENDED)
    lasting.emulator.delete("namesake")
    lasting.emulator.create("namesake", sku=PREMIUM, redisConfiguration=SNAPSHOTS)
    assert held(lasting, "namesake") is None
    lasting.emulator.delete("namesake")
