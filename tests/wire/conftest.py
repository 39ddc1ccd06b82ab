"""Fixtures of the wire tests."""

from __future__ import annotations

import pytest

from tests.wire.rig import Wire


@pytest.fixture
def wire() -> Wire:
    """Give the API over an empty store, whose loop does what the test says."""
    return Wire()
