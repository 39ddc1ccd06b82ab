"""The tars in which files go into a container and come out of it.

Note [Files in a volume]
~~~~~~~~~~~~~~~~~~~~~~~~
The engine copies files into a container with a read-only root only below a volume,
so the server's files and its data have one, named like the container: it outlives
it when the data shall. Its top belongs to root: they live in a folder of their own,
where the server may write.
"""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

from controller import config

FOLDER = "server"  # in the volume

# source: valkey-io/valkey-container and redis/docker-library-redis, alpine images
UID, GID = 999, 1000


def packed(files: Mapping[str, bytes]) -> bytes:
    """Pack files as a tar to unpack in the volume; see Note [Files in a volume]."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.addfile(_entry(FOLDER, tarfile.DIRTYPE, 0o700))
        for name, data in files.items():
            entry = _entry(f"{FOLDER}/{name}", tarfile.REGTYPE, 0o600)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return tar.getvalue()


def pack_dump(source: Path, tar: IO[bytes], name: str) -> None:
    """Pack a dump file in the same way, into a file: it may be large."""
    with tarfile.open(fileobj=tar, mode="w") as archive, source.open("rb") as data:
        archive.addfile(_entry(FOLDER, tarfile.DIRTYPE, 0o700))
        entry = _entry(f"{FOLDER}/{name}", tarfile.REGTYPE, 0o600)
        entry.size = source.stat().st_size
        archive.addfile(entry, data)


def collect(pieces: Iterable[bytes], target: Path) -> None:
    """Write what the engine sends to a file."""
    with target.open("wb") as whole:
        whole.writelines(pieces)


def unpack_dump(packed: Path, target: Path) -> None:
    """Write the one file of a tar; `TarError`, `KeyError` if it came in part."""
    with tarfile.open(packed, mode="r:") as archive:
        member = archive.extractfile(archive.getmember(config.DUMP_FILE))
        if member is None:
            raise tarfile.TarError("it is no file")
        with member, target.open("wb") as out:
            shutil.copyfileobj(member, out)


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = kind, mode
    entry.uid, entry.gid = UID, GID
    return entry
