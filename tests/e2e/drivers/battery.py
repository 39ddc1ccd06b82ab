"""What the batteries of the Python clients share; the steps are in `tests.e2e.battery`.

A battery is told of the cache by variables, takes all steps over each transport, and
prints a line of JSON for each: ``{"name": …, "ok": …, "detail": …}``, where the detail
is what the client gave or the error that it raised.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

COMMANDS = 10_000  # in a pipeline
ALL_BYTES = bytes(range(256))
SCRIPT = "return {#KEYS, ARGV[1]}"
LATE_SECONDS = 10.0  # for what should be there at once


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a client connects to, and how."""

    transport: str  # "tls" or "plain"
    host: str
    port: int
    ca: str | None  # ``None``: trust whom the system trusts
    username: str | None = None
    password: str | None = None

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.transport == "tls"


def logins(transport: str) -> Iterator[tuple[str, Target]]:
    """Name each way to log in; the last ones have to be refused."""
    variables = os.environ
    primary, secondary = variables["CACHE_PRIMARY"], variables["CACHE_SECONDARY"]
    object_id, token = variables["CACHE_OBJECT_ID"], variables["CACHE_TOKEN"]
    yield "key", target(transport, None, primary)
    yield "default", target(transport, "default", primary)
    yield "secondary", target(transport, None, secondary)
    yield "entra", target(transport, object_id, token)
    yield "wrong-key", target(transport, None, "wrong")
    yield "wrong-token", target(transport, object_id, "wrong")
    if transport == "tls":
        port, ca = int(variables["CACHE_TLS_PORT"]), variables["CACHE_CA"]
        here, stranger = variables["CACHE_HOST"], variables["CACHE_STRANGER"]
        yield "no-ca", Target(transport, here, port, None, None, primary)
        yield "stranger", Target(transport, stranger, port, ca, None, primary)


def target(transport: str, username: str | None, password: str) -> Target:
    """Name the cache itself."""
    tls = transport == "tls"
    port = os.environ["CACHE_TLS_PORT" if tls else "CACHE_PORT"]
    ca = os.environ["CACHE_CA"] if tls else None
    return Target(
        transport, os.environ["CACHE_HOST"], int(port), ca, username, password
    )


def user(transport: str) -> Target:
    """Log in as most do."""
    return target(transport, None, os.environ["CACHE_PRIMARY"])


def take(name: str, step: Callable[[], object]) -> None:
    """Take a step, and report it."""
    try:
        _report(name, step())
    except Exception as error:  # noqa: BLE001 (a client may raise anything)
        _report_error(name, error)


async def take_async(name: str, step: Callable[[], Awaitable[object]]) -> None:
    """Take a step, and report it."""
    try:
        _report(name, await step())
    except Exception as error:  # noqa: BLE001 (a client may raise anything)
        _report_error(name, error)


def text(value: object) -> object:
    """Turn bytes into text, however deep."""
    match value:
        case bytes():
            return value.decode()
        case dict():
            return {str(text(k)): text(v) for k, v in value.items()}
        case list() | tuple():
            return [text(each) for each in value]
        case _:
            return value


def _report(name: str, detail: object) -> None:
    _print({"name": name, "ok": True, "detail": text(detail)})


def _report_error(name: str, error: Exception) -> None:
    _print({"name": name, "ok": False, "detail": f"{type(error).__name__}: {error}"})


def _print(line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
