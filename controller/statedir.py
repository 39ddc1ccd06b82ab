"""The state directory: who this instance is, and that there is only one of it.

Everything that a backend runs carries the instance's id, and the instance's secret
opens it; so with the same directory a later start finds and owns what an earlier one
left behind.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from controller.spec import Secret

VERSION = 1  # of the identity file's format
VARIABLE = "FLOCI_AZ_STATE_DIR"


class StateError(Exception):
    """The state directory cannot be used; the message says how to go on."""


@dataclass(frozen=True, slots=True)
class Instance:
    """Who this emulator is, for as long as its state directory exists."""

    id: str
    secret: Secret


@contextmanager
def claimed(directory: Path) -> Iterator[Instance]:
    """Keep every other process out of ``directory``, and say who lives in it.

    Creates what is missing. Raises `StateError` if another process has the directory,
    or if it cannot be read or written.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StateError(
            f"the state directory {directory} cannot be used: {error.strerror}. "
            f"Name another one with {VARIABLE}"
        ) from error
    try:
        _lock(directory, lock)
        yield _identity(directory / "instance.json")
    finally:
        os.close(lock)  # and so unlocked, as it is by the process's end


def _lock(directory: Path, lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(lock, 20).decode().strip() or "unknown"
        raise StateError(
            f"another emulator, process {holder}, uses the state directory "
            f"{directory}. Stop it, or give this one a directory of its own with "
            f"{VARIABLE}"
        ) from error
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())


def _identity(path: Path) -> Instance:
    try:
        if not path.exists():
            _write_whole(path, _new_identity())
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, str(error)) from error
    match _parsed(text):
        case {"version": version, "id": str(instance), "secret": str(secret)} if (
            version == VERSION and instance and secret
        ):
            return Instance(id=instance, secret=Secret(secret))
        case {"version": int(version)} if version > VERSION:
            raise _unusable(path, f"it is of version {version}, this reads {VERSION}")
        case _:
            raise _unusable(path, "it is damaged")


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _unusable(path: Path, why: str) -> StateError:
    return StateError(
        f"{path} cannot be used: {why}. It says which servers are this emulator's own. "
        f"Put it back from a copy, or move it away to start anew; servers from "
        f"before are then yours to remove"
    )


def _new_identity() -> str:
    return json.dumps(
        {
            "version": VERSION,
            "id": secrets.token_hex(8),
            "secret": secrets.token_hex(32),
        }
    )


def _write_whole(path: Path, text: str) -> None:
    """Write a file of mode 0600 so that a crash leaves all of it or nothing."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)
