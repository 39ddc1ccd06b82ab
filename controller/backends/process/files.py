"""The directory of one server process: what it starts from, and whose it is.

Note [Half a directory]
~~~~~~~~~~~~~~~~~~~~~~~
A directory without labels would belong to nobody, and stay for ever. So it has a hidden
name until its labels are in it, and again before they are deleted; a controller that is
killed meanwhile leaves a hidden one, and the next sweeps those away.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from controller import acl
from controller.backends.conffile import conf_file
from controller.model import CacheKey
from controller.nodes import NodeKey, NodeSpec

HOST = "127.0.0.1"
LOG_TAIL_BYTES = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What ``node.json`` says of a node.

    ``pid`` is ``None`` from before the process starts until its number is known.
    """

    instance: str
    arm_id: str
    index: int
    uid: str
    generation: int
    fingerprint: str
    port: int
    pid: int | None = None

    @property
    def key(self) -> NodeKey:
        """The node's name, in the casing of its creation."""
        return NodeKey(CacheKey.parse(self.arm_id), self.index)


_LABELS = TypeAdapter(Labels)


@dataclass(frozen=True, slots=True)
class Place:
    """One node's directory; nobody but the emulator's own user may look inside."""

    path: Path

    @property
    def conf(self) -> Path:
        """What the server starts from."""
        return self.path / "server.conf"

    @property
    def log(self) -> Path:
        """All that the server prints."""
        return self.path / "server.log"

    def labels(self) -> Labels | None:
        """Read who lives here; ``None``: nobody."""
        try:
            return _LABELS.validate_json(self._labels.read_bytes())
        except (FileNotFoundError, NotADirectoryError, ValidationError):
            return None

    def found(self, labels: Labels) -> None:
        """Make the directory with its labels in it; see Note [Half a directory]."""
        for each in (self.path, self._hidden):
            shutil.rmtree(each, ignore_errors=True)  # nobody lives there
        self._hidden.mkdir(mode=0o700, parents=True)
        _write(self._hidden / self._labels.name, _LABELS.dump_json(labels, indent=1))
        self._hidden.rename(self.path)

    def label(self, labels: Labels) -> None:
        """Write who lives here; a crash leaves the old text or the new one."""
        new = self._labels.with_suffix(".new")
        _write(new, _LABELS.dump_json(labels, indent=1))
        new.replace(self._labels)

    def furnish(self, spec: NodeSpec) -> None:
        """Write the files that the server starts from."""
        data, users = self.path / "data", self.path / "users.acl"
        data.mkdir(mode=0o700, exist_ok=True)
        self.log.touch(mode=0o600)
        _write(users, acl.aclfile(spec.users).encode())
        places = {
            "bind": f"{HOST} -::1",  # "-": where the machine has it
            "port": str(spec.ports.plain),
            "dir": str(data),
            "aclfile": str(users),
            "set-proc-title": "no",  # see Note [Whose process]
        }
        _write(self.conf, conf_file(spec, places).encode())

    def last_words(self) -> str:
        """Quote the end of the server's log; empty if there is none."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - LOG_TAIL_BYTES))
                lines = log.read().decode(errors="replace").split("\n")
        except FileNotFoundError:
            return ""
        return next((line for line in reversed(lines) if line.strip()), "")

    def clear(self) -> None:
        """Delete everything, the labels last: what is half deleted is still found.

        See Note [Half a directory].
        """
        for each in self.path.iterdir():
            if each.is_dir():
                shutil.rmtree(each)
            elif each != self._labels:
                each.unlink()
        if self._hidden.exists():
            shutil.rmtree(self._hidden)
        self.path.rename(self._hidden)
        shutil.rmtree(self._hidden)

    @property
    def _hidden(self) -> Path:
        return self.path.with_name(f".{self.path.name}")

    @property
    def _labels(self) -> Path:
        return self.path / "node.json"


def sweep(directory: Path) -> None:
    """Delete what a killed controller left; see Note [Half a directory]."""
    for half in directory.glob(".*"):
        shutil.rmtree(half)


def _write(path: Path, text: bytes) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
    ) as f:
        f.write(text)
