"""flush and forceReboot, as the users of a server notice them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.emulator import PATIENCE_SECONDS, Emulator, eventually, running

CACHE = "acting"
STANDARD = {"name": "Standard", "family": "C", "capacity": 1}


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.docker)])
def emulator(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Emulator]:
    """Run one with a cache that has a replica, in Azure."""
    backend = {"FLOCI_AZ_SERVICES_REDIS_BACKEND": request.param}
    with running(tmp_path, **backend) as emulator:
        emulator.create(CACHE, sku=STANDARD, enableNonSslPort=True)
        yield emulator


def place(emulator: Emulator) -> tuple[int, Mapping[str, str]]:
    """Give all that a client of the cache has stored."""
    shown = emulator.call("GET", CACHE).json()["properties"]
    return shown["port"], emulator.keys(CACHE)


@contextlib.contextmanager
def visitor(emulator: Emulator) -> Iterator[socket.socket]:
    """Stay connected to the cache, signed in."""
    port, keys = place(emulator)
    with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as client:
        client.sendall(f"AUTH {keys['primaryKey']}\r\n".encode())
        assert client.recv(64) == b"+OK\r\n"
        yield client


def dropped(client: socket.socket) -> bool:
    """Wait until the server hangs up."""
    try:
        return client.recv(64) == b""
    except ConnectionResetError:
        return True


def reboot(emulator: Emulator, nodes: str) -> None:
    """Ask for a reboot."""
    done = emulator.call("POST", f"{CACHE}/forceReboot", {"rebootType": nodes})
    assert done.status_code == 200, done.text


def test_a_flush_empties_the_server_and_nothing_more(emulator: Emulator) -> None:
    """All databases are empty when the operation has succeeded; nobody is dropped."""
    with visitor(emulator) as client, emulator.connect(CACHE) as other:
        for database in (0, 3):
            other.select(database)
            other.set("greeting", "hello")

        begun = emulator.call("POST", f"{CACHE}/flush")

        assert begun.status_code == 202, begun.text
        url = begun.headers["Location"]
        eventually(lambda: emulator.call("GET", url).status_code == 200)
        assert emulator.call("GET", url).json()["status"] == "Succeeded"
        assert other.info("keyspace") == {}
        client.sendall(b"PING\r\n")
        assert client.recv(64) == b"+PONG\r\n"


@pytest.mark.parametrize(
    ("nodes", "left"),
    [
        pytest.param("PrimaryNode", "hello", id="failover"),
        pytest.param("AllNodes", None, id="all"),
    ],
)
def test_a_reboot_drops_everybody(
    emulator: Emulator, nodes: str, left: str | None
) -> None:
    """They come back to the same place; a replica has kept the data, if one is left."""
    before = place(emulator)
    with emulator.connect(CACHE) as client:
        client.set("greeting", "hello")
    with visitor(emulator) as client:
        reboot(emulator, nodes)
        assert dropped(client)
    emulator.settled(CACHE)
    assert place(emulator) == before
    with emulator.connect(CACHE) as client:
        assert client.get("greeting") == left


def test_the_reboot_of_a_replica_is_noticed_by_nobody(emulator: Emulator) -> None:
    """Connections and data stay."""
    with visitor(emulator) as client:
        reboot(emulator, "SecondaryNode")
        emulator.settled(CACHE)
        client.sendall(b"PING\r\n")
        assert client.recv(64) == b"+PONG\r\n"
