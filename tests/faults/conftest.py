"""Emulators that run for a whole module, and their logs where a test fails."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.faults.proxy import EngineProxy, engine_proxy
from tests.faults.rig import Rig, docker_rig, process_rig
from tests.faults.servers import DockerServers, ProcessServers, Servers

LOG_LINES = 60
READS = re.compile(r'"method": "GET"|/listKeys"')  # they are what tests wait with


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProxy]:
    """Open a line to the daemon on which things go wrong."""
    with engine_proxy(tmp_path_factory.mktemp("proxy")) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def docked(
    proxy: EngineProxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rig[DockerServers]]:
    """Run an emulator at the other end of that line."""
    state = tmp_path_factory.mktemp("docked")
    with docker_rig(state, DOCKER_HOST=proxy.address) as rig:
        yield rig


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig[ProcessServers]]:
    """Run an emulator that needs no Docker."""
    with process_rig(tmp_path_factory.mktemp("native")) as rig:
        yield rig


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("native", id="process"),
        pytest.param("docked", id="docker", marks=pytest.mark.docker),
    ],
)
def rig(request: pytest.FixtureRequest) -> Rig[Servers]:
    """Give each of the two."""
    rig: Rig[Servers] = request.getfixturevalue(request.param)
    return rig


@pytest.fixture
def healthy(proxy: EngineProxy) -> Iterator[EngineProxy]:
    """Begin and end without a fault, and without a call recorded."""
    proxy.heal()
    proxy.calls.clear()
    yield proxy
    proxy.heal()


@pytest.fixture
def lone(healthy: EngineProxy, tmp_path: Path) -> Iterator[Rig[DockerServers]]:
    """Run an emulator for one test alone, which may kill it."""
    with docker_rig(tmp_path, DOCKER_HOST=healthy.address) as rig:
        yield rig


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of the emulator's log beside a failure."""
    report = yield
    if report.failed:
        for value in item.funcargs.values():
            if isinstance(value, Rig):
                lines = value.emulator.log.read_text().splitlines()
                told = [line for line in lines if not READS.search(line)]
                end = "\n".join(told[-LOG_LINES:])
                report.sections.append(("emulator log", end))
    return report
