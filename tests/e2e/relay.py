"""A way to a port by another address, whose name no certificate has."""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import threading
from collections.abc import Iterator

STRANGER = "127.0.0.2"  # this machine, too
_CHUNK_BYTES = 1 << 16


@contextlib.contextmanager
def relaying(host: str, port: int) -> Iterator[str]:
    """Pass on what comes to the same port at the address that this gives."""

    class Relay(socketserver.BaseRequestHandler):
        """Passes on one connection."""

        def handle(self) -> None:
            with (
                contextlib.suppress(ConnectionError),  # a client that is refused goes
                socket.create_connection((host, port)) as server,
            ):
                _join(self.request, server)

    with socketserver.ThreadingTCPServer((STRANGER, port), Relay) as relay:
        thread = threading.Thread(target=relay.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield STRANGER
        finally:
            relay.shutdown()
            thread.join()


def _join(one: socket.socket, other: socket.socket) -> None:
    """Pass on what each says, until one of them ends."""
    ways = {one: other, other: one}
    while True:
        for ready in select.select(list(ways), [], [])[0]:
            said = ready.recv(_CHUNK_BYTES)
            if not said:
                return
            ways[ready].sendall(said)
