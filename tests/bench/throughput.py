"""Requests per second of the mocked API, against an empty app on the same server."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.figures import ratio, show
from tests.emulator import API_VERSION, basic, free_ports, resource, running

CLIENTS = 4
SECONDS_EACH = 2.0
ROUNDS = 5

EMPTY = """
import sys
import falcon
import waitress

class Nothing:
    def on_get(self, _req, resp): resp.media = {}
    on_put = on_get

app = falcon.App()
app.add_route("/", Nothing())
waitress.serve(app, host="127.0.0.1", port=int(sys.argv[1]), threads=8)
"""

Ask = Callable[[http.client.HTTPConnection, int], None]


def run() -> None:
    """Measure GET and PUT in turns with the empty app."""
    taken: dict[str, list[float]] = {}
    with (
        tempfile.TemporaryDirectory() as state,
        running(Path(state), FLOCI_AZ_SERVICES_REDIS_MOCKED="true") as emulator,
        _empty_app() as empty,
    ):
        ours = int(emulator.base.rpartition(":")[2])
        emulator.call("PUT", "bench", basic())
        measures = {
            "empty app, GET": (empty, _empty),
            "GET of a cache": (ours, _get),
            "PUT of a new cache": (ours, _put),
        }
        for number in range(ROUNDS):
            for what, (port, ask) in measures.items():
                rate = _rate(port, ask, number)
                taken.setdefault(what, []).append(rate)
    medians = {what: show(what, rates, "/s") for what, rates in taken.items()}
    for what in list(medians)[1:]:
        ratio(f"empty app, against {what}", medians["empty app, GET"], medians[what])


def _empty(connection: http.client.HTTPConnection, _number: int) -> None:
    _send(connection, "GET", "/")


def _get(connection: http.client.HTTPConnection, _number: int) -> None:
    _send(connection, "GET", f"{resource('bench')}?api-version={API_VERSION}")


def _put(connection: http.client.HTTPConnection, number: int) -> None:
    path = f"{resource(f'bench-{number}')}?api-version={API_VERSION}"
    _send(connection, "PUT", path, json.dumps(basic()))


def _send(
    connection: http.client.HTTPConnection, method: str, path: str, body: str = ""
) -> None:
    connection.request(method, path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    assert answer.status < http.HTTPStatus.BAD_REQUEST, answer.status


def _rate(port: int, ask: Ask, turn: int) -> float:
    """Count what `CLIENTS` keep-alive connections get done in a second."""
    counts = [0] * CLIENTS
    ends = time.monotonic() + SECONDS_EACH

    def client(which: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        first = (turn * CLIENTS + which) * 1_000_000
        while time.monotonic() < ends:
            ask(connection, first + counts[which])
            counts[which] += 1
        connection.close()

    threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / SECONDS_EACH


@contextlib.contextmanager
def _empty_app() -> Iterator[int]:
    port = free_ports(1)
    with subprocess.Popen([sys.executable, "-c", EMPTY, str(port)]) as process:
        while True:
            with contextlib.suppress(OSError):
                http.client.HTTPConnection("127.0.0.1", port).connect()
                break
        try:
            yield port
        finally:
            process.terminate()
