"""Each node a server process on this machine: what runs where no Docker answers."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import shutil
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path

import psutil

from controller import config
from controller.backends.process.binary import speaks_tls, version
from controller.backends.process.children import Children
from controller.backends.process.files import (
    HOST,
    Labels,
    Place,
    owners_of_data,
    sweep,
)
from controller.errors import PortTakenError, TransientError
from controller.model import CacheKey, Endpoint, Ports
from controller.nodes import Address, Node, NodeKey, NodeSpec, Phase

WATCH_SECONDS = 0.05  # between two looks for deaths; one system call per process
UNFINISHED = ""  # the fingerprint of no spec, so that the node is made anew


class ProcessBackend:
    """Fulfils the contract of `controller.backends.base.Backend` with processes.

    Every node has a directory below ``directory``; ``hostname`` is what users are
    told instead of ``localhost``. A node has no memory limit but ``maxmemory``.
    """

    name = "process"

    def __init__(
        self, *, instance: str, directory: Path, hostname: str | None, binary: Path
    ) -> None:
        self._instance = instance
        self._directory = directory.absolute()
        self._hostname = hostname or "localhost"
        self._binary = binary
        sweep(self._directory)
        self._children = Children()
        self._running: dict[int, CacheKey] = {}  # by the number of the process
        self._closed = threading.Event()

    def describe(self) -> str:
        """Name the server's binary and its version."""
        number = ".".join(map(str, version(self._binary)))
        tls = "" if speaks_tls(self._binary) else " without TLS"
        return f"process: {self._binary} {number}{tls}, files in {self._directory}"

    def list(self) -> Mapping[NodeKey, Node]:
        """Find every node of this instance, the orphans of a killed one included."""
        with _translated():
            return {
                labels.key: self._node(place, labels)
                for place, labels in self._places()
            }

    def find(self, node: NodeKey) -> Node | None:
        """Look one node up."""
        with _translated():
            place = self._place(node)
            labels = place.labels()
            return None if labels is None else self._node(place, labels)

    def leftovers(self) -> AbstractSet[NodeKey]:
        """Name the nodes of which only the data are left."""
        with _translated():
            found = {
                labels.key
                for labels in owners_of_data(self._directory)
                if labels.instance == self._instance
            }
            return found - {labels.key for _, labels in self._places()}

    def create(
        self,
        node: NodeKey,
        spec: NodeSpec,
        *,
        keep_data: bool = False,
        seed: Path | None = None,
    ) -> None:
        """Write the node's files and start its server."""
        with _translated():
            place = self._place(node)
            if place.labels() is not None:
                return
            labels = Labels(
                instance=self._instance,
                arm_id=node.cache.arm_id,
                index=node.index,
                uid=spec.uid,
                generation=spec.generation,
                fingerprint=UNFINISHED,
                boot=spec.boot,
                plain_port=spec.ports.plain,
                tls_port=spec.ports.tls,
                speaks_tls=speaks_tls(self._binary),
            )
            _refuse_taken(labels)
            place.found(labels)
            if not keep_data or place.owner() != spec.uid:
                place.drop_data()
            place.furnish(spec, _address(place, labels), labels)
            if seed is not None:
                shutil.copyfile(seed, place.data / config.dump_file(spec))
            self._run(place, replace(labels, fingerprint=spec.fingerprint))

    def start(self, node: NodeKey, *, keep_data: bool) -> None:
        """Let a stopped server go on, or start one from the same files."""
        with _translated():
            place = self._place(node)
            labels = place.labels()
            if labels is None:
                raise TransientError(f"node {node} is gone; it will be created again")
            server = self._children.find(labels.pid, place.conf)
            if server is not None:
                server.resume()
                return
            _refuse_taken(labels)
            if not keep_data:
                place.dump.unlink(missing_ok=True)
            self._run(place, labels)

    def remove(self, node: NodeKey, *, keep_data: bool = False) -> None:
        """Kill the server, wait until it is gone, and delete its directory."""
        with _translated():
            place = self._place(node)
            labels = place.labels()
            if labels is not None:
                server = self._children.find(labels.pid, place.conf)
                if server is not None:
                    self._children.kill(server)
            if not keep_data:
                place.drop_data()
            if labels is not None:
                place.clear()

    def prepare(self, node: NodeKey, spec: NodeSpec) -> None:
        """Write the files of settings into the node's directory."""
        with _translated():
            place = self._place(node)
            labels = place.labels()
            if labels is None:
                raise TransientError(f"node {node} is gone; it will be created again")
            place.prepare(spec, _address(place, labels))

    def read_dump(self, node: NodeKey, target: Path) -> None:
        """Copy the dump file."""
        with _translated():
            shutil.copyfile(self._place(node).dump, target)

    def drop_dump(self, node: NodeKey) -> None:
        """Delete the dump file."""
        with _translated():
            self._place(node).dump.unlink(missing_ok=True)

    def watch(self, notify: Callable[[CacheKey], None]) -> None:
        """Report processes that end, until `close`."""
        self.list()  # so that it is known what runs
        while not self._closed.wait(WATCH_SECONDS):
            for pid, cache in tuple(self._running.items()):
                if self._children.gone(pid):
                    del self._running[pid]
                    notify(cache)

    def endpoint(self, cache: CacheKey, ports: Ports) -> Endpoint:  # noqa: ARG002 (the protocol's)
        """Say where the cache's users reach it."""
        return Endpoint(host=self._hostname, port=ports.plain, ssl_port=ports.tls)

    def names(self, cache: CacheKey) -> tuple[str, ...]:  # noqa: ARG002 (the protocol's)
        """Give none: all servers are on this machine."""
        return ()

    def close(self) -> None:
        """End `watch`; the servers go on running."""
        self._closed.set()

    def isolates(self) -> bool:
        """Tell that all are on this machine's loopback interface."""
        return False

    def clean_up(self) -> None:
        """Remove the directory of all nodes, unless another instance uses it."""
        with contextlib.suppress(OSError):
            self._directory.rmdir()

    def _place(self, node: NodeKey) -> Place:
        name = node.cache.name.lower()
        identity = f"{self._instance}\n{node.cache.arm_id.lower()}\n{node.index}"
        digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
        return Place(self._directory / f"{name}-{node.index}-{digest}")

    def _places(self) -> Iterator[tuple[Place, Labels]]:
        if not self._directory.is_dir():
            return
        for path in sorted(self._directory.iterdir()):
            place = Place(path)
            labels = None if path.name.startswith(".") else place.labels()
            if labels is not None and labels.instance == self._instance:
                yield place, labels

    def _run(self, place: Place, labels: Labels) -> None:
        """Start the server; whenever this is cut short, its process can be found."""
        place.label(replace(labels, pid=None))
        pid = self._children.spawn(self._binary, place.conf, place.log)
        place.label(replace(labels, pid=pid))
        self._running[pid] = labels.key.cache

    def _node(self, place: Place, labels: Labels) -> Node:
        server = self._children.find(labels.pid, place.conf)
        phase = _phase(server)
        if server is not None:
            self._running[server.pid] = labels.key.cache
        running = phase is Phase.RUNNING
        return Node(
            key=labels.key,
            uid=labels.uid,
            fingerprint=labels.fingerprint,
            phase=phase,
            boot=labels.boot,
            address=_address(place, labels) if running else None,
            detail=place.last_words() if phase is Phase.STOPPED else "",
        )


def _address(place: Place, labels: Labels) -> Address:
    return Address(
        host=HOST,
        ports=labels.ports,
        peer=HOST,
        listens=labels.ports,
        folder=str(place.path),
        speaks_tls=labels.speaks_tls,
    )


def _phase(server: psutil.Process | None) -> Phase:
    if server is None:
        return Phase.STOPPED
    paused = server.status() == psutil.STATUS_STOPPED
    return Phase.PAUSED if paused else Phase.RUNNING


def _refuse_taken(labels: Labels) -> None:
    """Raise `PortTakenError` unless a server could listen on its ports.

    One that is closed now may be opened any time.
    """
    _probe(labels.plain_port)
    if labels.speaks_tls:
        _probe(labels.tls_port)


def _probe(port: int) -> None:
    """Raise `PortTakenError` if a program listens on the port, be it on ``::1`` alone.

    ``localhost`` could mean that.
    """
    for family, host in ((socket.AF_INET, HOST), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except OSError as error:  # without IPv6 the server does without it, too
            if error.errno == errno.EADDRINUSE:
                raise PortTakenError(port, f"{host} {error.strerror}") from error


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Make the errors of files and processes those of a backend."""
    try:
        yield
    except (OSError, psutil.Error) as error:
        raise TransientError(f"the process backend failed: {error}") from error
