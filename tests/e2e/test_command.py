"""The command starts, explains why it cannot, and ends, as operators expect."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import pytest
import requests

from tests.emulator import Emulator, eventually, running

COMMAND = [sys.executable, "-m", "api"]
SECONDS = 60  # for one run, on a busy machine
MOCKED = {"FLOCI_AZ_SERVICES_REDIS_MOCKED": "true"}


def run(
    *arguments: str, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env={**os.environ, **(variables or {})},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def events(emulator: Emulator) -> list[dict[str, object]]:
    """Read the log."""
    return [json.loads(line) for line in emulator.log.read_text().splitlines()]


def test_the_version_can_be_asked_for() -> None:
    """It is the distribution's."""
    assert run("--version").stdout == version("azure-redis-emulator") + "\n"


def test_the_help_says_where_the_settings_are() -> None:
    """There are no options to look for."""
    assert "FLOCI_AZ_* variables or application.yml" in run("--help").stdout


def test_wrong_settings_are_told_all_at_once() -> None:
    """The exit status is that of a command that was called wrongly."""
    wrong = {"FLOCI_AZ_PORT": "http", "FLOCI_AZ_LOG_LEVL": "info"}
    done = run(variables=wrong)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "azure-redis-emulator cannot start:",
        (
            "  FLOCI_AZ_PORT is 'http'; it takes a whole number from 1 to 65535, "
            "such as 4577"
        ),
        "  FLOCI_AZ_LOG_LEVL is no setting; do you mean FLOCI_AZ_LOG_LEVEL?",
    ]


def test_a_port_in_use_ends_the_start() -> None:
    """Nothing is touched before the address is ours."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = run(variables={**MOCKED, "FLOCI_AZ_PORT": port})
    assert done.returncode == 1
    assert f"Address already in use by process {os.getpid()} (" in done.stderr


def test_two_emulators_do_not_share_a_state_directory(tmp_path: Path) -> None:
    """The second one names the first, and does it no harm."""
    with running(tmp_path, **MOCKED) as first:
        assert first.process is not None
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        directory = {"FLOCI_AZ_STATE_DIR": str(tmp_path)}
        done = run(variables={**MOCKED, **directory, "FLOCI_AZ_PORT": port})
        assert done.returncode == 1
        assert f"another emulator, process {first.process.pid}, uses" in done.stderr
        assert requests.get(f"{first.base}/healthz", timeout=SECONDS).ok


def test_a_daemon_that_is_away_is_waited_for(tmp_path: Path) -> None:
    """Docker that the settings name may start later; meanwhile nothing is ready."""
    emulator = Emulator(
        tmp_path,
        DOCKER_HOST=f"unix://{tmp_path}/no.sock",
        FLOCI_AZ_SERVICES_REDIS_BACKEND="docker",
    )
    emulator.launch()
    try:
        eventually(lambda: _answers(emulator))
        answer = requests.get(f"{emulator.base}/readyz", timeout=SECONDS)
        assert answer.status_code == 503
        assert answer.json()["reasons"]
    finally:
        assert emulator.stop() == 0


def _answers(emulator: Emulator) -> bool:
    try:
        return requests.get(f"{emulator.base}/healthz", timeout=SECONDS).ok
    except requests.ConnectionError:
        return False


def test_without_docker_the_servers_are_processes(tmp_path: Path) -> None:
    """The log says what was chosen, and why."""
    with running(tmp_path, DOCKER_HOST=f"unix://{tmp_path}/no.sock") as emulator:
        started = events(emulator)[0]
        assert started["event"] == "emulator.started"
        assert str(started["backend"]).startswith("process: ")
        assert str(started["why"]).startswith("no Docker daemon can be used (")


def test_it_is_mocked_only_when_told_so(tmp_path: Path) -> None:
    """A mocked cache is there at once."""
    with running(tmp_path, **MOCKED) as emulator:
        assert events(emulator)[0]["why"] == "caches are mocked"
        properties = emulator.create("pretended")
        assert properties["hostName"] == "localhost"


def test_what_is_turned_off_says_so(tmp_path: Path) -> None:
    """Without caches the process is ready, and their routes answer with an error."""
    off = {"FLOCI_AZ_SERVICES_REDIS_ENABLED": "false"}
    with running(tmp_path, **off) as emulator:
        answer = emulator.call("GET", "any")
        assert answer.status_code == 403
        assert "FLOCI_AZ_SERVICES_REDIS_ENABLED" in answer.json()["error"]["message"]
        assert emulator.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_politely(tmp_path: Path, number: signal.Signals) -> None:
    """The exit status is 0, and the address is free again."""
    emulator = Emulator(tmp_path, **MOCKED)
    emulator.start()
    assert emulator.process is not None
    emulator.process.send_signal(number)
    assert emulator.process.wait(SECONDS) == 0
    assert not _answers(emulator)
    assert events(emulator)[-1]["event"] == "shutdown.clean"


def test_an_open_address_is_warned_of(tmp_path: Path) -> None:
    """Whoever listens on every address hears what that means."""
    with running(tmp_path, **MOCKED, FLOCI_AZ_HOST="0.0.0.0") as emulator:
        warnings = [e["event"] for e in events(emulator) if e["level"] == "warning"]
        assert warnings == ["emulator.exposed"]


def test_a_terminal_gets_a_banner(tmp_path: Path) -> None:
    """People see the address, the backend and the reason, in lines of text."""
    emulator = Emulator(tmp_path, **MOCKED, FLOCI_AZ_LOG_FORMAT="")
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        COMMAND, env=emulator._environment, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        with os.fdopen(ours) as terminal:
            shown = "".join(terminal.readline() for _ in range(7))
            process.terminate()
            process.wait(SECONDS)
    assert shown.startswith("azure-redis-emulator")
    assert emulator.base in shown
    assert "mocked: " in shown
    assert "caches are mocked" in shown
