"""Where in a request a client is, from the bytes that it sends."""

from __future__ import annotations

import enum

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser


class Part(enum.Enum):
    """What the client has to send next."""

    NOTHING = enum.auto()  # its requests are complete
    HEAD = enum.auto()
    BODY = enum.auto()
    UNKNOWN = enum.auto()  # this is no HTTP; the server inside will say so


class Framing:
    """Follows a client's requests, and judges and keeps nothing.

    Deadlines depend on it, and nothing else; see Note [Byte-exact].
    """

    def __init__(self) -> None:
        self.part = Part.NOTHING
        self.requests = 0  # that were begun
        self._parser = HttpRequestParser(self)

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the client."""
        if self.part is Part.UNKNOWN:
            return
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            # the end of a request with an offer, as of HTTP/2 by Java's client; nobody
            # here takes it up, and who makes one sends nothing more before the answer
            self._parser = HttpRequestParser(self)
        except HttpParserError:
            self.part = Part.UNKNOWN

    def end(self) -> None:
        """Note that the client sends no more, be its request complete or not."""
        self.part = Part.NOTHING

    def on_message_begin(self) -> None:
        """Note that a request began; called by the parser, as are the next two."""
        self.requests += 1
        self.part = Part.HEAD

    def on_headers_complete(self) -> None:
        """Note the end of a head."""
        self.part = Part.BODY

    def on_message_complete(self) -> None:
        """Note the end of a request."""
        self.part = Part.NOTHING
