"""Desired and observed state of every cache, in memory, one lock.

The API writes specs, the controller writes statuses; nobody writes both. What is
handed out is frozen, so a reader needs no lock and cannot change the store.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import replace

import structlog

from controller.errors import (
    BusyError,
    CacheNotFoundError,
    NameTakenError,
    StorageError,
)
from controller.journal import NOWHERE, Journal
from controller.model import (
    CacheKey,
    CacheStatus,
    Cause,
    Change,
    Moment,
    Record,
    Work,
    Written,
)
from controller.operations import Operation, Operations
from controller.pace import Pace, fast
from controller.ports import Ledger, reserved
from controller.spec import KeyDigest
from controller.tokens import TokenBook

log = structlog.get_logger(__name__)


class Store:
    """Caches by key. ``notify`` is told each key that was written to.

    ``pace`` says how long a write takes, at least, and ``clock`` from when on. The
    caches of before are those of the ``journal``. ``tokens`` open caches, too.
    """

    def __init__(
        self,
        ledger: Ledger,
        notify: Callable[[CacheKey], None],
        clock: Callable[[], Moment],
        pace: Pace = fast,
        journal: Journal = NOWHERE,
    ) -> None:
        self._changed = threading.Condition()
        self._records: dict[CacheKey, Record] = {}
        self._names: dict[str, CacheKey] = {}
        self._operations = Operations()
        self._ledger = ledger
        self._notify = notify
        self._clock = clock
        self._pace = pace
        self.tokens = TokenBook(lambda: clock().unix)
        self._journal = journal
        self.durable = journal.durable  # the caches are there after a restart
        for record in journal.load():
            self._records[record.key] = record
            self._names[record.key.name.lower()] = record.key
            ledger.take(record.ports)

    # --- reading -------------------------------------------------------------------

    def find(self, key: CacheKey) -> Record | None:
        """Read one cache; ``None`` if there is none."""
        with self._changed:
            return self._records.get(key)

    def get(self, key: CacheKey) -> Record:
        """Read one cache, or raise `CacheNotFoundError`."""
        record = self.find(key)
        if record is None:
            raise CacheNotFoundError(key)
        return record

    def records(self) -> tuple[Record, ...]:
        """Read every cache, oldest first."""
        with self._changed:
            return tuple(self._records.values())

    def owner(self, name: str) -> CacheKey | None:
        """Find whose a name is, in all subscriptions and groups."""
        with self._changed:
            return self._names.get(name.lower())

    def operation(self, operation_id: str) -> Operation | None:
        """Read a long-running operation as it stands; ``None`` if unknown."""
        with self._changed:
            return self._operations.find(operation_id)

    def wait(
        self,
        key: CacheKey,
        until: Callable[[Record | None], bool],
        seconds: float,
    ) -> Record | None:
        """Block until the record is as wanted, or time is up; give it as it is."""
        with self._changed:
            self._changed.wait_for(lambda: until(self._records.get(key)), seconds)
            return self._records.get(key)

    # --- what the API writes -------------------------------------------------------

    def put(
        self,
        key: CacheKey,
        change: Callable[[Record | None], Change],
        cause: Cause,
        *,
        followed: bool = False,
    ) -> Written:
        """Create the cache or change its spec; an equal spec changes nothing.

        ``change`` is called under the lock, so it must be quick and pure; what it
        raises leaves everything as it was. ``followed`` says that the operation will
        be asked for even if nothing changes. Raises `BusyError`, `NameTakenError`,
        `PortsExhaustedError`, `StorageError`.
        """
        with self._changed:
            old = self._records.get(key)
            if old is None:
                written = self._create(key, change(None), cause)
            else:
                written = self._update(old, change(old), cause)
            if written.changed or followed:
                self._begin(written.record, cause, deletes=False)
        if written.changed:
            self._notify(key)
        return written

    def delete(self, key: CacheKey, cause: Cause) -> Record | None:
        """Mark the cache for deletion, from any state; ``None`` if there is none.

        Raises `StorageError`.
        """
        with self._changed:
            old = self._records.get(key)
            if old is None:
                return None
            record = old if old.deleting else self._deleted(old, cause)
            record = replace(record, status=old.status.restarted)
            self._begin(record, cause, deletes=True)
        self._notify(key)
        return record

    def grant(
        self, object_id: str, digest: KeyDigest, expires_at: float
    ) -> tuple[Record, ...]:
        """Let a token open what its principal is assigned to, until Unix time.

        Notifies those caches, and gives them as they were before.
        """
        self.tokens.grant(object_id, digest, expires_at)
        assigned = tuple(r for r in self.records() if r.spec.assigns(object_id))
        for each in assigned:
            self._notify(each.key)
        return assigned

    # --- what the controller writes ------------------------------------------------

    def report(self, seen: Record, status: CacheStatus) -> None:
        """Record what was seen of ``seen``, unless it was written to since.

        The journal may lag behind, until the next report; see Note [Journal first].
        """
        with self._changed:
            record = self._current(seen)
            if record is None:
                return
            if record.status != status:
                record = replace(record, status=status)
                self._show(record)
            try:
                self._journal.keep(record)
            except StorageError as error:
                log.warning("status.not_kept", key=str(record.key), cause=str(error))

    def move_ports(self, seen: Record, taken: int) -> None:
        """Give the cache other ports: a program was found on ``taken``.

        Raises `PortsExhaustedError`, `StorageError`, and then it keeps those it had.
        """
        with self._changed:
            record = self._current(seen)
            if record is None:
                return
            self._ledger.avoid(taken)
            with reserved(self._ledger) as ports:
                moved = replace(record, ports=ports)
                self._journal.keep(moved)
            self._ledger.release(record.ports)
            self._show(moved)

    def drop(self, seen: Record) -> None:
        """Forget a deleted cache of which nothing is left, and free its ports.

        Does nothing before it is time. Raises `StorageError`.
        """
        with self._changed:
            record = self._current(seen)
            if record is None or not record.deleting:
                return
            if self._clock().monotonic < record.not_before:
                return
            self._journal.drop(record.key)
            del self._records[record.key]
            del self._names[record.key.name.lower()]
            self._ledger.release(record.ports)
            self._follow(record.key, None)

    # --- under the lock ------------------------------------------------------------

    def _create(self, key: CacheKey, change: Change, cause: Cause) -> Written:
        if key.name.lower() in self._names:
            raise NameTakenError(key.name)
        now, seconds = self._clock(), self._pace(None, change)
        with reserved(self._ledger) as ports:
            record = Record(
                key=key,
                uid=uuid.uuid4().hex,
                generation=1,
                spec=change.spec,
                ports=ports,
                created_at=now.utc,
                work=change.work,
                cause=cause,
                not_before=now.monotonic + seconds,
            )
            self._journal.keep(record)
        self._names[key.name.lower()] = key
        return Written(record, created=True, changed=True, paced=seconds > 0)

    def _update(self, old: Record, change: Change, cause: Cause) -> Written:
        if old.busy and not change.joins:
            raise BusyError(old.key)
        if change.spec == old.spec and old.failure is None:
            return Written(old, created=False, changed=False)
        generation, seconds = old.generation + 1, self._pace(old.spec, change)
        status = old.status.restarted
        in_place = old.status.observed_generation == old.generation
        if in_place and change.spec.asks_the_same(old.spec) and not seconds:
            status = replace(status, observed_generation=generation)
        record = replace(
            old,
            spec=change.spec,
            generation=generation,
            status=status,
            work=change.work,
            cause=cause,
            not_before=self._clock().monotonic + seconds,
        )
        self._journal.keep(record)
        return Written(record, created=False, changed=True, paced=seconds > 0)

    def _deleted(self, old: Record, cause: Cause) -> Record:
        seconds = self._pace(old.spec, Change(old.spec, Work.DELETING))
        record = replace(
            old,
            deleting=True,
            work=Work.DELETING,
            cause=cause,
            not_before=self._clock().monotonic + seconds,
        )
        self._journal.keep(record)
        return record

    def _current(self, seen: Record) -> Record | None:
        """Give the record unless it is another cache, or has another spec, by now."""
        record = self._records.get(seen.key)
        if record is None or record.uid != seen.uid:
            return None
        same = (record.generation, record.deleting) == (seen.generation, seen.deleting)
        return record if same else None

    def _begin(self, record: Record, cause: Cause, *, deletes: bool) -> None:
        """Show what was written, with the operation that follows it."""
        self._operations.begin(record, cause, deletes=deletes)
        self._show(record)

    def _show(self, record: Record) -> None:
        self._records[record.key] = record
        self._follow(record.key, record)

    def _follow(self, key: CacheKey, record: Record | None) -> None:
        """Settle the cache's open operations, and wake whoever waits."""
        self._operations.follow(key, record)
        self._changed.notify_all()
