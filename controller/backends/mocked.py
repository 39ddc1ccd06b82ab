"""Servers that are only pretended: for the API alone, without any data plane."""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path

from controller import config
from controller.backends.conffile import EMPTY_DUMP
from controller.errors import TransientError
from controller.model import CacheKey, Endpoint, Ports
from controller.nodes import (
    AclUser,
    Address,
    Loaded,
    Node,
    NodeKey,
    NodeSpec,
    Pause,
    Phase,
    Server,
)
from controller.spec import AccessKeys, Errand, Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class MockedServer:
    """What a real server would keep: its place, its users and its settings."""

    phase: Phase
    key: NodeKey
    spec: NodeSpec
    users: Mapping[str, AclUser]
    settings: Mapping[str, str]

    @property
    def node(self) -> Node:
        """The server as a backend reports it."""
        running = self.phase is Phase.RUNNING
        return Node(
            key=self.key,
            uid=self.spec.uid,
            fingerprint=self.spec.fingerprint,
            phase=self.phase,
            boot=self.spec.boot,
            address=_address(self.spec.ports) if running else None,
        )


def _address(ports: Ports) -> Address:
    return Address(
        host="localhost", ports=ports, peer="localhost", listens=ports, folder="/mocked"
    )


class MockedEngine:
    """The pretended servers, which `MockedBackend` and `MockedAdmin` share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._servers: dict[NodeKey, MockedServer] = {}
        self._changes: queue.SimpleQueue[CacheKey | None] = queue.SimpleQueue()

    def servers(self) -> tuple[MockedServer, ...]:
        """Give every server, oldest first."""
        with self._lock:
            return tuple(self._servers.values())

    def find(self, key: NodeKey) -> MockedServer | None:
        """Look one server up."""
        with self._lock:
            return self._servers.get(key)

    def add(self, server: MockedServer) -> None:
        """Keep a server, unless there is one of that key."""
        with self._lock:
            self._servers.setdefault(server.key, server)

    def remove(self, key: NodeKey) -> None:
        """Forget a server; it may be gone already."""
        with self._lock:
            self._servers.pop(key, None)

    def enter(self, key: NodeKey, phase: Phase) -> None:
        """Bring a server into another phase, and say so to `changes`."""
        self.change(key, lambda server: replace(server, phase=phase))
        self._changes.put(key.cache)

    def change(self, key: NodeKey, how: Callable[[MockedServer], MockedServer]) -> None:
        """Put a changed server in the place of what is there, or `TransientError`."""
        with self._lock:
            if key not in self._servers:
                raise TransientError(f"node {key} is gone; it will be created again")
            self._servers[key] = how(self._servers[key])

    def next_change(self) -> CacheKey | None:
        """Wait for a change of phase; ``None`` means that `shut` was called."""
        cache = self._changes.get()
        if cache is None:
            self._changes.put(None)  # for whoever asks next
        return cache

    def shut(self) -> None:
        """End `next_change`, now and in future."""
        self._changes.put(None)


class MockedBackend:
    """Fulfils the contract of `controller.backends.base.Backend` and runs nothing.

    ``hostname`` is what users are told instead of ``localhost``.
    """

    name = "mocked"

    def __init__(self, engine: MockedEngine, *, hostname: str | None) -> None:
        self._engine = engine
        self._hostname = hostname or "localhost"

    def describe(self) -> str:
        """Say that nothing runs."""
        return "mocked: the management API alone, no server runs"

    def list(self) -> Mapping[NodeKey, Node]:
        """Find every node."""
        return {server.key: server.node for server in self._engine.servers()}

    def find(self, node: NodeKey) -> Node | None:
        """Look one node up."""
        server = self._engine.find(node)
        return server.node if server is not None else None

    def leftovers(self) -> AbstractSet[NodeKey]:
        """Name none: there are no data."""
        return frozenset()

    def create(
        self,
        node: NodeKey,
        spec: NodeSpec,
        *,
        keep_data: bool = False,  # noqa: ARG002 (the protocol's)
        seed: Path | None = None,  # noqa: ARG002 (the protocol's)
    ) -> None:
        """Create a node that serves at once."""
        server = MockedServer(
            phase=Phase.RUNNING,
            key=node,
            spec=spec,
            users={user.name: user for user in spec.users},
            settings=dict(config.settings_at(spec, _address(spec.ports))),
        )
        self._engine.add(server)

    def start(self, node: NodeKey, *, keep_data: bool) -> None:  # noqa: ARG002 (the protocol's)
        """Make an existing node serve again."""
        self._engine.enter(node, Phase.RUNNING)

    def remove(self, node: NodeKey, *, keep_data: bool = False) -> None:  # noqa: ARG002 (the protocol's)
        """Forget the node."""
        self._engine.remove(node)

    def prepare(self, node: NodeKey, spec: NodeSpec) -> None:
        """Do nothing: there are no files."""

    def read_dump(self, node: NodeKey, target: Path) -> None:  # noqa: ARG002 (the protocol's)
        """Give a dump of nothing."""
        target.write_bytes(EMPTY_DUMP)

    def drop_dump(self, node: NodeKey) -> None:
        """Do nothing: nothing was saved."""

    def watch(self, notify: Callable[[CacheKey], None]) -> None:
        """Report changes of phase until `close`."""
        while (cache := self._engine.next_change()) is not None:
            notify(cache)

    def endpoint(self, cache: CacheKey, ports: Ports) -> Endpoint:  # noqa: ARG002 (the protocol's)
        """Say where the cache would be."""
        return Endpoint(host=self._hostname, port=ports.plain, ssl_port=ports.tls)

    def names(self, cache: CacheKey) -> tuple[str, ...]:  # noqa: ARG002 (the protocol's)
        """Give none."""
        return ()

    def close(self) -> None:
        """End `watch`."""
        self._engine.shut()

    def isolates(self) -> bool:
        """Nothing is reached from anywhere."""
        return True

    def clean_up(self) -> None:
        """Do nothing: no node leaves anything."""


class MockedData:
    """Fulfils the contract of `controller.admin.Data`; there are no data."""

    def dump(self, node: Node, pause: Pause) -> None:
        """Do nothing."""

    def loaded(self, node: Node) -> Loaded | None:  # noqa: ARG002 (the protocol's)
        """Say that nothing was there to be loaded."""
        return Loaded(done=True, used_bytes=0)

    def add(self, node: Node, source: Node, pause: Pause) -> None:
        """Do nothing."""

    def replace(
        self, node: Node, source: Node, memory_bytes: int, pause: Pause
    ) -> None:
        """Do nothing."""

    def lead(self, node: Node) -> None:
        """Do nothing: a pretended server follows nobody."""


class MockedDumps:
    """Fulfils `controller.transfers.Carries`, and asks no storage for anything."""

    def __call__(
        self, node: Node, spec: NodeSpec, errand: Errand, pause: Pause
    ) -> None:
        """Export or import what pretended servers hold, which is nothing."""

    def close(self) -> None:
        """Do nothing."""


class MockedAdmin:
    """Fulfils the contract of `controller.admin.Admin` on the pretended servers."""

    def __init__(self, engine: MockedEngine) -> None:
        self._engine = engine
        self.data = MockedData()

    def password(self, uid: str) -> Secret:
        """Give a password for the controller's own user; it opens nothing."""
        return Secret(hashlib.sha256(uid.encode()).hexdigest())

    def look(self, node: Node, keys: AccessKeys) -> Server | None:
        """Ask a server for its users and settings; ``None`` if it does not run."""
        server = self._engine.find(node.key)
        if server is None or server.phase is not Phase.RUNNING:
            return None
        default = server.users.get("default")
        opened = default.digests if default and default.enabled else frozenset()
        return Server(
            users=server.users,
            settings=server.settings,
            accepted=keys.digests & opened,
        )

    def apply_users(
        self,
        node: Node,
        users: tuple[AclUser, ...],
        drop: frozenset[str],
        disconnect: frozenset[str] = frozenset(),  # noqa: ARG002 (the protocol's)
    ) -> None:
        """Set and drop users of a server."""
        new = {user.name: user for user in users}

        def changed(server: MockedServer) -> MockedServer:
            kept = {name: u for name, u in server.users.items() if name not in drop}
            return replace(server, users=kept | new)

        self._engine.change(node.key, changed)

    def apply_settings(self, node: Node, settings: Mapping[str, str]) -> None:
        """Change settings of a server."""

        def changed(server: MockedServer) -> MockedServer:
            return replace(server, settings={**server.settings, **settings})

        self._engine.change(node.key, changed)

    def disconnect(self, node: Node) -> None:
        """Do nothing: there are no connections."""

    def flush(self, node: Node) -> None:
        """Do nothing: there are no data."""

    def save(self, node: Node) -> None:
        """Do nothing, likewise."""

    def judge(self, cache: CacheKey, permissions: str) -> str | None:  # noqa: ARG002 (the protocol's)
        """Find nothing wrong: there is no server that would know."""
        return None

    def forget(self, node: NodeKey) -> None:
        """Do nothing: nothing is kept."""
