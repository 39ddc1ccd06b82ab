"""Every backend that the contract suite runs against: one row, one rig each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.docker_rig import DockerRig, docker_rig
from tests.contract.rigs import Factory, Rig, mocked_rig, process_rig, wheel_rig

REAL = [
    pytest.param(process_rig, id="process"),
    pytest.param(wheel_rig, id="wheel"),
    pytest.param(docker_rig, id="docker", marks=pytest.mark.docker),
]
RIGS = [pytest.param(mocked_rig, id="mocked"), *REAL]


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """One backend of any kind, with the means to hurt its nodes."""
    yield from _built(request, tmp_path)


@pytest.fixture(params=REAL)
def real(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """One backend whose servers hold data and listen on ports."""
    yield from _built(request, tmp_path)


@pytest.fixture
def docked(tmp_path: Path) -> Iterator[DockerRig]:
    """Give the docker backend, and the engine behind its back."""
    with docker_rig(tmp_path) as rig:
        yield rig


def _built(request: pytest.FixtureRequest, directory: Path) -> Iterator[Rig]:
    factory: Factory = request.param
    with factory(directory) as rig:
        yield rig
