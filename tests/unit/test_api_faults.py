"""The table of errors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api import faults
from controller.errors import (
    ControllerError,
    ErrandError,
    PortsExhaustedError,
    PortTakenError,
    TerminalError,
    TransientError,
)

# These end in the loop
ENGINES = (ErrandError, PortTakenError, TerminalError, TransientError)


def subclasses(of: type[ControllerError]) -> Iterator[type[ControllerError]]:
    """Walk all classes below one, those of tests left out."""
    for each in of.__subclasses__():
        if each.__module__.startswith(("api.", "controller.")):
            yield each
            yield from subclasses(each)


@pytest.mark.parametrize("kind", [*subclasses(ControllerError)])
def test_every_error_that_can_reach_the_api_has_a_row(
    kind: type[ControllerError],
) -> None:
    """A new class is a decision about what clients are told."""
    assert (kind in faults.TABLE) is not issubclass(kind, ENGINES)


def test_a_used_up_port_range_is_told_with_its_range_and_setting() -> None:
    """The text of the error is for the user, and is passed on."""
    error = PortsExhaustedError(6379, 6399, "FLOCI_AZ_SERVICES_REDIS_MAX_PORT")
    row = faults.TABLE[PortsExhaustedError]
    assert row.status == 409
    assert "6379-6399" in row.message(error)
    assert "FLOCI_AZ_SERVICES_REDIS_MAX_PORT" in row.message(error)
