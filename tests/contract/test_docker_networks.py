"""Networks of the docker backend, on the host and within a container."""

from __future__ import annotations

import io
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.errors import TerminalError, TransientError
from controller.nodes import Phase
from tests.contract.docker_rig import DockerRig, docker_backend
from tests.contract.lossy_engine import DAEMON
from tests.contract.rigs import NODE, eventually

pytestmark = pytest.mark.docker

ROOT = Path(__file__).resolve().parents[2]


def test_a_vanished_network_is_made_anew(docked: DockerRig) -> None:
    """A stopped container whose network is gone makes room for one that can run."""
    docked.backend.create(NODE, docked.spec())
    docked.stop(NODE)
    eventually(lambda: docked.node(NODE).phase is Phase.STOPPED)
    for network in docked.networks():
        docked.api.remove_network(network)

    with pytest.raises(TransientError, match="network"):
        docked.backend.start(NODE, keep_data=False)
    assert docked.backend.find(NODE) is None

    docked.backend.create(NODE, docked.spec())
    docked.serving(NODE)


def test_the_network_goes_after_the_last_node(docked: DockerRig) -> None:
    """`clean_up` leaves a network in use, removes an idle one, and may be repeated."""
    docked.backend.create(NODE, docked.spec())
    docked.backend.clean_up()
    assert docked.networks() == [f"azure-redis-emulator-{docked.instance}"]

    docked.backend.remove(NODE)
    docked.backend.clean_up()
    docked.backend.clean_up()

    assert docked.networks() == []


@pytest.fixture
def networks(docked: DockerRig) -> Iterator[tuple[str, str]]:
    """Make two networks that somebody else keeps."""
    names = f"backend-{docked.instance}", f"frontend-{docked.instance}"
    for name in names:
        docked.api.create_network(name)
    yield names
    docked.backend.remove(NODE)
    for name in names:
        docked.api.remove_network(name)


def joined(docked: DockerRig) -> dict[str, Any]:
    """Give the container's networks, with what each knows of it."""
    found: dict[str, Any] = docked.inspect()["NetworkSettings"]["Networks"]
    return found


def ask_by_name(docked: DockerRig, host: str) -> str:
    """Send a PING to a host name from within the container's networks."""
    command = ["valkey-cli", "-h", host, "PING"]
    started = docked.api.exec_create(docked.name(), command)
    answer: bytes = docked.api.exec_start(started["Id"])
    return answer.decode()


def test_caches_join_the_network_of_the_setting(
    docked: DockerRig, networks: tuple[str, str]
) -> None:
    """They are reached there by three names, and leave the network in being."""
    network, _ = networks
    backend = docker_backend(docked.instance, network)
    backend.create(NODE, docked.spec())
    docked.serving(NODE)

    assert set(joined(docked)) == {network}
    for name in (docked.name(), "cache-one", "cache-one.redis.cache.windows.net"):
        assert "NOAUTH" in ask_by_name(docked, name)

    backend.remove(NODE)
    backend.clean_up()
    assert docked.api.networks(names=[network])


def test_a_missing_network_of_the_setting_is_told(docked: DockerRig) -> None:
    """A network that is somebody else's is not created, but asked for."""
    backend = docker_backend(docked.instance, "nobodys-network")

    with pytest.raises(TerminalError, match="docker network create nobodys-network"):
        backend.create(NODE, docked.spec())

    assert docked.backend.find(NODE) is None


# --- an emulator in a container, with this very Python in it -----------------------


@pytest.fixture
def image(docked: DockerRig) -> Iterator[str]:
    """Import an image that holds nothing but the places for this machine's files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in ("bin", "lib", "lib64"):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, f"usr/{name}"
            archive.addfile(link)
    name = f"emulator-{docked.instance}:test"
    docked.api.import_image_from_data(packed.getvalue(), *name.split(":"))
    yield name
    docked.api.remove_image(name)


def run(
    docked: DockerRig, image: str, networks: tuple[str, ...], *how: str
) -> dict[str, Any]:
    """Run `tests.contract.inside` in a container, and give what it prints."""
    first, *others = networks
    seen = {"/usr", sys.base_prefix, sys.prefix, str(ROOT)}
    binds = [f"{path}:{path}:ro" for path in sorted(seen)]
    command = [sys.executable, "-m", "tests.contract.inside", docked.instance]
    container = docked.api.create_container(
        image,
        [*command, str(docked.ports.plain), str(docked.ports.tls), *how],
        working_dir=str(ROOT),
        host_config=docked.api.create_host_config(
            binds=[*binds, f"{DAEMON}:/var/run/docker.sock"], network_mode=first
        ),
    )["Id"]
    try:
        for network in others:
            docked.api.connect_container_to_network(container, network)
        docked.api.start(container)
        ended = docked.api.wait(container)
        printed = docked.api.logs(container, stderr=bool(ended["StatusCode"])).decode()
        assert ended["StatusCode"] == 0, printed
    finally:
        docked.api.remove_container(container, v=True, force=True)
    answer: dict[str, Any] = json.loads(printed)
    return answer


def test_caches_join_the_emulators_networks(
    docked: DockerRig, image: str, networks: tuple[str, str]
) -> None:
    """Beside an emulator in networks, caches are in each of them, known by name."""
    endpoint = run(docked, image, networks)

    assert endpoint == {"host": docked.name(), "port": 6379, "ssl_port": 6380}
    for network in networks:
        assert "cache-one.redis.cache.windows.net" in joined(docked)[network]["Aliases"]
    assert set(joined(docked)) == set(networks)


def test_an_emulator_without_a_network_joins_the_caches(
    docked: DockerRig, image: str
) -> None:
    """On the default bridge there are no names: the own network is shared, and left."""
    endpoint = run(docked, image, ("bridge",), "tidy")

    assert endpoint == {"host": docked.name(), "port": 6379, "ssl_port": 6380}
    assert docked.networks() == []


def test_an_emulator_on_the_hosts_network_uses_the_hosts_ports(
    docked: DockerRig, image: str
) -> None:
    """A container that shares the host's network is as good as none."""
    endpoint = run(docked, image, ("host",))

    ports = {"port": docked.ports.plain, "ssl_port": docked.ports.tls}
    assert endpoint == {"host": "localhost"} | ports
    assert set(joined(docked)) == set(docked.networks())
