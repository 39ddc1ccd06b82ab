"""What a cache's container looks like: to the engine, and from what it says; pure."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass

from controller import acl
from controller.backends.conffile import conf_file
from controller.backends.docker.engine import Json
from controller.model import CacheKey
from controller.nodes import Address, Node, NodeKey, NodeSpec, Phase

_PREFIX = "azure-redis-emulator."
INSTANCE = f"{_PREFIX}instance"
ARM_ID = f"{_PREFIX}arm-id"
UID = f"{_PREFIX}uid"
NODE = f"{_PREFIX}node"
GENERATION = f"{_PREFIX}generation"
FINGERPRINT = f"{_PREFIX}fingerprint"
PORT = f"{_PREFIX}port"

SERVER_PORT = 6379
SERVER_TLS_PORT = 6380

# Note [Files in a volume]
# ~~~~~~~~~~~~~~~~~~~~~~~~
# The engine copies files into a container with a read-only root only below a volume,
# so the server's files have an anonymous one, which goes with the container. Its top
# belongs to root: they live in a folder of their own, where ACL SAVE may write.
VOLUME = "/etc/azure-redis-emulator"
_FOLDER = "server"
CONF_FILE = f"{VOLUME}/{_FOLDER}/server.conf"
ACL_FILE = f"{VOLUME}/{_FOLDER}/users.acl"

# source: valkey-io/valkey-container and redis/docker-library-redis, alpine images
_UID, _GID = 999, 1000

_NAME_LENGTH = 63  # of a DNS label, which the container's name has to be
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
    """

    networks: tuple[str, ...]
    visitor: str | None
    bind_address: str


def container_name(instance: str, node: NodeKey) -> str:
    """Name the container; another instance or group makes another name."""
    identity = f"{instance}\n{node.cache.arm_id.lower()}\n{node.index}"
    digest = hashlib.sha256(identity.encode()).hexdigest()[:_DIGEST_LENGTH]
    room = _NAME_LENGTH - len(f"redis--{digest}")
    return f"redis-{node.cache.name.lower()[:room].rstrip('-')}-{digest}"


def aliases(cache: CacheKey) -> tuple[str, ...]:
    """Give the further names of a cache in its networks; the last is Azure's."""
    name = cache.name.lower()
    return (name, f"{name}.redis.cache.windows.net")


def container_body(instance: str, node: NodeKey, spec: NodeSpec, place: Place) -> Json:
    """Describe the container to create (ContainerCreate, engine API 1.41).

    Secrets are in `files` only: everybody who may inspect containers reads this.
    """
    first, *_ = place.networks
    return {
        "Image": spec.image,
        "Cmd": [CONF_FILE],
        "User": f"{_UID}:{_GID}",
        "Labels": {
            INSTANCE: instance,
            ARM_ID: node.cache.arm_id,
            UID: spec.uid,
            NODE: str(node.index),
            GENERATION: str(spec.generation),
            FINGERPRINT: spec.fingerprint,
            PORT: str(spec.ports.plain),
        },
        "Volumes": {VOLUME: {}},
        "ExposedPorts": {port: {} for port in _published(spec)},
        "HostConfig": _host_config(spec, place),
        "NetworkingConfig": {
            "EndpointsConfig": {first: {"Aliases": list(aliases(node.cache))}}
        },
    }


def _host_config(spec: NodeSpec, place: Place) -> Json:
    return {
        "Init": True,  # a server that was just started does not hear SIGTERM itself
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "ReadonlyRootfs": True,
        "Mounts": [
            _tmpfs("/data", spec.memory_bytes),
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
            for port, host_port in _published(spec).items()
        },
    }


def _published(spec: NodeSpec) -> Mapping[str, int]:
    return {f"{SERVER_PORT}/tcp": spec.ports.plain}


def _tmpfs(path: str, capacity_bytes: int) -> Json:
    return {
        "Type": "tmpfs",
        "Target": path,
        "TmpfsOptions": {"SizeBytes": capacity_bytes, "Mode": 0o1777},
    }


def files(spec: NodeSpec) -> bytes:
    """Pack what the server reads, as a tar to unpack in `VOLUME`.

    See Note [Files in a volume].
    """
    places = {"port": str(SERVER_PORT), "dir": "/data", "aclfile": ACL_FILE}
    contents = {
        CONF_FILE: conf_file(spec, places),
        ACL_FILE: acl.aclfile(spec.users),
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(_entry(_FOLDER, tarfile.DIRTYPE, 0o700))
        for path, text in contents.items():
            data = text.encode()
            entry = _entry(path.removeprefix(f"{VOLUME}/"), tarfile.REGTYPE, 0o600)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = kind, mode
    entry.uid, entry.gid = _UID, _GID
    return entry


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
    return _node(instance, item["Labels"] or {}, item["State"], detail, place)


def inspected_node(instance: str, body: Json, place: Place) -> Node | None:
    """Read the engine's answer to inspect; ``None``: not a node of this instance."""
    state, labels = body["State"], body["Config"]["Labels"] or {}
    detail = ""
    if state["Status"] == "exited":
        detail = _exit_detail(state["ExitCode"], out_of_memory=state["OOMKilled"])
    return _node(instance, labels, state["Status"], detail, place)


def _exit_detail(code: int, *, out_of_memory: bool = False) -> str:
    reason = ", out of memory" if out_of_memory else ""
    return f"exited with code {code}{reason}"


def _node(
    instance: str, labels: Mapping[str, str], status: str, detail: str, place: Place
) -> Node | None:
    key = node_key(labels)
    if key is None or labels.get(INSTANCE) != instance:
        return None
    phase = _PHASES.get(status, Phase.STOPPED)
    running = phase is Phase.RUNNING
    return Node(
        key=key,
        uid=labels.get(UID, ""),
        fingerprint=labels.get(FINGERPRINT, ""),
        phase=phase,
        address=_address(instance, key, labels, place) if running else None,
        detail=detail,
    )


def _address(
    instance: str, key: NodeKey, labels: Mapping[str, str], place: Place
) -> Address | None:
    if place.visitor is not None:
        return Address(container_name(instance, key), SERVER_PORT)
    port = labels.get(PORT, "")
    if not port.isdecimal():
        return None
    everywhere = place.bind_address == "0.0.0.0"  # noqa: S104 (compared)
    return Address("127.0.0.1" if everywhere else place.bind_address, int(port))
