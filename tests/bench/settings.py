"""From a request for another setting or key to its effect, against a bare server."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import redis

from tests.bench import byhand
from tests.bench.byhand import (
    ONCE,
    PASSWORD,
    ByHand,
    sign_in,
    until_closed,
    until_served,
)
from tests.bench.figures import compare, milliseconds
from tests.emulator import Door, Emulator, running

ROUNDS = 20
NAME = "bench"
POLICIES = itertools.cycle(("allkeys-lru", "volatile-lru"))

SETTING = "maxmemory-policy until INFO shows it"
OPEN = "plain port until it answers"
CLOSE = "plain port until it is closed"
KEY = "new key until it opens the server"


def run() -> None:
    """Change each thing on both servers in turns, and compare round by round."""
    ours: dict[str, list[float]] = {}
    bare: dict[str, list[float]] = {}
    with (
        tempfile.TemporaryDirectory() as state,
        running(Path(state), FLOCI_AZ_SERVICES_REDIS_BACKEND="docker") as emulator,
        byhand.made() as server,
    ):
        emulator.create(NAME)
        for _ in range(ROUNDS):
            policy = next(POLICIES)
            _add(bare, _by_hand(server, policy))
            _add(ours, _by_request(emulator, policy))
    compare(ours, bare)


def _add(taken: dict[str, list[float]], round_: Mapping[str, float]) -> None:
    for what, took in round_.items():
        taken.setdefault(what, []).append(took)


def _by_hand(server: ByHand, policy: str) -> Mapping[str, float]:
    plain = server.plain.client(PASSWORD, **ONCE)

    def rotate() -> None:
        # The password that was there before goes on: the next round needs it
        client.acl_setuser("default", enabled=True, passwords=["+second"])
        sign_in(server.tls.port, "second")

    with server.client() as client:
        client.config_set("port", 0)
        until_closed(plain)
        return {
            SETTING: _timed(
                lambda: client.config_set("maxmemory-policy", policy),
                lambda: _until_shown(client, policy),
            ),
            OPEN: _timed(
                lambda: client.config_set("port", 6379), lambda: until_served(plain)
            ),
            CLOSE: _timed(
                lambda: client.config_set("port", 0), lambda: until_closed(plain)
            ),
            KEY: milliseconds(rotate),
        }


def _by_request(emulator: Emulator, policy: str) -> Mapping[str, float]:
    key = emulator.keys(NAME)["primaryKey"]
    door = emulator.door(NAME)
    plain = _plain(emulator).client(key, **ONCE)

    def rotate() -> None:
        sign_in(door.port, emulator.rotate(NAME)["primaryKey"])

    with emulator.connect(NAME, key) as client:
        client.ping()
        configuration = {"maxmemory-policy": policy}
        setting = _patched(
            emulator,
            {"redisConfiguration": configuration},
            lambda: _until_shown(client, policy),
        )
        opened = _patched(
            emulator, {"enableNonSslPort": True}, lambda: until_served(plain)
        )
        closed = _patched(
            emulator, {"enableNonSslPort": False}, lambda: until_closed(plain)
        )
    return {
        SETTING: setting,
        OPEN: opened,
        CLOSE: closed,
        KEY: milliseconds(rotate),
    }


def _patched(
    emulator: Emulator, properties: Mapping[str, object], until: Callable[[], None]
) -> float:
    """Time a change until its effect; the next one begins when all is settled."""

    def change() -> None:
        answer = emulator.call("PATCH", NAME, {"properties": properties})
        assert answer.ok, answer.text

    took = _timed(change, until)
    emulator.settled(NAME)
    return took


def _timed(change: Callable[[], object], until: Callable[[], None]) -> float:
    def both() -> None:
        change()
        until()

    return milliseconds(both)


def _until_shown(client: redis.Redis, policy: str) -> None:
    while client.info("memory")["maxmemory_policy"] != policy:
        pass  # each question takes its time on the way


def _plain(emulator: Emulator) -> Door:
    return Door(emulator.settled(NAME)["port"], tls=False)
