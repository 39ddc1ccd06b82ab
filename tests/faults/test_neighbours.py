"""What belongs to others is not touched, and does not get in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from controller.backends.docker.shape import container_name
from controller.nodes import NodeKey
from tests.conftest import IMAGE
from tests.emulator import Door, basic, eventually
from tests.faults.rig import (
    RIGS,
    Rig,
    admits,
    client_of,
    docker_rig,
    process_rig,
)
from tests.faults.servers import DockerServers, Servers, cache_key, identity

CACHE = "shared-name"
BASE_PORT = "FLOCI_AZ_SERVICES_REDIS_BASE_PORT"
MAX_PORT = "FLOCI_AZ_SERVICES_REDIS_MAX_PORT"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy")


@pytest.fixture
def stranger(docked: Rig[DockerServers]) -> Iterator[str]:
    """Run somebody else's container, with the name that a cache's would have."""
    instance = identity(docked.emulator)["id"]
    name = container_name(instance, NodeKey(cache_key(CACHE)))
    api = docked.servers.api
    container = api.create_container(IMAGE, name=name)["Id"]
    api.start(container)
    yield container
    api.remove_container(container, v=True, force=True)


@pytest.mark.docker
def test_a_strangers_container_is_named_and_left_alone(
    docked: Rig[DockerServers], stranger: str
) -> None:
    """The operation says whose the name is; neither failure nor deletion harms it."""
    before = docked.servers.api.inspect_container(stranger)

    ended = docked.emulator.ended(docked.emulator.call("PUT", CACHE, basic()))

    assert ended["status"] == "Failed"
    assert ended["error"]["code"] == "NameInUse"
    assert before["Name"].strip("/") in ended["error"]["message"]
    assert stranger[:12] in ended["error"]["message"]
    docked.emulator.delete(CACHE)
    after = docked.servers.api.inspect_container(stranger)
    assert (after["Name"], after["State"]) == (before["Name"], before["State"])


@pytest.mark.docker
def test_a_strangers_name_is_waited_for(
    docked: Rig[DockerServers], stranger: str
) -> None:
    """When the stranger has another name, the cache comes to be by itself."""
    docked.emulator.ended(docked.emulator.call("PUT", CACHE, basic()))

    docked.servers.api.rename(stranger, f"stranger-{stranger[:12]}")

    docked.settle(CACHE)
    docked.emulator.delete(CACHE)
    assert docked.servers.api.inspect_container(stranger)["State"]["Running"]


@pytest.mark.parametrize("make", RIGS)
def test_two_emulators_do_not_fight(
    make: Callable[..., AbstractContextManager[Rig[Servers]]], tmp_path: Path
) -> None:
    """Each runs and repairs its own cache of one name, in the same range of ports."""
    for state in ("one", "two"):
        (tmp_path / state).mkdir()
    with make(tmp_path / "one") as one:
        ports = one.emulator.ports
        same = {BASE_PORT: str(ports[0]), MAX_PORT: str(ports[-1])}
        with make(tmp_path / "two", **same) as two:
            for rig in (one, two):
                rig.emulator.call("PUT", CACHE, basic(enableNonSslPort=True))
            for rig in (one, two):
                rig.settle(CACHE)
            assert {one.port(CACHE), two.port(CACHE)} == set(ports[:2])
            assert not admits(one.door(CACHE), two.emulator.keys(CACHE)["primaryKey"])
            first, other = one.servers.runs(CACHE), two.servers.runs(CACHE)

            one.servers.crash(CACHE)

            eventually(lambda: one.servers.runs(CACHE) != first)
            one.settle(CACHE)
        assert two.servers.left() == []
        assert one.serves(CACHE)
        assert other.isdisjoint(one.servers.runs(CACHE))


@pytest.mark.tls_process  # without TLS no port is closed
def test_a_port_that_two_were_promised_goes_to_one(tmp_path: Path) -> None:
    """Closed, nobody holds it; the second to open it moves, with its data."""
    for state in ("one", "two"):
        (tmp_path / state).mkdir()
    with process_rig(tmp_path / "one") as one:
        ports = one.emulator.ports
        same = {BASE_PORT: str(ports[0]), MAX_PORT: str(ports[-1])}
        with process_rig(tmp_path / "two", **same) as two:
            for rig in (one, two):
                rig.emulator.create(CACHE)
                with rig.emulator.connect(CACHE) as client:
                    client.set("whose", str(rig.emulator.directory))
            assert one.port(CACHE) == two.port(CACHE)

            for rig in (one, two):
                opened = {"properties": {"enableNonSslPort": True}}
                assert rig.emulator.call("PATCH", CACHE, opened).ok
                rig.settle(CACHE)

            assert {one.port(CACHE), two.port(CACHE)} == set(ports[:2])
            for rig in (one, two):
                door = Door(rig.port(CACHE), tls=False)
                key = rig.emulator.keys(CACHE)["secondaryKey"]
                with client_of(door, key) as client:
                    found = client.get("whose")
                assert found == str(rig.emulator.directory).encode()


@pytest.mark.docker
def test_a_proxy_for_the_web_is_not_for_us(tmp_path: Path) -> None:
    """Neither the engine nor a server is asked by way of it."""
    nowhere = dict.fromkeys(PROXIES, "http://127.0.0.1:9")
    with docker_rig(tmp_path, **nowhere) as rig:
        rig.emulator.create(CACHE)
        seen = rig.servers.inspect(CACHE)["Config"]["Env"]
    assert not [each for each in seen if each.split("=")[0] in PROXIES]
