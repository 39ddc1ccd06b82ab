"""Requests for one name that come at the same time never make two servers."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from itertools import cycle

import pytest

from controller.backends.docker.shape import ARM_ID
from tests.emulator import PATIENCE_SECONDS, Emulator, basic, eventually
from tests.faults.journeys import CREATE, REMOVE, START
from tests.faults.proxy import EngineProxy
from tests.faults.rig import Rig
from tests.faults.servers import DockerServers, ProcessServers, Servers, cache_key

NAME = "contested"
WRITERS = 6
STORM = (("PUT", "DELETE"), ("PUT", "PUT", "DELETE"), ("DELETE", "PUT"))
LIVES = 4


def at_once(emulator: Emulator, requests: list[tuple[str, str]]) -> Counter[int]:
    """Send requests for names at the same moment; gives the statuses."""
    start = threading.Barrier(len(requests))

    def send(method: str, name: str) -> int:
        start.wait()
        body = basic() if method == "PUT" else None
        return emulator.call(method, name, body).status_code

    with ThreadPoolExecutor(len(requests)) as pool:
        return Counter(pool.map(lambda each: send(*each), requests))


def test_two_creations_make_one_server(rig: Rig[Servers]) -> None:
    """One request creates, in whatever case of the name; the others change nothing."""
    names = [NAME, NAME.upper()] * (WRITERS // 2)

    statuses = at_once(rig.emulator, [("PUT", name) for name in names])

    assert statuses[201] == 1
    assert set(statuses) <= {201, 200, 409}
    rig.emulator.settled(NAME)
    assert len(rig.servers.runs(NAME)) == 1
    rig.emulator.delete(NAME)


@pytest.mark.docker
def test_two_creations_make_one_container(
    docked: Rig[DockerServers], healthy: EngineProxy
) -> None:
    """The engine is asked to create and to start once."""
    at_once(docked.emulator, [("PUT", NAME)] * WRITERS)
    docked.settle(NAME)
    calls = Counter(healthy.changes())
    assert (calls[CREATE], calls[START], calls[REMOVE]) == (1, 1, 0)
    docked.emulator.delete(NAME)


@contextmanager
def census(servers: DockerServers) -> Iterator[list[int]]:
    """Count the containers of the cache, after each event that the engine tells of."""
    label = [servers.label, f"{ARM_ID}={cache_key(NAME).arm_id}"]
    filters = {"type": ["container"], "label": label, "event": ["create", "destroy"]}
    stream = servers.api.events(filters=filters, decode=True)
    counts = [0]

    def count() -> None:
        for event in stream:
            counts.append(counts[-1] + (1 if event["Action"] == "create" else -1))

    counting = threading.Thread(target=count)
    counting.start()
    try:
        yield counts
    finally:
        stream.close()
        counting.join()


def storm(emulator: Emulator) -> None:
    """Put and delete one name from several sides, until it was made a few times."""
    created = threading.Semaphore(0)
    enough = threading.Event()

    def rage(methods: Iterator[str]) -> None:
        while not enough.is_set():
            answer = emulator.call(next(methods), NAME, basic())
            assert answer.status_code in {200, 201, 202, 204, 409}, answer.text
            if answer.status_code == HTTPStatus.CREATED:
                created.release()

    with ThreadPoolExecutor(len(STORM)) as pool:
        sides = [pool.submit(rage, cycle(methods)) for methods in STORM]
        try:
            for _ in range(LIVES):
                assert created.acquire(timeout=PATIENCE_SECONDS)
        finally:
            enough.set()
    for side in sides:
        side.result()


def end_well(rig: Rig[DockerServers] | Rig[ProcessServers]) -> None:
    """Have the last word, and see that it counts."""
    eventually(lambda: rig.emulator.call("PUT", NAME, basic()).ok)
    rig.settle(NAME)
    rig.emulator.delete(NAME)
    assert rig.servers.nodes() == []


def test_a_storm_ends_well(native: Rig[ProcessServers]) -> None:
    """After any number of creations and deletions the last request counts."""
    storm(native.emulator)
    end_well(native)


@pytest.mark.docker
def test_a_storm_never_makes_two_containers(docked: Rig[DockerServers]) -> None:
    """At any moment there is one container at most."""
    with census(docked.servers) as counts:
        storm(docked.emulator)
        end_well(docked)
        eventually(lambda: counts[-1] == 0 and len(counts) > 1)
    assert max(counts) == 1
