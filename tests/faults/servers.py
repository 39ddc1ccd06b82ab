"""The servers that an emulator runs, seen and hurt behind its back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import docker
import psutil

from controller.backends.docker.shape import ARM_ID, INSTANCE, UID, VOLUME
from controller.backends.process.children import SERVERS
from controller.model import CacheKey
from controller.nodes import NodeKey
from tests.contract.rigs import labels_of
from tests.emulator import GROUP, SUBSCRIPTION, Emulator


def cache_key(name: str) -> CacheKey:
    """Give the key of a test's cache."""
    return CacheKey(SUBSCRIPTION, GROUP, name)


def identity(emulator: Emulator) -> dict[str, str]:
    """Read who the emulator is: its instance's id and secret."""
    text = (emulator.directory / "instance.json").read_bytes()
    found: dict[str, str] = json.loads(text)
    return found


class Servers(Protocol):
    """What the backend of one emulator runs."""

    def nodes(self) -> list[str]:
        """Name what there is of caches, down to volumes and files."""
        ...

    def left(self) -> list[str]:
        """Name all that there is of this instance, and not of a cache alone."""
        ...

    def runs(self, cache: str) -> set[str]:
        """Name the servers of a cache; one that was started again is another."""
        ...

    def crash(self, cache: str) -> None:
        """Kill a server."""
        ...

    def freeze(self, cache: str) -> None:
        """Stop a server's process, so that it is there and answers nothing."""
        ...

    def restart(self, cache: str) -> None:
        """End a server and start it again; it may also be left to the controller."""
        ...

    def uid(self, cache: str) -> str:
        """Read the cache's uid off its server."""
        ...

    def shown(self, cache: str) -> bytes:
        """Read all that the engine and the disk say of a server."""
        ...

    def sweep(self) -> None:
        """Remove what a failed test left."""
        ...


class DockerServers:
    """Containers with the instance's label."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self.api = docker.APIClient(timeout=30, **docker.utils.kwargs_from_env())
        self._volumes: set[str] = set()

    @property
    def label(self) -> str:
        """What all that is of this instance is labelled with."""
        return f"{INSTANCE}={identity(self._emulator)['id']}"

    def containers(self, cache: str | None = None) -> list[dict[str, Any]]:
        """List the containers of all caches, or of one."""
        found: list[dict[str, Any]] = self.api.containers(
            all=True, filters={"label": self.label}
        )
        for each in found:
            volumes = (m["Name"] for m in each["Mounts"] if m["Type"] == "volume")
            self._volumes.update(volumes)
        key = cache_key(cache) if cache is not None else None
        keys = (CacheKey.parse(each["Labels"][ARM_ID]) for each in found)
        return [
            each for each, its in zip(found, keys, strict=True) if key in {None, its}
        ]

    def inspect(self, cache: str) -> dict[str, Any]:
        """Ask for all about the one container of a cache."""
        [one] = self.containers(cache)
        seen: dict[str, Any] = self.api.inspect_container(one["Id"])
        return seen

    def phase(self, cache: str) -> str:
        """Give the engine's word for the state of a cache's containers."""
        return ", ".join(each["State"] for each in self.containers(cache))

    def nodes(self) -> list[str]:
        """Name containers, and volumes: those of ours, and what was seen in one."""
        containers = [each["Names"][0] for each in self.containers()]
        found = self.api.volumes(filters={"label": self.label})["Volumes"] or ()
        volumes = {volume["Name"] for volume in found}
        return [
            *containers,
            *volumes,
            *filter(self._has_volume, self._volumes - volumes),
        ]

    def left(self) -> list[str]:
        """Name networks, too."""
        return [*self.nodes(), *self.networks()]

    def networks(self) -> list[str]:
        """Name the networks of this instance."""
        found = self.api.networks(filters={"label": self.label})
        return [network["Name"] for network in found]

    def runs(self, cache: str) -> set[str]:
        """Give the ids of its containers, and when each was started."""
        ids = [each["Id"] for each in self.containers(cache)]
        return {f"{each} {self._started(each)}" for each in ids}

    def crash(self, cache: str) -> None:
        """Kill the container."""
        self.api.kill(self.inspect(cache)["Id"])

    def freeze(self, cache: str) -> None:
        """Stop the server inside; the container goes on running."""
        command = "kill -STOP $(pidof valkey-server)"
        started = self.api.exec_create(self.inspect(cache)["Id"], ["sh", "-c", command])
        assert self.api.exec_start(started["Id"]) == b""

    def unplug(self, cache: str) -> None:
        """Take the container off its network; it goes on running."""
        container = self.inspect(cache)
        for network in container["NetworkSettings"]["Networks"]:
            self.api.disconnect_container_from_network(container["Id"], network)

    def restart(self, cache: str) -> None:
        """Have the engine do it."""
        self.api.restart(self.inspect(cache)["Id"], timeout=0)

    def uid(self, cache: str) -> str:
        """Read a label."""
        uid: str = self.containers(cache)[0]["Labels"][UID]
        return uid

    def shown(self, cache: str) -> bytes:
        """Read what inspect, the container's output and its volume show."""
        seen = self.inspect(cache)
        output: bytes = self.api.logs(seen["Id"], stdout=True, stderr=True)
        files, _ = self.api.get_archive(seen["Id"], VOLUME)
        return b"".join([json.dumps(seen).encode(), output, *files])

    def sweep(self) -> None:
        """Remove containers, and then their network; let go of the engine."""
        for each in self.containers():
            self.api.remove_container(each["Id"], v=True, force=True)
        for volume in self.api.volumes(filters={"label": self.label})["Volumes"] or ():
            self.api.remove_volume(volume["Name"])
        for network in self.networks():
            self.api.remove_network(network)
        self.api.close()

    def _started(self, container: str) -> str:
        try:
            started: str = self.api.inspect_container(container)["State"]["StartedAt"]
        except docker.errors.NotFound:
            return "gone meanwhile"
        return started

    def _has_volume(self, name: str) -> bool:
        try:
            self.api.inspect_volume(name)
        except docker.errors.NotFound:
            return False
        return True


class ProcessServers:
    """Processes, and their directories."""

    def __init__(self, emulator: Emulator) -> None:
        self._nodes = emulator.directory / "nodes"

    def nodes(self) -> list[str]:
        """Name directories, and processes that were given a file in one."""
        directories = map(str, self._nodes.glob("*"))
        return [*directories, *(str(process) for _, process in self._processes())]

    def left(self) -> list[str]:
        """Name the same: there is nothing else."""
        return self.nodes()

    def runs(self, cache: str) -> set[str]:
        """Give the numbers of its processes."""
        return {
            str(process.pid)
            for conf, process in self._processes()
            if conf.parent.name.startswith(f"{cache}-0-")
        }

    def crash(self, cache: str) -> None:
        """Kill the process."""
        self._process(cache).kill()

    def freeze(self, cache: str) -> None:
        """Stop the process."""
        self._process(cache).suspend()

    def restart(self, cache: str) -> None:
        """Kill the process: nobody but the controller starts it again."""
        self.crash(cache)

    def uid(self, cache: str) -> str:
        """Read a label."""
        uid: str = self._labels(cache)["uid"]
        return uid

    def shown(self, cache: str) -> bytes:
        """Read all files in its directory."""
        files = self._nodes.glob(f"{cache}-0-*/**/*")
        return b"".join(file.read_bytes() for file in files if file.is_file())

    def sweep(self) -> None:
        """Kill the processes; the directories are the test's own."""
        for _, process in self._processes():
            process.kill()

    def _labels(self, cache: str) -> dict[str, Any]:
        return labels_of(self._nodes, NodeKey(cache_key(cache)))

    def _process(self, cache: str) -> psutil.Process:
        return psutil.Process(self._labels(cache)["pid"])

    def _processes(self) -> Iterator[tuple[Path, psutil.Process]]:
        for each in psutil.process_iter(["cmdline"]):
            *program, last = each.info["cmdline"] or [""]
            serves = any(Path(word).name in SERVERS for word in program)
            if serves and last.startswith(str(self._nodes)):
                yield Path(last), each
