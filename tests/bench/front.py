"""Requests per second through the front, against waitress without it.

Servers and clients are processes of their own; clients write raw bytes, so that most
of the time goes to the server. Also what connections that are kept take in memory.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import falcon
import psutil
import waitress  # type: ignore[import-untyped]  # it has no types

from api.front.limits import Limits
from api.front.server import THREADS, HttpServer, Wsgi
from api.front.tls import server_context
from controller.pki import load_or_create_authority
from tests.bench.figures import ratio, show

CLIENTS = 4  # processes, each with one connection that it keeps
SECONDS_EACH = 2.0
ROUNDS = 5
KEPT = 100  # connections, for their memory
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer e30\r\n\r\n"
ANSWER_END = b"{}"

_apart = get_context("spawn")


class Target(NamedTuple):
    """Where a server listens, and whom its clients trust; empty: it has no TLS."""

    port: int
    authority_pem: str = ""


def run() -> None:
    """Measure the three in turns."""
    rates: dict[str, list[float]] = {}
    with (
        _running(_alone) as (alone, _),
        _running(_front) as (front, process),
        ProcessPoolExecutor(CLIENTS, _apart) as clients,
    ):
        targets = {
            "waitress alone": alone,
            "front, HTTP": front._replace(authority_pem=""),
            "front, HTTPS": front,
        }
        for _ in range(ROUNDS):
            for what, target in targets.items():
                answered = clients.map(_ask, [target] * CLIENTS)
                rates.setdefault(what, []).append(sum(answered) / SECONDS_EACH)
        memory = {what: _kept(targets[what], process) for what in list(targets)[1:]}
    medians = {what: show(what, taken, "/s") for what, taken in rates.items()}
    for what in list(medians)[1:]:
        ratio(
            f"{what}, against waitress alone", medians[what], medians["waitress alone"]
        )
    for what, kibibytes in memory.items():
        show(f"{what}, memory for each connection", kibibytes, "KiB")


def _alone(ready: Connection) -> None:
    server = waitress.create_server(
        _app(), host="127.0.0.1", port=0, threads=THREADS, asyncore_use_poll=True
    )
    ready.send(Target(server.effective_port))
    server.run()


def _front(ready: Connection) -> None:
    now = datetime.now(UTC)
    with TemporaryDirectory() as directory:
        authority = load_or_create_authority(Path(directory), [], now)
    leaf = authority.issue(["localhost"], now)
    context = server_context(leaf.certificate_pem, leaf.key_pem)
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    server = HttpServer(_app(), listener, context, Limits())
    server.start()
    port = listener.getsockname()[1]
    ready.send(Target(port, authority.certificate_pem.decode()))
    with contextlib.suppress(EOFError):
        ready.recv()  # nothing comes but the end
    server.drain(1)


class _Nothing:
    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {}


def _app() -> Wsgi:
    app = falcon.App()
    app.add_route("/", _Nothing())
    return app


@contextlib.contextmanager
def _running(
    serve: Callable[[Connection], None],
) -> Iterator[tuple[Target, psutil.Process]]:
    here, there = _apart.Pipe()
    process = _apart.Process(target=serve, args=(there,))
    process.start()
    there.close()
    try:
        yield here.recv(), psutil.Process(process.pid)
    finally:
        here.close()
        if serve is _alone:  # waitress knows no other end
            process.kill()
        process.join()


def _connect(target: Target) -> socket.socket:
    raw = socket.create_connection(("127.0.0.1", target.port))
    if not target.authority_pem:
        return raw
    context = ssl.create_default_context(cadata=target.authority_pem)
    return context.wrap_socket(raw, server_hostname="localhost")


def _ask(target: Target) -> int:
    """Count the answers on one connection."""
    answers = 0
    with _connect(target) as client:
        ends = time.monotonic() + SECONDS_EACH
        while time.monotonic() < ends:
            client.sendall(REQUEST)
            while not client.recv(4096).endswith(ANSWER_END):
                pass
            answers += 1
    return answers


def _kept(target: Target, server: psutil.Process) -> list[float]:
    """Weigh some connections that are used and kept; KiB for each of them."""
    weights = []
    with contextlib.ExitStack() as kept:
        for _ in range(4):
            before = server.memory_info().rss
            for _ in range(KEPT):
                client = kept.enter_context(_connect(target))
                client.sendall(REQUEST)
                client.recv(4096)
            weights.append((server.memory_info().rss - before) / KEPT / 1024)
    return weights
