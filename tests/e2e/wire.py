"""A connection that keeps every word of the server, unlike the clients' own."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from io import BufferedReader

from tests.e2e.endpoint import Endpoint

_SECONDS = 10.0


class ErrorReply(str):
    """An error as the server spelled it, with its code in front."""

    __slots__ = ()


class Wire:
    """An open connection; replies are text where they can be."""

    def __init__(self, link: socket.socket, reader: BufferedReader) -> None:
        self._link = link
        self._reader = reader

    def ask(self, *words: str | bytes) -> object:
        """Send one command and read one reply; an error is an `ErrorReply`."""
        given = [word.encode() if isinstance(word, str) else word for word in words]
        parts = (b"$%d\r\n%s\r\n" % (len(word), word) for word in given)
        self._link.sendall(b"*%d\r\n" % len(given) + b"".join(parts))
        return self._read()

    def _read(self) -> object:
        line = self._reader.readline()
        assert line.endswith(b"\r\n"), "the server ended the connection"
        kind, rest = line[:1], line[1:-2].decode()
        match kind:
            case b"-":
                return ErrorReply(rest)
            case b"$" | b"=":
                return self._text(int(rest))
            case b"*" | b"~" | b">":
                return [self._read() for _ in range(int(rest))]
            case b"%":
                return {str(self._read()): self._read() for _ in range(int(rest))}
            case _:  # simple: an integer, a status, null, …
                return rest

    def _text(self, size: int) -> str | bytes | None:
        if size < 0:
            return None
        found = self._reader.read(size + 2)[:-2]
        try:
            return found.decode()
        except UnicodeDecodeError:
            return found


@contextlib.contextmanager
def opened(cache: Endpoint, username: str, password: str) -> Iterator[Wire]:
    """Log in by TLS for as long as the block lasts."""
    context = ssl.create_default_context(cafile=str(cache.ca))
    address = (cache.host, cache.tls_port)
    with (
        socket.create_connection(address, _SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=cache.host) as link,
        link.makefile("rb") as reader,
    ):
        wire = Wire(link, reader)
        assert wire.ask("AUTH", username, password) == "OK"
        yield wire
