"""What the docker backend promises beyond the common contract."""

from __future__ import annotations

import contextlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from controller.backends.docker import shape
from controller.errors import TerminalError, TransientError
from controller.model import CacheKey
from controller.nodes import NodeKey, Phase
from tests.contract.docker_rig import DockerRig, docker_rig
from tests.contract.rigs import (
    CACHE,
    DEADLINE_SECONDS,
    KEYS,
    LEAF,
    NODE,
    OTHER,
    eventually,
    free_ports,
)

pytestmark = pytest.mark.docker


# --- what a container shows, and what it may do ---------------------------------------


def test_no_secret_is_shown_by_the_engine(docked: DockerRig) -> None:
    """Neither inspect nor the logs tell a key, a password or a digest of one."""
    docked.backend.create(NODE, docked.spec())
    docked.serving(NODE)
    logs = docked.api.logs(docked.name(), stdout=True, stderr=True).decode()
    shown = json.dumps(docked.inspect()) + logs

    passwords = (KEYS.primary, KEYS.secondary, docked.admin.password("uid-1"))

    for secret in passwords:
        assert secret.reveal not in shown
        assert secret.digest not in shown


def test_the_files_of_the_server_are_its_own(docked: DockerRig) -> None:
    """Only the server's user may read its settings and digests, or replace them."""
    docked.backend.create(NODE, docked.spec())
    folder = str(Path(shape.ACL_FILE).parent)

    chunks, _ = docked.api.get_archive(docked.name(), folder)

    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        entries = {
            entry.name: (entry.uid, entry.gid, oct(entry.mode & 0o777))
            for entry in archive.getmembers()
        }
    assert entries == {
        "server": (999, 1000, "0o700"),
        "server/server.conf": (999, 1000, "0o600"),
        "server/users.acl": (999, 1000, "0o600"),
        f"server/{LEAF.digest}.crt": (999, 1000, "0o600"),
        f"server/{LEAF.digest}.key": (999, 1000, "0o600"),
        "server/dump.rdb": (999, 1000, "0o600"),
    }


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        pytest.param("Config", {"User": "999:1000"}, id="not root"),
        pytest.param("HostConfig", {"CapDrop": ["ALL"]}, id="no capability"),
        pytest.param("HostConfig", {"Privileged": False}, id="not privileged"),
        pytest.param(
            "HostConfig",
            {"SecurityOpt": ["no-new-privileges"]},
            id="no way to become root",
        ),
        pytest.param("HostConfig", {"ReadonlyRootfs": True}, id="read-only root"),
        pytest.param("HostConfig", {"PidsLimit": 64}, id="processes limited"),
        pytest.param(
            "HostConfig",
            {"Memory": 128 << 20, "MemorySwap": 128 << 20},
            id="memory limited",
        ),
        pytest.param(
            "HostConfig",
            {
                "LogConfig": {
                    "Type": "json-file",
                    "Config": {"max-size": "1m", "max-file": "2"},
                }
            },
            id="logs rotated",
        ),
        pytest.param("HostConfig", {"Init": True}, id="an init that hears signals"),
        pytest.param(
            "HostConfig",
            {"RestartPolicy": {"Name": "", "MaximumRetryCount": 0}},
            id="restarted by the controller alone",
        ),
        pytest.param("HostConfig", {"Binds": None}, id="nothing of the host"),
    ],
)
def test_a_container_is_hardened(
    hardened: Mapping[str, Any], section: str, expected: Mapping[str, Any]
) -> None:
    """A container may do what its server needs, and nothing else."""
    seen = {name: hardened[section][name] for name in expected}

    assert seen == expected


@pytest.fixture(scope="module")
def hardened(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Inspect one container for all rows of the table."""
    with docker_rig(tmp_path_factory.mktemp("hardened")) as docked:
        docked.backend.create(NODE, docked.spec())
        return docked.inspect()


def test_a_container_tells_whose_it_is(docked: DockerRig) -> None:
    """Labels hold all that a restarted controller needs, and people ask for."""
    spec = docked.spec()
    docked.backend.create(NODE, spec)

    labels = docked.inspect()["Config"]["Labels"]

    assert labels == {
        "azure-redis-emulator.instance": docked.instance,
        "azure-redis-emulator.arm-id": CACHE.arm_id,
        "azure-redis-emulator.uid": "uid-1",
        "azure-redis-emulator.node": "0",
        "azure-redis-emulator.generation": "3",
        "azure-redis-emulator.fingerprint": spec.fingerprint,
        "azure-redis-emulator.boot": "",
        "azure-redis-emulator.plain-port": str(spec.ports.plain),
        "azure-redis-emulator.tls-port": str(spec.ports.tls),
    }


def test_ports_are_published_on_loopback_only(docked: DockerRig) -> None:
    """Other machines do not reach a cache, unless its operator says so."""
    docked.backend.create(NODE, docked.spec())

    bindings = docked.inspect()["HostConfig"]["PortBindings"]

    def on_loopback(port: int) -> list[dict[str, str]]:
        return [{"HostIp": "127.0.0.1", "HostPort": str(port)}]

    assert bindings == {
        "6379/tcp": on_loopback(docked.ports.plain),
        "6380/tcp": on_loopback(docked.ports.tls),
    }


def test_everything_is_in_one_volume(docked: DockerRig) -> None:
    """What a server reads and writes outlives its container, if it shall."""
    docked.backend.create(NODE, docked.spec())

    mounts = {m["Destination"]: m["Type"] for m in docked.inspect()["Mounts"]}

    assert mounts == {"/data": "tmpfs", "/tmp": "tmpfs", shape.VOLUME: "volume"}


def volumes(docked: DockerRig) -> list[str]:
    """Name the volumes of this instance."""
    label = f"{shape.INSTANCE}={docked.instance}"
    found = docked.api.volumes(filters={"label": label})["Volumes"]
    return [volume["Name"] for volume in found or ()]


def test_no_volume_is_left(docked: DockerRig) -> None:
    """The volumes of a container go with it."""
    docked.backend.create(NODE, docked.spec())
    mounted = {m["Name"] for m in docked.inspect()["Mounts"] if m["Type"] == "volume"}
    assert mounted == {docked.name()} == {*volumes(docked)}

    docked.backend.remove(NODE)

    assert volumes(docked) == []


def test_a_strangers_volume_is_left_alone(docked: DockerRig) -> None:
    """One that has our name by chance, and not our label, is nobody's to remove."""
    docked.api.create_volume(docked.name())
    try:
        docked.backend.remove(NODE)
        assert docked.api.inspect_volume(docked.name())["Labels"] is None
    finally:
        docked.api.remove_volume(docked.name())


# --- what is not ours -----------------------------------------------------------------


@pytest.fixture(params=["unlabelled", "of another instance"])
def stranger(docked: DockerRig, request: pytest.FixtureRequest) -> Iterator[str]:
    """Make somebody else's container, with the name that ours would get."""
    labels = {shape.ARM_ID: CACHE.arm_id, shape.NODE: "0", shape.INSTANCE: "theirs"}
    container = docked.api.create_container(
        docked.image,
        name=docked.name(),
        labels=labels if request.param == "of another instance" else None,
    )["Id"]
    yield container
    docked.api.remove_container(container, v=True, force=True)


def test_a_strangers_container_is_left_alone(docked: DockerRig, stranger: str) -> None:
    """A name that is taken is told with its owner, who loses nothing."""
    with pytest.raises(TerminalError) as error:
        docked.backend.create(NODE, docked.spec())
    assert error.value.reason == "NameInUse"
    for told in (stranger[:12], docked.image, f"docker rm -f {docked.name()}"):
        assert told in str(error.value)

    assert docked.backend.find(NODE) is None
    assert docked.backend.list() == {}
    docked.backend.remove(NODE)
    assert docked.inspect()["Id"] == stranger


def test_events_of_another_instance_are_not_reported(docked: DockerRig) -> None:
    """`watch` speaks of our own containers only."""
    docked.neighbour.create(OTHER, docked.spec(ports=free_ports()))
    docked.backend.create(NODE, docked.spec())
    heard: list[CacheKey] = []
    reported = threading.Event()

    def listen(cache: CacheKey) -> None:
        heard.append(cache)
        reported.set()

    def die_until_it_is_heard() -> bool:
        docked.neighbour.remove(OTHER)
        docked.stop(NODE)
        if reported.wait(1.0):
            return True
        docked.backend.start(NODE, keep_data=False)  # nobody listened yet
        return False

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(docked.backend.watch, listen)
        eventually(die_until_it_is_heard)
        docked.backend.close()
        watching.result(DEADLINE_SECONDS)

    assert set(heard) == {CACHE}


# --- images ---------------------------------------------------------------------------


def test_a_missing_image_is_told_with_the_way_to_get_it(docked: DockerRig) -> None:
    """An image that cannot be pulled: the engine's reason, and the command to run."""
    image = "localhost:1/nobody/nothing:0"
    with pytest.raises(TerminalError) as error:
        docked.backend.create(NODE, replace(docked.spec(), image=image))
    assert error.value.reason == "ImageMissing"
    assert f"docker pull {image}" in str(error.value)
    assert "connection refused" in str(error.value)

    assert docked.backend.find(NODE) is None


def test_a_malformed_image_is_refused_in_the_engines_words(docked: DockerRig) -> None:
    """What is no image name at all is not waited for."""
    with pytest.raises(TerminalError, match="invalid reference format"):
        docked.backend.create(NODE, replace(docked.spec(), image="Not an image"))


# --- containers in odd states ---------------------------------------------------------


def test_a_server_that_cannot_run_tells_its_exit_code(docked: DockerRig) -> None:
    """A server that exits at once is found stopped, with its own last words."""
    broken = replace(docked.spec(), immutable={"databases": "many"})
    docked.backend.create(NODE, broken)

    eventually(lambda: docked.node(NODE).phase is Phase.STOPPED)

    detail = docked.node(NODE).detail
    assert detail.startswith("exited with code 1: ")
    assert "argument couldn't be parsed" in detail
    assert docked.backend.list()[NODE].detail == "exited with code 1"


def half_made(docked: DockerRig) -> str:
    """Leave a container as a controller does that is killed while it creates."""
    place = shape.Place(networks=("bridge",), visitor=None, bind_address="127.0.0.1")
    body = shape.container_body(docked.instance, NODE, docked.spec(), place)
    del body["NetworkingConfig"]  # the default bridge knows no aliases
    docked.api.create_container_from_config(body, docked.name())  # type: ignore[no-untyped-call]  # the stubs have no types for it
    return str(docked.inspect()["Id"])


def test_a_half_made_container_is_finished(docked: DockerRig) -> None:
    """`create` goes on where a killed controller stopped."""
    container = half_made(docked)

    docked.backend.create(NODE, docked.spec())

    assert docked.serving(NODE).accepted == KEYS.digests
    assert docked.inspect()["Id"] == container


def test_a_half_made_container_is_never_started(docked: DockerRig) -> None:
    """`start` makes room instead: the server's files may be missing."""
    half_made(docked)
    assert docked.node(NODE).phase is Phase.STOPPED

    docked.backend.start(NODE, keep_data=False)

    assert docked.backend.find(NODE) is None


def test_removals_at_the_same_time_all_succeed(docked: DockerRig) -> None:
    """A removal that somebody else began is waited for."""
    docked.backend.create(NODE, docked.spec())

    with ThreadPoolExecutor(6) as pool:
        removals = [pool.submit(docked.backend.remove, NODE) for _ in range(6)]
    for removal in removals:
        removal.result()

    assert docked.backend.list() == {}


def test_creations_at_the_same_time_make_one_container(docked: DockerRig) -> None:
    """Whoever comes second leaves the first one's alone, or is to look again."""

    def create() -> None:
        with contextlib.suppress(TransientError):
            docked.backend.create(NODE, docked.spec())

    with ThreadPoolExecutor(4) as pool:
        creations = [pool.submit(create) for _ in range(4)]
    for creation in creations:
        creation.result()

    assert docked.serving(NODE).accepted == KEYS.digests


@pytest.mark.parametrize(
    "node",
    [
        pytest.param(NodeKey(CacheKey("s", "g", "x" * 63)), id="longest name"),
        pytest.param(NodeKey(CacheKey("s", "g", "a" * 47 + "-b")), id="cut at a dash"),
    ],
)
def test_any_cache_has_a_name_that_engines_accept(
    docked: DockerRig, node: NodeKey
) -> None:
    """A container's name is a host name, however long the cache's is."""
    docked.backend.create(node, docked.spec())

    assert docked.backend.list() == {node: docked.node(node)}
