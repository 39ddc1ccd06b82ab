"""Imports and what goes on beside them: ends, deletions, crashes of either side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.emulator import eventually
from tests.faults.rig import RIGS, Rig
from tests.faults.servers import Servers
from tests.redis_data import dump_of

CACHE = "carrying"
PREMIUM = {"name": "Premium", "family": "P", "capacity": 1}
STORAGE = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=c2VjcmV0"
DURABLE = {
    "aof-backup-enabled": "true",
    "aof-storage-connection-string-0": STORAGE,
}
MANY = 1_000_000  # keys, which take a server a while
SECONDS = 60.0

Make = Callable[..., Any]


def plant(rig: Rig[Servers], count: int = MANY) -> str:
    """Put a dump where it has a bare name."""
    folder = rig.emulator.directory / "containers"
    folder.mkdir(exist_ok=True)
    pairs = ((b"key %d" % n, b"value") for n in range(count))
    (folder / "many.rdb").write_bytes(b"".join(dump_of(pairs)))
    return "many.rdb"


def begin(rig: Rig[Servers], file: str) -> None:
    """Begin an import, and wait until a server loads the file."""
    begun = rig.emulator.call("POST", f"{CACHE}/import", {"files": [file]})
    assert begun.status_code == 202, begun.text
    eventually(lambda: any("--import" in node for node in rig.servers.nodes()))


def underway(rig: Rig[Servers]) -> list[Path]:
    """List files that are on their way."""
    return list((rig.emulator.directory / "transfers").glob("*"))


@pytest.mark.parametrize("make", RIGS)
def test_a_deletion_ends_an_import(make: Make, tmp_path: Path) -> None:
    """It succeeds at once, and nothing of either is left."""
    with make(tmp_path) as rig:
        rig.emulator.create(CACHE, sku=PREMIUM)
        begin(rig, plant(rig))
        rig.emulator.delete(CACHE)
        assert rig.servers.nodes() in ([], [str(tmp_path / "nodes/data")])
        eventually(lambda: not underway(rig))
        rig.emulator.create(CACHE, sku=PREMIUM)
        assert rig.serves(CACHE)


@pytest.mark.parametrize("make", RIGS)
def test_a_stop_ends_an_import(make: Make, tmp_path: Path) -> None:
    """In time, and without a server or a file that is left."""
    with make(tmp_path) as rig:
        rig.emulator.create(CACHE, sku=PREMIUM)
        begin(rig, plant(rig))
        assert rig.emulator.stop(8.0) == 0
        assert rig.servers.left() == []
        assert underway(rig) == []


@pytest.mark.parametrize("make", RIGS)
def test_a_killed_emulator_leaves_no_loader(make: Make, tmp_path: Path) -> None:
    """The next one removes it, and carries out the import that was asked for."""
    with make(tmp_path, FLOCI_AZ_STORAGE_MODE="persistent") as rig:
        rig.emulator.create(CACHE, sku=PREMIUM)
        begin(rig, plant(rig))
        rig.emulator.kill()
        rig.emulator.start()
        rig.emulator.settled(CACHE)
        with rig.emulator.connect(CACHE) as client:
            assert client.dbsize() == MANY
            assert client.set("more", "data")
        eventually(lambda: not any("--import" in each for each in rig.servers.nodes()))
        assert underway(rig) == []


@pytest.mark.parametrize("make", RIGS)
def test_imported_data_are_durable(make: Make, tmp_path: Path) -> None:
    """A cache that keeps its data keeps these, too, whatever ends its server."""
    with make(tmp_path) as rig:
        rig.emulator.create(CACHE, sku=PREMIUM, redisConfiguration=DURABLE)
        file = plant(rig, 1000)
        begun = rig.emulator.call("POST", f"{CACHE}/import", {"files": [file]})
        url = begun.headers["Location"]
        eventually(lambda: rig.emulator.call("GET", url).status_code == 200, SECONDS)
        rig.servers.crash(CACHE)
        eventually(lambda: keys(rig) == 1000, SECONDS)
        body = {"rebootType": "AllNodes"}
        assert rig.emulator.call("POST", f"{CACHE}/forceReboot", body).ok
        eventually(lambda: rig.emulator.state(CACHE) == "Succeeded", SECONDS)
        eventually(lambda: keys(rig) == 1000, SECONDS)


def keys(rig: Rig[Servers]) -> int | None:
    """Count the keys of a server that answers."""
    if not rig.serves(CACHE):
        return None
    with rig.emulator.connect(CACHE) as client:
        return int(client.dbsize())
