"""Redis clients, each in a program that takes all steps: see `drivers/battery.py`."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.conftest import IMAGE
from tests.e2e import clients
from tests.e2e.driver import SCRIPTS
from tests.e2e.endpoint import Endpoint
from tests.needs import missing

SECONDS = 120.0  # for all steps of a client; few take more than three
BUILD_SECONDS = 600.0  # Go compiles the client the first time
_ROOT = Path(__file__).parents[2]

Command = list[str]
Prepare = Callable[[Endpoint, Path], AbstractContextManager[Command]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ended: what the client gave, or the error that it raised."""

    ok: bool
    detail: Any  # JSON: the tests know its shape


@dataclass(frozen=True, slots=True)
class Battery:
    """What one client printed; ``complaint`` is what else it had to say."""

    outcomes: Mapping[str, Outcome]
    complaint: str

    def outcome(self, step: str) -> Outcome:
        """Give how a step ended; without it, the client broke off before."""
        assert step in self.outcomes, f"no word of {step}: {self.complaint}"
        return self.outcomes[step]


def run(command: Command, cache: Endpoint, stranger: str) -> Battery:
    """Have a client take all steps; ``stranger`` is no name of the certificate."""
    variables = {
        "PATH": os.environ["PATH"],
        "CACHE_HOST": cache.host,
        "CACHE_PORT": str(cache.port),
        "CACHE_TLS_PORT": str(cache.tls_port),
        "CACHE_CA": str(cache.ca),
        "CACHE_PRIMARY": cache.primary,
        "CACHE_SECONDARY": cache.secondary,
        "CACHE_OBJECT_ID": cache.object_id,
        "CACHE_TOKEN": cache.token,
        "CACHE_STRANGER": stranger,
    }
    done = subprocess.run(
        command,
        cwd=_ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    lines = map(json.loads, done.stdout.splitlines())
    outcomes = {each["name"]: Outcome(each["ok"], each["detail"]) for each in lines}
    return Battery(outcomes, f"exit status {done.returncode}\n{done.stderr}")


@contextlib.contextmanager
def python(module: Command, _cache: Endpoint, _folder: Path) -> Iterator[Command]:
    """Run a module of the drivers with all Python clients at hand."""
    interpreter = clients.python(*clients.REDIS_PYTHON) / "bin/python"
    yield _module(interpreter, *module)


@contextlib.contextmanager
def node(program: str, _cache: Endpoint, folder: Path) -> Iterator[Command]:
    """Run a script beside the packages that it imports."""
    modules = clients.node(*clients.REDIS_NODE) / "node_modules"
    (folder / "node_modules").symlink_to(modules)
    for name in ("battery.mjs", program):
        shutil.copy(SCRIPTS / name, folder)
    yield ["node", str(folder / program)]


@contextlib.contextmanager
def go(program: str, _cache: Endpoint, folder: Path) -> Iterator[Command]:
    """Compile a program, and run it."""
    module = clients.go(*clients.REDIS_GO)
    for path in (module / "go.mod", module / "go.sum", SCRIPTS / program):
        shutil.copy(path, folder)
    _build(
        folder, ["go", "build", "-o", "battery", program], clients.go_variables(module)
    )
    yield [str(folder / "battery")]


@contextlib.contextmanager
def java(program: str, _cache: Endpoint, folder: Path) -> Iterator[Command]:
    """Compile a class, and run it."""
    archives = clients.java(*clients.REDIS_JAVA) / "lib/*"
    sources = [str(SCRIPTS / f"{name}.java") for name in ("Battery", program)]
    _build(folder, ["javac", "-cp", str(archives), "-d", ".", *sources], {})
    yield ["java", "-cp", f"{folder}{os.pathsep}{archives}", program]


@contextlib.contextmanager
def redis_cli(_cache: Endpoint, _folder: Path) -> Iterator[Command]:
    """Run the program of Debian's redis-tools."""
    if shutil.which("redis-cli") is None:
        missing("no redis-cli on PATH: install redis-tools")
    yield _module(sys.executable, "battery_cli", "redis-cli")


@contextlib.contextmanager
def valkey_cli(cache: Endpoint, _folder: Path) -> Iterator[Command]:
    """Run the program of the server's image, in a container of its own."""
    started = ("--detach", "--rm", "--init", "--network", "host")
    mounted = ("--volume", f"{cache.ca}:{cache.ca}:ro")
    name = _docker("run", *started, *mounted, IMAGE, "sleep", "3600")
    try:
        program = ("docker", "exec", "--interactive", name, "valkey-cli")
        yield _module(sys.executable, "battery_cli", *program)
    finally:
        _docker("rm", "--force", "--volumes", name)


def _module(interpreter: str | Path, name: str, *arguments: str) -> Command:
    return [str(interpreter), "-m", f"tests.e2e.drivers.{name}", *arguments]


def _docker(*arguments: str) -> str:
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _build(folder: Path, command: Command, variables: Mapping[str, str]) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr


CLIENTS: Mapping[str, Prepare] = {
    "redis-py": partial(python, ["battery_redis", "redis"]),
    "redis-py-asyncio": partial(python, ["battery_aio"]),
    "valkey-py": partial(python, ["battery_redis", "valkey"]),
    "valkey-glide": partial(python, ["battery_glide"]),
    "ioredis": partial(node, "battery_ioredis.mjs"),
    "node-redis": partial(node, "battery_node_redis.mjs"),
    "go-redis": partial(go, "battery_go_redis.go"),
    "jedis": partial(java, "JedisBattery"),
    "lettuce": partial(java, "LettuceBattery"),
    "redis-cli": redis_cli,
    "valkey-cli": valkey_cli,
}
