"""A socket in front of the Docker daemon: it records every call, and does harm.

Note [What a crash point is]
~~~~~~~~~~~~~~~~~~~~~~~~~~~~
The controller's work on the daemon is a row of calls that change something. It may be
killed between any two of them, and any reply may get lost. One undisturbed run says
which calls there are; every one of them is then made to go wrong once.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

HOST = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
DAEMON = HOST.removeprefix("unix://")
CHUNK_BYTES = 1 << 16

WORDS = "refused by the test"
MUTATING = r"^(POST|PUT|DELETE) "


@dataclass(frozen=True, slots=True)
class LoseRequest:
    """The daemon never hears of it; the connection ends."""


@dataclass(frozen=True, slots=True)
class LoseReply:
    """The daemon has acted when the connection ends."""


@dataclass(frozen=True, slots=True)
class Delay:
    """The daemon hears of it late."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """The daemon hears of it when ``until`` is set."""

    until: threading.Event


@dataclass(frozen=True, slots=True)
class Mute:
    """The daemon answers, and nothing that it says afterwards arrives."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The daemon never hears of it; the proxy answers with an error."""

    status: HTTPStatus


@dataclass(frozen=True, slots=True)
class Then:
    """All goes well, and ``act`` is done right after the reply."""

    act: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Kill:
    """Nothing more passes after the reply, and ``act`` ends the client."""

    act: Callable[[], object]


Fault = LoseRequest | LoseReply | Delay | Hold | Mute | Refuse | Then | Kill


@dataclass(slots=True)
class Harm:
    """A fault, the calls it is for, and how many of them it still strikes or spares."""

    pattern: re.Pattern[str]
    fault: Fault
    times: float
    spared: int
    struck: int = 0

    def strikes(self, call: str) -> bool:
        """Count a call, and tell whether the fault is for it."""
        if self.struck >= self.times or not self.pattern.search(call):
            return False
        self.spared -= 1
        self.struck += self.spared < 0
        return self.spared < 0


class EngineProxy(socketserver.ThreadingUnixStreamServer):
    """Relays to the daemon.

    ``calls`` are all requests so far, such as ``POST /containers/{id}/start``, with
    hexadecimal ids left out.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), _Relay)
        self.calls: list[str] = []
        self._lock = threading.Lock()
        self._harms: list[Harm] = []
        self._clients: dict[socket.socket, str] = {}
        self._flows = threading.Event()
        self._flows.set()
        self._refusing = False
        self._epoch = 0

    @property
    def address(self) -> str:
        """What to set ``DOCKER_HOST`` to."""
        return f"unix://{self.server_address!s}"

    # --- what a test says ----------------------------------------------------------

    def harm(
        self, pattern: str, fault: Fault, *, times: float = 1, spare: int = 0
    ) -> Harm:
        """Strike the next ``times`` calls that match, but the first ``spare``."""
        harm = Harm(re.compile(pattern), fault, times, spare)
        with self._lock:
            self._harms.append(harm)
        return harm

    def changes(self) -> list[str]:
        """Give the calls that changed something, or tried to."""
        return [call for call in self.calls if re.search(MUTATING, call)]

    def hang(self) -> None:
        """Stop answering, as a daemon that is stopped does: calls wait, even new."""
        self._flows.clear()

    def away(self) -> None:
        """End all connections and take no new ones, as a daemon that was killed."""
        self._refusing = True
        self.cut("")

    def heal(self) -> None:
        """End all faults; calls that waited are answered, be it too late."""
        with self._lock:
            self._harms.clear()
        self._refusing = False
        self._flows.set()

    def forget_clients(self) -> None:
        """Drop what a killed client has sent, and end all faults."""
        self._epoch += 1
        self.cut("")
        self.heal()

    def cut(self, pattern: str) -> None:
        """End the connections whose last call matches."""
        for client, call in tuple(self._clients.items()):
            if re.search(pattern, call):
                with contextlib.suppress(OSError):  # it has just ended by itself
                    client.shutdown(socket.SHUT_RDWR)

    # --- what a connection asks ----------------------------------------------------

    def fault(self, client: socket.socket, call: str) -> Fault | None:
        """Record a call, and say what is to go wrong with it."""
        with self._lock:
            self.calls.append(call)
            self._clients[client] = call
            return next((h.fault for h in self._harms if h.strikes(call)), None)

    @contextlib.contextmanager
    def serving(self, client: socket.socket) -> Iterator[Callable[[], bool]]:
        """Have `cut` reach a connection; gives whether it may go on, and waits."""
        epoch = self._epoch
        self._clients[client] = ""

        def goes_on() -> bool:
            self._flows.wait()
            return not self._refusing and self._epoch == epoch

        try:
            yield goes_on
        finally:
            del self._clients[client]


class _Relay(socketserver.BaseRequestHandler):
    server: EngineProxy
    request: socket.socket

    def handle(self) -> None:
        """Copy both ways until one side is done, or a fault ends it."""
        with (
            socket.socket(socket.AF_UNIX) as daemon,
            self.server.serving(self.request) as goes_on,
            contextlib.suppress(OSError),  # one of the two hung up
        ):
            daemon.connect(DAEMON)
            while True:
                readable, _, _ = select.select([self.request, daemon], [], [])
                if not (goes_on() and self._copy(daemon, readable)):
                    return

    def _copy(self, daemon: socket.socket, readable: list[socket.socket]) -> bool:
        if daemon in readable:
            reply = daemon.recv(CHUNK_BYTES)
            self.request.sendall(reply)
            return bool(reply)
        request = _read_request(self.request)
        if not request:
            return False
        fault = self.server.fault(self.request, _call(request))
        return self._pass_on(request, daemon, fault)

    def _pass_on(
        self, request: bytes, daemon: socket.socket, fault: Fault | None
    ) -> bool:
        match fault:
            case LoseRequest():
                return False
            case Refuse(status=status):
                self.request.sendall(_refusal(status))
                return True
            case Delay(seconds=seconds):
                threading.Event().wait(seconds)
            case Hold(until=until):
                until.wait()
        daemon.sendall(request)
        return self._answer(daemon, fault)

    def _answer(self, daemon: socket.socket, fault: Fault | None) -> bool:
        match fault:
            case LoseReply():
                daemon.recv(1)  # the daemon has acted
                return False
            case Mute():
                self.request.sendall(daemon.recv(CHUNK_BYTES))
                return bool(self.request.recv(1))  # until the client has had enough
            case Then(act=act):
                self.request.sendall(daemon.recv(CHUNK_BYTES))
                act()
            case Kill(act=act):
                reply = daemon.recv(CHUNK_BYTES)
                self.server.hang()
                self.request.sendall(reply)
                act()
                return False
        return True


def _read_request(client: socket.socket) -> bytes:
    """Read one request to its end; empty if the client hung up."""
    request = b""
    while b"\r\n\r\n" not in request:
        chunk = client.recv(CHUNK_BYTES)
        if not chunk:
            return b""
        request += chunk
    head, _, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    while length is not None and len(body) < int(length[1]):
        body += client.recv(CHUNK_BYTES)
    return head + b"\r\n\r\n" + body


def _call(request: bytes) -> str:
    """Name a call: its method and path, without version, query and ids."""
    method, url, _ = request.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    path = re.sub(r"^/v[\d.]+(?=/)", "", url.partition("?")[0])
    path = re.sub(r"^/volumes/.+", "/volumes/{id}", path)
    return f"{method} {re.sub(r'[0-9a-f]{16,}', '{id}', path)}"


def _refusal(status: HTTPStatus) -> bytes:
    body = json.dumps({"message": WORDS}).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextlib.contextmanager
def engine_proxy(directory: Path) -> Iterator[EngineProxy]:
    """Run the socket for as long as the block lasts."""
    with EngineProxy(directory / "engine.sock") as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield proxy
        finally:
            proxy.forget_clients()
            proxy.shutdown()
            thread.join()
