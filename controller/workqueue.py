"""A queue of keys with back-off, after client-go's ``util/workqueue``.

A key is never with two workers. One that is added while a worker has it comes once
more afterwards; one that is added ten times comes once.
"""

from __future__ import annotations

import heapq
import itertools
import math
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
        self._ready: dict[Key, None] = {}  # in the order of arrival
        self._busy: set[Key] = set()
        self._again: set[Key] = set()  # of the busy ones
        self._due: dict[Key, float] = {}
        self._timers: list[tuple[float, int, Key]] = []  # heap; outdated ones stay
        self._numbers = itertools.count()
        self._failures: dict[Key, int] = {}
        self._closed = False

    def add(self, key: Key, after: float = 0.0) -> None:
        """Look at ``key`` in ``after`` seconds, or sooner if that was the plan."""
        with self._changed:
            if after <= 0:
                self._due.pop(key, None)
                self._call(key)
                return
            due = self._monotonic() + after
            waits = key in self._ready or key in self._again
            if not waits and due < self._due.get(key, math.inf):
                self._due[key] = due
                heapq.heappush(self._timers, (due, next(self._numbers), key))
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
                wait = self._call_due()
                if self._ready:
                    key = next(iter(self._ready))
                    del self._ready[key]
                    self._busy.add(key)
                    return key
                self._changed.wait(wait)
            return None

    def done(self, key: Key) -> None:
        """Give ``key`` back, so that another worker may have it."""
        with self._changed:
            self._busy.discard(key)
            if key in self._again:
                self._again.discard(key)
                self._call(key)

    def close(self) -> None:
        """Let every `get` return ``None``, from now on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        """Count the keys that are due and with no worker yet."""
        with self._changed:
            self._call_due()
            return len(self._ready) + len(self._again)

    def _call(self, key: Key) -> None:
        if key in self._busy:
            self._again.add(key)
        else:
            self._ready[key] = None
            self._changed.notify()

    def _call_due(self) -> float | None:
        """Call what is due; gives the seconds until something will be."""
        now = self._monotonic()
        while self._timers and self._timers[0][0] <= now:
            due, _, key = heapq.heappop(self._timers)
            if self._due.get(key) == due:
                del self._due[key]
                self._call(key)
        return self._timers[0][0] - now if self._timers else None
