"""A socket in front of the Docker daemon, on which requests and replies get lost."""

from __future__ import annotations

import contextlib
import re
import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

Loss = Literal["request", "reply"]

DAEMON = "/var/run/docker.sock"


class LossyEngine(socketserver.ThreadingUnixStreamServer):
    """Relays to the daemon, all but what `lose` names.

    ``requests`` are the lines of all requests so far, such as ``POST /v1.41/…``.
    """

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), _Relay)
        self.requests: list[str] = []
        self._lock = threading.Lock()
        self._losing: tuple[re.Pattern[str], Loss] | None = None
        self._clients: set[socket.socket] = set()

    def lose(self, what: Loss, pattern: str) -> None:
        """Lose the next request that matches, or the reply to it."""
        self._losing = (re.compile(pattern), what)

    def count(self, pattern: str) -> int:
        """Count the requests that matched, lost ones included."""
        return sum(bool(re.search(pattern, line)) for line in self.requests)

    def cut(self) -> None:
        """End all connections, as a daemon does that is killed."""
        for client in tuple(self._clients):
            with contextlib.suppress(OSError):  # it has just ended by itself
                client.shutdown(socket.SHUT_RDWR)

    def note(self, chunk: bytes) -> Loss | None:
        """Say what to lose of the request that begins with ``chunk``, if anything."""
        line = chunk.split(b"\r\n", 1)[0].decode("latin-1")
        if not line.endswith(" HTTP/1.1"):
            return None  # the body of a request
        with self._lock:
            self.requests.append(line)
            if self._losing is None or not self._losing[0].search(line):
                return None
            what, self._losing = self._losing[1], None
            return what

    @contextlib.contextmanager
    def serving(self, client: socket.socket) -> Iterator[None]:
        """Have `cut` reach a connection for as long as it is served."""
        self._clients.add(client)
        try:
            yield
        finally:
            self._clients.discard(client)


class _Relay(socketserver.BaseRequestHandler):
    server: LossyEngine
    request: socket.socket

    def handle(self) -> None:
        """Copy both ways until one side is done, or what was to be lost is lost."""
        with (
            socket.socket(socket.AF_UNIX) as daemon,
            self.server.serving(self.request),
            contextlib.suppress(ConnectionError),
        ):
            daemon.connect(DAEMON)
            self._losing = False
            while self._copy(daemon):
                pass

    def _copy(self, daemon: socket.socket) -> bool:
        readable, _, _ = select.select([self.request, daemon], [], [])
        if daemon in readable:
            if self._losing:  # the daemon has acted
                return False
            return _pass_on(daemon.recv(65536), self.request)
        chunk = self.request.recv(65536)
        lost = self.server.note(chunk)
        if lost == "request":
            return False
        self._losing = self._losing or lost == "reply"  # its body may be yet to come
        return _pass_on(chunk, daemon)


def _pass_on(chunk: bytes, to: socket.socket) -> bool:
    to.sendall(chunk)
    return bool(chunk)


@contextlib.contextmanager
def lossy_engine(directory: Path) -> Iterator[LossyEngine]:
    """Run the socket; its address is ``server_address``."""
    with LossyEngine(directory / "engine.sock") as engine:
        thread = threading.Thread(target=engine.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield engine
        finally:
            engine.cut()
            engine.shutdown()
            thread.join()
