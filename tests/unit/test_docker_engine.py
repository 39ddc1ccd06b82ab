"""What is made of the Docker engine's answers; no engine."""

from __future__ import annotations

import pytest

from controller.backends.docker.engine import RefusedError, drain

PULLING = {"status": "Pulling from library/valkey", "id": "8-alpine"}


def test_a_pull_that_ends_well_is_read_to_its_end() -> None:
    """The engine goes on pulling only while somebody listens."""
    progress = iter([PULLING, {"status": "Download complete"}])

    drain(progress)

    assert list(progress) == []


def test_a_pull_that_fails_midway_is_an_error() -> None:
    """A failure after the first line comes with the engine's own words."""
    failure = {"errorDetail": {"message": "disk full"}, "error": "disk full"}

    with pytest.raises(RefusedError, match="disk full"):
        drain([PULLING, failure])
