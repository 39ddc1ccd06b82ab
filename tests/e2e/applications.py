"""What an application does with what a client printed: it connects."""

from __future__ import annotations

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.emulator import eventually


def connected(host: str, port: int, key: str) -> redis.Redis:
    """Connect, and let every failure be seen at once."""
    return redis.Redis(
        host, port, password=key, decode_responses=True, retry=Retry(NoBackoff(), 0)
    )


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
