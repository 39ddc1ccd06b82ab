"""What a user asks of a cache; frozen values, and no word on how it is served."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, NewType

from controller.children import (
    AccessPolicy,
    AccessPolicyAssignment,
    FirewallRule,
    LinkedServer,
    PrivateEndpointConnection,
    ScheduleEntry,
)
from controller.places import Place

KeyDigest = NewType("KeyDigest", str)  # SHA-256 of a password, lower-case hex


NOTHING: Mapping[str, Any] = MappingProxyType({})

# Settings of redisConfiguration that turn something on
AAD_ENABLED = "aad-enabled"
RDB_ENABLED = "rdb-backup-enabled"
AOF_ENABLED = "aof-backup-enabled"


@dataclass(frozen=True, slots=True)
class Secret:
    """Text that opens a server; shows only its digest, so logs and diffs are safe."""

    reveal: str = field(repr=False)

    @property
    def digest(self) -> KeyDigest:
        """The form in which ``ACL LIST`` shows a password."""
        return KeyDigest(hashlib.sha256(self.reveal.encode()).hexdigest())

    def __str__(self) -> str:
        return f"sha256:{self.digest[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKeys:
    """The two passwords of a cache; either one opens it."""

    primary: Secret
    secondary: Secret

    @property
    def digests(self) -> frozenset[KeyDigest]:
        """What must open the cache; nothing else may."""
        return frozenset({self.primary.digest, self.secondary.digest})


class Tier(enum.StrEnum):
    """Service tier, as ARM spells it in ``sku.name``."""

    BASIC = "Basic"
    STANDARD = "Standard"
    PREMIUM = "Premium"


@dataclass(frozen=True, slots=True)
class Sku:
    """Tier and size; ``Sku(Tier.PREMIUM, 1)`` is P1."""

    tier: Tier
    capacity: int

    @property
    def family(self) -> str:
        """``P`` for Premium, else ``C``."""
        return "P" if self.tier is Tier.PREMIUM else "C"

    @property
    def size(self) -> str:
        """Row of the sizing tables, such as ``C0``."""
        return f"{self.family}{self.capacity}"


def _echoed() -> Any:  # noqa: ANN401 (what dataclasses.field returns)
    """Mark a field that is stored and shown, and asks nothing of a server."""
    return field(default=None, metadata={"echoed": True})


def _children(none: Any = NOTHING, *, echoed: bool = True) -> Any:  # noqa: ANN401 (as above)
    """Mark a kind of children: they are only written to through their own paths."""
    mark = {"echoed": echoed, "child": True}
    return field(default_factory=lambda: none, metadata=mark)


class ErrandKind(enum.StrEnum):
    """What can be done to a running server once."""

    FLUSH = "Flush"  # empty all its databases
    DISCONNECT = "Disconnect"  # as a failover does: clients come back and find all
    IMPORT = "Import"  # replace its data by those of dumps
    EXPORT = "Export"  # take its data to a dump


@dataclass(frozen=True, slots=True)
class Errand:
    """Something to do once, for the request of this id.

    ``places`` are the files of an import, in order, or the one container of an
    export; ``prefix`` begins the names of what an export leaves there.
    """

    kind: ErrandKind
    request_id: str
    places: tuple[Place, ...] = ()
    prefix: str = ""

    @property
    def bare(self) -> Errand:
        """The same without what opens somebody's storage."""
        return Errand(self.kind, self.request_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSpec:
    """What the user asked for, defaults filled in by ``api.redis.schema``.

    ``None`` means that the request did not set the property and that answers
    leave it out. Source: RedisCreateParameters, api-version 2024-11-01.
    """

    location: str = field(metadata={"echoed": True})  # display name: "West Europe"
    sku: Sku
    access_keys: AccessKeys
    redis_version: str = field(default="6.0", metadata={"echoed": True})
    enable_non_ssl_port: bool = False
    redis_configuration: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    boot: str = ""  # id of the newest request for a new, empty server
    errands: tuple[Errand, ...] = ()  # the newest of each kind
    minimum_tls_version: str | None = None
    public_network_access: str | None = None
    update_channel: str | None = _echoed()
    zonal_allocation_policy: str | None = _echoed()
    disable_access_key_authentication: bool | None = None
    shard_count: int | None = _echoed()
    replicas_per_primary: int | None = _echoed()
    tenant_settings: Mapping[str, str] | None = _echoed()
    subnet_id: str | None = _echoed()
    static_ip: str | None = _echoed()
    zones: tuple[str, ...] | None = _echoed()
    identity: Mapping[str, Any] | None = _echoed()
    tags: Mapping[str, str] = field(
        default_factory=lambda: NOTHING, metadata={"echoed": True}
    )
    firewall_rules: Mapping[str, FirewallRule] = _children()
    patch_schedule: tuple[ScheduleEntry, ...] = _children(none=())
    linked_servers: Mapping[str, LinkedServer] = _children()  # secondaries of this one
    private_endpoint_connections: Mapping[str, PrivateEndpointConnection] = _children()
    access_policies: Mapping[str, AccessPolicy] = _children(echoed=False)  # custom ones
    access_policy_assignments: Mapping[str, AccessPolicyAssignment] = _children(
        echoed=False
    )

    @property
    def children(self) -> Mapping[str, Any]:
        """The fields that hold children; no write to the cache itself changes them."""
        return {
            each.name: getattr(self, each.name)
            for each in fields(self)
            if each.metadata.get("child")
        }

    def assigns(self, object_id: str) -> bool:
        """Tell whether an Entra principal has an access policy, by its object id."""
        return any(
            each.object_id.lower() == object_id.lower()
            for each in self.access_policy_assignments.values()
        )

    def asks_the_same(self, other: CacheSpec) -> bool:
        """Tell whether a server that fits one fits the other."""
        return all(
            getattr(self, each.name) == getattr(other, each.name)
            for each in fields(self)
            if not each.metadata.get("echoed")
        )

    def with_errand(self, errand: Errand) -> CacheSpec:
        """Ask for an errand, in the place of an earlier one of its kind."""
        others = (each for each in self.errands if each.kind is not errand.kind)
        return replace(self, errands=(*others, errand))


def enabled(settings: Mapping[str, str], name: str) -> bool:
    """Tell whether a setting of ``redisConfiguration`` is on; unset ones are off."""
    return settings.get(name, "").lower() == "true"
