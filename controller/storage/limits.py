"""How long carrying a dump may take."""

from __future__ import annotations

import time
from dataclasses import dataclass

from controller.errors import ErrandError


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds: to connect, to wait for a sign of life, and for one dump in all."""

    connect_seconds: float = 5.0
    silence_seconds: float = 10.0
    dump_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment when one dump has to be there; ``seconds`` were allowed for it."""

    at: float
    seconds: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Begin to count."""
        return cls(time.monotonic() + seconds, seconds)

    @property
    def left(self) -> float:
        """Say how many seconds are left, if any."""
        return max(0.0, self.at - time.monotonic())

    def check(self, where: str) -> None:
        """Raise `ErrandError` for what goes to ``where``, or comes, too late."""
        if not self.left:
            raise ErrandError(
                "StorageTimeout",
                f"{where} is too slow: the dump was not through after "
                f"{self.seconds:g} s. Use a nearer storage, or less data",
            )
