"""Record to the node that should run for it; pure."""

from __future__ import annotations

from dataclasses import dataclass

from controller import acl, config
from controller.certificates import Leaf
from controller.model import Record
from controller.nodes import NodeKey, NodeSpec
from controller.spec import Secret

# Beside its data set a server needs buffers, and twice what it writes while it forks.
OVERHEAD_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a node is opened by, beside the access keys, and what it shows to clients.

    ``admin`` is the password of the controller's own user.
    """

    admin: Secret
    leaf: Leaf
    tokens: acl.Tokens


def node_key(record: Record) -> NodeKey:
    """Name the one server of a cache."""
    return NodeKey(record.key)


def desired_node(
    record: Record, credentials: Credentials, limits: config.Limits
) -> NodeSpec:
    """Say what should run."""
    spec, admin, restricted = record.spec, credentials.admin, limits.restricted
    return NodeSpec(
        uid=record.uid,
        generation=record.generation,
        image=limits.image,
        ports=record.ports,
        boot=spec.boot,
        memory_bytes=limits.max_memory_bytes * 3 // 2 + OVERHEAD_BYTES,
        users=acl.wanted_users(spec, admin, credentials.tokens, restricted=restricted),
        settings=config.live_settings(spec, limits),
        immutable=config.immutable_settings(spec),
        renames=acl.renames(admin, restricted=restricted),
        leaf=credentials.leaf,
        plain=spec.enable_non_ssl_port,
        published=spec.public_network_access != "Disabled",
        durable=config.durable(spec),
    )
