"""``…/redis/{name}/forceReboot``: what becomes of a cache whose nodes go down.

One server stands for all nodes of a cache. It loses its data when a shard loses all
its nodes; it loses its connections when a primary fails over to a replica; and a
replica that goes down is noticed by nobody.

Source: RedisRebootParameters, api-version 2024-11-01; "How to administer Azure Cache
for Redis" for the three effects.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Literal, assert_never

import falcon

from api import versions
from api.context import api_version, cause
from api.errors import Detail
from api.fields import Body, any_case
from api.mistakes import invalid, refusal
from api.parts import Parts
from api.redis import changes, children, render
from controller.model import Change, Record, Work
from controller.spec import CacheSpec, Errand, ErrandKind

RebootType = Literal["AllNodes", "PrimaryNode", "SecondaryNode"]


class RebootBody(Body):
    """Which nodes: those at ``ports``, else some of one shard, or of all.

    Nothing is required, and nothing said means all nodes.
    """

    reboot_type: Annotated[RebootType | None, any_case(RebootType)] = None
    shard_id: int | None = None
    ports: list[int] | None = None


class ForceReboot:
    """``…/forceReboot``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_post(self, req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """Schedule it; a reboot may follow a reboot which is not over yet."""
        key = children.parent(self._parts, path).key
        asked = children.read(req, RebootBody)
        request_id = cause(req).request_id

        def change(old: Record) -> Change:
            found = list(_mistakes(old.spec, asked))
            if found:
                raise refusal(found)
            spec = rebooted(old.spec, asked, request_id)
            return Change(spec, Work.UPDATING, joins=_reboots(old))

        self._parts.store.put(key, changes.existing(key, change), cause(req))
        name = versions.reboot_name(api_version(req), asked.reboot_type or "AllNodes")
        resp.media = {
            "message": (
                f"The requested reboot operation for '{name}' has been successfully "
                "scheduled and should be executed shortly."
            )
        }


def rebooted(spec: CacheSpec, asked: RebootBody, request_id: str) -> CacheSpec:
    """Make the spec that a reboot of nodes of the cache asks for; pure."""
    down = _nodes(spec, asked)
    shards = _shards(spec)
    if any(down.issuperset(shard) for shard in shards):
        return replace(spec, boot=request_id)
    if any(shard[0] in down for shard in shards):
        return spec.with_errand(Errand(ErrandKind.DISCONNECT, request_id))
    return spec


def _nodes(spec: CacheSpec, asked: RebootBody) -> set[int]:
    """Give the numbers of the nodes that go down, across all shards."""
    if asked.ports:
        return {_node(port) for port in asked.ports}
    shards = _shards(spec)
    if asked.shard_id is not None:
        shards = [shards[asked.shard_id]]
    match asked.reboot_type:
        case "AllNodes" | None:
            return {node for shard in shards for node in shard}
        case "PrimaryNode":
            return {shard[0] for shard in shards}
        case "SecondaryNode":  # of a Basic cache, its only node
            return {node for shard in shards for node in shard[1:] or shard}
        case _:
            assert_never(asked.reboot_type)


def _shards(spec: CacheSpec) -> list[range]:
    """Give the numbers of each shard's nodes; the first of each is its primary."""
    size = render.nodes_per_shard(spec)
    count = spec.shard_count or 1
    return [range(shard * size, (shard + 1) * size) for shard in range(count)]


def _node(port: int) -> int:
    """Give the number of the node that has a port; each has two."""
    tls = port >= render.FIRST_SSL_PORT
    return port - (render.FIRST_SSL_PORT if tls else render.FIRST_PLAIN_PORT)


def _mistakes(spec: CacheSpec, asked: RebootBody) -> Iterator[Detail]:
    """Find what names no node of this cache."""
    shards = _shards(spec)
    if asked.shard_id is not None and asked.shard_id not in range(len(shards)):
        why = f"The cache has the shards 0 to {len(shards) - 1}."
        yield invalid("shardId", why if spec.shard_count else "It is no cluster.")
    nodes = range(shards[-1].stop)
    for position, port in enumerate(asked.ports or ()):
        if _node(port) not in nodes:
            yield invalid(
                f"ports[{position}]",
                "Its nodes have the ports that the cache shows in 'instances': from "
                f"{render.FIRST_SSL_PORT} to {render.FIRST_SSL_PORT + nodes[-1]}, and "
                f"without TLS from {render.FIRST_PLAIN_PORT} on.",
            )


def _reboots(record: Record) -> bool:
    """Tell whether the newest write was a reboot."""
    newest, spec = record.cause.request_id, record.spec
    failover = Errand(ErrandKind.DISCONNECT, newest)
    return newest == spec.boot or failover in spec.errands
