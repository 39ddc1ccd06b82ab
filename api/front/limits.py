"""How much one client may take, and how a client hears that it was too much."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the front allows; times in seconds."""

    connections: int = 1000
    # each for itself: to say a first byte, to shake hands, to send a request's head
    head_seconds: float = 10
    body_seconds: float = 60
    # not 30, nor 60: clients poll at such intervals, and would find the connection
    # that they mean to use again closed in the same moment
    idle_seconds: int = 75
    # for a client that sends on, though its request was answered and is over
    linger_seconds: float = 2


def refusal(status: HTTPStatus, code: str, message: str) -> bytes:
    """Give a whole response in ARM's envelope, the last one on its connection."""
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    head = (
        f"HTTP/1.1 {status} {status.phrase}\r\n"
        "Content-Type: application/json; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Retry-After: 1\r\n"
        "x-ms-failure-cause: gateway\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body
