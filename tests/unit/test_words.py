"""What a server's output says of its end."""

from __future__ import annotations

import pytest

from controller.backends.words import last_words


@pytest.mark.parametrize(
    ("output", "told"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("one\ntwo\n\n", "two", id="the last"),
        pytest.param(
            "# Can't handle RDB format version 99\n"
            "# Fatal error loading the DB: Invalid argument. Exiting.\n",
            "# Can't handle RDB format version 99",
            id="the cause",
        ),
        pytest.param(
            "--- RDB ERROR DETECTED ---\n[offset 9] RDB CRC error\n"
            "[additional info] While doing: check-sum\n[info] 99 keys read\n"
            "[offset 9] Check RDB returned error code 1 (0 means success)\n",
            "[offset 9] RDB CRC error",
            id="a check",
        ),
    ],
)
def test_the_telling_line_is_found(output: str, told: str) -> None:
    """The last one that is no summary of what stands before it."""
    assert last_words(output) == told
