"""What applications get from a cache, against the same server run by hand.

Both are asked by ``redis-benchmark`` of redis-tools (or ``valkey-benchmark``) through
the port that Docker publishes, in turns.
"""

from __future__ import annotations

import csv
import itertools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.bench import byhand
from tests.bench.figures import paired, show
from tests.emulator import Door, running

ROUNDS = 20  # short ones: a busy neighbour hits both sides of some, not one of all
NAME = "bench"
PIPELINED = 16  # commands in one write
_REQUESTS: Mapping[int, int] = {1: 10_000, PIPELINED: 100_000}  # of one measurement


class Target(NamedTuple):
    """A server's two doors, and what opens them."""

    plain: Door
    tls: Door
    key: str


class Load(NamedTuple):
    """One kind of traffic."""

    command: str
    tls: bool
    pipelined: int

    def __str__(self) -> str:
        how = "TLS" if self.tls else "plain"
        many = f", {self.pipelined} at once" if self.pipelined > 1 else ""
        return f"{self.command}, {how}{many}"


class Pace(NamedTuple):
    """What a client saw, and what the server's process needed for it.

    ``rate`` is in requests per second, ``p99_ms`` that of their slowest hundredth.
    """

    rate: float
    p99_ms: float
    processor_us: float  # for each request


LOADS = tuple(
    itertools.starmap(
        Load, itertools.product(("SET", "GET"), (False, True), (1, PIPELINED))
    )
)


FIGURES = {"requests per second": 0, "p99": 1, "processor time of the server": 2}


def run() -> None:
    """Put each load on both servers, and compare round by round."""
    with byhand.made() as baseline, _cache() as ours:
        hand = Target(baseline.plain, baseline.tls, byhand.PASSWORD)
        for load in LOADS:
            _compare(load, ours, hand)


def _compare(load: Load, ours: Target, hand: Target) -> None:
    taken: dict[Target, list[Pace]] = {ours: [], hand: []}
    order = [ours, hand]
    for target in order:
        measure(load, target)  # fills the server, and warms up
    for _ in range(ROUNDS):
        for target in order:
            taken[target].append(measure(load, target))
        order.reverse()
    show(f"{load}: by hand", [pace.rate for pace in taken[hand]], "/s")
    for what, number in FIGURES.items():
        sides = [[pace[number] for pace in taken[each]] for each in (ours, hand)]
        paired(f"{load}: {what}", *sides)


def measure(load: Load, target: Target) -> Pace:
    """Put a load on a server once."""
    door = target.tls if load.tls else target.plain
    before = _processor_seconds(target)
    ran = subprocess.run(
        [
            _program(), "-p", str(door.port), "-a", target.key, "--csv",
            "-n", str(_REQUESTS[load.pipelined]), "-P", str(load.pipelined),
            "-t", load.command.lower(), "-d", "100", "-r", "100000",
            *(("--tls", "--insecure") if load.tls else ()),
        ],
        check=True,
        capture_output=True,
        text=True,
    )  # fmt: skip
    used = _processor_seconds(target) - before
    # A server that refuses CONFIG is told of in a line before the table
    table = ran.stdout[ran.stdout.index('"test"') :]
    [row] = csv.DictReader(table.splitlines())
    each_us = 1e6 * used / _REQUESTS[load.pipelined]
    return Pace(float(row["rps"]), float(row["p99_latency_ms"]), each_us)


def _processor_seconds(target: Target) -> float:
    with target.plain.client(target.key) as client:
        told = client.info("cpu")
    return float(told["used_cpu_user"] + told["used_cpu_sys"])


def _program() -> str:
    for name in ("redis-benchmark", "valkey-benchmark"):
        if path := shutil.which(name):
            return path
    raise SystemExit(
        "neither redis-benchmark nor valkey-benchmark is on PATH; on Debian and "
        "Ubuntu, `apt install redis-tools` brings the first, with TLS"
    )


@contextmanager
def _cache() -> Iterator[Target]:
    with (
        tempfile.TemporaryDirectory() as state,
        running(Path(state), FLOCI_AZ_SERVICES_REDIS_BACKEND="docker") as emulator,
    ):
        shown = emulator.create(NAME, enableNonSslPort=True)
        key = emulator.keys(NAME)["primaryKey"]
        plain, tls = Door(shown["port"], tls=False), Door(shown["sslPort"], tls=True)
        yield Target(plain, tls, key)
