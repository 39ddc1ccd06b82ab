"""What a cache's container looks like: to the engine, and from what it says; pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from controller import acl, config
from controller.backends.conffile import EMPTY_DUMP, conf_file
from controller.backends.docker import tars
from controller.backends.docker.engine import Json
from controller.model import CacheKey, Ports
from controller.nodes import Address, Node, NodeKey, NodeSpec, Phase

_PREFIX = "azure-redis-emulator."
INSTANCE = f"{_PREFIX}instance"
ARM_ID = f"{_PREFIX}arm-id"
UID = f"{_PREFIX}uid"
NODE = f"{_PREFIX}node"
GENERATION = f"{_PREFIX}generation"
FINGERPRINT = f"{_PREFIX}fingerprint"
BOOT = f"{_PREFIX}boot"
PLAIN_PORT = f"{_PREFIX}plain-port"  # on the host, like the next; none: not published
TLS_PORT = f"{_PREFIX}tls-port"

SERVER_PORTS = Ports(plain=6379, tls=6380)  # in every container

VOLUME = "/var/lib/azure-redis-emulator"
FOLDER = f"{VOLUME}/{tars.FOLDER}"
CONF_FILE = f"{FOLDER}/server.conf"
ACL_FILE = f"{FOLDER}/users.acl"

# Certificates may be signed for names below it, and for no name without a dot
_DOMAIN = "redis.internal"
_LABEL_LENGTH = 63  # of a part of a DNS name
_DIGEST_LENGTH = 8
_TMP_BYTES = 16 << 20
_PIDS = 64  # a server has a dozen threads, and forks once at a time

_PHASES = {
    "running": Phase.RUNNING,
    "paused": Phase.PAUSED,
    "removing": Phase.REMOVING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where containers go, and how the controller reaches them.

    ``networks`` are joined by every container. ``visitor`` is the id of the
    emulator's own container when it is on these networks too, so that names work;
    ``None``: it is not, and uses the ports that are published on ``bind_address``.
    ``direct`` says that it could use the containers' own addresses, too.
    """

    networks: tuple[str, ...]
    visitor: str | None
    bind_address: str
    direct: bool = True

    @property
    def isolates(self) -> bool:
        """Whether the emulator reaches containers of which no port is published."""
        return self.direct or self.visitor is not None

    def publishes(self, spec: NodeSpec) -> bool:
        """Tell whether a node's ports are to be published."""
        return spec.published or not self.isolates


def container_name(instance: str, node: NodeKey) -> str:
    """Name the container, and its volume; another instance or group has another."""
    identity = f"{instance}\n{node.cache.arm_id.lower()}\n{node.index}"
    digest = hashlib.sha256(identity.encode()).hexdigest()[:_DIGEST_LENGTH]
    room = _LABEL_LENGTH - len(f"-{digest}")
    return f"{node.cache.name.lower()[:room].rstrip('-')}-{digest}.{_DOMAIN}"


def aliases(cache: CacheKey) -> tuple[str, ...]:
    """Give the further names of a cache in its networks; the last is Azure's."""
    return (cache.name.lower(), cache.azure_host.lower())


def container_body(instance: str, node: NodeKey, spec: NodeSpec, place: Place) -> Json:
    """Describe the container to create (ContainerCreate, engine API 1.41).

    Secrets are in `files` only: everybody who may inspect containers reads this.
    """
    first, *_ = place.networks
    return {
        "Image": spec.image,
        "Cmd": [CONF_FILE],
        "User": f"{tars.UID}:{tars.GID}",
        "Labels": {
            **identity_labels(instance, node),
            UID: spec.uid,
            GENERATION: str(spec.generation),
            FINGERPRINT: spec.fingerprint,
            BOOT: spec.boot,
            **(_port_labels(spec) if place.publishes(spec) else {}),
        },
        "ExposedPorts": {port: {} for port in _published(spec, place)},
        "HostConfig": _host_config(instance, node, spec, place),
        "NetworkingConfig": {
            "EndpointsConfig": {first: {"Aliases": list(aliases(node.cache))}}
        },
    }


def identity_labels(instance: str, node: NodeKey) -> Mapping[str, str]:
    """Say whose a container or a volume is."""
    return {
        INSTANCE: instance,
        ARM_ID: node.cache.arm_id,
        NODE: str(node.index),
    }


def _port_labels(spec: NodeSpec) -> Mapping[str, str]:
    return {PLAIN_PORT: str(spec.ports.plain), TLS_PORT: str(spec.ports.tls)}


def _host_config(instance: str, node: NodeKey, spec: NodeSpec, place: Place) -> Json:
    return {
        "Init": True,  # a server that was just started does not hear SIGTERM itself
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "ReadonlyRootfs": True,
        "Mounts": [
            {
                "Type": "volume",
                "Source": container_name(instance, node),
                "Target": VOLUME,
                "VolumeOptions": {
                    "Labels": {**identity_labels(instance, node), UID: spec.uid}
                },
            },
            _tmpfs("/data", _TMP_BYTES),  # some images declare a volume there
            _tmpfs("/tmp", _TMP_BYTES),  # noqa: S108 (a path in the container)
        ],
        "PidsLimit": _PIDS,
        "Memory": spec.memory_bytes,
        "MemorySwap": spec.memory_bytes,  # the same: none of it is swap
        "LogConfig": {
            "Type": "json-file",
            "Config": {"max-size": "1m", "max-file": "2"},
        },
        "NetworkMode": place.networks[0],
        "PortBindings": {
            port: [{"HostIp": place.bind_address, "HostPort": str(host_port)}]
            for port, host_port in _published(spec, place).items()
        },
    }


def _published(spec: NodeSpec, place: Place) -> Mapping[str, int]:
    """Give the host's port of each of the container's; both, be they open or not."""
    if not place.publishes(spec):
        return {}
    return {
        f"{SERVER_PORTS.plain}/tcp": spec.ports.plain,
        f"{SERVER_PORTS.tls}/tcp": spec.ports.tls,
    }


def _tmpfs(path: str, capacity_bytes: int) -> Json:
    return {
        "Type": "tmpfs",
        "Target": path,
        "TmpfsOptions": {"SizeBytes": capacity_bytes, "Mode": 0o1777},
    }


def server_files(spec: NodeSpec, *, keep_data: bool) -> Mapping[str, bytes]:
    """Give what the server starts from, by name in its `FOLDER`.

    Unless its data are kept it also gets a dump of nothing: see `conffile`.
    """
    return {
        **settings_files(spec),
        "users.acl": acl.aclfile(spec.users).encode(),
        **({} if keep_data else {config.DUMP_FILE: EMPTY_DUMP}),
    }


def settings_files(spec: NodeSpec) -> Mapping[str, bytes]:
    """Give what of it the server never writes itself: settings and certificate."""
    places = {"dir": FOLDER, "aclfile": ACL_FILE}
    at = Address(
        host="", ports=SERVER_PORTS, peer="", listens=SERVER_PORTS, folder=FOLDER
    )
    return {
        "server.conf": conf_file(spec, at, places).encode(),
        **config.leaf_files(spec),
    }


def node_key(labels: Mapping[str, str]) -> NodeKey | None:
    """Read whose container this is; ``None``: of none of ours."""
    try:
        return NodeKey(CacheKey.parse(labels[ARM_ID]), int(labels[NODE]))
    except (KeyError, ValueError):
        return None


def listed_node(instance: str, item: Json, place: Place) -> Node | None:
    """Read an item of the engine's list; ``None``: not a node of this instance."""
    exited = re.match(r"Exited \((\d+)\)", item["Status"])
    detail = _exit_detail(int(exited[1])) if exited else ""
    seen = _Seen(item["Labels"] or {}, item["State"], detail, _own_address(item))
    return _node(instance, seen, place)


def inspected_node(instance: str, body: Json, place: Place) -> Node | None:
    """Read the engine's answer to inspect; ``None``: not a node of this instance."""
    state, labels = body["State"], body["Config"]["Labels"] or {}
    detail = ""
    if state["Status"] == "exited":
        detail = _exit_detail(state["ExitCode"], out_of_memory=state["OOMKilled"])
    seen = _Seen(labels, state["Status"], detail, _own_address(body))
    return _node(instance, seen, place)


def _exit_detail(code: int, *, out_of_memory: bool = False) -> str:
    reason = ", out of memory" if out_of_memory else ""
    return f"exited with code {code}{reason}"


@dataclass(frozen=True, slots=True)
class _Seen:
    """What both of the engine's answers say of a container."""

    labels: Mapping[str, str]
    status: str
    detail: str
    own_address: str  # in the first of its networks; empty while it is not running


def _own_address(body: Json) -> str:
    joined = body["NetworkSettings"]["Networks"].values()
    return next((each["IPAddress"] for each in joined if each["IPAddress"]), "")


def _node(instance: str, seen: _Seen, place: Place) -> Node | None:
    labels = seen.labels
    key = node_key(labels)
    if key is None or labels.get(INSTANCE) != instance:
        return None
    phase = _PHASES.get(seen.status, Phase.STOPPED)
    running = phase is Phase.RUNNING
    return Node(
        key=key,
        uid=labels.get(UID, ""),
        fingerprint=labels.get(FINGERPRINT, ""),
        phase=phase,
        boot=labels.get(BOOT, ""),
        address=_address(instance, key, seen, place) if running else None,
        detail=seen.detail,
    )


def host_ports(labels: Mapping[str, str]) -> Ports | None:
    """Read which ports of the host are the container's; ``None``: none are."""
    try:
        return Ports(plain=int(labels[PLAIN_PORT]), tls=int(labels[TLS_PORT]))
    except (KeyError, ValueError):
        return None


def _address(instance: str, key: NodeKey, seen: _Seen, place: Place) -> Address | None:
    """Say how to reach a container: by its name, by the host's ports, or directly."""
    name = container_name(instance, key)
    published = host_ports(seen.labels)
    everywhere = place.bind_address == "0.0.0.0"  # noqa: S104 (compared)
    if place.visitor is not None:
        host, ports = name, SERVER_PORTS
    elif published is not None:
        host, ports = "127.0.0.1" if everywhere else place.bind_address, published
    elif seen.own_address:
        host, ports = seen.own_address, SERVER_PORTS
    else:
        return None
    return Address(
        host=host, ports=ports, peer=name, listens=SERVER_PORTS, folder=FOLDER
    )
