"""What every test may rely on."""

from __future__ import annotations

import os
from functools import cache

import docker
import docker.errors
import pytest

IMAGE = "valkey/valkey:8-alpine"


@cache
def _missing() -> str | None:
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


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip Docker tests where there is no Docker; in CI that is a failure."""
    if item.get_closest_marker("docker") is None:
        return
    reason = _missing()
    if reason is None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
