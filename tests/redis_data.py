"""Data of every kind, to be moved and compared, and dumps that were made by hand."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import redis

DATABASES = (0, 5)
FAR = 4_102_444_800_000  # 2100, in Unix milliseconds

Contents = dict[tuple[int, bytes], tuple[object, int]]


def fill(client: redis.Redis) -> None:
    """Store a key of each type, large and small ones, in two databases."""
    for database in DATABASES:
        lines = client.pipeline(transaction=False)
        lines.execute_command("SELECT", database)
        lines.set("text", f"hello {database}")
        lines.set("number", 42)
        lines.set(b"\xff\x00 bytes \xfe", bytes(range(256)))
        lines.set("expiring", "once", pxat=FAR)
        lines.setbit("bits", 1000, 1)
        lines.rpush("list", *range(10))
        lines.rpush("long list", *(f"{n:0100d}" for n in range(1000)))
        lines.sadd("numbers", *range(100))
        lines.sadd("set", *(f"member {n}" for n in range(1000)))
        lines.hset("hash", mapping={"a": "1", "b": "2"})
        lines.hset("large hash", mapping={f"field {n}": n for n in range(1000)})
        lines.zadd("sorted", {"a": 1.5, "b": float("inf")})
        lines.zadd("large sorted", {f"member {n}": n / 7 for n in range(1000)})
        lines.pfadd("counted", *range(1000))
        lines.geoadd("places", (4.9, 52.4, "Amsterdam"))
        lines.xadd("stream", {"a": "1"}, id="1-1")
        lines.xadd("stream", {"b": "2"}, id="2-1")
        lines.xgroup_create("stream", "readers", id="1-1")
        for number in range(2000):
            lines.set(f"key {number}", number)
        lines.execute_command("SELECT", 0)
        lines.execute()


def contents(client: redis.Redis) -> Contents:
    """Read all databases: what each key holds, and when it expires.

    ``client`` must not decode. Servers dump what is hashed in any order.
    """
    found: Contents = {}
    for name in client.info("keyspace"):
        database = int(name.removeprefix("db"))
        for key in _in(client, database, ["KEYS", "*"])[0]:
            kind, expires = _in(client, database, ["TYPE", key], ["PEXPIRETIME", key])
            [held] = _in(client, database, [_READS.get(kind, "DUMP"), key])
            found[database, key] = (held, expires)
    return found


_READS: Mapping[bytes, str] = {b"set": "SMEMBERS", b"hash": "HGETALL"}


def _in(client: redis.Redis, database: int, *commands: list[Any]) -> list[Any]:
    lines = client.pipeline(transaction=False)
    lines.execute_command("SELECT", database)
    for command in commands:
        lines.execute_command(*command)
    lines.execute_command("SELECT", 0)
    return list(lines.execute()[1:-1])


def dump_of(pairs: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
    """Write a dump of strings as a server would, without a checksum.

    Source: rdb.c of Redis, version 9 of the format.
    """
    yield b"REDIS0009\xfe\x00"
    for key, value in pairs:
        yield b"\x00" + _text(key) + _text(value)
    yield b"\xff" + bytes(8)


def _text(content: bytes) -> bytes:
    return b"\x80" + struct.pack(">I", len(content)) + content
