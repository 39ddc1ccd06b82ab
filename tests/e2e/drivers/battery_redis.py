"""Takes the steps of a battery with redis-py or valkey-py: the argument is which."""

from __future__ import annotations

import sys
from functools import partial
from importlib import import_module
from typing import Any

from tests.e2e.drivers.battery import (
    ALL_BYTES,
    COMMANDS,
    LATE_SECONDS,
    SCRIPT,
    Target,
    logins,
    take,
    user,
)


def main(library: str) -> None:
    """Take all steps over both transports."""
    module: Any = import_module(library)
    for transport in ("tls", "plain"):
        for way, target in logins(transport):
            take(f"{transport}-{way}", partial(login, module, target))
        prefix = f"{library}:{transport}:"
        with connect(module, user(transport)) as client:
            for step in (binary, expiry, transaction, script, stream, pubsub, pipeline):
                key = prefix + step.__name__
                take(f"{transport}-{step.__name__}", partial(step, client, key))
            broken = partial(watch, client, module.WatchError, f"{prefix}watch")
            take(f"{transport}-watch", broken)
            take(f"{transport}-config", partial(client.config_get, "maxmemory"))


def connect(module: Any, target: Target) -> Any:  # noqa: ANN401 (either library's)
    """Make a client that shows every failure at once."""
    tls = {"ssl": True, "ssl_ca_certs": target.ca, "ssl_check_hostname": True}
    return module.Redis(
        host=target.host,
        port=target.port,
        username=target.username,
        password=target.password,
        retry=None,
        **(tls if target.tls else {}),
    )


def login(module: Any, target: Target) -> object:  # noqa: ANN401 (either library)
    """Connect and say something."""
    with connect(module, target) as client:
        return "PONG" if client.ping() else None


def binary(client: Any, key: str) -> object:  # noqa: ANN401 (either library's)
    """Store every byte there is."""
    client.set(key.encode() + ALL_BYTES, ALL_BYTES)
    return client.get(key.encode() + ALL_BYTES).hex()


def expiry(client: Any, key: str) -> object:  # noqa: ANN401 (either library's)
    """Let a key end in 100 seconds."""
    client.set(key, "value", ex=100)
    return client.ttl(key)


def transaction(client: Any, key: str) -> object:  # noqa: ANN401 (either library's)
    """Count to two in a transaction that watches the counter."""
    client.delete(key)
    with client.pipeline(transaction=True) as batch:
        batch.watch(key)
        batch.multi()
        batch.incr(key)
        batch.incr(key)
        return batch.execute()


def watch(client: Any, refused: type[Exception], key: str) -> object:  # noqa: ANN401 (either library's)
    """Change what a transaction watches; ``None``: it was not carried out."""
    with client.pipeline(transaction=True) as batch:
        batch.watch(key)
        client.incr(key)
        batch.multi()
        batch.incr(key)
        try:
            return batch.execute()
        except refused:
            return None


def script(client: Any, key: str) -> object:  # noqa: ANN401 (either library's)
    """Have a script count its keys and give its argument."""
    return client.eval(SCRIPT, 1, key, "argument")


def stream(client: Any, key: str) -> object:  # noqa: ANN401 (either library's)
    """Add an entry, read it in a group, and acknowledge it."""
    client.delete(key)
    client.xgroup_create(key, "group", id="0", mkstream=True)
    client.xadd(key, {"field": "value"})
    found = client.xreadgroup("group", "me", {key: ">"})
    if isinstance(found, dict):  # as RESP3 has it
        [[[number, fields]]] = found.values()
    else:
        [[_, [[number, fields]]]] = found
    return [fields, client.xack(key, "group", number)]


def pubsub(client: Any, key: str) -> object:  # noqa: ANN401 (either library's)
    """Publish a message and receive it."""
    with client.pubsub() as subscription:
        subscription.subscribe(key)
        subscription.get_message(timeout=LATE_SECONDS)  # that it is subscribed
        client.publish(key, "message")
        return subscription.get_message(timeout=LATE_SECONDS)["data"]


def pipeline(client: Any, key: str) -> object:  # noqa: ANN401 (either library's)
    """Count in one pipeline, and give all answers."""
    client.delete(key)
    with client.pipeline(transaction=False) as batch:
        for _ in range(COMMANDS):
            batch.incr(key)
        return batch.execute()


if __name__ == "__main__":
    main(sys.argv[1])
