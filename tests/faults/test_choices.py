"""What operators and owners of caches can choose is what they get."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from tests.emulator import Door, Emulator, eventually
from tests.faults.rig import RIGS, Rig, client_of, process_rig
from tests.faults.servers import ProcessServers, Servers

COMMANDS = {"FLOCI_AZ_SERVICES_REDIS_RESTRICT_COMMANDS": "false"}
FAITHFUL = {"FLOCI_AZ_SERVICES_REDIS_SCALING": "faithful"}
AZURE = {"FLOCI_AZ_SERVICES_REDIS_ENDPOINTS": "azure"}

Native = Rig[ProcessServers]


def sku(tier: str, size: str) -> dict[str, object]:
    """Spell a SKU as ARM does."""
    return {"name": tier, "family": size[0], "capacity": int(size[1:])}


def change(emulator: Emulator, cache: str, **properties: object) -> None:
    """Patch a cache, and wait until that is in place."""
    answer = emulator.call("PATCH", cache, {"properties": properties})
    assert answer.ok, answer.text
    emulator.settled(cache)


def user(emulator: Emulator, cache: str) -> redis.Redis:
    """Connect once, with the primary key."""
    key = emulator.keys(cache)["primaryKey"]
    once = {"single_connection_client": True, "decode_responses": True}
    return emulator.door(cache).client(key, **once)


def test_users_run_every_command_where_they_may(tmp_path: Path) -> None:
    """CONFIG and SAVE are theirs then; the controller still rotates their keys."""
    with process_rig(tmp_path, **COMMANDS) as rig:
        rig.emulator.create("free")
        old = rig.emulator.keys("free")["primaryKey"]
        with user(rig.emulator, "free") as client:
            assert client.config_get("maxclients") == {"maxclients": "256"}
            assert client.save()

        new = rig.emulator.rotate("free")["primaryKey"]

        with user(rig.emulator, "free") as client:
            assert client.config_get("maxclients") == {"maxclients": "256"}
        door = rig.door("free")
        assert [let_in(door, key) for key in (old, new)] == [False, True]


def test_a_cache_is_scaled_gently_by_default(native: Native) -> None:
    """From Basic C0 up to Premium it keeps its data and its clients' connections."""
    native.emulator.create("growing", sku=sku("Basic", "C0"))
    with user(native.emulator, "growing") as client:
        client.set("greeting", "hello")
        number = client.client_id()
        for tier, size in (("Basic", "C1"), ("Standard", "C1"), ("Premium", "P1")):
            change(native.emulator, "growing", sku=sku(tier, size))
            assert client.get("greeting") == "hello", (tier, size)
        assert client.client_id() == number
    native.emulator.delete("growing")


@pytest.mark.parametrize("make", RIGS)
def test_a_basic_cache_is_resized_as_in_azure(
    make: Callable[..., Any], tmp_path: Path
) -> None:
    """It loses its data where that was chosen, and a Standard one keeps them."""
    with make(tmp_path, **FAITHFUL) as rig:
        left = {
            tier: resized(rig, tier, before, after)
            for tier, before, after in (("Basic", "C0", "C1"), ("Standard", "C1", "C2"))
        }
        assert left == {"Basic": None, "Standard": "hello"}


def resized(rig: Rig[Servers], tier: str, before: str, after: str) -> object:
    """Create a cache, store a greeting, resize the cache, and read the greeting."""
    rig.emulator.create(tier, sku=sku(tier, before))
    with rig.emulator.connect(tier) as client:
        client.set("greeting", "hello")
    change(rig.emulator, tier, sku=sku(tier, after))
    rig.settle(tier)
    with rig.emulator.connect(tier) as client:
        return client.get("greeting")


@pytest.mark.parametrize(
    ("cache", "settings", "count"),
    [
        pytest.param("usual", {}, 16, id="default"),
        pytest.param("many", {"databases": "32"}, 32, id="asked for"),
    ],
)
def test_a_cache_has_as_many_databases_as_were_asked_for(
    native: Native, cache: str, settings: dict[str, str], count: int
) -> None:
    """The last one can be selected, and none behind it."""
    premium = sku("Premium", "P2")
    native.emulator.create(cache, sku=premium, redisConfiguration=settings)
    with user(native.emulator, cache) as client:
        assert client.execute_command("SELECT", count - 1)
        assert client.set("in the last", "one")
        with pytest.raises(redis.ResponseError, match="out of range"):
            client.execute_command("SELECT", count)
    native.emulator.delete(cache)


def test_a_cache_may_let_everybody_in(native: Native) -> None:
    """With ``authnotrequired`` no key is needed, and one does no harm."""
    emulator, cache = native.emulator, "welcoming"
    emulator.create(cache)
    key = emulator.keys(cache)["primaryKey"]
    seen = []
    for choice in ("no", "yes", "no"):
        change(emulator, cache, redisConfiguration={"authnotrequired": choice})
        seen.append([let_in(emulator.door(cache), each) for each in ("", key)])
    assert seen == [[False, True], [True, True], [False, True]]
    emulator.delete(cache)


def let_in(door: Door, key: str) -> bool:
    """Tell whether a client is served; with an empty key it sends none."""
    with client_of(door, key) as client:
        try:
            return bool(client.ping())
        except redis.AuthenticationError:
            return False


def test_a_cache_may_claim_to_be_in_azure(tmp_path: Path) -> None:
    """It reports Azure's name, as it was given, and ports, and is served on its own."""
    azure = ("Mixed-Case.redis.cache.windows.net", 6379, 6380)
    with process_rig(tmp_path, **AZURE) as rig:
        emulator = rig.emulator
        emulator.create("Mixed-Case", enableNonSslPort=True)

        shown = emulator.call("GET", "mixed-case").json()["properties"]
        assert (shown["hostName"], shown["port"], shown["sslPort"]) == azure
        status = requests.get(f"{emulator.base}/_emulator/status", timeout=5)
        [told] = status.json()["caches"]
        assert (told["host"], told["port"], told["sslPort"]) == azure

        key = emulator.keys("Mixed-Case")["primaryKey"]
        assert let_in(Door(emulator.ports[0], tls=False), key)
        if emulator.door("Mixed-Case").tls:
            assert let_in(Door(emulator.ports[-1] + 1, tls=True), key)


def test_dumps_may_lie_anywhere_in_the_state_directory(native: Native) -> None:
    """A ``file:///`` address is where an export goes, and whence an import comes."""
    emulator, cache = native.emulator, "filing"
    emulator.create(cache, sku=sku("Premium", "P1"))
    folder = emulator.directory / "some where"
    with user(emulator, cache) as client:
        client.set("greeting", "hello")
        target = {"container": folder.as_uri(), "prefix": "night", "format": "RDB"}
        transfer(emulator, f"{cache}/export", target)
        client.set("greeting", "newer than the dump")

        assert (folder / "night.rdb").read_bytes().startswith((b"REDIS", b"VALKEY"))
        files = [(folder / "night.rdb").as_uri()]
        transfer(emulator, f"{cache}/import", {"files": files, "format": "RDB"})

        assert client.get("greeting") == "hello"
    emulator.delete(cache)


def transfer(emulator: Emulator, action: str, body: Mapping[str, object]) -> None:
    """Have data moved, and wait until they are."""
    begun = emulator.call("POST", action, body)
    assert begun.status_code == 202, begun.text

    def poll() -> list[requests.Response]:
        answer = emulator.call("GET", begun.headers["Location"])
        return [answer] if answer.status_code != 202 else []

    [ended] = eventually(poll)
    assert ended.json()["status"] == "Succeeded", ended.text
    emulator.settled(action.partition("/")[0])
