"""Children of a cache; they live in its spec, so that one write is one change.

A kind of children is a mapping by name. Names keep the casing of their creation and
are looked up without case, as ARM does: `spelled` is how.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

Child = TypeVar("Child")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirewallRule:
    """Addresses that may connect, both ends included; IPv4, as they were sent."""

    start_ip: str
    end_ip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleEntry:
    """One time a week at which the cache may be patched."""

    day_of_week: str  # as ARM spells it; also "Everyday" and "Weekend"
    start_hour_utc: int
    maintenance_window: str  # ISO 8601 duration, as it was sent


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedServer:
    """The secondary of a geo-replicated cache; its name is the name of the child.

    ``uid`` tells it from a later cache of the same name, which is not linked.
    """

    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateEndpointConnection:
    """What the owner of the cache says to somebody's private endpoint."""

    endpoint_id: str  # of a Microsoft.Network/privateEndpoints
    status: str
    description: str
    actions_required: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPolicy:
    """What users may do: ACL rules which name commands and keys, and nothing else."""

    permissions: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPolicyAssignment:
    """Who may do what a policy allows; ``object_id`` is that of an Entra principal."""

    object_id: str
    object_id_alias: str
    policy: str  # its name, as it was sent


def spelled(children: Mapping[str, object], name: str) -> str:
    """Give a name in the casing of its creation; as it is if there is no such child."""
    return next((each for each in children if each.lower() == name.lower()), name)


def with_child(
    children: Mapping[str, Child], name: str, child: Child
) -> Mapping[str, Child]:
    """Add a child, or put it in the place of the one of that name."""
    return MappingProxyType({**children, spelled(children, name): child})


def without(children: Mapping[str, Child], name: str) -> Mapping[str, Child]:
    """Leave a child out, if it is there."""
    gone = spelled(children, name)
    return MappingProxyType({k: v for k, v in children.items() if k != gone})
