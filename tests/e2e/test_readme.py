"""What README.md tells a newcomer to do works, and its tables are complete."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pytest
import requests

from controller.settings import Settings, variable_of
from tests.emulator import Emulator, running

README = (Path(__file__).parents[2] / "README.md").read_text()
QUICKSTART = README.partition("## Quickstart")[2].partition("\n## ")[0]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.DOTALL | re.MULTILINE)
LOOK = "curl --fail --silent http://localhost:4577/_emulator/status\n"
SECONDS = 120  # for all of it


@pytest.fixture(params=[pytest.param("docker", marks=pytest.mark.docker), "wheel"])
def machine(request: pytest.FixtureRequest) -> str:
    """Say what there is to run servers with: with the wheel alone, nothing else."""
    name: str = request.param
    return name


@pytest.fixture
def emulator(machine: str, tmp_path: Path) -> Iterator[Emulator]:
    """Run the emulator as ``make run`` does, beside whatever else runs here."""
    backend = {
        "docker": {"FLOCI_AZ_SERVICES_REDIS_BACKEND": "docker"},
        "wheel": {"FLOCI_AZ_SERVICES_REDIS_BACKEND": "process", "PATH": str(tmp_path)},
    }
    with running(tmp_path, **backend[machine]) as emulator:
        yield emulator


def test_the_quickstart_works_as_printed(
    machine: str, emulator: Emulator, tmp_path: Path
) -> None:
    """A cache is created, used, rotated and deleted, and then nothing is left."""
    done = subprocess.run(
        ["bash", "-c", script(machine).replace("http://localhost:4577", emulator.base)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"provisioningState": "Creating"' in done.stdout
    assert '"primaryKey": ' in done.stdout
    assert ("TlsServed" in done.stdout) == (machine == "wheel")
    status = requests.get(f"{emulator.base}/_emulator/status", timeout=SECONDS)
    assert status.json()["caches"] == []


def script(machine: str) -> str:
    """Make one of the blocks; those of Python that follow each other are one program.

    The wheel's server knows no TLS: instead of the step that needs it, look whether the
    emulator says what the text promises.
    """
    blocks = BLOCK.findall(QUICKSTART)
    assert blocks[0] == ("sh", "make run\n")
    steps = ["set -euo pipefail\n"]
    for language, run in groupby(blocks[1:], key=itemgetter(0)):
        texts = [text for _, text in run]
        if language == "sh":
            steps += texts
        elif machine == "wheel":
            steps += [program(text for text in texts if "ssl=True" not in text), LOOK]
        else:
            steps.append(program(texts))
    return "".join(steps)


def program(texts: Iterable[str]) -> str:
    """Have Python run these."""
    return f"{sys.executable} - <<'END'\n{''.join(texts)}END\n"


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
