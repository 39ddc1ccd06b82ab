"""One client's connection, joined to a connection of the server inside.

Note [Byte-exact]
~~~~~~~~~~~~~~~~~
Bytes pass as they are, both ways; a request is read only to keep the time. What the
server inside has to know besides, whether the client came over TLS, it knows by the
socket on which it was called. So no header has to be added, none to be distrusted,
and should both disagree on where a request ends, only a deadline is wrong.

Note [Half-closed]
~~~~~~~~~~~~~~~~~~
waitress reads on only once an answer is out, so the end of a stream reaches it after
its last answer, and then it closes. That is what a client means which ends its stream
behind the last request, and it is how `Relay.drain` waits for answers under way without
understanding them. A TLS stream ends both ways at once.
"""

from __future__ import annotations

import asyncio
import asyncio.sslproto
import contextlib
import socket
import ssl
from collections.abc import Callable
from http import HTTPStatus
from typing import cast

import structlog

from api.front.framing import Framing, Part
from api.front.limits import Limits, refusal

log = structlog.get_logger(__name__)

# asyncio sets this much aside for each TLS connection: 256 KiB, unless it is told
asyncio.sslproto.SSLProtocol.max_size = 1 << 15

_LATE = refusal(
    HTTPStatus.REQUEST_TIMEOUT,
    "RequestTimeout",
    "The request did not arrive in time. Send it again, and all of it at once.",
)


class Relay(asyncio.Protocol):
    """The client's side; `Inside` is the other. Everything runs in the event loop."""

    _wire: asyncio.Transport  # the client's TCP connection
    _client: asyncio.Transport  # where the client is: the same, or TLS on top of it

    def __init__(
        self,
        inside: asyncio.Transport,
        context: ssl.SSLContext | None,  # None: the client does not speak TLS
        limits: Limits,
    ) -> None:
        self.ended = asyncio.Event()  # nothing of the client is left
        self._inside = inside
        self._context = context
        self._limits = limits
        self._framing = Framing()
        self._timed = 0, Part.NOTHING
        self._arrival = _Clock()
        self._stall = _Clock()
        self._answered = False
        self._hung_up = False  # the server inside gets nothing more
        self._closing = False
        self._once_complete: Callable[[], None] = lambda: None

    async def join(self, client: socket.socket) -> None:
        """Take over the client's connection."""
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(lambda: self, client)
        if self._context is not None:
            secured = await self._shake_hands(self._context)
            if secured is None:
                return
            self._client = secured
        if not self._framing.requests:
            self._arrival.set(self._limits.head_seconds, self._give_up)

    def drain(self) -> None:
        """Take no further request, and close when the last answer is out."""
        self._once_complete = self._hang_up
        if self._framing.part is Part.NOTHING:
            self._hang_up()

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        self._wire.abort()

    # --- what the client does ------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._wire = self._client = cast(asyncio.Transport, transport)
        if self._context is not None:
            self._wire.pause_reading()  # the handshake reads

    def data_received(self, data: bytes) -> None:
        """Pass on what the client says, unless nobody listens any more."""
        self._framing.feed(data)
        if not self._hung_up:
            self._inside.write(data)
            self._keep_time()
        if self._framing.part is Part.NOTHING:
            self._once_complete()

    def eof_received(self) -> bool:
        """Pass the end on; over TCP, answers can still go out."""
        self._framing.end()
        if not self._hung_up:
            self._keep_time()
            self._hang_up()
        self._once_complete()
        return self._context is None

    def pause_writing(self) -> None:
        """Wait for a client that does not read, but not for ever."""
        self._inside.pause_reading()
        self._stall.set(self._limits.idle_seconds, self._wire.abort)

    def resume_writing(self) -> None:
        """Go on, since the client has read."""
        self._stall.stop()
        self._inside.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the server inside go as well; asyncio and a failed handshake call it."""
        if self.ended.is_set():
            return
        if isinstance(exc, ssl.SSLError):
            # most often it does not trust our authority, which its alert says
            log.info("front.tls_failed", reason=exc.reason)
        self._arrival.stop()
        self._stall.stop()
        self._inside.abort()
        self.ended.set()

    # --- what the server inside does -----------------------------------------------

    def answer(self, data: bytes) -> None:
        """Pass an answer on."""
        self._answered = True
        self._client.write(data)

    def hold(self) -> None:
        """Read no more of the client for now: the server inside is behind."""
        self._wire.pause_reading()

    def go_on(self) -> None:
        """Read on."""
        self._wire.resume_reading()

    def finish(self) -> None:
        """Close, after the server inside did.

        Not at once while the client is still sending: it would be told of a broken
        connection in place of the answer.
        """
        self._hung_up = True
        if self._closing:
            return
        if self._framing.part is Part.NOTHING:
            self._close()
            return
        if self._client.can_write_eof():
            self._client.write_eof()
        self._once_complete = self._close
        self._arrival.set(self._limits.linger_seconds, self._close)
        self._wire.resume_reading()

    # --- inner workings ------------------------------------------------------------

    async def _shake_hands(self, context: ssl.SSLContext) -> asyncio.Transport | None:
        try:
            secured = await asyncio.get_running_loop().start_tls(
                self._wire,
                self,
                context,
                server_side=True,
                ssl_handshake_timeout=self._limits.head_seconds,
            )
        except OSError as error:
            self.connection_lost(error)
            return None
        if secured is None:  # the client has gone
            self.connection_lost(None)
        return secured

    def _keep_time(self) -> None:
        """Set the clock for what the client has to send next."""
        now_at = self._framing.requests, self._framing.part
        if now_at == self._timed:
            return
        self._timed = now_at
        match self._framing.part:
            case Part.NOTHING:
                self._arrival.stop()
            case Part.HEAD:
                self._arrival.set(self._limits.head_seconds, self._give_up)
            case Part.BODY | Part.UNKNOWN:
                self._arrival.set(self._limits.body_seconds, self._give_up)

    def _give_up(self) -> None:
        if not self._answered:
            self._client.write(_LATE)
        self._close()
        self._inside.abort()

    def _hang_up(self) -> None:
        """End the stream to the server inside; see Note [Half-closed]."""
        if not self._hung_up:
            self._hung_up = True
            self._inside.write_eof()

    def _close(self) -> None:
        """Close when the client has everything, or does not take it."""
        self._closing = True
        self._arrival.set(self._limits.idle_seconds, self._wire.abort)
        self._client.close()
        self._wire.close()  # TLS alone would wait for the client to say goodbye as well


class Inside(asyncio.Protocol):
    """The connection to the server inside."""

    relay: Relay

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def data_received(self, data: bytes) -> None:
        """Pass an answer on."""
        self.relay.answer(data)

    def pause_writing(self) -> None:
        """Wait for the server inside, which is busy with earlier requests."""
        self.relay.hold()

    def resume_writing(self) -> None:
        """Go on."""
        self.relay.go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, after the last answer."""
        if exc is not None:
            # it answered, and closed before it had read everything: asyncio failed to
            # write and gave up, but the socket is not closed yet, nor the answer read
            with contextlib.suppress(OSError):
                while data := self._sock.recv(1 << 16):
                    self.relay.answer(data)
        self.relay.finish()


class _Clock:
    """Does one thing later, unless it is stopped or set anew before."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float, then: Callable[[], object]) -> None:
        self.stop()
        self._timer = asyncio.get_running_loop().call_later(seconds, then)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
