"""Servers that are only pretended: for the API alone, without any data plane."""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from controller.errors import TransientError
from controller.model import CacheKey, Endpoint, Ports
from controller.nodes import AclUser, Address, Node, NodeKey, NodeSpec, Phase, Server
from controller.spec import AccessKeys, ErrandKind, Secret


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
            address=Address("localhost", self.spec.ports.plain) if running else None,
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

    def create(self, node: NodeKey, spec: NodeSpec) -> None:
        """Create a node that serves at once."""
        server = MockedServer(
            phase=Phase.RUNNING,
            key=node,
            spec=spec,
            users={user.name: user for user in spec.users},
            settings=dict(spec.settings),
        )
        self._engine.add(server)

    def start(self, node: NodeKey) -> None:
        """Make an existing node serve again."""
        self._engine.enter(node, Phase.RUNNING)

    def remove(self, node: NodeKey) -> None:
        """Forget the node."""
        self._engine.remove(node)

    def watch(self, notify: Callable[[CacheKey], None]) -> None:
        """Report changes of phase until `close`."""
        while (cache := self._engine.next_change()) is not None:
            notify(cache)

    def endpoint(self, cache: CacheKey, ports: Ports) -> Endpoint:  # noqa: ARG002 (the protocol's)
        """Say where the cache would be."""
        return Endpoint(host=self._hostname, port=ports.plain, ssl_port=ports.tls)

    def close(self) -> None:
        """End `watch`."""
        self._engine.shut()

    def clean_up(self) -> None:
        """Do nothing: no node leaves anything."""


class MockedAdmin:
    """Fulfils the contract of `controller.admin.Admin` on the pretended servers."""

    def __init__(self, engine: MockedEngine) -> None:
        self._engine = engine

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
        self, node: Node, users: tuple[AclUser, ...], drop: frozenset[str]
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

    def run_errand(self, node: Node, kind: ErrandKind) -> None:
        """Do nothing: there are no data and no connections."""

    def judge(self, cache: CacheKey, permissions: str) -> str | None:
        """Take all: there is nobody who knows better."""

    def forget(self, node: NodeKey) -> None:
        """Do nothing: nothing is kept."""
