"""What README.md tells a newcomer to do works, and its tables are complete."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from controller.settings import Settings, variable_of
from tests.emulator import Emulator, running

README = (Path(__file__).parents[2] / "README.md").read_text()
QUICKSTART = README.partition("## Quickstart")[2].partition("\n## ")[0]
SECONDS = 120  # for all of it


@pytest.fixture(params=[pytest.param("docker", marks=pytest.mark.docker), "process"])
def emulator(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Emulator]:
    """Run the emulator as ``make run`` does, beside whatever else runs here."""
    backend = {"FLOCI_AZ_SERVICES_REDIS_BACKEND": request.param}
    with running(tmp_path, **backend) as emulator:
        yield emulator


def test_the_quickstart_works_as_printed(emulator: Emulator) -> None:
    """A cache is created, used, rotated and deleted, and then nothing is left."""
    blocks = re.findall(
        r"^```(sh|python)\n(.*?)^```", QUICKSTART, re.DOTALL | re.MULTILINE
    )
    assert blocks.pop(0) == ("sh", "make run\n")
    steps = [
        text if language == "sh" else f"{sys.executable} - <<'END'\n{text}END\n"
        for language, text in blocks
    ]
    script = "".join(["set -euo pipefail\n", *steps])
    assert script.count("http://localhost:4577") == 2
    done = subprocess.run(
        ["bash", "-c", script.replace("http://localhost:4577", emulator.base)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"provisioningState": "Creating"' in done.stdout
    assert '"primaryKey": ' in done.stdout
    status = requests.get(f"{emulator.base}/_emulator/status", timeout=SECONDS)
    assert status.json()["caches"] == []


def test_every_setting_is_in_the_table() -> None:
    """Names and defaults are those of the program."""
    rows = re.findall(r"^\| `(FLOCI_AZ_\w+)` \| (?:`(\S*)` )?\|", README, re.MULTILINE)
    assert dict(rows) == {
        variable_of(name): _shown(field.default)
        for name, field in Settings.model_fields.items()
    }


def _shown(default: object) -> str:
    match default:
        case None:
            return ""
        case bool():
            return str(default).lower()
        case _:
            return str(default)
