"""The same server without the emulator: what somebody runs by hand instead."""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from controller.pki import load_or_create_authority
from tests.conftest import IMAGE
from tests.emulator import Door, free_ports

PASSWORD = "by-hand-" + "p" * 36  # as long as an access key
MEMORY_BYTES = 250 << 20  # that of a C0
FOLDER = "/data"  # of the server
TICK_SECONDS = 0.002
# Settings of a client whose failures are wanted at once: others wait between attempts
ONCE: Mapping[str, Any] = {"retry": Retry(NoBackoff(), 0)}

# The like of a Basic cache: two ports, one password, no snapshots
_SETTINGS = (
    f"--maxmemory {MEMORY_BYTES} --maxmemory-policy volatile-lru "
    f"--requirepass {PASSWORD} --tls-port 6380 --tls-cert-file {FOLDER}/server.crt "
    f"--tls-key-file {FOLDER}/server.key --tls-auth-clients no"
).split()


_anybody = ssl.create_default_context()
_anybody.check_hostname = False
_anybody.verify_mode = ssl.CERT_NONE


@dataclass(frozen=True, slots=True)
class ByHand:
    """A container with a server, and where it lets its users in."""

    container: str
    plain: Door
    tls: Door

    def client(self) -> redis.Redis:
        """Connect by TLS; nothing is refused."""
        return self.tls.client(PASSWORD, **ONCE)


@contextlib.contextmanager
def made(memory_bytes: int = MEMORY_BYTES) -> Iterator[ByHand]:
    """Run a server for as long as the block lasts."""
    first = free_ports(2)
    container = docker(
        "create", "--init", "-p", f"127.0.0.1:{first}:6379",
        "-p", f"127.0.0.1:{first + 1}:6380", IMAGE, *_SETTINGS, "--save", "",
        "--maxmemory", str(memory_bytes),
    )  # fmt: skip
    try:
        _copy_certificate(container)
        docker("start", container)
        server = ByHand(container, Door(first, tls=False), Door(first + 1, tls=True))
        until_served(server.client())
        yield server
    finally:
        docker("rm", "-f", "-v", container)


def _copy_certificate(container: str) -> None:
    """Give it a certificate of the emulator's kind, as a file that it may read."""
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        authority = load_or_create_authority(Path(folder), [], now)
        leaf = authority.issue(["localhost"], now)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        for name, text in (
            ("server.crt", leaf.certificate_pem),
            ("server.key", leaf.key_pem),
        ):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o644
            archive.addfile(entry, io.BytesIO(text))
    subprocess.run(
        ["docker", "cp", "-", f"{container}:{FOLDER}"],
        input=tar.getvalue(),
        check=True,
        capture_output=True,
    )


def sign_in(port: int, password: str) -> None:
    """Open a server by TLS and a password, as a client does that is already warm.

    redis-py loads all public authorities for each client, which would hide the rest.
    """
    with (
        socket.create_connection(("127.0.0.1", port)) as raw,
        _anybody.wrap_socket(raw) as connection,
    ):
        connection.sendall(f"AUTH {password}\r\n".encode())
        answer = connection.recv(1024)
        assert answer == b"+OK\r\n", answer


def until_served(client: redis.Redis) -> None:
    """Ask a client that tries `ONCE` until it has an answer."""
    pause = threading.Event()
    while True:
        try:
            client.ping()
        except redis.RedisError:
            pause.wait(TICK_SECONDS)
        else:
            return


def until_closed(client: redis.Redis) -> None:
    """Have a client that tries `ONCE` connect until nobody is there any more."""
    pause = threading.Event()
    with contextlib.suppress(redis.ConnectionError):
        while client.ping():
            client.connection_pool.disconnect()
            pause.wait(TICK_SECONDS)


def docker(*arguments: str) -> str:
    """Run Docker's command line; gives what it prints."""
    ran = subprocess.run(
        ["docker", *arguments], check=True, capture_output=True, text=True
    )
    return ran.stdout.strip()
