"""What was written down is found again, whatever ended the process."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from controller.errors import StorageError
from controller.journal import FILE, NOWHERE, sqlite_journal
from controller.model import CacheStatus, Condition, Record, Starts
from controller.spec import Errand, ErrandKind
from controller.statedir import StateError
from tests import builders as b
from tests.disk import full_disk

SECOND = replace(b.record(), key=replace(b.KEY, name="second"), uid="uid-2")
PATIENCE_SECONDS = 10.0

WRITE_FOR_EVER = """
import itertools, sys
from dataclasses import replace
from pathlib import Path
from controller.journal import sqlite_journal
from tests.builders import record
with sqlite_journal(Path(sys.argv[1])) as journal:
    for number in itertools.count(1):
        journal.keep(replace(record(), generation=number))
        print(number, flush=True)
"""


def kept(directory: Path) -> list[Record]:
    """Read what a start would find."""
    with sqlite_journal(directory) as journal:
        return list(journal.load())


def refusal(directory: Path) -> str:
    """Open a file that cannot be used, and give the reason."""
    with pytest.raises(StateError) as caught, sqlite_journal(directory):
        pytest.fail("opened all the same")
    return str(caught.value)


def test_what_is_kept_is_found_in_order(tmp_path: Path) -> None:
    """Caches come back oldest first, the one that was written last included."""
    changed = replace(b.record(), generation=2)
    with sqlite_journal(tmp_path) as journal:
        assert journal.load() == ()
        for record in (b.record(), SECOND, changed):
            journal.keep(record)
    assert kept(tmp_path) == [changed, SECOND]


def test_what_is_dropped_is_gone(tmp_path: Path) -> None:
    """A name is known in any case; dropping what is not there is no error."""
    with sqlite_journal(tmp_path) as journal:
        journal.keep(b.record())
        journal.drop(SECOND.key)
        journal.drop(replace(b.KEY, name="CACHE1"))
        journal.keep(SECOND)
        journal.drop(SECOND.key)
        journal.keep(SECOND)
    assert kept(tmp_path) == [SECOND]


def test_what_was_observed_is_not_written(tmp_path: Path) -> None:
    """A round that saw something writes nothing; one that got somewhere does."""
    seen = CacheStatus(
        conditions=(Condition("Running", holds=True, reason="Observed"),),
        unsettled_since=1.0,
        silent_since=1.0,
        starts=Starts(1, 1.0),
    )
    with sqlite_journal(tmp_path) as journal:
        journal.keep(b.record())
        before = journal._connection.total_changes
        journal.keep(replace(b.record(), status=seen, not_before=5.0))
        assert journal._connection.total_changes == before
        done = replace(seen, errands_run=frozenset({Errand(ErrandKind.FLUSH, "r1")}))
        journal.keep(replace(b.record(), status=done))
        journal.keep(replace(b.record(), status=replace(done, observed_generation=1)))
        assert journal._connection.total_changes == before + 2
    [found] = kept(tmp_path)
    assert found == replace(b.record(), status=found.status)
    assert found.status == CacheStatus(
        observed_generation=1, errands_run=done.errands_run
    )


def test_nobody_else_can_read_the_keys(tmp_path: Path) -> None:
    """Each file, those that SQLite puts beside it too, is its owner's alone."""
    with sqlite_journal(tmp_path) as journal:
        journal.keep(b.record())
        modes = {f.name: stat.S_IMODE(f.stat().st_mode) for f in tmp_path.iterdir()}
    assert modes == {FILE: 0o600, f"{FILE}-wal": 0o600}


def test_a_killed_process_has_kept_what_it_said(tmp_path: Path) -> None:
    """Once `keep` has returned, ``kill -9`` takes nothing back."""
    command = [sys.executable, "-c", WRITE_FOR_EVER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) >= 50:
                break
        writer.kill()
        *_, last = [line, *(rest for rest in writer.stdout if rest.endswith("\n"))]
    [found] = kept(tmp_path)
    assert found.generation in {int(last), int(last) + 1}


def test_a_full_disk_leaves_what_was_written_before(tmp_path: Path) -> None:
    """The error says so; when there is room again, the next write succeeds."""
    changed = replace(b.record(), generation=2)
    with sqlite_journal(tmp_path) as journal:
        journal.keep(b.record())
        with full_disk(tmp_path):
            for record in (changed, SECOND):
                with pytest.raises(StorageError, match=r"caches\.db could not be w"):
                    journal.keep(record)
            with pytest.raises(StorageError, match="Nothing was changed"):
                journal.drop(b.KEY)
        assert journal.load() == (b.record(),)
        copy = tmp_path / "copy"  # what there would be if the power failed now
        copy.mkdir()
        for file in (FILE, f"{FILE}-wal"):
            (copy / file).write_bytes((tmp_path / file).read_bytes())
        assert kept(copy) == [b.record()]
        journal.keep(changed)
        journal.keep(SECOND)
    assert kept(tmp_path) == [changed, SECOND]


def text(path: Path) -> None:
    """Be no database at all."""
    path.write_text("these are my caches\n" * 100)


def cut_off(path: Path) -> None:
    """Lose the end."""
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def overwritten(path: Path) -> None:
    """Lose a page in the middle."""
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * 4096 + whole[8192:])


def without_index(path: Path) -> None:
    """Lose a page that reading all rows does not need."""
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * 4096 + whole[12288:])


def edited(path: Path) -> None:
    """Have a row that says nothing."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE cache SET record = '{}'")


def newer(path: Path) -> None:
    """Come from the future."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA user_version = 2")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(text, "file is not a database", id="text"),
        pytest.param(cut_off, "malformed", id="cut off"),
        pytest.param(overwritten, "malformed", id="overwritten"),
        pytest.param(without_index, "it is damaged: ", id="index"),
        pytest.param(edited, "a damaged record: Field required", id="row"),
        pytest.param(newer, "it is of version 2, this reads 1", id="newer"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_and_kept(
    tmp_path: Path, damage: Callable[[Path], None], reason: str
) -> None:
    """Nobody's caches are given up for a file that cannot be read."""
    with sqlite_journal(tmp_path) as journal:
        journal.keep(b.record())
    path = tmp_path / FILE
    damage(path)
    before = path.read_bytes()
    message = refusal(tmp_path)
    assert message.startswith(f"{path}, where this emulator's caches are kept, cannot")
    assert reason in message
    assert "put the file back from a copy, or move it away" in message
    assert path.read_bytes() == before


def test_a_file_that_somebody_has_open_is_refused(tmp_path: Path) -> None:
    """Two that write the same records would lose some."""
    with sqlite_journal(tmp_path):
        assert "database is locked" in refusal(tmp_path)


def test_a_directory_that_is_no_more_is_explained(tmp_path: Path) -> None:
    """The message has the system's own words."""
    assert "No such file or directory" in refusal(tmp_path / "gone")


def test_an_empty_file_is_a_beginning(tmp_path: Path) -> None:
    """The process may have been killed when it had made the file, and no more."""
    (tmp_path / FILE).touch()
    assert kept(tmp_path) == []


def test_nowhere_is_nothing_kept() -> None:
    """Without a journal a restart finds no caches."""
    NOWHERE.keep(b.record())
    NOWHERE.drop(b.KEY)
    assert NOWHERE.load() == ()
    assert not NOWHERE.durable
