"""The port of the emulator: takes connections, and tells TLS from HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import structlog

from api.front.limits import Limits, refusal
from api.front.relay import Inside, Relay

log = structlog.get_logger(__name__)

TLS_HANDSHAKE = b"\x16"  # begins every TLS connection, and no HTTP request
TURNED_AWAY = 64  # connections beyond the limit that are told so, at one time
RETRY_SECONDS = 0.1  # when no connection can be taken, as without file descriptors

_FULL = refusal(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "ServiceUnavailable",
    "There are too many connections to this emulator. Close some, and try again.",
)


@dataclass(frozen=True, slots=True)
class Sockets:
    """Where the server inside is called, by URL scheme; see Note [Byte-exact]."""

    http: Path
    https: Path


class Front:
    """Relays what comes to ``listener``, in a thread and an event loop of its own."""

    def __init__(
        self,
        listener: socket.socket,
        sockets: Sockets,
        context: ssl.SSLContext,
        limits: Limits,
        ended: threading.Event,
    ) -> None:
        self._thread = threading.Thread(target=self._run, name="front", daemon=True)
        self._listener = listener
        self._sockets = sockets
        self._context = context
        self._limits = limits
        self._ended = ended
        self._started = threading.Event()
        self._clients: dict[socket.socket, asyncio.Task[None]] = {}
        self._relays: dict[socket.socket, Relay] = {}  # of those that said something

    def start(self) -> None:
        """Take connections from now on."""
        self._thread.start()
        self._started.wait()

    def drain(self, seconds: float) -> None:
        """Take none any more, and wait until the last answer is out, or time is up."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set_result, seconds)
            self._thread.join()

    def reload_certificate(self, context: ssl.SSLContext) -> None:
        """Use another certificate for connections that come from now on."""
        self._context = context

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._started.set()
            self._ended.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end: asyncio.Future[float] = self._loop.create_future()
        self._listener.settimeout(0)
        self._listen()
        self._started.set()
        seconds = await self._end
        self._loop.remove_reader(self._listener)
        self._listener.close()
        await self._see_off(seconds)

    async def _see_off(self, seconds: float) -> None:
        """Let every client have its answers, for so long."""
        for client, task in self._clients.items():
            if client in self._relays:
                self._relays[client].drain()
            else:
                task.cancel()
        if self._clients:
            await asyncio.wait(self._clients.values(), timeout=seconds)
        if self._clients:
            log.warning("front.answers_cut", connections=len(self._clients))
            for relay in self._relays.values():
                relay.abort()
            await asyncio.wait(self._clients.values())

    def _listen(self) -> None:
        if not self._end.done():
            self._loop.add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except BlockingIOError:  # it went away again
            return
        except OSError as error:
            log.warning("front.cannot_accept", error=str(error))
            self._loop.remove_reader(self._listener)
            self._loop.call_later(RETRY_SECONDS, self._listen)
            return
        client.settimeout(0)
        there = len(self._clients)
        if there >= self._limits.connections + TURNED_AWAY:
            client.close()
            return
        crowded = there >= self._limits.connections
        task = self._loop.create_task(self._serve_client(client, crowded=crowded))
        self._clients[client] = task
        task.add_done_callback(lambda _: self._forget(client))

    def _forget(self, client: socket.socket) -> None:
        del self._clients[client]
        if self._relays.pop(client, None) is None:  # else it has closed it
            client.close()

    async def _serve_client(self, client: socket.socket, *, crowded: bool) -> None:
        with contextlib.suppress(OSError):  # it is silent, or has gone
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            secure = await self._first_byte(client) == TLS_HANDSHAKE
            if crowded:
                _turn_away(client, secure=secure)
                return
            relay = self._relays[client] = await self._relay(secure=secure)
            await relay.join(client)
            await relay.ended.wait()

    async def _first_byte(self, client: socket.socket) -> bytes:
        """Wait until the client says something, and leave it where it is."""
        loop = asyncio.get_running_loop()
        said = asyncio.Event()
        loop.add_reader(client, said.set)
        try:
            async with asyncio.timeout(self._limits.head_seconds):
                await said.wait()
        finally:
            loop.remove_reader(client)
        return client.recv(1, socket.MSG_PEEK)

    async def _relay(self, *, secure: bool) -> Relay:
        path = self._sockets.https if secure else self._sockets.http
        call = socket.socket(socket.AF_UNIX)
        try:
            call.settimeout(0)
            call.connect(str(path))  # at once, or not at all: it is a Unix socket
        except OSError:
            call.close()
            raise
        loop = asyncio.get_running_loop()
        transport, inside = await loop.create_unix_connection(
            lambda: Inside(call), sock=call
        )
        inside.relay = Relay(transport, self._context if secure else None, self._limits)
        return inside.relay


def _turn_away(client: socket.socket, *, secure: bool) -> None:
    """Say why, if that can be understood: no handshake is made for it."""
    if not secure:
        client.recv(1 << 16)  # what is left unread would cut the answer off
        client.send(_FULL)
        client.shutdown(socket.SHUT_WR)
