"""Servers that live for one import: each loads a dump, for others to have it.

Note [Loaders]
~~~~~~~~~~~~~~
A loader is a node like any other, under a name that no cache can have: two hyphens in
a row are not allowed in one. So whatever removes nodes without a record removes one
that a killed emulator left; while it is at work here, `Loaders.owns` says so. Nobody
but the controller's own user is let in.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from controller import acl
from controller.admin import Admin
from controller.backends.base import Backend
from controller.errors import ControllerError, ErrandError, PortTakenError
from controller.model import CacheKey, Ports
from controller.nodes import AclUser, Node, NodeKey, NodeSpec, Pause, Phase
from controller.spec import Secret

POLL_SECONDS = 0.03
PORT_ATTEMPTS = 5
GONE = ErrandError(
    "TransferCanceled",
    "The cache was deleted, or the emulator stopped, before the data were through",
)

# All that it holds goes into memory, and from there to who asks for it, at once.
# Source: redis.conf; a file that was made by hand must not end the cache's own server.
_LIVE = {"maxmemory": "0", "save": "", "appendonly": "no", "notify-keyspace-events": ""}
_FIXED = {
    "repl-diskless-sync": "yes",
    "repl-diskless-sync-delay": "0",
    "sanitize-dump-payload": "yes",
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A dump to be loaded for the node of a cache, of which ``spec`` is asked.

    ``name`` tells it from others for that cache; it must not use ``most_bytes``.
    """

    node: NodeKey
    spec: NodeSpec
    name: str
    dump: Path
    most_bytes: int

    @property
    def key(self) -> NodeKey:
        """See Note [Loaders]."""
        of = self.node.cache
        name = f"{of.name}--import-{self.name}"
        return NodeKey(CacheKey(of.subscription, of.group, name))


@dataclass(slots=True)
class Loaders:
    """Starts and removes them; ``wake`` has the loop look at a key again."""

    backend: Backend
    admin: Admin
    wake: Callable[[CacheKey], None]
    _at_work: dict[CacheKey, CacheKey] = field(default_factory=dict)  # to whose it is
    _gate: threading.Lock = field(default_factory=threading.Lock)
    _closed: threading.Event = field(default_factory=threading.Event)

    def owns(self, key: CacheKey) -> bool:
        """Tell whether a key is that of a loader at work."""
        return key in self._at_work

    def serve(self, cache: CacheKey) -> bool:
        """Tell whether a loader is at work for a cache."""
        return cache in tuple(self._at_work.values())

    def close(self, seconds: float) -> None:
        """Start and remove none any more; wait for what is under way, so long at most.

        Whoever clears up the engine afterwards finds all that there are.
        """
        self._closed.set()
        if self._gate.acquire(timeout=seconds):
            self._gate.release()

    @contextlib.contextmanager
    def loaded(self, order: Order, pause: Pause) -> Iterator[Node]:
        """Give a server that holds what a dump holds; it is gone after the block.

        Raises `ErrandError` for a dump that cannot be loaded or is too large.
        """
        self._at_work[order.key.cache] = order.node.cache
        try:
            self._start(order)
            yield self._await(order, pause)
        finally:
            self._remove(order.key)

    def check_size(self, loader: Node, most_bytes: int) -> None:
        """Raise `ErrandError` if what is loaded does not fit into a cache."""
        seen = self.admin.data.loaded(loader)
        if seen is not None and seen.used_bytes > most_bytes:
            raise _too_large(f"they need {seen.used_bytes} bytes", most_bytes)

    def _start(self, order: Order) -> None:
        uid = f"{order.spec.uid}-import-{order.name}"
        for attempt in range(PORT_ATTEMPTS):
            spec = loader_spec(order.spec, uid, self.admin.password(uid), _free_ports())
            try:
                with self._gate:
                    if self._closed.is_set():
                        raise GONE
                    self.backend.create(order.key, spec, seed=order.dump)
                    if self._closed.is_set():  # nobody waited any longer
                        self.backend.remove(order.key)
                        raise GONE
            except PortTakenError:
                if attempt == PORT_ATTEMPTS - 1:
                    raise
            else:
                return

    def _await(self, order: Order, pause: Pause) -> Node:
        while True:
            node = self.backend.find(order.key)
            if node is None or node.phase is not Phase.RUNNING:
                raise _refused("" if node is None else node.detail, order.most_bytes)
            seen = self.admin.data.loaded(node) if node.address is not None else None
            if seen is not None and seen.used_bytes > order.most_bytes:
                used = f"they need more than {seen.used_bytes} bytes"
                raise _too_large(used, order.most_bytes)
            if seen is not None and seen.done:
                return node
            pause(POLL_SECONDS)

    def _remove(self, key: NodeKey) -> None:
        """Remove one; where that fails it is an orphan, and the loop's."""
        self.admin.forget(key)
        try:
            with self._gate:
                if not self._closed.is_set():
                    self.backend.remove(key)
        except ControllerError as error:
            log.warning("loader.left", key=str(key), cause=str(error))
            del self._at_work[key.cache]
            self.wake(key.cache)
        else:
            del self._at_work[key.cache]


def loader_spec(spec: NodeSpec, uid: str, admin: Secret, ports: Ports) -> NodeSpec:
    """Derive what a loader needs from what its cache needs; ``admin`` opens it."""
    nobody = AclUser(
        name=acl.DEFAULT_USER, enabled=False, digests=frozenset(), rules="-@all"
    )
    controller = AclUser(
        name=acl.ADMIN_USER,
        enabled=True,
        digests=frozenset({admin.digest}),
        rules=acl.EVERYTHING,
    )
    return replace(
        spec,
        uid=uid,
        ports=ports,
        users=(nobody, controller),
        settings={**spec.settings, **_LIVE},
        immutable={**spec.immutable, **_FIXED},
        renames=acl.renames(admin, restricted=bool(spec.renames)),
        plain=True,
        published=False,
        durable=False,
    )


def _refused(why: str, most_bytes: int) -> ErrandError:
    if "out of memory" in why:
        return _too_large("they need more than a server may use", most_bytes)
    return ErrandError(
        "InvalidDump",
        "The server cannot load the dump, and the cache keeps its data: "
        f"{why or 'it ended at once'}. Give a whole file that a server not newer than "
        "the cache's has saved, or an export",
    )


def _too_large(used: str, most_bytes: int) -> ErrandError:
    return ErrandError(
        "DumpTooLarge",
        f"The data do not fit into the cache, which keeps its own: {used}, "
        f"and it may use {most_bytes}. Import less data, or scale the cache to a "
        "larger size first",
    )


def _free_ports() -> Ports:
    """Find two ports of this machine that nobody holds at this moment."""
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        return Ports(plain=one.getsockname()[1], tls=two.getsockname()[1])
