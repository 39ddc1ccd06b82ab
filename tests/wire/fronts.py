"""A server behind the front, and clients that write bytes as they please."""

from __future__ import annotations

import contextlib
import functools
import http.client
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import falcon
import pytest

from api.front.limits import Limits
from api.front.server import HttpServer
from api.front.tls import server_context
from controller.certificates import Authority
from controller.pki import load_or_create_authority

SECONDS = 20  # for anything to happen, on a busy machine
MEBIBYTE = 1 << 20
PIECE = MEBIBYTE // 16  # of a large answer
GET = b"GET /url HTTP/1.1\r\nHost: localhost\r\n\r\n"

both_schemes = pytest.mark.parametrize("scheme", ["http", "https"])


def piece(number: int) -> bytes:
    """Give one part of a large answer."""
    return number.to_bytes(4, "big") * (PIECE // 4)


def large(size: int, head: bytes = b"") -> bytes:
    """Write a request for a large answer."""
    line = b"GET /large?bytes=%d HTTP/1.1\r\nHost: localhost\r\n" % size
    return line + head + b"\r\n"


@functools.cache
def authority() -> Authority:
    """Give whom clients trust."""
    with tempfile.TemporaryDirectory() as directory:
        return load_or_create_authority(Path(directory), [], datetime.now(UTC))


def certified() -> ssl.SSLContext:
    """Give the context of a server, with a certificate of its own."""
    leaf = authority().issue(["localhost"], datetime.now(UTC))
    return server_context(leaf.certificate_pem, leaf.key_pem)


def trusting() -> ssl.SSLContext:
    """Give the context of a client."""
    return ssl.create_default_context(cadata=authority().certificate_pem.decode())


class Desk:
    """The application: says the URL, says what it was sent, takes its time."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)  # once for each request to /wait
        self.may_answer = threading.Event()
        self.made_bytes = 0
        self._seen: list[int] = []
        self.app = falcon.App()
        self.app.add_sink(self._url, "/url")
        self.app.add_sink(self._echo, "/echo")
        self.app.add_sink(self._wait, "/wait")
        self.app.add_sink(self._large, "/large")

    def is_stalled(self) -> bool:
        """Tell whether nothing more was made for some time."""
        self._seen.append(self.made_bytes)
        return len(self._seen) > 20 and 0 < self._seen[-1] == self._seen[-20]

    def _url(self, req: falcon.Request, resp: falcon.Response, **_: object) -> None:
        resp.text = req.url

    def _echo(self, req: falcon.Request, resp: falcon.Response, **_: object) -> None:
        resp.data = req.bounded_stream.read()

    def _wait(self, req: falcon.Request, resp: falcon.Response, **_: object) -> None:
        self.asked.release()
        assert self.may_answer.wait(SECONDS)
        resp.text = f"at last: {req.path}"

    def _large(self, req: falcon.Request, resp: falcon.Response, **_: object) -> None:
        pieces = req.get_param_as_int("bytes", required=True) // PIECE
        resp.content_length = pieces * PIECE
        resp.stream = self._made(pieces)

    def _made(self, pieces: int) -> Iterator[bytes]:
        for number in range(pieces):
            self.made_bytes += PIECE
            yield piece(number)


class Client:
    """A connection of a client that writes what it likes."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._incoming = sock.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._incoming.close()
        self.sock.close()

    def send(self, data: bytes) -> None:
        """Write all of it."""
        self.sock.sendall(data)

    def answer(self) -> tuple[int, bytes]:
        """Read one response, to its end; gives status and body."""
        status = int(self._incoming.readline().split()[1])
        headers = http.client.parse_headers(self._incoming)
        return status, self._incoming.read(int(headers["Content-Length"] or 0))

    def ask(self, request: bytes = GET) -> tuple[int, bytes]:
        """Send a request, and read the response to it."""
        self.send(request)
        return self.answer()

    def certificate(self) -> bytes | None:
        """Give what the server showed in the handshake."""
        assert isinstance(self.sock, ssl.SSLSocket)
        return self.sock.getpeercert(binary_form=True)

    def is_closed(self) -> bool:
        """Read to the end of the stream, however it ends; being late is a failure."""
        try:
            return self._incoming.read() == b""
        except (ConnectionError, ssl.SSLError):
            return True


class Rig:
    """The server, its application, and ways to reach it."""

    def __init__(self, limits: Limits) -> None:
        self.desk = Desk()
        listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.address: tuple[str, int] = listener.getsockname()
        self.server = HttpServer(self.desk.app, listener, certified(), limits)
        self.server.start()
        self._drained = False

    def drain(self, seconds: float) -> None:
        """End the server, unless that was done."""
        if not self._drained:
            self._drained = True
            self.server.drain(seconds)

    def tcp(self) -> socket.socket:
        """Connect, and say nothing."""
        return socket.create_connection(self.address, timeout=SECONDS)

    def connect(self, scheme: str) -> Client:
        """Connect, with a handshake if the scheme asks for it."""
        raw = self.tcp()
        if scheme == "http":
            return Client(raw)
        return Client(trusting().wrap_socket(raw, server_hostname="localhost"))


@contextlib.contextmanager
def serving(**limits: float) -> Iterator[Rig]:
    """Serve, with these limits in place of the usual ones, until the end.

    The end comes soon, however a test treated the server: nothing may be left of it.
    """
    rig = Rig(Limits(**limits))  # type: ignore[arg-type]  # two of them are whole
    try:
        yield rig
    finally:
        rig.desk.may_answer.set()
        ending = threading.Thread(target=rig.drain, args=[10 * SECONDS], daemon=True)
        ending.start()
        ending.join(SECONDS)
        assert not ending.is_alive()
