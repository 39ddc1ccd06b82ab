"""What the tests of clients share: one emulator, with containers behind it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.endpoint import Endpoint, emulated
from tests.emulator import Emulator, running


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Run what clients take for Azure."""
    state = tmp_path_factory.mktemp("azure")
    with running(state, FLOCI_AZ_SERVICES_REDIS_BACKEND="docker") as emulator:
        yield emulator


@pytest.fixture(scope="session")
def cache_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """Have a cache with both ports, two keys and an Entra user."""
    with emulated(tmp_path_factory.mktemp("cache")) as endpoint:
        yield endpoint
