"""The image and the compose file of deploy/ work, as they are."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.driver import SCRIPTS
from tests.emulator import free_ports
from tests.needs import missing

ROOT = Path(__file__).parents[2]
BASE = "emulator-test/python"  # made by tests/images/build-python-image.sh
SECONDS = 300  # to build the image and run the example, on a busy machine

pytestmark = pytest.mark.docker

Compose = Callable[..., str]  # arguments to output


def _run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def _command() -> list[str]:
    """Find compose, as a plugin or as a program of its own."""
    if _run("docker", "compose", "version").returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose") is None:
        missing("no docker compose: install docker-compose")
    return ["docker-compose"]


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    """Build the image, and give compose with our file; what it starts is removed."""
    if _run("docker", "image", "inspect", BASE).returncode != 0:
        missing(f"no image {BASE}: run tests/images/build-python-image.sh")
    project = f"emulator-test-{os.getpid()}"
    command = [*_command(), "--file", str(ROOT / "deploy/compose.yaml"), "-p", project]
    variables = {
        "BASE": BASE,
        "DOCKER_GID": str(Path("/var/run/docker.sock").stat().st_gid),
        "FLOCI_AZ_PORT": str(free_ports(1)),
        "HOME": str(tmp_path_factory.mktemp("home")),  # nobody's own configuration
    }

    def call(*arguments: str) -> str:
        done = _run(*command, *arguments, **variables)
        assert done.returncode == 0, done.stdout
        return done.stdout

    try:
        call("build")
        yield call
    finally:
        call("down", "--volumes")


def test_the_example_reaches_its_cache_by_name(compose: Compose) -> None:
    """An application on the same network sets and gets a value; nothing is left."""
    compose("up", "--no-build", "--exit-code-from", "example")
    logs = compose("logs", "--no-color")
    assert "example.redis.cache.windows.net:6380 says: hello" in logs
    assert '"event": "shutdown.clean"' in logs


def test_a_cache_is_reached_by_name(compose: Compose) -> None:
    """By its container's and by Azure's; without TLS only when that is asked for."""
    look = (SCRIPTS / "neighbour.py").read_text()
    run = ("run", "--rm", "-T", "--entrypoint", "python", "example", "-c", look)
    told = json.loads(compose(*run).splitlines()[-1])
    own = told["shown"]["hostName"]
    assert re.fullmatch(r"neighbour-[0-9a-f]{8}\.redis\.internal", own)
    assert (told["shown"]["port"], told["shown"]["sslPort"]) == (6379, 6380)
    secure = [f"{own}:6380", "neighbour.redis.cache.windows.net:6380"]
    assert told["closed"] == secure
    short = "neighbour:6379"  # no certificate can be signed for a name without a dot
    plain = [f"{own}:6379", short, "neighbour.redis.cache.windows.net:6379"]
    assert sorted(told["open"]) == sorted(secure + plain)


def test_the_emulator_in_the_image_is_not_root(compose: Compose) -> None:
    """It has a state directory of its own all the same."""
    script = "id --user --name; ls -ld $FLOCI_AZ_STATE_DIR"
    shown = compose("run", "--rm", "--entrypoint", "bash", "emulator", "-c", script)
    assert "emulator\ndrwx------" in shown.replace("\r", "")
