"""Applications that use one key while the other is regenerated notice nothing."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.emulator import Emulator, eventually

pytestmark = pytest.mark.docker

ROTATIONS = 30
CLIENTS = 4
STEADY = {"Primary": "secondaryKey", "Secondary": "primaryKey"}
CACHE = "rotated-under-load"


@dataclass(frozen=True, slots=True)
class Told:
    """The keys as clients know them, and the one that stays through what is next."""

    keys: Mapping[str, str]
    steady: str


class Client(threading.Thread):
    """Logs in with both keys, round after round, each time by a new connection."""

    def __init__(self, host: str, port: int, told: Told) -> None:
        super().__init__()
        self._address = (host, port)
        self._stopped = threading.Event()
        self.told = told
        self.finished: Told | None = None  # what the last whole round knew
        self.counts: Counter[str] = Counter()

    def run(self) -> None:
        """Count how it goes."""
        while not self._stopped.is_set():
            told = self.told
            refused = [name for name, key in told.keys.items() if self._refuses(key)]
            rotated = len(refused) - (told.steady in refused)
            self.counts["rounds"] += 1
            self.counts["steady key refused"] += told.steady in refused
            self.counts["rotated key refused"] += rotated
            self.counts["both refused"] += len(refused) == len(told.keys)
            self.finished = told

    def stop(self) -> None:
        """End it, and wait for its end."""
        self._stopped.set()
        self.join()

    def _refuses(self, key: str) -> bool:
        """Log in, again if the connection is dropped; tell if the key is refused."""
        while not self._stopped.is_set():
            host, port = self._address
            retry = Retry(NoBackoff(), 0)
            with redis.Redis(host, port, password=key, retry=retry) as connection:
                try:
                    connection.ping()
                except redis.AuthenticationError:  # of the kind of ConnectionError, too
                    return True
                except redis.ConnectionError:
                    self.counts["retries"] += 1
                else:
                    return False
        return False


@contextlib.contextmanager
def applications(host: str, port: int, told: Told) -> Iterator[list[Client]]:
    """Run clients for as long as the block lasts."""
    clients = [Client(host, port, told) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield clients
    finally:
        for client in clients:
            client.stop()


def wait_for_rounds(clients: list[Client], told: Told) -> None:
    """Wait until each client has been through a round that began with these keys."""
    eventually(lambda: all(each.finished is told for each in clients))


def test_a_key_that_stays_is_never_refused(azure: Emulator) -> None:
    """While one key is regenerated the other opens the cache, every single time."""
    shown = azure.create(CACHE, enableNonSslPort=True)
    order = [("Primary", "Secondary")[n % 2] for n in range(ROTATIONS)]
    told = Told(azure.keys(CACHE), STEADY[order[0]])
    with applications(shown["hostName"], shown["port"], told) as clients:
        for which, following in zip(order, [*order[1:], order[-1]], strict=True):
            wait_for_rounds(clients, told)
            told = Told(azure.rotate(CACHE, which), STEADY[following])
            for each in clients:
                each.told = told
        wait_for_rounds(clients, told)
    azure.delete(CACHE)
    counts = sum((each.counts for each in clients), Counter[str]())
    assert counts["rounds"] >= ROTATIONS * CLIENTS, counts
    assert counts["steady key refused"] == 0, counts
    assert counts["both refused"] == 0, counts
