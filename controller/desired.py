"""Record to the node that should run for it; pure."""

from __future__ import annotations

from controller import acl, config
from controller.model import Record
from controller.nodes import NodeKey, NodeSpec
from controller.spec import Secret

# Beside its data set a server needs buffers, and twice what it writes while it forks.
OVERHEAD_BYTES = 64 << 20


def node_key(record: Record) -> NodeKey:
    """Name the one server of a cache."""
    return NodeKey(record.key)


def desired_node(record: Record, admin: Secret, limits: config.Limits) -> NodeSpec:
    """Say what should run; ``admin`` is the password of the controller's own user."""
    return NodeSpec(
        uid=record.uid,
        generation=record.generation,
        image=limits.image,
        ports=record.ports,
        boot=record.spec.boot,
        memory_bytes=limits.max_memory_bytes * 3 // 2 + OVERHEAD_BYTES,
        users=acl.wanted_users(record.spec.access_keys, admin),
        settings=config.live_settings(record.spec, limits),
        immutable=config.immutable_settings(record.spec),
    )
