"""What a server's output says of its end; pure."""

from __future__ import annotations

import re

LINES = 40  # of the end of an output: a server that cannot load a dump says much

_IDLE = re.compile(
    r"\s*$|\[(additional )?info\]|.*(Fatal error loading|Check RDB returned)"
)


def last_words(output: str) -> str:
    """Quote the last line that tells something; empty if there is none."""
    telling = (line for line in reversed(output.split("\n")) if not _IDLE.match(line))
    return next(telling, "").strip()
