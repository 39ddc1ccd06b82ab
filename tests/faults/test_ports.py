"""Ports belong to one cache or to one program, and come back when they are free."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulator import PORTS_EACH, Door, basic, eventually
from tests.faults.proxy import EngineProxy
from tests.faults.rig import HOST, Rig, client_of, process_rig
from tests.faults.servers import DockerServers, ProcessServers, Servers

MAX_PORT = "FLOCI_AZ_SERVICES_REDIS_MAX_PORT"


@contextlib.contextmanager
def program_on(port: int) -> Iterator[None]:
    """Hold a port as another program does."""
    with socket.create_server((HOST, port)):
        yield


def test_a_port_in_use_is_passed_over(rig: Rig[Servers]) -> None:
    """A cache gets the next port, and the program keeps its own."""
    with program_on(rig.emulator.ports[0]):
        rig.emulator.create("beside")
        assert rig.port("beside") == rig.emulator.ports[1]
        rig.settle("beside")
    rig.emulator.delete("beside")


def test_a_freed_port_is_given_again(rig: Rig[Servers]) -> None:
    """The lowest port that is free is the next cache's, a deleted cache's too."""
    first, second = rig.emulator.ports[:2]
    rig.emulator.create("early")
    rig.emulator.create("later")
    assert (rig.port("early"), rig.port("later")) == (first, second)
    rig.emulator.delete("early")

    rig.emulator.create("next")

    assert rig.port("next") == first
    rig.settle("next")
    rig.emulator.delete("next")
    rig.emulator.delete("later")


@pytest.mark.docker
def test_a_port_taken_at_the_last_moment_is_exchanged(
    docked: Rig[DockerServers], healthy: EngineProxy
) -> None:
    """A cache that was promised a port gets another when a program was quicker."""
    healthy.hang()
    docked.emulator.call("PUT", "slower", basic())
    promised = docked.port("slower")
    with program_on(promised):
        healthy.heal()
        docked.settle("slower")
        assert docked.port("slower") != promised
    assert len(docked.servers.containers("slower")) == 1
    docked.emulator.delete("slower")


@pytest.mark.docker
def test_a_port_taken_during_an_outage_is_exchanged(
    docked: Rig[DockerServers], healthy: EngineProxy
) -> None:
    """A repaired cache does not wait for a program that sits on its old port."""
    docked.emulator.create("ousted")
    old = docked.port("ousted")
    healthy.hang()
    docked.servers.crash("ousted")
    with program_on(old):
        healthy.heal()
        eventually(lambda: docked.port("ousted") != old)
        docked.settle("ousted")
    assert len(docked.servers.containers("ousted")) == 1
    docked.emulator.delete("ousted")


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Rig[ProcessServers]]:
    """Run an emulator that may keep away from ports which others do not."""
    with process_rig(tmp_path) as rig:
        yield rig


@pytest.mark.parametrize("settings", [{}, {"aof-backup-enabled": "true"}], ids=str)
@pytest.mark.tls_process  # without TLS no port is closed
def test_a_closed_port_that_was_taken_is_exchanged_when_it_is_opened(
    alone: Rig[ProcessServers], settings: dict[str, str]
) -> None:
    """A cache moves with its data; whoever took the port keeps it."""
    premium = {"name": "Premium", "family": "P", "capacity": 1}
    alone.emulator.create("moving", sku=premium, redisConfiguration=settings)
    promised, keys = alone.port("moving"), alone.emulator.keys("moving")
    with alone.emulator.connect("moving") as client:
        client.set("greeting", "hello")

    with program_on(promised):
        opened = {"properties": {"enableNonSslPort": True}}
        assert alone.emulator.call("PATCH", "moving", opened).ok
        alone.settle("moving")
        assert alone.port("moving") != promised
        for door in (alone.door("moving"), Door(alone.port("moving"), tls=False)):
            with client_of(door, keys["primaryKey"]) as client:
                assert client.get("greeting") == b"hello"

    alone.emulator.delete("moving")
    assert alone.servers.nodes() == []


def test_a_used_up_range_is_named(native: Rig[ProcessServers]) -> None:
    """The refusal says which ports there are, and what to do; then a port is free."""
    names = [f"one-of-many-{number}" for number in range(PORTS_EACH)]
    for name in names:
        assert native.emulator.call("PUT", name, basic()).status_code == 201

    refused = native.emulator.call("PUT", "too-many", basic())

    assert refused.status_code == 409
    message = refused.json()["error"]["message"]
    assert f"{native.emulator.ports[0]}-{native.emulator.ports[-1]}" in message
    assert MAX_PORT in message
    assert native.emulator.call("GET", "too-many").status_code == 404
    native.emulator.delete(names.pop())
    native.emulator.create("too-many")
    for name in [*names, "too-many"]:
        native.emulator.call("DELETE", name)
    eventually(lambda: not native.servers.nodes())
