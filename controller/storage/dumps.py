"""Store a dump at a place, and fetch one from there."""

from __future__ import annotations

from pathlib import Path
from typing import assert_never

from controller.errors import ErrandError
from controller.places import Local, Place, Remote
from controller.storage import blobs, files
from controller.storage.limits import Limits


class Storage:
    """What users keep their dumps in; ``state`` is the state directory.

    Whatever goes wrong is a `ErrandError`, whose text shows no signature.
    """

    def __init__(self, state: Path, limits: Limits) -> None:
        self._state = state
        self._limits = limits

    def store(self, container: Place, name: str, source: Path) -> str:
        """Put a dump into a container, in the place of one that has its name.

        Gives the place of the dump, fit to be shown.
        """
        files.check_dump(source)
        place = container.below(name)
        match place:
            case Remote():
                blobs.put(place, source, self._limits)
            case Local():
                target = files.located(self._state, place)
                with files.reported(target):
                    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    size = source.stat().st_size
                files.keep(files.pieces(source), target, size, str(place))
                return target.as_uri()
            case _:
                assert_never(place)
        return str(place)

    def fetch(self, file: Place, target: Path, most_bytes: int) -> None:
        """Copy a dump to a file of this machine, which is not there if it fails.

        ``most_bytes`` is how large it may be.
        """
        match file:
            case Remote():
                blobs.get(file, target, most_bytes, self._limits)
            case Local():
                source = files.located(self._state, file)
                if not source.is_file():  # a pipe would never end
                    raise ErrandError(
                        "BlobNotFound",
                        f"There is no file {source}. Export to it first, or copy a "
                        "dump there",
                    )
                files.keep(files.pieces(source), target, most_bytes, str(file))
            case _:
                assert_never(file)
