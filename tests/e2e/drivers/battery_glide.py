"""Takes the steps of a battery with valkey-glide."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

from glide import (  # type: ignore[import-not-found]  # in its own environment
    AdvancedGlideClientConfiguration,
    BackoffStrategy,
    Batch,
    ExpirySet,
    ExpiryType,
    GlideClient,
    GlideClientConfiguration,
    Logger,
    LogLevel,
    NodeAddress,
    ServerCredentials,
    StreamGroupOptions,
    TlsAdvancedConfiguration,
)

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
    Logger.set_logger_config(LogLevel.OFF)  # it would write between the answers
    for transport in ("tls", "plain"):
        for way, target in logins(transport):
            await take_async(f"{transport}-{way}", partial(login, target))
        async with connected(user(transport)) as client:
            for step in STEPS:
                key = f"glide:{transport}:{step.__name__}"
                name = f"{transport}-{step.__name__}"
                await take_async(name, partial(step, client, key))


def configuration(target: Target, **more: object) -> Any:  # noqa: ANN401 (glide's own)
    """Describe a connection that shows every failure at once."""
    tls = None
    if target.ca is not None:
        roots = Path(target.ca).read_bytes()
        tls = TlsAdvancedConfiguration(root_pem_cacerts=roots)
    return GlideClientConfiguration(
        [NodeAddress(target.host, target.port)],
        use_tls=target.tls,
        credentials=ServerCredentials(target.password, target.username),
        request_timeout=10_000,  # milliseconds
        reconnect_strategy=BackoffStrategy(0, 1, 1),
        advanced_config=AdvancedGlideClientConfiguration(5000, tls),
        **more,
    )


@contextlib.asynccontextmanager
async def connected(target: Target) -> AsyncIterator[Any]:
    """Connect for as long as the block lasts."""
    client = await GlideClient.create(configuration(target))
    try:
        yield client
    finally:
        await client.close()


async def login(target: Target) -> object:
    """Connect and say something."""
    async with connected(target) as client:
        return await client.ping()


async def binary(client: Any, key: str) -> object:  # noqa: ANN401 (a `GlideClient`)
    """Store every byte there is."""
    await client.set(key.encode() + ALL_BYTES, ALL_BYTES)
    stored: bytes = await client.get(key.encode() + ALL_BYTES)
    return stored.hex()


async def expiry(client: Any, key: str) -> object:  # noqa: ANN401 (a `GlideClient`)
    """Let a key end in 100 seconds."""
    await client.set(key, "value", expiry=ExpirySet(ExpiryType.SEC, 100))
    return await client.ttl(key)


async def transaction(client: Any, key: str) -> object:  # noqa: ANN401 (a `GlideClient`)
    """Count to two in a transaction that watches the counter."""
    await client.delete([key])
    await client.watch([key])
    batch = Batch(is_atomic=True)
    batch.incr(key)
    batch.incr(key)
    return await client.exec(batch, raise_on_error=True)


async def watch(client: Any, key: str) -> object:  # noqa: ANN401 (a `GlideClient`)
    """Change what a transaction watches; ``None``: it was not carried out."""
    await client.watch([key])
    await client.incr(key)
    batch = Batch(is_atomic=True)
    batch.incr(key)
    return await client.exec(batch, raise_on_error=True)


async def script(client: Any, key: str) -> object:  # noqa: ANN401 (a `GlideClient`)
    """Have a script count its keys and give its argument."""
    call = ["EVAL", SCRIPT, "1", key, "argument"]
    return await client.custom_command(call)


async def stream(client: Any, key: str) -> object:  # noqa: ANN401 (a `GlideClient`)
    """Add an entry, read it in a group, and acknowledge it."""
    await client.delete([key])
    options = StreamGroupOptions(make_stream=True)
    await client.xgroup_create(key, "group", "0", options)
    await client.xadd(key, [("field", "value")])
    found = await client.xreadgroup({key: ">"}, "group", "me")
    [[[number, [[field, value]]]]] = (each.items() for each in found.values())
    return [{field: value}, await client.xack(key, "group", [number])]


async def pubsub(client: Any, key: str) -> object:  # noqa: ANN401 (a `GlideClient`)
    """Publish a message and receive it."""
    await client.subscribe({key}, int(LATE_SECONDS * 1000))
    await client.publish("message", key)
    received = await asyncio.wait_for(client.get_pubsub_message(), LATE_SECONDS)
    return received.message


async def pipeline(client: Any, key: str) -> object:  # noqa: ANN401 (a `GlideClient`)
    """Count in one pipeline, and give all answers."""
    await client.delete([key])
    batch = Batch(is_atomic=False)
    for _ in range(COMMANDS):
        batch.incr(key)
    return await client.exec(batch, raise_on_error=True)


async def config(client: Any, _key: str) -> object:  # noqa: ANN401 (a `GlideClient`)
    """Ask for what Azure does not tell."""
    return await client.config_get(["maxmemory"])


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
