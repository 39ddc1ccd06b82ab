"""An image that is missing fails with the way to get it, and is waited for."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator

import docker
import pytest

from tests.conftest import IMAGE
from tests.emulator import basic, eventually
from tests.faults.rig import Rig, docker_rig
from tests.faults.servers import DockerServers

pytestmark = pytest.mark.docker

NOWHERE = "127.0.0.1:9/emulator-test/missing"  # a registry that refuses, offline too


class Image:
    """A name for the image of all caches, which can be there or not."""

    def __init__(self, api: docker.APIClient) -> None:
        self._api = api
        self._tag = uuid.uuid4().hex[:12]
        self.name = f"{NOWHERE}:{self._tag}"

    def appear(self) -> None:
        """As by ``docker tag`` or ``docker pull``."""
        assert self._api.tag(IMAGE, NOWHERE, self._tag)

    def vanish(self) -> None:
        """As by ``docker rmi``; what runs from it goes on."""
        with contextlib.suppress(docker.errors.ImageNotFound):
            self._api.remove_image(self.name)


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """Pick a name that no image has, except while a test says so."""
    api = docker.APIClient(**docker.utils.kwargs_from_env())
    image = Image(api)
    with contextlib.closing(api):
        yield image
        image.vanish()


@pytest.fixture(scope="module")
def rig(
    image: Image, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rig[DockerServers]]:
    """Run an emulator whose caches run from it."""
    named = {"FLOCI_AZ_SERVICES_REDIS_DEFAULT_IMAGE": image.name}
    with docker_rig(tmp_path_factory.mktemp("state"), **named) as rig:
        yield rig


@pytest.fixture
def failed(rig: Rig[DockerServers], image: Image) -> Iterator[str]:
    """Ask for a cache that cannot be created."""
    image.vanish()
    answer = rig.emulator.call("PUT", "imageless", basic())
    ended = rig.emulator.ended(answer)
    assert ended["status"] == "Failed"
    assert ended["error"]["code"] == "ImageMissing"
    assert f"docker pull {image.name}" in ended["error"]["message"]
    assert rig.emulator.state("imageless") == "Failed"
    yield "imageless"
    rig.emulator.delete("imageless")


def test_an_image_that_appears_ends_the_failure(
    rig: Rig[DockerServers], image: Image, failed: str
) -> None:
    """Nobody has to do more than the message says."""
    image.appear()
    rig.settle(failed)


def test_a_good_put_ends_the_failure(
    rig: Rig[DockerServers], image: Image, failed: str
) -> None:
    """Who corrected the cause need not wait: the same request again makes it work."""
    image.appear()
    answer = rig.emulator.call("PUT", failed, basic())
    assert answer.json()["properties"]["provisioningState"] != "Failed"
    rig.settle(failed)


def test_a_failed_cache_can_be_deleted(rig: Rig[DockerServers], failed: str) -> None:
    """It takes nothing with it that was never there, and its name is free."""
    rig.emulator.delete(failed)
    assert rig.servers.nodes() == []
    assert rig.emulator.call("PUT", failed, basic()).status_code == 201


def test_an_image_may_vanish_below_a_cache(
    rig: Rig[DockerServers], image: Image
) -> None:
    """What runs goes on and is revived; what has to be made anew fails until then."""
    image.appear()
    rig.emulator.create("bereft")
    first = rig.servers.runs("bereft")
    image.vanish()

    rig.servers.crash("bereft")
    eventually(lambda: rig.servers.runs("bereft") != first)
    rig.settle("bereft")
    [container] = rig.servers.containers("bereft")
    rig.servers.api.remove_container(container["Id"], v=True, force=True)

    eventually(lambda: rig.emulator.state("bereft") == "Failed")
    image.appear()
    rig.settle("bereft")
    rig.emulator.delete("bereft")
