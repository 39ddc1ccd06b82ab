"""What an application does with what a client printed: it connects."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.emulator import eventually


@contextlib.contextmanager
def connected(host: str, port: int, key: str) -> Iterator[redis.Redis]:
    """Connect by TLS, whoever signed, and let every failure be seen at once."""
    with redis.Redis(
        host,
        port,
        password=key,
        ssl=True,
        ssl_cert_reqs="none",  # tests of Redis clients look at it
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
    ) as client:
        yield client


def run_of(client: redis.Redis) -> str:
    """Name the run of the server: another one after it was started again."""
    return str(client.info("server")["run_id"])


def wait_for_another_run(client: redis.Redis, before: str) -> None:
    """Wait until the server was started again, and answers."""

    def started_again() -> bool:
        try:
            return run_of(client) != before
        except redis.ConnectionError:
            return False

    eventually(started_again)
