"""A disk on which there is no more room, for the files of this process."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def full_disk(directory: Path) -> Iterator[None]:
    """Let no file grow beyond the largest one of a directory.

    The kernel then refuses what SQLite appends, as it does where a disk is full.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(file.stat().st_size for file in directory.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
