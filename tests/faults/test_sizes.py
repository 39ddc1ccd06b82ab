"""A server has the memory and the clients of its SKU, from the first to the last."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from controller.sizing import MEBIBYTE, SIZES, Size
from tests.faults.rig import RIGS, Rig
from tests.faults.servers import Servers

BASIC, PREMIUM = "basic", "premium"
ROUNDED = 8  # bytes
NO_CAP = {"FLOCI_AZ_SERVICES_REDIS_MAX_MEMORY": "200gb"}
SMALLEST = {"name": "Basic", "family": "C", "capacity": 0}


@pytest.fixture(scope="module", params=RIGS)
def rig(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rig[Servers]]:
    """Run an emulator that gives servers all the memory of their SKUs."""
    with request.param(tmp_path_factory.mktemp("sizes"), **NO_CAP) as rig:
        yield rig


def change(rig: Rig[Servers], cache: str, **properties: object) -> None:
    """Patch a cache, and wait until that is in place."""
    answer = rig.emulator.call("PATCH", cache, {"properties": properties})
    assert answer.ok, answer.text
    rig.emulator.settled(cache)


def limits(rig: Rig[Servers], cache: str) -> tuple[int, int]:
    """Read what the server has of memory for data, in bytes, and of clients."""
    with rig.emulator.connect(cache) as client:
        told = client.info()
    return told["maxmemory"], told["maxclients"]


def offered(size: Size) -> tuple[object, int]:
    """Give the limits of a size of which as much is held back as is by default."""
    held = 3 * size.reserve_mebibytes * MEBIBYTE
    return pytest.approx(size.memory_bytes - held, abs=ROUNDED), size.max_clients


def in_place(rig: Rig[Servers], cache: str) -> tuple[str, object]:
    """Name the run of the server, and what it holds."""
    with rig.emulator.connect(cache) as client:
        run: str = client.info("server")["run_id"]
        return run, client.get("greeting")


@pytest.mark.parametrize(
    ("cache", "tier", "family", "capacities"),
    [
        pytest.param("scaled-c", "Standard", "C", [1, 2, 3, 4, 5, 6, 2, 1], id="C"),
        pytest.param("scaled-p", "Premium", "P", [1, 2, 3, 4, 5, 1], id="P"),
    ],
)
def test_a_cache_is_scaled_up_and_down_live(
    rig: Rig[Servers], cache: str, tier: str, family: str, capacities: list[int]
) -> None:
    """Each size has its limits, and the server runs on with its data."""
    first, *others = (
        {"name": tier, "family": family, "capacity": n} for n in capacities
    )
    rig.emulator.create(cache, sku=first)
    with rig.emulator.connect(cache) as client:
        client.set("greeting", "hello")
    before, found = in_place(rig, cache), [limits(rig, cache)]

    for sku in others:
        change(rig, cache, sku=sku)
        found.append(limits(rig, cache))

    most = max(clients for _, clients in found)  # as many files as a machine allows
    wanted = (offered(SIZES[f"{family}{capacity}"]) for capacity in capacities)
    assert found == [(memory, min(clients, most)) for memory, clients in wanted]
    assert in_place(rig, cache) == before
    rig.emulator.delete(cache)


def test_reserved_memory_is_held_back(rig: Rig[Servers]) -> None:
    """``INFO memory`` shows what is left for data; a change is live."""
    cache, size = "reserving", SIZES["C1"]
    least = size.memory_bytes - size.reserve_mebibytes * MEBIBYTE  # maxmemory-delta
    sku = {"name": "Standard", "family": "C", "capacity": 1}
    held = {"maxmemory-reserved": "150", "maxfragmentationmemory-reserved": "130"}
    rig.emulator.create(cache, sku=sku, redisConfiguration=held)
    run = in_place(rig, cache)
    assert limits(rig, cache)[0] == pytest.approx(least - 280 * MEBIBYTE, abs=ROUNDED)

    change(rig, cache, redisConfiguration=held | {"maxmemory-reserved": "300"})

    assert limits(rig, cache)[0] == pytest.approx(least - 430 * MEBIBYTE, abs=ROUNDED)
    assert in_place(rig, cache) == run
    rig.emulator.delete(cache)


def fill(client: redis.Redis, value: bytes) -> None:
    """Write more than the smallest cache has room for."""
    for number in range(SIZES["C0"].memory_bytes // len(value)):
        client.set(f"key-{number}", value)


def test_a_full_cache_refuses_or_evicts(rig: Rig[Servers]) -> None:
    """As its policy says; out of memory nobody is cut off, and reading goes on."""
    never = {"maxmemory-policy": "noeviction"}
    shown = rig.emulator.create("filled", redisConfiguration=never)
    assert shown["sku"]["capacity"] == 0
    assert limits(rig, "filled") == offered(SIZES["C0"])
    value = b"x" * MEBIBYTE
    with rig.emulator.connect("filled") as client:
        client.set("greeting", "hello")
        number = client.client_id()
        with pytest.raises(redis.OutOfMemoryError, match="used memory > 'maxmemory'"):
            fill(client, value)
        assert client.get("greeting") == "hello"
        assert client.dbsize() > 120
        change(rig, "filled", redisConfiguration={"maxmemory-policy": "allkeys-lru"})
        assert client.set("another", value)
        assert client.info("stats")["evicted_keys"] > 0
        assert client.client_id() == number
    rig.emulator.delete("filled")
