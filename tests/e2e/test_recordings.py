"""What was recorded from the real service is answered here as it was there.

The recordings are not part of this project. `VARIABLE` names a folder that has them:
``contract/recordings/*.yaml``, and ``conformance/replay.py``, which sends their
requests and prints every difference.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulator import Emulator, running

VARIABLE = "AZURE_REDIS_CONTRACT"
SECONDS = 300  # for all of them


@pytest.fixture(scope="module")
def folder() -> Path:
    """Find the recordings."""
    if VARIABLE not in os.environ:
        pytest.skip(f"{VARIABLE} does not say where the recordings are")
    return Path(os.environ[VARIABLE])


@pytest.fixture(params=["mocked", pytest.param("docker", marks=pytest.mark.docker)])
def emulator(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Emulator]:
    """Run one with servers, and one without."""
    variables = {
        "mocked": {
            "FLOCI_AZ_SERVICES_REDIS_MOCKED": "true",
            "FLOCI_AZ_SERVICES_REDIS_OPERATIONS": "0.2",  # the service takes its time
        },
        "docker": {"FLOCI_AZ_SERVICES_REDIS_BACKEND": "docker"},
    }
    with running(tmp_path, **variables[request.param]) as emulator:
        yield emulator


def test_recordings_are_answered_as_recorded(folder: Path, emulator: Emulator) -> None:
    """Statuses, headers of operations and every member of the bodies."""
    recordings = sorted((folder / "contract/recordings").glob("*.yaml"))
    assert recordings
    replay = str(folder / "conformance/replay.py")
    address = ["--base", emulator.secure, "--ca", str(emulator.bundle)]
    done = subprocess.run(
        [sys.executable, replay, *address, *map(str, recordings)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("## ") == len(recordings)
    assert done.stdout.endswith("DIFFERENCES 0\n")
