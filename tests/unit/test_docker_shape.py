"""Containers of the docker backend, as they are described and read; no engine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from controller.backends.docker import DockerBackend, shape
from controller.backends.docker.network import (
    container_id,
    names_of_networks,
    reaches_containers,
)
from controller.model import CacheKey, Endpoint, Ports
from controller.nodes import Node, NodeKey, Phase
from tests.builders import NODE, wanted

PLACE = shape.Place(networks=("net",), visitor=None, bind_address="127.0.0.1")
LABELS = shape.container_body("ours", NODE, wanted(), PLACE)["Labels"]
ID = "0123456789abcdef" * 4


def inspected(**state: Any) -> dict[str, Any]:  # noqa: ANN401 (the engine's JSON)
    """Give what the engine says of our container in some state."""
    quiet = {"Status": "running", "ExitCode": 0, "OOMKilled": False}
    return {
        "State": quiet | state,
        "Config": {"Labels": LABELS},
        "NetworkSettings": {"Networks": {"net": {"IPAddress": "172.18.0.9"}}},
    }


# --- names ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(("theirs", NODE), id="instance"),
        pytest.param(("ours", replace(NODE, index=1)), id="node"),
        pytest.param(
            ("ours", NodeKey(CacheKey("my-sub", "another-rg", "Cache1"))), id="group"
        ),
    ],
)
def test_every_node_has_a_name_of_its_own(other: tuple[str, NodeKey]) -> None:
    """Caches of one name in different places do not share a container."""
    assert shape.container_name(*other) != shape.container_name("ours", NODE)


def test_a_name_does_not_depend_on_case() -> None:
    """However a request spells a cache, it is the same container."""
    shouted = NodeKey(CacheKey("MY-SUB", "MY-RG", "CACHE1"))

    assert shape.container_name("ours", shouted) == shape.container_name("ours", NODE)


@pytest.mark.parametrize("length", [1, 47, 48, 49, 63])
def test_a_name_is_a_host_name(length: int) -> None:
    """Containers are reached by their names, whatever the cache's length."""
    node = NodeKey(CacheKey("s", "g", "a-" * length))

    name = shape.container_name("ours", node)

    label, _, domain = name.partition(".")
    assert len(label) <= 63
    assert label.startswith("a-")
    assert "--" not in label
    assert domain == "redis.internal"


# --- what is read ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("running", Phase.RUNNING),
        ("paused", Phase.PAUSED),
        ("removing", Phase.REMOVING),
        ("created", Phase.STOPPED),
        ("exited", Phase.STOPPED),
        ("dead", Phase.STOPPED),
        ("something new", Phase.STOPPED),
    ],
)
def test_each_state_is_a_phase(status: str, phase: Phase) -> None:
    """A state that nobody knows is one that `start` may end."""
    node = shape.inspected_node("ours", inspected(Status=status), PLACE)

    assert node is not None
    assert node.phase is phase
    assert (node.address is None) == (phase is not Phase.RUNNING)


@pytest.mark.parametrize(
    ("state", "detail"),
    [
        pytest.param({"ExitCode": 0}, "exited with code 0", id="stopped"),
        pytest.param(
            {"ExitCode": 137, "OOMKilled": True},
            "exited with code 137, out of memory",
            id="out of memory",
        ),
    ],
)
def test_an_ended_server_tells_why(state: dict[str, Any], detail: str) -> None:
    """The reason is the engine's: exit code, and whether memory ran out."""
    seen = inspected(Status="exited", **state)

    assert shape.inspected_node("ours", seen, PLACE) == Node(
        key=NODE,
        uid="uid-1",
        fingerprint=wanted().fingerprint,
        phase=Phase.STOPPED,
        detail=detail,
    )


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param(None, id="none"),
        pytest.param({}, id="empty"),
        pytest.param(LABELS | {shape.INSTANCE: "theirs"}, id="another instance"),
        pytest.param(LABELS | {shape.ARM_ID: "nonsense"}, id="no id"),
        pytest.param(LABELS | {shape.NODE: "first"}, id="no index"),
    ],
)
def test_what_is_not_ours_is_no_node(labels: dict[str, str] | None) -> None:
    """Containers that lack our labels, or have them wrong, are somebody else's."""
    seen = inspected() | {"Config": {"Labels": labels}}
    item: dict[str, Any] = {
        "State": "running",
        "Status": "Up",
        "Labels": labels,
        "NetworkSettings": {"Networks": {}},
    }

    assert shape.inspected_node("ours", seen, PLACE) is None
    assert shape.listed_node("ours", item, PLACE) is None


@pytest.mark.parametrize(
    ("place", "address"),
    [
        pytest.param(PLACE, ("127.0.0.1", 7000), id="on the host"),
        pytest.param(
            replace(PLACE, bind_address="0.0.0.0"),
            ("127.0.0.1", 7000),
            id="published everywhere",
        ),
        pytest.param(
            replace(PLACE, bind_address="192.0.2.7"),
            ("192.0.2.7", 7000),
            id="published on one address",
        ),
        pytest.param(
            replace(PLACE, visitor=ID),
            (shape.container_name("ours", NODE), 6379),
            id="beside it in a network",
        ),
    ],
)
def test_a_running_server_has_an_address(
    place: shape.Place, address: tuple[str, int]
) -> None:
    """The controller goes by the published port, or by name where names work."""
    seen = inspected()
    seen["Config"]["Labels"] = LABELS | {shape.PLAIN_PORT: "7000"}
    node = shape.inspected_node("ours", seen, place)

    assert node is not None
    assert node.address is not None
    assert (node.address.host, node.address.ports.plain) == address
    assert node.address.listens == Ports(plain=6379, tls=6380)


def test_a_server_that_is_not_published_is_reached_at_its_own_address() -> None:
    """No port of the host leads to it, and the description has none."""
    spec = replace(wanted(), published=False)
    body = shape.container_body("ours", NODE, spec, PLACE)
    seen = inspected() | {"Config": {"Labels": body["Labels"]}}
    node = shape.inspected_node("ours", seen, PLACE)

    assert body["HostConfig"]["PortBindings"] == {}
    assert node is not None
    assert node.address is not None
    assert node.address.host == "172.18.0.9"
    assert node.address.ports == node.address.listens


def test_a_server_that_is_reached_in_no_other_way_is_published() -> None:
    """Otherwise the controller would take it for hung, and replace it for ever."""
    spec = replace(wanted(), published=False)
    body = shape.container_body("ours", NODE, spec, replace(PLACE, direct=False))

    assert body["HostConfig"]["PortBindings"]
    assert shape.PLAIN_PORT in body["Labels"]


@pytest.mark.parametrize(
    ("info", "host", "reaches"),
    [
        pytest.param({"OperatingSystem": "Debian"}, "", True, id="here"),
        pytest.param({}, "unix:///run/docker.sock", True, id="by another socket"),
        pytest.param({}, "tcp://192.0.2.7:2375", False, id="elsewhere"),
        pytest.param({"OperatingSystem": "Docker Desktop"}, "", False, id="Desktop"),
        pytest.param(
            {"SecurityOptions": ["name=seccomp", "name=rootless"]}, "", False, id="user"
        ),
    ],
)
def test_containers_may_be_out_of_reach(
    info: dict[str, Any], host: str, *, reaches: bool
) -> None:
    """Their addresses mean nothing outside the machine that they run in."""
    assert reaches_containers(info, host) is reaches


def test_users_are_told_the_configured_host() -> None:
    """A host name that the operator gave goes with the ports on that host."""
    backend = DockerBackend(instance="ours", hostname="cache.test", network=None)

    endpoint = backend.endpoint(NODE.cache, Ports(plain=6385, tls=6401))

    assert endpoint == Endpoint(host="cache.test", port=6385, ssl_port=6401)


# --- the emulator's own container -----------------------------------------------------


@pytest.mark.parametrize(
    ("mounts", "found"),
    [
        pytest.param(
            "771 762 254:0 / / rw,relatime - ext4 /dev/vda rw\n", None, id="none"
        ),
        pytest.param(
            f"791 780 254:0 /var/lib/docker/containers/{ID}/resolv.conf "
            "/etc/resolv.conf rw,relatime - ext4 /dev/vda rw\n",
            ID,
            id="docker",
        ),
        pytest.param(
            f"791 780 0:24 /containers/overlay-containers/{ID}/userdata/hostname "
            "/etc/hostname rw,nosuid - tmpfs tmpfs rw\n",
            ID,
            id="podman",
        ),
        pytest.param(
            f"99 42 0:52 / /var/lib/docker/containers/{ID}/mounts/shm rw "
            "- tmpfs shm rw\n",
            None,
            id="the host of others",
        ),
    ],
)
def test_a_container_knows_its_id(mounts: str, found: str | None) -> None:
    """The id is read from what the engine mounts; other containers' ids are not."""
    assert container_id(mounts) == found


def test_only_networks_with_names_count() -> None:
    """The engine's built-in networks know no names, so that caches do not join them."""
    joined = dict.fromkeys(("project_default", "bridge", "backend"))

    named = names_of_networks({"NetworkSettings": {"Networks": joined}})

    assert named == ("backend", "project_default")
