"""Dumps in files: what is one, and reading and writing them whole."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from controller.errors import ErrandError
from controller.places import CONTAINERS, Local

_PRIVATE = ("nodes", "transfers")  # the emulator's own folders in the state directory
PIECE_BYTES = 64 * 1024

# Source: rdb.c of Redis and of Valkey up to 8, and of Valkey from 9 on
_BEGINNING = re.compile(rb"REDIS\d{4}|VALKEY\d{3}")
_BEGINNING_BYTES = 9


def located(state: Path, place: Local) -> Path:
    """Find a place in the state directory, links followed, or refuse it.

    Raises `ErrandError`.
    """
    asked = state / place.path  # which is the second alone where that is absolute
    with reported(asked):
        allowed = _resolved(state if place.path.is_absolute() else state / CONTAINERS)
        found = _resolved(asked)
        private = [_resolved(state / name) for name in _PRIVATE]
    if any(map(found.is_relative_to, private)):
        raise ErrandError(
            "PlaceNotAllowed",
            f"{place} belongs to the emulator itself, which keeps its servers' files "
            "there. Use another folder of the state directory",
        )
    if not found.is_relative_to(allowed):
        raise ErrandError(
            "PlaceNotAllowed",
            f"{place} is outside of {allowed}, and only what is in that folder may be "
            "read or written. Use a place in there",
        )
    return found


def keep(chunks: Iterable[bytes], target: Path, most_bytes: int, where: str) -> None:
    """Write a dump that comes from ``where``, in pieces, to a file.

    It is there only when it is whole, and is that of a server. Raises `ErrandError`.
    """
    beginning, size = b"", 0
    with reported(target), _whole(target) as file:
        for chunk in chunks:
            size += len(chunk)
            check_size(size, most_bytes, where)
            if len(beginning) < _BEGINNING_BYTES:
                beginning = (beginning + chunk)[:_BEGINNING_BYTES]
                if len(beginning) == _BEGINNING_BYTES:
                    _check_beginning(beginning, where)
            file.write(chunk)
        _check_beginning(beginning, where)


def pieces(source: Path) -> Iterator[bytes]:
    """Read a file in pieces."""
    with reported(source), source.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def check_dump(source: Path) -> None:
    """Raise `ErrandError` if a file is not a server's dump, or is not there."""
    with reported(source), source.open("rb") as file:
        _check_beginning(file.read(_BEGINNING_BYTES), str(source))


def check_size(size: int, most_bytes: int, where: str) -> None:
    """Raise `ErrandError` if a dump is larger than it may be."""
    if size > most_bytes:
        raise ErrandError(
            "DumpTooLarge",
            f"{where} has more than the {most_bytes} bytes that the cache may get. "
            "Import less data, or scale the cache to a larger size first",
        )


@contextmanager
def reported(path: Path) -> Iterator[None]:
    """Translate what goes wrong with a file of this machine to `ErrandError`."""
    try:
        yield
    except OSError as error:
        raise ErrandError(
            "FileNotUsable",
            f"{path} cannot be used: {error.strerror or error}. Make room or grant "
            "access there, or use another place",
        ) from error


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except RuntimeError as error:  # before Python 3.13, for links that go in circles
        raise OSError(str(error)) from error


def _check_beginning(beginning: bytes, where: str) -> None:
    if _BEGINNING.fullmatch(beginning) is None:
        raise ErrandError(
            "InvalidDump",
            f"{where} is no RDB file: it does not begin with REDIS or VALKEY and a "
            "version. Give a file that a server has saved, or an export",
        )


@contextmanager
def _whole(target: Path) -> Iterator[IO[bytes]]:
    """Write a file of mode 0600 that a crash or an error leaves as it was."""
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        written = Path(file.name)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            written.replace(target)
        finally:
            written.unlink(missing_ok=True)
