"""Tokens of Entra principals, which open caches until they expire; digests only."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping

from controller.spec import KeyDigest

# Of one principal; the oldest go first. A server compares each of a user's passwords
# at every sign-in, and who renews hourly or so never comes near.
MOST_TOKENS = 1000


class TokenBook:
    """Which tokens are valid, by the object id of their principal; thread-safe.

    ``clock`` gives seconds of Unix time. Object ids are compared without case, and
    given in lower case.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._ends: dict[str, dict[KeyDigest, float]] = {}  # oldest first

    def grant(self, object_id: str, digest: KeyDigest, expires_at: float) -> None:
        """Keep a token until ``expires_at``, in seconds of Unix time."""
        with self._lock:
            self._forget_expired()
            mine = self._ends.setdefault(object_id.lower(), {})
            mine.pop(digest, None)  # so that it is the newest again
            mine[digest] = expires_at
            while len(mine) > MOST_TOKENS:
                del mine[next(iter(mine))]

    def valid(self, object_ids: Iterable[str]) -> Mapping[str, frozenset[KeyDigest]]:
        """Give the unexpired tokens of each of these principals; some have none."""
        asked = {each.lower() for each in object_ids}
        with self._lock:
            self._forget_expired()
            return {each: frozenset(self._ends.get(each, ())) for each in asked}

    def next_expiry(self, object_ids: Iterable[str]) -> float | None:
        """Tell when `valid` gives less; ``None``: these principals have no token."""
        asked = {each.lower() for each in object_ids}
        with self._lock:
            self._forget_expired()
            ends = [end for each in asked for end in self._ends.get(each, {}).values()]
        return min(ends, default=None)

    def _forget_expired(self) -> None:
        now = self._clock()
        for who, mine in tuple(self._ends.items()):
            self._ends[who] = {each: end for each, end in mine.items() if end > now}
            if not self._ends[who]:
                del self._ends[who]
