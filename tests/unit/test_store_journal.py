"""The store on a journal: what a restart finds, and what a full disk changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from controller.errors import NameTakenError, StorageError
from controller.journal import sqlite_journal
from controller.model import (
    CacheKey,
    CacheStatus,
    Cause,
    Change,
    Condition,
    Ports,
    Record,
    Work,
)
from controller.places import Remote
from controller.ports import PortLedger, PortRange
from controller.spec import CacheSpec, Errand, ErrandKind
from controller.store import Store
from tests import builders as b
from tests.disk import full_disk

OTHER = replace(b.KEY, name="other")
THIRD = replace(b.KEY, name="third")
TAGGED = replace(b.SPEC, tags={"team": "blue"})
READY = CacheStatus(
    observed_generation=1,
    conditions=(Condition("Running", holds=True, reason="Observed"),),
)


class Disk:
    """A directory with a journal, and the store of the process that has it open."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._process = ExitStack()
        self.store = self._start()

    def restart(self) -> Store:
        """End the process, and start the next one."""
        self._process.close()
        self.store = self._start()
        return self.store

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def _start(self) -> Store:
        clock = b.Clock()
        ledger = PortLedger(
            PortRange(7000, 7001, "MAX_PORT"),
            PortRange(7100, 7109, "MAX_SSL_PORT"),
            free=lambda _: True,
            monotonic=clock.monotonic,
        )
        journal = self._process.enter_context(sqlite_journal(self.directory))
        return Store(ledger, lambda _: None, clock, journal=journal)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Start from an empty directory."""
    disk = Disk(tmp_path)
    yield disk
    disk.close()


def put(store: Store, spec: CacheSpec = b.SPEC, key: CacheKey = b.KEY) -> Record:
    """Write a spec."""
    change = Change(spec, Work.UPDATING)
    return store.put(key, lambda _: change, Cause(request_id="r1")).record


def test_what_opens_a_storage_account_is_kept_no_longer_than_it_is_used(
    disk: Disk,
) -> None:
    """An errand that has run is remembered, and its signature is not."""
    place = Remote("https://storage.test/dumps?sig=SECRET")
    export = Errand(ErrandKind.EXPORT, "r2", places=(place,), prefix="night")
    record = put(disk.store, b.SPEC.with_errand(export))
    assert disk.restart().get(b.KEY).spec.errands == (export,)

    record = disk.store.get(b.KEY)
    run = replace(READY, errands_run=frozenset({export}))
    disk.store.report(record, run)

    kept = disk.restart().get(b.KEY)
    assert kept.spec.errands == (export.bare,)
    assert kept.status.errands_run == {export.bare}


def test_a_restart_finds_what_was_written(disk: Disk) -> None:
    """Spec, numbers and ports are those of before; what was seen is seen anew."""
    disk.store.report(put(disk.store), READY)
    put(disk.store, key=OTHER)
    changed = put(disk.store, TAGGED)
    disk.store.report(changed, replace(READY, observed_generation=2))
    before = disk.store.records()

    after = disk.restart()

    assert after.durable
    assert after.records() == tuple(record.lasting for record in before)
    found = after.get(b.KEY)
    assert (found.generation, found.spec) == (2, TAGGED)
    assert found.provisioning_state == "Updating"  # until somebody has looked
    after.report(found, replace(READY, observed_generation=2))
    assert after.get(b.KEY).provisioning_state == "Succeeded"
    assert after.operation("r1") is None


def test_names_and_ports_of_before_are_taken(disk: Disk) -> None:
    """A cache that is created after a restart does not get another one's."""
    old = put(disk.store)
    store = disk.restart()
    with pytest.raises(NameTakenError):
        put(store, key=CacheKey("my-sub", "other-rg", "CACHE1"))
    assert put(store, key=OTHER).ports.plain == old.ports.plain + 1


def test_a_deletion_goes_on(disk: Disk) -> None:
    """A cache that was being deleted still is, and its name and ports get free."""
    put(disk.store)
    put(disk.store, key=OTHER)
    disk.store.delete(b.KEY, b.CAUSE)
    store = disk.restart()
    assert store.get(b.KEY).provisioning_state == "Deleting"
    store.drop(store.get(b.KEY))
    put(store, key=THIRD)
    keys = [record.key for record in disk.restart().records()]
    assert keys == [OTHER, THIRD]


def test_moved_ports_are_kept(disk: Disk) -> None:
    """A running server is found again on the port that it was moved to."""
    disk.store.move_ports(put(disk.store), 7000)
    assert disk.restart().get(b.KEY).ports.plain == 7001


def test_an_errand_is_not_run_again(disk: Disk) -> None:
    """What was emptied once is not emptied by a restart."""
    errand = Errand(ErrandKind.FLUSH, "r1")
    record = put(disk.store, b.SPEC.with_errand(errand))
    disk.store.report(record, replace(READY, errands_run=frozenset({errand})))
    assert disk.restart().get(b.KEY).status.errands_run == {errand}


WRITES: list[tuple[str, Callable[[Store], object]]] = [
    ("create", lambda store: put(store, key=OTHER)),
    ("update", lambda store: put(store, TAGGED)),
    ("delete", lambda store: store.delete(b.KEY, Cause(request_id="r2"))),
    ("move", lambda store: store.move_ports(store.get(b.KEY), 7009)),
]


@pytest.mark.parametrize(
    "write", [each for _, each in WRITES], ids=[name for name, _ in WRITES]
)
def test_a_write_that_cannot_be_kept_was_not_made(
    disk: Disk, write: Callable[[Store], object]
) -> None:
    """Nothing is half done: not in memory, not in the file; and it can be repeated."""
    disk.store.report(put(disk.store), READY)
    before = disk.store.records()

    with full_disk(disk.directory), pytest.raises(StorageError):
        write(disk.store)

    assert disk.store.records() == before
    assert disk.store.operation("r2") is None
    assert disk.store.owner("other") is None
    write(disk.store)
    made = tuple(record.lasting for record in disk.store.records())
    assert made != tuple(record.lasting for record in before)
    assert disk.restart().records() == made


def test_ports_that_came_to_nothing_are_free(disk: Disk) -> None:
    """The two ports of the range go to the caches that could be kept."""
    put(disk.store)
    with full_disk(disk.directory), pytest.raises(StorageError):
        put(disk.store, key=OTHER)
    assert put(disk.store, key=THIRD).ports == Ports(plain=7001, tls=7101)


def test_a_deleted_cache_is_there_until_its_end_is_kept(disk: Disk) -> None:
    """Else a restart would bring it back after it was said to be gone."""
    put(disk.store)
    deleted = disk.store.delete(b.KEY, b.CAUSE)
    assert deleted is not None
    with full_disk(disk.directory), pytest.raises(StorageError):
        disk.store.drop(deleted)
    assert disk.store.get(b.KEY) == deleted
    disk.store.drop(deleted)
    assert disk.restart().records() == ()


def test_what_was_seen_counts_although_it_cannot_be_kept(disk: Disk) -> None:
    """See Note [Journal first]; it is written with the next report, though equal."""
    record = put(disk.store)
    with full_disk(disk.directory), capture_logs() as logs:
        disk.store.report(record, READY)
    assert [each["event"] for each in logs] == ["status.not_kept"]
    assert disk.store.get(b.KEY).provisioning_state == "Succeeded"
    disk.store.report(record, READY)
    assert disk.restart().get(b.KEY).status.observed_generation == 1


def test_a_store_without_a_journal_says_so() -> None:
    """Whoever stops the servers has to know whether the caches come back."""
    clock = b.Clock()
    ports = PortRange(7000, 7001, "MAX_PORT")
    ledger = PortLedger(ports, ports, free=lambda _: True, monotonic=clock.monotonic)
    assert not Store(ledger, lambda _: None, clock).durable
