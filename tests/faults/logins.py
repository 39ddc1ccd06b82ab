"""Somebody who logs in all the time, and counts how it goes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from tests.emulator import Door, eventually
from tests.faults.rig import client_of


class Logins(threading.Thread):
    """Logs in again and again with one key, until it is told to stop."""

    def __init__(self, door: Door, key: str) -> None:
        super().__init__()
        self._door, self._key = door, key
        self._stopped = threading.Event()
        self.admitted = 0
        self.refused = 0
        self.unanswered = 0

    def run(self) -> None:
        """Count how it goes."""
        while not self._stopped.is_set():
            with client_of(self._door, self._key) as client:
                try:
                    self.admitted += bool(client.ping())
                except redis.AuthenticationError:
                    self.refused += 1
                except redis.RedisError:
                    self.unanswered += 1

    def stop(self) -> None:
        """End it, and wait for its end."""
        self._stopped.set()
        self.join()


@contextmanager
def logging_in(door: Door, key: str) -> Iterator[Logins]:
    """Log in for as long as the block lasts, and once at least."""
    logins = Logins(door, key)
    logins.start()
    try:
        eventually(lambda: logins.admitted + logins.refused + logins.unanswered)
        yield logins
    finally:
        logins.stop()
