"""What the tests of clients share: one emulator, with containers behind it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulator import Emulator, running


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Run what clients take for Azure."""
    state = tmp_path_factory.mktemp("azure")
    with running(state, FLOCI_AZ_SERVICES_REDIS_BACKEND="docker") as emulator:
        yield emulator
