"""The directory of one server process: what it starts from, and whose it is.

Note [Half a directory]
~~~~~~~~~~~~~~~~~~~~~~~
A directory without labels would belong to nobody, and stay for ever. So it has a hidden
name until its labels are in it, and again before they are deleted; a controller that is
killed meanwhile leaves a hidden one, and the next sweeps those away.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from controller import acl, config
from controller.backends.conffile import conf_file
from controller.backends.words import last_words
from controller.model import CacheKey, Ports
from controller.nodes import Address, NodeKey, NodeSpec

HOST = "127.0.0.1"
LOG_TAIL_BYTES = 4096


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
    boot: str
    plain_port: int
    tls_port: int
    speaks_tls: bool  # the server program, when the node was made
    pid: int | None = None

    @property
    def key(self) -> NodeKey:
        """The node's name, in the casing of its creation."""
        return NodeKey(CacheKey.parse(self.arm_id), self.index)

    @property
    def ports(self) -> Ports:
        """The node's ports."""
        return Ports(plain=self.plain_port, tls=self.tls_port)


_LABELS = TypeAdapter(Labels)
DATA = "data"  # the folder beside those of nodes that holds what outlives them


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

    @property
    def data(self) -> Path:
        """What the server writes of its data; it may outlive the node."""
        return self.path.parent / DATA / self.path.name

    @property
    def dump(self) -> Path:
        """The file to which the server saves its data."""
        return self.data / config.DUMP_FILE

    def labels(self) -> Labels | None:
        """Read who lives here; ``None``: nobody."""
        return _read(self._labels)

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

    def furnish(self, spec: NodeSpec, address: Address, labels: Labels) -> None:
        """Write the files that the server starts from."""
        for each in (self.data.parent, self.data):
            each.mkdir(mode=0o700, exist_ok=True)
        _write(self.data / self._labels.name, _LABELS.dump_json(labels, indent=1))
        self.log.touch(mode=0o600)
        _write(self._users, acl.aclfile(spec.users).encode())
        self.prepare(spec, address)

    def prepare(self, spec: NodeSpec, address: Address) -> None:
        """Write those of the files that hold settings, and the certificate.

        The settings come last, and all at once: what a crash leaves, a server starts.
        """
        if address.speaks_tls:
            for name, content in config.leaf_files(spec).items():
                _write(self.path / name, content)
        places = {
            "bind": f"{HOST} -::1",  # "-": where the machine has it
            "dir": str(self.data),
            "aclfile": str(self._users),
            "set-proc-title": "no",  # see Note [Whose process]
        }
        new = self.conf.with_suffix(".new")
        _write(new, conf_file(spec, address, places).encode())
        new.replace(self.conf)

    def owner(self) -> str | None:
        """Read the uid of the cache whose data there are; ``None``: there are none."""
        labels = _read(self.data / self._labels.name)
        return None if labels is None else labels.uid

    def drop_data(self) -> None:
        """Delete what the server has written of its data, if anything."""
        if self.data.exists():
            shutil.rmtree(self.data)
        with contextlib.suppress(OSError):  # others' data are there, or there is none
            self.data.parent.rmdir()

    def last_words(self) -> str:
        """Quote the server's log on its end; empty if there is none."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - LOG_TAIL_BYTES))
                return last_words(log.read().decode(errors="replace"))
        except FileNotFoundError:
            return ""

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
    def _users(self) -> Path:
        return self.path / "users.acl"

    @property
    def _hidden(self) -> Path:
        return self.path.with_name(f".{self.path.name}")

    @property
    def _labels(self) -> Path:
        return self.path / "node.json"


def owners_of_data(directory: Path) -> Iterator[Labels]:
    """Read whose data there are, be the node there or not."""
    for path in sorted((directory / DATA).glob("*/node.json")):
        labels = _read(path)
        if labels is not None:
            yield labels


def _read(path: Path) -> Labels | None:
    try:
        return _LABELS.validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None


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
