"""A server that is hurt is repaired, in its place and with its keys."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Mapping

import docker
import pytest

from tests.emulator import Door, Emulator, eventually
from tests.faults.journeys import CREATE, REMOVE, START
from tests.faults.proxy import EngineProxy, Hold
from tests.faults.rig import HOST, Rig, admits
from tests.faults.servers import DockerServers, ProcessServers, Servers

READY = "Succeeded"
ANY_SERVER = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
ANY_SERVER.check_hostname, ANY_SERVER.verify_mode = False, ssl.CERT_NONE
Hurt = Callable[[DockerServers, str], None]


def killed(servers: DockerServers, container: str) -> None:
    """Do what ``docker kill`` does, or the kernel."""
    servers.api.kill(container)


def stopped(servers: DockerServers, container: str) -> None:
    """Do what ``docker stop`` does."""
    servers.api.stop(container, timeout=0)


def paused(servers: DockerServers, container: str) -> None:
    """Do what ``docker pause`` does; the engine goes on calling it running."""
    servers.api.pause(container)


def removed(servers: DockerServers, container: str) -> None:
    """Do what ``docker rm -f`` does."""
    servers.api.remove_container(container, v=True, force=True)


def uprooted(servers: DockerServers, container: str) -> None:
    """Remove its network, too, if the repair does not come first."""
    removed(servers, container)
    with contextlib.suppress(docker.errors.APIError):  # the next one is on it already
        servers.api.remove_network(*servers.networks())


def place(emulator: Emulator, cache: str) -> tuple[int, Mapping[str, str]]:
    """Give all that a client of the cache has stored."""
    shown = emulator.call("GET", cache).json()["properties"]
    return shown["port"], emulator.keys(cache)


@pytest.mark.docker
@pytest.mark.parametrize("hurt", [killed, stopped, paused, removed, uprooted])
def test_a_hurt_container_is_repaired(docked: Rig[DockerServers], hurt: Hurt) -> None:
    """Whatever was done to it, the cache serves again on its port, with its keys."""
    cache = hurt.__name__
    docked.emulator.create(cache)
    before = place(docked.emulator, cache)

    hurt(docked.servers, docked.servers.inspect(cache)["Id"])

    eventually(
        lambda: docked.servers.phase(cache) == "running" and docked.serves(cache)
    )
    assert place(docked.emulator, cache) == before
    assert len(docked.servers.containers(cache)) == 1
    docked.emulator.delete(cache)


def test_a_killed_server_is_replaced(rig: Rig[Servers]) -> None:
    """A server that dies is started again in its place, on a backend of any kind."""
    rig.emulator.create("crashed")
    before = place(rig.emulator, "crashed")
    first = rig.servers.runs("crashed")

    rig.servers.crash("crashed")

    eventually(lambda: rig.servers.runs("crashed") != first)
    rig.settle("crashed")
    assert place(rig.emulator, "crashed") == before
    rig.emulator.delete("crashed")


def test_a_frozen_process_goes_on(native: Rig[ProcessServers]) -> None:
    """No event tells of a server that answers nothing; it is found all the same."""
    native.emulator.create("frozen")
    first, door = native.servers.runs("frozen"), native.door("frozen")
    key = native.emulator.keys("frozen")["primaryKey"]

    with native.emulator.stopped():
        native.servers.freeze("frozen")
        assert not admits(door, key)

    native.settle("frozen")
    assert native.servers.runs("frozen") == first
    native.emulator.delete("frozen")


@pytest.mark.docker
def test_a_silent_server_is_replaced_once(
    docked: Rig[DockerServers], healthy: EngineProxy
) -> None:
    """One that hangs or cannot be reached is not called ready, and then serves."""
    caches = ("hung", "unplugged")
    for cache in caches:
        docked.emulator.create(cache)
    before = [place(docked.emulator, cache) for cache in caches]

    docked.servers.freeze("hung")
    docked.servers.unplug("unplugged")

    eventually(lambda: {docked.emulator.state(it) for it in caches} == {"Updating"})
    for cache in caches:
        docked.settle(cache)
    assert [place(docked.emulator, cache) for cache in caches] == before
    assert healthy.changes().count(REMOVE) == len(caches)
    for cache in caches:
        docked.emulator.delete(cache)


@pytest.mark.docker
@pytest.mark.parametrize(
    ("hurt", "repair"),
    [
        pytest.param(killed, START, id="killed"),
        pytest.param(removed, CREATE, id="removed"),
    ],
)
def test_a_repair_is_not_called_ready(
    docked: Rig[DockerServers], healthy: EngineProxy, hurt: Hurt, repair: str
) -> None:
    """While the engine takes its time, nobody is told that the cache serves."""
    docked.emulator.create("slow")
    go = threading.Event()
    held = healthy.harm(repair, Hold(until=go))

    hurt(docked.servers, docked.servers.inspect("slow")["Id"])

    try:
        eventually(lambda: held.struck)
        assert docked.emulator.state("slow") == "Updating"
    finally:
        go.set()
    docked.settle("slow")
    docked.emulator.delete("slow")


def visitor(door: Door) -> socket.socket | None:
    """Connect without a key, and say something; ``None``: there was no room."""
    client = socket.create_connection((HOST, door.port))
    try:
        if door.tls:
            client = ANY_SERVER.wrap_socket(client)
        client.sendall(b"PING\r\n")
        if b"NOAUTH" in client.recv(1024):
            return client
    except OSError:  # it says nothing before the handshake, and hangs up
        pass
    client.close()
    return None


def test_a_full_server_is_left_alone(rig: Rig[Servers]) -> None:
    """A server that has no room for one more client is not taken for a hung one."""
    rig.emulator.create("full")
    first, door = rig.servers.runs("full"), rig.door("full")
    with contextlib.ExitStack() as clients, rig.admin("full") as server:
        server.client.ping()
        while (client := visitor(door)) is not None:
            clients.enter_context(client)

        events = {"redisConfiguration": {"notify-keyspace-events": "Ex"}}
        changed = rig.emulator.call("PATCH", "full", {"properties": events})

        assert changed.json()["properties"]["provisioningState"] == READY
        assert server.settings("notify*") == {"notify-keyspace-events": "xE"}
    assert rig.servers.runs("full") == first
    rig.emulator.delete("full")
