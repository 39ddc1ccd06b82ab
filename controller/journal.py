"""What a restart must not lose: the records of caches, in a file or nowhere.

Note [Journal first]
~~~~~~~~~~~~~~~~~~~~
What somebody asked for is in the journal before it is in memory, where the loop sees
it and answers tell of it: a write that fails there was never made. With what was seen
it is the other way round: it happened, written down or not, and above all an errand
that was run must not be run again because a disk was full.

Note [When the power fails]
~~~~~~~~~~~~~~~~~~~~~~~~~~~
What was written survives the end of this process, however it comes, and with
``synchronous=FULL`` also that of the machine: else a power cut could bring back an
access key that was revoked. It costs one fsync for each write, and writes are rare.

Note [A file of our own]
~~~~~~~~~~~~~~~~~~~~~~~~
The file is locked for as long as it is open: nobody else can then make a write wait,
which holds up the whole store. Without other readers SQLite also needs no shared
memory, which not every mount of a container has.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

from controller.codec import decode, encode
from controller.errors import StorageError
from controller.model import CacheKey, Record
from controller.statedir import StateError

FILE: Final = "caches.db"
VERSION: Final = 1  # of the table and its rows; see Note [Rows of older versions]
OPEN_SECONDS: Final = 1.0  # for whoever has the file open to be done with it

_TABLE = "CREATE TABLE cache (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT"
_KEEP = (
    "INSERT INTO cache VALUES (?, ?) "
    "ON CONFLICT (id) DO UPDATE SET record = excluded.record"  # it keeps its place
)
_DROP = "DELETE FROM cache WHERE id = ?"
_LOAD = "SELECT record FROM cache ORDER BY rowid"


class Journal(Protocol):
    """Keeps records beyond the end of the process. Called under the store's lock."""

    @property
    def durable(self) -> bool:
        """Whether what is kept is found again after a restart."""
        ...

    def load(self) -> tuple[Record, ...]:
        """Give the records that were kept, oldest first; called once, at the start."""
        ...

    def keep(self, record: Record) -> None:
        """Write a record down, unless nothing of it changed that is worth it.

        Raises `StorageError`, and then what was written before still stands.
        """
        ...

    def drop(self, key: CacheKey) -> None:
        """Forget a record. Raises `StorageError`, and then it is still there."""
        ...


class NoJournal:
    """Keeps nothing: caches last as long as the process."""

    durable = False

    def load(self) -> tuple[Record, ...]:
        """Give none."""
        return ()

    def keep(self, record: Record) -> None:
        """Do nothing."""

    def drop(self, key: CacheKey) -> None:
        """Do nothing."""


NOWHERE: Final = NoJournal()


class SqliteJournal:
    """Keeps each record in a row of a file; made by `sqlite_journal`."""

    durable = True

    def __init__(
        self, path: Path, connection: sqlite3.Connection, kept: list[Record]
    ) -> None:
        self._path = path
        self._connection = connection
        self._kept = {record.key: record for record in kept}

    def load(self) -> tuple[Record, ...]:
        """Give what was in the file."""
        return tuple(self._kept.values())

    def keep(self, record: Record) -> None:
        """Write a record, unless it is kept as it is but for what was observed."""
        lasting = record.lasting
        if self._kept.get(record.key) != lasting:
            self._write(_KEEP, (_id(record.key), encode(lasting)))
            self._kept[record.key] = lasting

    def drop(self, key: CacheKey) -> None:
        """Remove the row."""
        self._write(_DROP, (_id(key),))
        self._kept.pop(key, None)

    def _write(self, statement: str, values: tuple[str, ...]) -> None:
        try:
            self._connection.execute(statement, values)
        except sqlite3.Error as error:
            raise StorageError(str(self._path), str(error)) from error


@contextlib.contextmanager
def sqlite_journal(directory: Path) -> Iterator[SqliteJournal]:
    """Open the file in a claimed state directory, and make it where there is none.

    Raises `StateError` for one that cannot be used, and leaves it as it is.
    """
    path = directory / FILE
    with contextlib.ExitStack() as undo:
        try:
            path.touch(mode=0o600)  # and so are the files that SQLite puts beside it
            connection = undo.enter_context(contextlib.closing(_connect(path)))
            kept = _read(connection)
            _prepare(connection)
        except (OSError, ValueError, sqlite3.Error) as error:
            raise StateError(
                f"{path}, where this emulator's caches are kept, cannot be used: "
                f"{error}. If that cannot be mended, put the file back from a copy, or "
                f"move it away to start without caches"
            ) from error
        yield SqliteJournal(path, connection, kept)


def _connect(path: Path) -> sqlite3.Connection:
    """Open a file; each statement is a transaction, committed when it returns.

    See Note [A file of our own].
    """
    connection = sqlite3.connect(
        path,
        timeout=OPEN_SECONDS,
        isolation_level=None,
        check_same_thread=False,  # the store's lock sees to it
    )
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    return connection


def _read(connection: sqlite3.Connection) -> list[Record]:
    """Read all records before anything is written; `ValueError` says what is wrong."""
    [(version,)] = connection.execute("PRAGMA user_version")
    if version > VERSION:
        raise ValueError(f"it is of version {version}, this reads {VERSION}")
    if not version:
        return []
    [(health,), *_] = connection.execute("PRAGMA quick_check")
    if health != "ok":
        raise ValueError(f"it is damaged: {health}")
    return [decode(text) for (text,) in connection.execute(_LOAD)]


def _prepare(connection: sqlite3.Connection) -> None:
    """Make the table where there is none; see Note [When the power fails]."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    [(version,)] = connection.execute("PRAGMA user_version")
    if not version:
        connection.executescript(
            f"BEGIN; {_TABLE}; PRAGMA user_version = {VERSION}; COMMIT"
        )


def _id(key: CacheKey) -> str:
    return key.arm_id.lower()
