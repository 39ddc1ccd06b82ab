"""Export and import of 100 MB, against what Docker and the server need for them."""

from __future__ import annotations

import functools
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import redis

from controller import places
from tests.bench import byhand
from tests.bench.byhand import ByHand, docker, until_served
from tests.bench.figures import compare, milliseconds
from tests.emulator import PATIENCE_SECONDS, Emulator, basic, running

ROUNDS = 5
NAME = "bench"
CONTAINER, PREFIX = "bench", "dump"
VALUES, VALUE_BYTES = 100_000, 1000  # which no server can compress: they are random
MEMORY_BYTES = 256 << 20  # for data, on both sides
POLL_SECONDS = 0.02

EXPORT = "export of 100 MB"
IMPORT = "import of 100 MB"


def run() -> None:
    """Move the same data out of both servers and in again, in turns."""
    ours: dict[str, list[float]] = {EXPORT: [], IMPORT: []}
    bare: dict[str, list[float]] = {EXPORT: [], IMPORT: []}
    with (
        byhand.made(MEMORY_BYTES) as server,
        _cache() as (emulator, containers),
        tempfile.TemporaryDirectory() as folder,
    ):
        for _ in range(ROUNDS):
            _fill(server.client())
            _by_hand(server, Path(folder) / "dump.rdb", bare)
            _fill(_client(emulator))
            _by_request(emulator, containers, ours)
    compare(ours, bare)


def _by_hand(server: ByHand, dump: Path, taken: dict[str, list[float]]) -> None:
    """``BGSAVE`` and ``docker cp``; then ``docker cp`` and a start from the file."""
    inside = f"{server.container}:{byhand.FOLDER}/dump.rdb"
    client, pause = server.client(), threading.Event()

    def take_out() -> None:
        client.bgsave()
        while client.info("persistence")["rdb_bgsave_in_progress"]:
            pause.wait(POLL_SECONDS)
        docker("cp", inside, str(dump))

    def put_in() -> None:
        docker("cp", str(dump), inside)
        docker("start", server.container)
        until_served(client)

    taken[EXPORT].append(milliseconds(take_out))
    docker("kill", server.container)
    taken[IMPORT].append(milliseconds(put_in))
    _check(client)


def _by_request(
    emulator: Emulator, containers: Path, taken: dict[str, list[float]]
) -> None:
    before = _dumps(containers)
    export = {"format": "RDB", "container": CONTAINER, "prefix": PREFIX}
    take_out = functools.partial(_transfer, emulator, "export", export)
    taken[EXPORT].append(milliseconds(take_out))
    new = _dumps(containers) - before
    assert len(new) == 1, f"export has succeeded, and left {len(new)} dumps"
    [dump] = new
    size = dump.stat().st_size
    assert size > VALUES * VALUE_BYTES, f"the dump has {size} bytes only"
    _client(emulator).flushall()
    place = f"{CONTAINER}/{dump.name}"
    put_in = functools.partial(_transfer, emulator, "import", {"files": [place]})
    taken[IMPORT].append(milliseconds(put_in))
    _check(_client(emulator))
    dump.unlink()


def _transfer(emulator: Emulator, verb: str, body: object) -> None:
    """Ask for it, and follow the operation to its end."""
    answer = emulator.call("POST", f"{NAME}/{verb}", body)
    assert answer.status_code == HTTPStatus.ACCEPTED, answer.text
    result, pause = answer.headers["Location"], threading.Event()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := emulator.call("GET", result)).status_code == HTTPStatus.ACCEPTED:
        assert time.monotonic() < deadline, f"{verb} has not ended"
        pause.wait(POLL_SECONDS)
    assert answer.status_code == HTTPStatus.OK, answer.text


def _fill(client: redis.Redis) -> None:
    """Write values under numbers, and nothing else."""
    client.flushall()
    for first in range(0, VALUES, 1000):
        values = {str(n): _value(n) for n in range(first, first + 1000)}
        client.mset(values)


def _value(number: int) -> bytes:
    return random.Random(number).randbytes(VALUE_BYTES)


def _check(client: redis.Redis) -> None:
    """Make sure that all is there that was written."""
    found = client.dbsize()
    assert found == VALUES, f"{found} values came back, of {VALUES}"
    some = random.sample(range(VALUES), 100)
    back = client.mget([str(n) for n in some])
    assert back == [_value(n) for n in some], "other values came back"


def _client(emulator: Emulator) -> redis.Redis:
    return emulator.door(NAME).client(emulator.keys(NAME)["primaryKey"])


def _dumps(containers: Path) -> set[Path]:
    return {path for path in (containers / CONTAINER).rglob("*") if path.is_file()}


@contextmanager
def _cache() -> Iterator[tuple[Emulator, Path]]:
    """Run an emulator with a Premium cache; gives the folder of its containers, too."""
    variables = {
        "FLOCI_AZ_SERVICES_REDIS_BACKEND": "docker",
        "FLOCI_AZ_SERVICES_REDIS_MAX_MEMORY": "256mb",
    }
    with (
        tempfile.TemporaryDirectory() as state,
        running(Path(state), **variables) as emulator,
    ):
        sku = {"name": "Premium", "family": "P", "capacity": 1}
        answer = emulator.call("PUT", NAME, basic(sku=sku))
        assert answer.ok, answer.text
        emulator.settled(NAME)
        yield emulator, Path(state) / places.CONTAINERS
