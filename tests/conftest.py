"""What every test may rely on."""

from __future__ import annotations

from functools import cache

import docker
import docker.errors
import pytest

from controller.backends.process import find_binary
from controller.backends.process.binary import speaks_tls
from tests.needs import missing

IMAGE = "valkey/valkey:8-alpine"


@cache
def _no_docker() -> str | None:
    """Say why Docker tests cannot run; ``None``: they can."""
    try:
        client = docker.from_env(timeout=5)
    except docker.errors.DockerException as error:
        return f"no Docker daemon answers: {error}"
    try:
        client.images.get(IMAGE)
    except docker.errors.ImageNotFound:
        return f"no image {IMAGE}: run tests/images/build-valkey-image.sh"
    finally:
        client.close()
    return None


@cache
def _no_tls() -> str | None:
    """Say why no process can serve TLS here; ``None``: one can."""
    binary = find_binary()
    if binary is not None and speaks_tls(binary):
        return None
    return "no valkey-server or redis-server with TLS on PATH: install redis-server"


NEEDS = {"docker": _no_docker, "tls_process": _no_tls}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests where what they need is missing; in CI that is a failure."""
    reasons = (why() for name, why in NEEDS.items() if item.get_closest_marker(name))
    reason = next(filter(None, reasons), None)
    if reason is not None:
        missing(reason)
