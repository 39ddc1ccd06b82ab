"""Which networks the caches' containers join.

Beside an emulator that runs in a container they join its networks, where names
work. Otherwise they get a network of the instance's own: the engine's default bridge
has no names, and a second daemon on the machine can delete it.
"""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path

from controller.backends.docker.engine import Engine, Json
from controller.backends.docker.shape import INSTANCE, Place
from controller.errors import TerminalError

_BUILT_IN = {"bridge", "host", "none"}  # networks without names
_MOUNTS = Path("/proc/self/mountinfo")


class Network:
    """Finds out once where containers go, and keeps the own network in being.

    ``setting`` names a network that somebody else keeps, to use instead.
    """

    def __init__(
        self, engine: Engine, *, instance: str, setting: str | None, bind_address: str
    ) -> None:
        self._engine = engine
        self._instance = instance
        self._own = f"azure-redis-emulator-{instance}"
        self._setting = setting
        self._bind_address = bind_address
        self._lock = threading.Lock()
        self.known: Place | None = None  # None: no daemon has answered yet

    def place(self) -> Place:
        """Say where containers go; asks the daemon the first time."""
        if self.known is None:
            self.known = self._find_out()
        return self.known

    def ready_place(self) -> Place:
        """Say the same, and have all networks there for a container to join."""
        place = self.place()
        if place.networks == (self._own,):
            with self._lock:
                self._keep(place)
            return place
        for name in place.networks:
            if self._look(name) is None:
                raise TerminalError(
                    "NetworkMissing",
                    f"the network {name!r} that caches are to join does not exist. "
                    f"Create it (`docker network create {name}`) or name another one",
                )
        return place

    def clean_up(self) -> None:
        """Remove the own network, unless a container is still on it."""
        seen = self._look(self._own)
        if seen is None or (seen["Labels"] or {}).get(INSTANCE) != self._instance:
            return
        joined = _members(seen)
        visitor = self.place().visitor
        if joined - {visitor}:
            return
        if visitor is not None and joined:
            self._engine.tell(
                lambda api: api.disconnect_container_from_network(visitor, self._own)
            )
        self._engine.change(
            lambda api: api.remove_network(self._own),
            done=lambda: self._look(self._own) is None,
        )

    def _find_out(self) -> Place:
        visitor = self._own_container()
        joined = names_of_networks(visitor) if visitor is not None else ()
        return Place(
            networks=(self._setting,) if self._setting else joined or (self._own,),
            visitor=visitor["Id"] if visitor is not None else None,
            bind_address=self._bind_address,
            direct=reaches_containers(
                self._engine.ask(lambda api: api.info()),
                os.environ.get("DOCKER_HOST", ""),
            ),
        )

    def _own_container(self) -> Json | None:
        """Inspect the emulator's container; ``None``: it shares the host's network."""
        container = container_id(_MOUNTS.read_text()) if _MOUNTS.exists() else None
        if container is None:
            return None
        seen = self._engine.look(lambda api: api.inspect_container(container))
        if seen is None or seen["HostConfig"]["NetworkMode"] == "host":
            return None
        return seen

    def _keep(self, place: Place) -> None:
        seen = self._look(self._own)
        if seen is None:
            self._create()
            seen = self._look(self._own) or {}
        visitor = place.visitor
        if visitor is not None and visitor not in _members(seen):
            self._engine.tell(
                lambda api: api.connect_container_to_network(visitor, self._own)
            )

    def _create(self) -> None:
        labels = {INSTANCE: self._instance}
        self._engine.change(
            lambda api: api.create_network(
                self._own, driver="bridge", check_duplicate=True, labels=labels
            ),
            done=lambda: self._look(self._own) is not None,
        )

    def _look(self, name: str) -> Json | None:
        return self._engine.look(lambda api: api.inspect_network(name))


def _members(network: Json) -> set[str]:
    """Give the ids of the running containers on a network."""
    return set(network.get("Containers") or ())


def reaches_containers(info: Json, host: str) -> bool:
    """Tell whether this machine can connect to the addresses of containers.

    It cannot where they run in a machine or a network namespace of their own: behind
    another ``host`` (``DOCKER_HOST``), in Docker Desktop, without root.
    """
    here = not host or host.startswith("unix://")
    desktop = info.get("OperatingSystem") == "Docker Desktop"
    rootless = any("rootless" in each for each in info.get("SecurityOptions") or ())
    return here and not desktop and not rootless


def container_id(mounts: str) -> str | None:
    """Read the id of the container that a process runs in; ``None``: in none.

    ``mounts`` is /proc/self/mountinfo. Engines mount three files into a container
    from a folder that bears its id; a file such as /.dockerenv outlives containers,
    in machines that were made from an image.
    """
    own = re.search(
        r"containers/([0-9a-f]{64})/\S+ /etc/(?:hostname|hosts|resolv\.conf) ", mounts
    )
    return own[1] if own else None


def names_of_networks(container: Json) -> tuple[str, ...]:
    """Name the networks of a container in which names work."""
    joined = container["NetworkSettings"]["Networks"]
    return tuple(sorted(set(joined) - _BUILT_IN))
