"""An emulator together with the servers it runs."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest
import redis
import requests
from redis.backoff import NoBackoff
from redis.retry import Retry

from controller.acl import ADMIN_USER, verb
from controller.admin import RedisAdmin
from controller.pki import CERTIFICATE_FILE
from controller.spec import Secret
from tests.emulator import Door, Emulator, eventually
from tests.faults.servers import DockerServers, ProcessServers, Servers, identity

HOST = "127.0.0.1"

S_co = TypeVar("S_co", bound=Servers, covariant=True)


@dataclass(frozen=True, slots=True)
class Administrator:
    """Who knows by which names a server knows the commands that users may not run."""

    client: redis.Redis
    password: Secret

    def run(self, command: str, *words: str) -> Any:  # noqa: ANN401 (of any shape)
        """Run a command that is hidden from users, such as ``ACL``."""
        name = verb(command.lower(), self.password)
        return self.client.execute_command(name, *words)

    def settings(self, *names: str) -> dict[str, str]:
        """Read settings; a name may be a pattern."""
        answer = self.run("CONFIG", "GET", *names)
        return dict(zip(answer[::2], answer[1::2], strict=True))


@dataclass(frozen=True, slots=True)
class Rig(Generic[S_co]):
    """An emulator that runs, and its servers."""

    emulator: Emulator
    servers: S_co

    @contextlib.contextmanager
    def admin(self, cache: str) -> Iterator[Administrator]:
        """Connect to a cache's server as the controller does."""
        password = self.admin_password(cache)
        client = self.door(cache).client(
            password.reveal, username=ADMIN_USER, decode_responses=True, protocol=2
        )
        with client:
            yield Administrator(client, password)

    def admin_password(self, cache: str) -> Secret:
        """Derive the password of the controller's own user."""
        secret = Secret(identity(self.emulator)["secret"])
        authority = (self.emulator.directory / CERTIFICATE_FILE).read_bytes()
        admin = RedisAdmin(secret, authority, restricted=True)
        return admin.password(self.servers.uid(cache))

    def port(self, cache: str) -> int:
        """Ask for the port that the cache has without TLS."""
        shown: int = self.emulator.call("GET", cache).json()["properties"]["port"]
        return shown

    def door(self, cache: str) -> Door:
        """Ask where users are let in."""
        return self.emulator.door(cache)

    def serves(self, cache: str) -> bool:
        """Tell whether the cache claims to be ready, and both keys open it."""
        shown = self.emulator.call("GET", cache).json()["properties"]
        return shown["provisioningState"] == "Succeeded" and all(
            admits(self.door(cache), key) for key in self.emulator.keys(cache).values()
        )

    def settle(self, cache: str) -> None:
        """Wait until the cache is ready and served."""
        eventually(lambda: self.serves(cache))

    def begin_rotation(self, cache: str) -> threading.Thread:
        """Have a new key stored that its server does not have yet, because it hangs.

        Gives the thread that waits for the answer.
        """
        self.servers.freeze(cache)
        keys = self.emulator.keys(cache)
        waiting = threading.Thread(target=_rotate, args=(self.emulator, cache))
        waiting.start()
        eventually(lambda: self.emulator.keys(cache) != keys)
        return waiting


def _rotate(emulator: Emulator, cache: str) -> None:
    body = {"keyType": "Primary"}
    with contextlib.suppress(requests.ConnectionError):  # the emulator was killed
        emulator.call("POST", f"{cache}/regenerateKey", body)


def client_of(door: Door, key: str) -> redis.Redis:
    """Connect as a user does who takes the first answer."""
    once = Retry(NoBackoff(), 0)
    return door.client(key, socket_timeout=1, retry=once)


def admits(door: Door, key: str) -> bool:
    """Tell whether a server lets a key in; one that is away does not."""
    with client_of(door, key) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


@contextlib.contextmanager
def docker_rig(state: Path, **variables: str) -> Iterator[Rig[DockerServers]]:
    """Run an emulator on the daemon; it must leave nothing of its own."""
    variables = {"FLOCI_AZ_SERVICES_REDIS_BACKEND": "docker", **variables}
    emulator = Emulator(state, **variables)
    yield from _running(Rig(emulator, DockerServers(emulator)))


@contextlib.contextmanager
def process_rig(state: Path, **variables: str) -> Iterator[Rig[ProcessServers]]:
    """Run an emulator without Docker; it must leave nothing of its own."""
    variables = {"FLOCI_AZ_SERVICES_REDIS_BACKEND": "process", **variables}
    emulator = Emulator(state, **variables)
    yield from _running(Rig(emulator, ProcessServers(emulator)))


def defects(emulator: Emulator) -> list[str]:
    """Find what its log tells of mistakes of its own: tracebacks, and stray text."""
    lines = emulator.log.read_text().splitlines()
    return [it for it in lines if '"exception":' in it or not it.startswith("{")]


RIGS = [
    pytest.param(process_rig, id="process"),
    pytest.param(docker_rig, id="docker", marks=pytest.mark.docker),
]
SECURE = [
    pytest.param(process_rig, id="process", marks=pytest.mark.tls_process),
    pytest.param(docker_rig, id="docker", marks=pytest.mark.docker),
]


def _running(rig: Rig[S_co]) -> Iterator[Rig[S_co]]:
    try:
        rig.emulator.start()
        yield rig
        assert rig.emulator.stop() == 0
        assert rig.servers.left() == []
        assert defects(rig.emulator) == []
    finally:
        rig.emulator.kill()
        rig.servers.sweep()
