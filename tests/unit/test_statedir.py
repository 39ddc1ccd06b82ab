"""The state directory keeps an identity, and keeps others out."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from controller.statedir import StateError, claimed

HOLD = """
import sys
from pathlib import Path
from controller.statedir import claimed
with claimed(Path(sys.argv[1])):
    print("claimed", flush=True)
    sys.stdin.read()
"""


def refusal(directory: Path) -> str:
    """Claim a directory that cannot be had, and give the reason."""
    with pytest.raises(StateError) as caught, claimed(directory):
        pytest.fail("claimed all the same")
    return str(caught.value)


def test_an_instance_is_the_same_after_a_restart(tmp_path: Path) -> None:
    """What an earlier start left behind is known again by a later one."""
    with claimed(tmp_path / "new" / "state") as first:
        pass
    with claimed(tmp_path / "new" / "state") as second:
        assert (first.id, first.secret) == (second.id, second.secret)


def test_two_directories_are_two_instances(tmp_path: Path) -> None:
    """No two emulators share an id or a secret."""
    with claimed(tmp_path / "a") as a, claimed(tmp_path / "b") as b:
        assert a.id != b.id
        assert a.secret != b.secret


def test_nobody_else_can_read_the_secret(tmp_path: Path) -> None:
    """The file is its owner's alone, and nothing else is left in the directory."""
    with claimed(tmp_path / "state") as instance:
        assert instance.secret.reveal not in repr(instance)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    files = {f.name: stat.S_IMODE(f.stat().st_mode) for f in tmp_path.rglob("*.*")}
    assert files == {"instance.json": 0o600}


def test_a_second_emulator_is_refused_at_once(tmp_path: Path) -> None:
    """The message names the first one's process, and the way out."""
    (tmp_path / "lock").write_text("123456789012\n")  # of one that ended long ago
    with claimed(tmp_path):
        assert refusal(tmp_path) == (
            f"another emulator, process {os.getpid()}, uses the state directory "
            f"{tmp_path}. Stop it, or give this one a directory of its own with "
            "FLOCI_AZ_STATE_DIR"
        )


def test_a_killed_emulator_holds_nothing(tmp_path: Path) -> None:
    """After ``kill -9`` the next start needs no cleaning up."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "claimed\n"
        assert f"process {holder.pid}," in refusal(tmp_path)
        holder.kill()
    with claimed(tmp_path) as instance:
        assert instance.id


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "it is damaged"),
        ('{"version": 1, "id": "a"', "it is damaged"),
        ('{"version": 1, "id": "a", "secret": ""}', "it is damaged"),
        ('{"version": 2, "id": "a"}', "it is of version 2, this reads 1"),
        (b"\xff", "can't decode"),
    ],
    ids=["empty", "cut off", "no secret", "newer", "binary"],
)
def test_a_damaged_identity_is_refused_and_kept(
    tmp_path: Path, content: str | bytes, reason: str
) -> None:
    """Nobody's servers are given up for a file that cannot be read."""
    path = tmp_path / "instance.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    before = path.read_bytes()
    message = refusal(tmp_path)
    assert reason in message
    assert re.search("move it away to start anew", message)
    assert path.read_bytes() == before


def test_a_directory_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    """The message names the directory, the reason and the setting."""
    (tmp_path / "file").touch()
    message = refusal(tmp_path / "file" / "state")
    assert message == (
        f"the state directory {tmp_path / 'file' / 'state'} cannot be used: "
        "Not a directory. Name another one with FLOCI_AZ_STATE_DIR"
    )
