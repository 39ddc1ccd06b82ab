"""From a request to a server that answers, against the bare engine."""

from __future__ import annotations

import tempfile
from pathlib import Path

import redis

from tests.bench.byhand import ONCE, docker, until_served
from tests.bench.figures import milliseconds, ratio, show
from tests.conftest import IMAGE
from tests.emulator import Emulator, eventually, free_ports, running

ROUNDS = 8


def run() -> None:
    """Measure creation, repair and deletion, in turns with the baseline."""
    times: dict[str, list[float]] = {}
    with (
        tempfile.TemporaryDirectory() as state,
        running(Path(state), FLOCI_AZ_SERVICES_REDIS_BACKEND="docker") as emulator,
    ):
        for number in range(ROUNDS):
            for what, took in (_bare() | _ours(emulator, f"bench{number}")).items():
                times.setdefault(what, []).append(took)
    medians = {what: show(what, taken) for what, taken in times.items()}
    ratio("create", medians[PUT], medians[DOCKER_RUN])
    ratio("repair", medians[REPAIR], medians[DOCKER_START])
    ratio("delete", medians[DELETE], medians[DOCKER_RM])


DOCKER_RUN = "docker run until PING"
DOCKER_START = "docker kill and start until PING"
DOCKER_RM = "docker rm -f"
PUT = "PUT until an authenticated PING"
REPAIR = "docker kill until serving again"
DELETE = "DELETE until the container is gone"


def _bare() -> dict[str, float]:
    port = free_ports(1)
    created: list[str] = []

    def start() -> None:
        command = ("run", "-d", "-p", f"127.0.0.1:{port}:6379", IMAGE)
        created.append(docker(*command))
        until_served(redis.Redis(port=port, **ONCE))

    def restart() -> None:
        docker("kill", created[0])
        docker("start", created[0])
        until_served(redis.Redis(port=port, **ONCE))

    return {
        DOCKER_RUN: milliseconds(start),
        DOCKER_START: milliseconds(restart),
        DOCKER_RM: milliseconds(lambda: docker("rm", "-f", "-v", created[0])),
    }


def _ours(emulator: Emulator, name: str) -> dict[str, float]:
    def create() -> None:
        emulator.create(name)
        emulator.connect(name).ping()

    def repair() -> None:
        started = _started(container)
        docker("kill", container)
        eventually(lambda: _started(container) not in {started, ""})
        until_served(door.client(key, **ONCE))

    def delete() -> None:
        emulator.call("DELETE", name)
        eventually(lambda: not docker("ps", "-aq", "--filter", f"id={container}"))

    created = milliseconds(create)
    door, key = emulator.door(name), emulator.keys(name)["primaryKey"]
    (container,) = docker("ps", "-q", "--filter", f"name=^/{name}-").split()
    repaired = milliseconds(repair)
    emulator.settled(name)
    return {
        PUT: created,
        REPAIR: repaired,
        DELETE: milliseconds(delete),
    }


def _started(container: str) -> str:
    """Say since when the container runs.

    Who connects earlier waits for a second: the engine's proxy listens before the
    container's network does, and its first question is lost.
    """
    shown = "{{if .State.Running}}{{.State.StartedAt}}{{end}}"
    return docker("inspect", "-f", shown, container)
