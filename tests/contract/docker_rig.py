"""The docker backend for the contract suite, and the engine behind its back."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker

from controller.backends.docker import DockerBackend
from controller.backends.docker.shape import INSTANCE, container_name
from controller.nodes import NodeKey
from tests.contract.rigs import NODE, Rig, real_admin


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerRig(Rig):
    """A backend with an instance id that nobody else has, and the engine itself."""

    api: docker.APIClient
    instance: str

    def name(self, node: NodeKey = NODE) -> str:
        """Name the container of a node."""
        return container_name(self.instance, node)

    def inspect(self, node: NodeKey = NODE) -> dict[str, Any]:
        """Ask the engine for all that it shows of a node's container."""
        seen: dict[str, Any] = self.api.inspect_container(self.name(node))
        return seen

    def networks(self) -> list[str]:
        """Name the networks of this instance."""
        label = f"{INSTANCE}={self.instance}"
        found = self.api.networks(filters={"label": label})
        return [network["Name"] for network in found]


def docker_backend(instance: str, network: str | None = None) -> DockerBackend:
    """Make a backend that was told as little as possible."""
    return DockerBackend(instance=instance, hostname=None, network=network)


def make_rig(instance: str) -> DockerRig:
    """Give the instance of that id on this machine's engine."""
    api = docker.APIClient(timeout=10, **docker.utils.kwargs_from_env())
    return DockerRig(
        backend=docker_backend(instance),
        neighbour=docker_backend(f"{instance}-other"),
        admin=real_admin(),
        stop=lambda node: api.kill(container_name(instance, node)),
        pause=lambda node: api.pause(container_name(instance, node)),
        api=api,
        instance=instance,
    )


@contextlib.contextmanager
def docker_rig(_directory: Path) -> Iterator[DockerRig]:
    """Begin an instance that nobody else has, and clear all of it away at the end."""
    rig = make_rig(uuid.uuid4().hex[:12])
    with contextlib.closing(rig.api):
        try:
            yield rig
        finally:
            rig.clear()
