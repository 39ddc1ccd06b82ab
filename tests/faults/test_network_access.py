"""Without public network access a cache is reached from its network alone."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest

from controller.backends.docker.tars import packed
from controller.pki import CERTIFICATE_FILE
from tests.conftest import IMAGE
from tests.emulator import Door, eventually
from tests.faults.rig import HOST, Rig
from tests.faults.servers import DockerServers

pytestmark = pytest.mark.docker

CACHE = "private"
FOLDER = "/tmp"
TLS_PORT = 6380


def change(rig: Rig[DockerServers], **properties: object) -> None:
    """Patch the cache, and wait until that is in place."""
    answer = rig.emulator.call("PATCH", CACHE, {"properties": properties})
    assert answer.ok, answer.text
    rig.emulator.settled(CACHE)


def published(rig: Rig[DockerServers]) -> set[int]:
    """Name the ports of the host that lead to the cache."""
    ports = rig.servers.inspect(CACHE)["NetworkSettings"]["Ports"]
    bindings = (binding for each in ports.values() for binding in each or ())
    return {int(binding["HostPort"]) for binding in bindings}


def answers(door: Door) -> bool:
    """Tell whether anything listens at this address of the host."""
    try:
        socket.create_connection((HOST, door.port), 5).close()
    except ConnectionRefusedError:
        return False
    return True


def neighbour(rig: Rig[DockerServers], key: str, host: str, *command: str) -> str:
    """Run a client in a container on the cache's network; gives what it prints."""
    api, [network] = rig.servers.api, rig.servers.networks()
    authority = (rig.emulator.directory / CERTIFICATE_FILE).read_bytes()
    trust = ("--tls", "--cacert", f"{FOLDER}/server/ca.pem", "--sni", host)
    container = api.create_container(
        IMAGE,
        ["valkey-cli", *trust, "-h", host, "-p", str(TLS_PORT), *command],
        environment={"REDISCLI_AUTH": key},
        user="0:0",
        host_config=api.create_host_config(network_mode=network),
    )["Id"]
    try:
        api.put_archive(container, FOLDER, packed({"ca.pem": authority}))
        api.start(container)
        api.wait(container, timeout=20)
        printed: bytes = api.logs(container)
    finally:
        api.remove_container(container, v=True, force=True)
    return printed.decode().strip()


def certificate(rig: Rig[DockerServers], address: str, name: str) -> Any:  # noqa: ANN401 (as ssl gives it)
    """Connect to the container itself by TLS, and check its name."""
    authority = rig.emulator.directory / CERTIFICATE_FILE
    context = ssl.create_default_context(cafile=authority)
    with (
        socket.create_connection((address, TLS_PORT), 5) as plain,
        context.wrap_socket(plain, server_hostname=name) as client,
    ):
        return client.getpeercert()


def test_public_access_is_taken_away_and_given_back(docked: Rig[DockerServers]) -> None:
    """The data stay; nothing of the host leads there, and neighbours are let in."""
    docked.emulator.create(CACHE)
    door, key = docked.door(CACHE), docked.emulator.keys(CACHE)["primaryKey"]
    with docked.emulator.connect(CACHE) as client:
        client.set("greeting", "hello")
    ports = published(docked)
    assert door.port in ports

    change(docked, publicNetworkAccess="Disabled")

    assert published(docked) == set()
    assert not answers(door)
    container = docked.servers.inspect(CACHE)
    name = container["Name"].removeprefix("/")
    [network] = container["NetworkSettings"]["Networks"].values()
    assert certificate(docked, network["IPAddress"], name)
    for host in (name, f"{CACHE}.redis.cache.windows.net"):
        assert neighbour(docked, key, host, "GET", "greeting") == "hello"
    new = docked.emulator.rotate(CACHE)["primaryKey"]
    assert "WRONGPASS" in neighbour(docked, key, name, "GET", "greeting")
    assert neighbour(docked, new, name, "GET", "greeting") == "hello"
    docked.servers.crash(CACHE)
    eventually(lambda: docked.servers.phase(CACHE) == "running")
    assert docked.emulator.settled(CACHE)["publicNetworkAccess"] == "Disabled"
    assert neighbour(docked, new, name, "SET", "greeting", "bye") == "OK"

    change(docked, publicNetworkAccess="Enabled")

    assert published(docked) == ports
    with docked.emulator.connect(CACHE) as client:
        assert client.get("greeting") == "bye"
    docked.emulator.delete(CACHE)
    assert docked.servers.nodes() == []
