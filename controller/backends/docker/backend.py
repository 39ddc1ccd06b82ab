"""Servers in containers of a Docker engine.

Note [Unfinished containers]
~~~~~~~~~~~~~~~~~~~~~~~~~~~~
A container is created, gets its files, and is started: three calls, and the
controller may be killed between any two. One that was never started may therefore
lack its files. `create` finishes it when it is what the spec asks for; `start`, which
has no spec, removes it, and the next round creates it anew.
"""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path

from controller import config
from controller.backends.conffile import EMPTY_DUMP
from controller.backends.docker import shape, tars
from controller.backends.docker.containers import Containers
from controller.backends.docker.engine import Engine, Json
from controller.backends.docker.network import Network
from controller.backends.words import last_words
from controller.errors import TerminalError, TransientError
from controller.model import CacheKey, Endpoint, Ports
from controller.nodes import Node, NodeKey, NodeSpec

_EVENTS = ["start", "die", "oom", "stop", "kill", "pause", "unpause", "destroy"]


class DockerBackend:
    """Fulfils the contract of `controller.backends.base.Backend` with containers.

    ``hostname`` is what users are told instead of the host found, ``network`` is
    joined instead of the networks found, and ports are published on ``bind_address``.
    No daemon need answer before the first call.
    """

    name = "docker"

    def __init__(
        self,
        *,
        instance: str,
        hostname: str | None,
        network: str | None,
        bind_address: str = "127.0.0.1",
    ) -> None:
        self._instance = instance
        self._hostname = hostname
        self._label = f"{shape.INSTANCE}={instance}"
        self._engine = Engine()
        self._containers = Containers(self._engine)
        self._network = Network(
            self._engine, instance=instance, setting=network, bind_address=bind_address
        )

    def probe(self) -> None:
        """Ask the daemon for a sign of life; `TransientError` if there is none."""
        self._engine.tell(lambda api: api.ping())
        self._network.place()

    def describe(self) -> str:
        """Name the daemon, and the networks once they are known."""
        place = self._network.known
        joined = f"; caches join {', '.join(place.networks)}" if place else ""
        return f"{self.name}: the daemon at {self._engine.where}{joined}"

    def list(self) -> Mapping[NodeKey, Node]:
        """Find every container of this instance, in one call."""
        place = self._network.place()
        items = self._containers.labelled(self._label)
        nodes = (shape.listed_node(self._instance, item, place) for item in items)
        return {node.key: node for node in nodes if node is not None}

    def find(self, node: NodeKey) -> Node | None:
        """Inspect the node's container; somebody else's counts as none."""
        seen = self._look(node)
        found = self._read(seen) if seen is not None else None
        if seen is None or found is None or seen["State"]["Status"] != "exited":
            return found
        told = last_words(self._containers.output(seen["Id"]))
        return replace(
            found, detail=f"{found.detail}: {told}" if told else found.detail
        )

    def leftovers(self) -> AbstractSet[NodeKey]:
        """Name the volumes that no container has; asks for all of either."""
        volumes = self._engine.ask(
            lambda api: api.volumes(filters={"label": self._label})
        )["Volumes"]
        found = (shape.node_key(each["Labels"] or {}) for each in volumes or ())
        return {node for node in found if node is not None} - self.list().keys()

    def create(
        self,
        node: NodeKey,
        spec: NodeSpec,
        *,
        keep_data: bool = False,
        seed: Path | None = None,
    ) -> None:
        """Create a container, pulling its image if need be, and start it."""
        place = self._network.ready_place()
        name = shape.container_name(self._instance, node)
        body = shape.container_body(self._instance, node, spec, place)
        self._drop_data(name, spec.uid if keep_data else None)
        seen = self._containers.create(name, body)
        found = self._read(seen)
        if found is None or found.key != node:
            raise _name_in_use(name, seen)
        # see Note [Unfinished containers]
        unfinished = seen["State"]["Status"] == "created"
        if not unfinished or found.fingerprint != spec.fingerprint:
            return
        container = seen["Id"]
        self._unpack(container, shape.server_files(spec, keep_data=keep_data))
        if seed is not None:
            self._plant(container, seed, config.dump_file(spec))
        for network in place.networks[1:]:
            self._containers.join(container, network, shape.aliases(node.cache))
        self._containers.run(container, spec.ports)

    def start(self, node: NodeKey, *, keep_data: bool) -> None:
        """Unpause or start a container; see Note [Unfinished containers]."""
        seen = self._look(node)
        if seen is None:
            raise TransientError(f"the container of {node} is gone")
        container = seen["Id"]
        match seen["State"]["Status"]:
            case "running":
                return
            case "removing":
                raise TransientError(f"the container of {node} is being removed")
            case "paused":
                self._containers.unpause(container)
            case "created" | "dead":
                self._containers.remove(container)
            case _:
                if not keep_data:
                    self._unpack(container, {config.DUMP_FILE: EMPTY_DUMP})
                labels = seen["Config"]["Labels"]
                self._containers.run(container, shape.host_ports(labels))

    def remove(self, node: NodeKey, *, keep_data: bool = False) -> None:
        """Kill the container and remove it, and its volume unless that is kept."""
        seen = self._look(node)
        if seen is not None:
            self._containers.remove(seen["Id"])
        if not keep_data:
            self._remove_volume(shape.container_name(self._instance, node))

    def prepare(self, node: NodeKey, spec: NodeSpec) -> None:
        """Copy the files of settings into the container's volume."""
        name = shape.container_name(self._instance, node)
        self._unpack(name, shape.settings_files(spec))

    def read_dump(self, node: NodeKey, target: Path) -> None:
        """Copy the dump file out of the container's volume."""
        name = shape.container_name(self._instance, node)
        path = f"{shape.FOLDER}/{config.DUMP_FILE}"
        packed = target.with_suffix(".tar")
        self._engine.tell(
            lambda api: tars.collect(api.get_archive(name, path)[0], packed)
        )
        try:
            tars.unpack_dump(packed, target)
        except (tarfile.TarError, KeyError, OSError) as error:
            raise TransientError(f"the dump of {node} came in part: {error}") from error
        finally:
            packed.unlink(missing_ok=True)

    def drop_dump(self, node: NodeKey) -> None:
        """Put a dump of nothing in its place."""
        name = shape.container_name(self._instance, node)
        self._unpack(name, {config.DUMP_FILE: EMPTY_DUMP})

    def _unpack(self, container: str, files: Mapping[str, bytes]) -> None:
        self._containers.unpack(container, shape.VOLUME, tars.packed(files))

    def _plant(self, container: str, seed: Path, name: str) -> None:
        with tempfile.TemporaryFile() as tar:
            tars.pack_dump(seed, tar, name)
            tar.seek(0)
            self._engine.tell(lambda api: api.put_archive(container, shape.VOLUME, tar))

    def _drop_data(self, name: str, heir: str | None) -> None:
        """Remove a volume of ours, unless the cache of this uid shall have it.

        One that a container has stays: `create` leaves what there is alone.
        """
        owner = self._owner(name)
        if owner in {None, heir} or self._containers.inspect(name) is not None:
            return
        self._remove_volume(name)

    def _remove_volume(self, name: str) -> None:
        """Remove a volume of ours; it may be gone already."""
        if self._owner(name) is not None:
            self._engine.change(
                lambda api: api.remove_volume(name),
                done=lambda: self._owner(name) is None,
            )

    def _owner(self, name: str) -> str | None:
        """Read for which uid a volume was made; ``None``: none of that name is ours."""
        seen = self._engine.look(lambda api: api.inspect_volume(name))
        labels = (seen or {}).get("Labels") or {}
        ours = labels.get(shape.INSTANCE) == self._instance
        return str(labels.get(shape.UID, "")) if ours else None

    def watch(self, notify: Callable[[CacheKey], None]) -> None:
        """Report our containers' events until the daemon or `close` ends them."""
        wanted = {"type": ["container"], "label": [self._label], "event": _EVENTS}
        for event in self._engine.events(wanted):
            node = shape.node_key(event["Actor"]["Attributes"])
            if node is not None:
                notify(node.cache)

    def endpoint(self, cache: CacheKey, ports: Ports) -> Endpoint:
        """Name the container to users beside it, the host and its ports to others."""
        place = self._network.known
        if self._hostname is None and place is not None and place.visitor is not None:
            return Endpoint(
                host=shape.container_name(self._instance, NodeKey(cache)),
                port=shape.SERVER_PORTS.plain,
                ssl_port=shape.SERVER_PORTS.tls,
            )
        host = self._hostname or "localhost"
        return Endpoint(host=host, port=ports.plain, ssl_port=ports.tls)

    def names(self, cache: CacheKey) -> tuple[str, ...]:
        """Give the container's name, which leads to it in its networks."""
        return (shape.container_name(self._instance, NodeKey(cache)),)

    def isolates(self) -> bool:
        """Tell whether the emulator needs no published ports; it does by default."""
        place = self._network.known
        return place is None or place.isolates

    def clean_up(self) -> None:
        """Remove the network that was made for the containers."""
        self._network.clean_up()

    def close(self) -> None:
        """End `watch`."""
        self._engine.close()

    def _look(self, node: NodeKey) -> Json | None:
        """Inspect the node's container; ``None``: none of that name is ours."""
        seen = self._containers.inspect(shape.container_name(self._instance, node))
        found = self._read(seen) if seen is not None else None
        return seen if found is not None and found.key == node else None

    def _read(self, seen: Json) -> Node | None:
        return shape.inspected_node(self._instance, seen, self._network.place())


def _name_in_use(name: str, seen: Json) -> TerminalError:
    return TerminalError(
        "NameInUse",
        f"the container name {name} is taken by {seen['Id'][:12]}, which is not ours "
        f"(image {seen['Config']['Image']}, created {seen['Created']}). Remove it with "
        f"`docker rm -f {name}`, or rename it with `docker rename {name} …`",
    )
