"""A queue of keys with back-off, after client-go's ``util/workqueue``.

A key is never with two workers. One that is added while a worker has it comes once
more afterwards; one that is added ten times comes once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

FIRST_RETRY_SECONDS = 0.25
LONGEST_RETRY_SECONDS = 15.0

Key = TypeVar("Key")


class WorkQueue(Generic[Key]):
    """Keys to look at, now or later.

    ``jitter`` gives numbers from 0 to 1 and spreads retries over half their delay.
    """

    def __init__(
        self, monotonic: Callable[[], float], jitter: Callable[[], float]
    ) -> None:
        self._monotonic = monotonic
        self._jitter = jitter
        self._changed = threading.Condition()
        self._due: dict[Key, float] = {}  # in the order of arrival
        self._busy: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._closed = False

    def add(self, key: Key, after: float = 0.0) -> None:
        """Look at ``key`` in ``after`` seconds, or sooner if that was the plan."""
        with self._changed:
            due = self._monotonic() + after
            self._due[key] = min(due, self._due.get(key, due))
            self._changed.notify()

    def retry(self, key: Key) -> None:
        """Look again after a delay that doubles with each failure in a row."""
        with self._changed:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
        delay = min(FIRST_RETRY_SECONDS * 2 ** min(failures, 16), LONGEST_RETRY_SECONDS)
        self.add(key, delay * (0.5 + 0.5 * self._jitter()))

    def forget(self, key: Key) -> None:
        """Start the back-off of ``key`` anew."""
        with self._changed:
            self._failures.pop(key, None)

    def get(self) -> Key | None:
        """Take the next key that is due; blocks. ``None`` means closed."""
        with self._changed:
            while not self._closed:
                key, wait = self._next()
                if key is not None:
                    del self._due[key]
                    self._busy.add(key)
                    return key
                self._changed.wait(wait)
            return None

    def done(self, key: Key) -> None:
        """Give ``key`` back, so that another worker may have it."""
        with self._changed:
            self._busy.discard(key)
            self._changed.notify_all()

    def close(self) -> None:
        """Let every `get` return ``None``, from now on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        """Count the keys that are due and with no worker yet."""
        now = self._monotonic()
        with self._changed:
            return sum(due <= now for due in self._due.values())

    def _next(self) -> tuple[Key | None, float | None]:
        """Find a key that is due, or the seconds until one will be."""
        now = self._monotonic()
        idle = [(due, key) for key, due in self._due.items() if key not in self._busy]
        if not idle:
            return None, None
        due, key = min(idle, key=lambda each: each[0])
        return (key, None) if due <= now else (None, due - now)
