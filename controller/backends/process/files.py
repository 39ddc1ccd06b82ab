"""The directory of one server process: what it starts from, and whose it is."""

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

    def label(self, labels: Labels) -> None:
        """Write who lives here; a crash leaves the old text or the new one."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
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
        """Delete everything, the labels last: what is half deleted is still found."""
        for each in self.path.iterdir():
            if each.is_dir():
                shutil.rmtree(each)
            elif each != self._labels:
                each.unlink()
        shutil.rmtree(self.path)

    @property
    def _labels(self) -> Path:
        return self.path / "node.json"


def _write(path: Path, text: bytes) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
    ) as f:
        f.write(text)
