"""A storage server that behaves, or misbehaves, as the paths of requests say."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DUMP = b"VALKEY080" + bytes(range(256)) * 1000
QUERY = "sv=2020-10-02&sig=s3cret%2Bsignature%3D"


@dataclass
class Seen:
    """What has been asked: the method and path of each request, the newest headers."""

    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    stored: dict[str, bytes] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)


class StorageServer(ThreadingHTTPServer):
    """Listens on a free port of 127.0.0.1."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen = Seen()

    @property
    def base(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Let clients hang up."""


@contextlib.contextmanager
def serving() -> Iterator[StorageServer]:
    """Run one for as long as the block lasts."""
    with StorageServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.seen.over.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StorageServer

    def log_message(self, *_: object) -> None:
        """Be quiet."""

    def do_GET(self) -> None:
        """Serve a dump, or what the first step of the path says instead."""
        path = self._note()
        _, way, *rest = path.split("/")
        match way, rest:
            case "status", [status, code]:
                self.begin(0, int(status), **{"x-ms-error-code": code})
            case "moved", [port]:
                self.begin(0, 302, Location=f"http://127.0.0.2:{port}/dump?{QUERY}")
            case _:
                _WAYS.get(way, _whole)(self)

    def do_PUT(self) -> None:
        """Keep a blob, or answer what the path says instead."""
        path = self._note()
        if path.startswith("/silent/"):
            self.server.seen.over.wait()
            return
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            return
        match path.split("/"):
            case ["", "status", status, code, _]:
                self.begin(0, int(status), **{"x-ms-error-code": code})
            case _:
                self.server.seen.stored[path] = body
                self.begin(0, 201)

    def begin(self, length: int, status: int = 200, **headers: str) -> None:
        """Send the head of an answer."""
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _note(self) -> str:
        path, _, query = self.path.partition("?")
        assert query == QUERY
        self.server.seen.requests.append((self.command, path))
        self.server.seen.headers = dict(self.headers.items())
        return path


def _whole(handler: _Handler) -> None:
    handler.begin(len(DUMP))
    handler.wfile.write(DUMP)


def _cut(handler: _Handler) -> None:
    handler.begin(len(DUMP))
    handler.wfile.write(DUMP[:1000])
    handler.close_connection = True


def _cut_once(handler: _Handler) -> None:
    way = _whole if len(handler.server.seen.requests) > 1 else _cut
    way(handler)


def _silent(handler: _Handler) -> None:
    handler.server.seen.over.wait()


def _stalls(handler: _Handler) -> None:
    handler.begin(len(DUMP))
    handler.wfile.write(DUMP[:1000])
    handler.server.seen.over.wait()


def _drips(handler: _Handler) -> None:
    handler.begin(len(DUMP))
    for each in DUMP[:200]:
        handler.wfile.write(bytes([each]))
        handler.server.seen.over.wait(0.05)


def _chunked(handler: _Handler, count: int = 3) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    while count != 0:
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(DUMP), DUMP))
        count -= 1
    handler.wfile.write(b"0\r\n\r\n")


def _endless(handler: _Handler) -> None:
    with contextlib.suppress(OSError):
        _chunked(handler, -1)


def _no_http(handler: _Handler) -> None:
    handler.wfile.write(b"+OK\r\n")
    handler.close_connection = True


def _page(handler: _Handler) -> None:
    handler.begin(13)
    handler.wfile.write(b"<html></html>")


_WAYS: Mapping[str, Callable[[_Handler], None]] = {
    "cut": _cut,
    "cut-once": _cut_once,
    "silent": _silent,
    "stalls": _stalls,
    "drips": _drips,
    "chunked": _chunked,
    "endless": _endless,
    "no-http": _no_http,
    "page": _page,
}
