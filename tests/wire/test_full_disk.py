"""What a client is told when its write cannot be kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.journal import FILE, sqlite_journal
from tests.disk import full_disk
from tests.wire.rig import BASIC, CACHE, Wire


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    """Run the API on a journal, with one cache that is ready."""
    with sqlite_journal(tmp_path) as journal:
        wire = Wire(journal=journal, prompt=True)
        wire.create()
        yield wire


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", f"{CACHE}2", BASIC),
        ("PATCH", CACHE, {"tags": {"team": "blue"}}),
        ("POST", f"{CACHE}/regenerateKey", {"keyType": "Primary"}),
        ("DELETE", CACHE, None),
    ],
    ids=["create", "update", "rotate", "delete"],
)
def test_a_write_without_room_changes_nothing(
    wire: Wire, tmp_path: Path, method: str, path: str, body: object
) -> None:
    """The answer names the file and the way out; the cache is as it was."""
    before = wire.call("GET").json, wire.call("POST", f"{CACHE}/listKeys").json

    with full_disk(tmp_path):
        result = wire.call(method, path, json=body)

    assert result.status_code == 503
    error = result.json["error"]
    assert error["code"] == "ServiceUnavailable"
    assert error["message"].startswith(f"{tmp_path / FILE} could not be written: ")
    assert "make room for it and ask again" in error["message"]
    after = wire.call("GET").json, wire.call("POST", f"{CACHE}/listKeys").json
    assert after == before
    assert wire.call(method, path, json=body).status_code < 300
