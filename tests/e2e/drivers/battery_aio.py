"""Takes the steps of a battery with redis-py's asyncio client."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import redis
import redis.asyncio as aio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from tests.e2e.drivers.battery import (
    ALL_BYTES,
    COMMANDS,
    LATE_SECONDS,
    SCRIPT,
    Target,
    logins,
    take_async,
    user,
)


async def main() -> None:
    """Take all steps over both transports."""
    for transport in ("tls", "plain"):
        for way, target in logins(transport):
            await take_async(f"{transport}-{way}", partial(login, target))
        async with connect(user(transport)) as client:
            for step in STEPS:
                key = f"aio:{transport}:{step.__name__}"
                name = f"{transport}-{step.__name__}"
                await take_async(name, partial(step, client, key))


def connect(target: Target) -> aio.Redis:
    """Make a client that shows every failure at once."""
    return aio.Redis(
        host=target.host,
        port=target.port,
        username=target.username,
        password=target.password,
        ssl=target.tls,
        ssl_ca_certs=target.ca,
        retry=Retry(NoBackoff(), 0),
    )


async def login(target: Target) -> object:
    """Connect and say something."""
    async with connect(target) as client:
        return "PONG" if await client.ping() else None


async def binary(client: Any, key: str) -> object:  # noqa: ANN401 (redis-py's)
    """Store every byte there is."""
    await client.set(key.encode() + ALL_BYTES, ALL_BYTES)
    stored: bytes = await client.get(key.encode() + ALL_BYTES)
    return stored.hex()


async def expiry(client: Any, key: str) -> object:  # noqa: ANN401 (redis-py's)
    """Let a key end in 100 seconds."""
    await client.set(key, "value", ex=100)
    return await client.ttl(key)


async def transaction(client: Any, key: str) -> object:  # noqa: ANN401 (redis-py's)
    """Count to two in a transaction that watches the counter."""
    await client.delete(key)
    async with client.pipeline(transaction=True) as batch:
        await batch.watch(key)
        batch.multi()
        batch.incr(key)
        batch.incr(key)
        return await batch.execute()


async def watch(client: Any, key: str) -> object:  # noqa: ANN401 (redis-py's)
    """Change what a transaction watches; ``None``: it was not carried out."""
    async with client.pipeline(transaction=True) as batch:
        await batch.watch(key)
        await client.incr(key)
        batch.multi()
        batch.incr(key)
        try:
            return await batch.execute()
        except redis.WatchError:
            return None


async def script(client: Any, key: str) -> object:  # noqa: ANN401 (redis-py's)
    """Have a script count its keys and give its argument."""
    return await client.eval(SCRIPT, 1, key, "argument")


async def stream(client: Any, key: str) -> object:  # noqa: ANN401 (redis-py's)
    """Add an entry, read it in a group, and acknowledge it."""
    await client.delete(key)
    await client.xgroup_create(key, "group", id="0", mkstream=True)
    await client.xadd(key, {"field": "value"})
    found = await client.xreadgroup("group", "me", {key: ">"})
    if isinstance(found, dict):  # as RESP3 has it
        [[[number, fields]]] = found.values()
    else:
        [[_, [[number, fields]]]] = found
    return [fields, await client.xack(key, "group", number)]


async def pubsub(client: Any, key: str) -> object:  # noqa: ANN401 (redis-py's)
    """Publish a message and receive it."""
    async with client.pubsub() as subscription:
        await subscription.subscribe(key)
        await subscription.get_message(timeout=LATE_SECONDS)  # that it is subscribed
        await client.publish(key, "message")
        return (await subscription.get_message(timeout=LATE_SECONDS))["data"]


async def pipeline(client: Any, key: str) -> object:  # noqa: ANN401 (redis-py's)
    """Count in one pipeline, and give all answers."""
    await client.delete(key)
    async with client.pipeline(transaction=False) as batch:
        for _ in range(COMMANDS):
            batch.incr(key)
        return await batch.execute()


async def config(client: Any, _key: str) -> object:  # noqa: ANN401 (redis-py's)
    """Ask for what Azure does not tell."""
    return await client.config_get("maxmemory")


STEPS = (
    binary,
    expiry,
    transaction,
    watch,
    script,
    stream,
    pubsub,
    pipeline,
    config,
)

if __name__ == "__main__":
    asyncio.run(main())
