"""Values of the domain; all frozen, none does I/O.

Terms: a *cache* is one ``Microsoft.Cache/redis`` resource; a *node* is one server
that runs for it; a *record* is what the store holds of a cache.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
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

KeyDigest = NewType("KeyDigest", str)  # SHA-256 of a password, lower-case hex

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class CacheKey:
    """Name of a cache; compared without case, as ARM does, and kept as given."""

    subscription: str = field(compare=False)
    group: str = field(compare=False)
    name: str = field(compare=False)
    _folded: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Fold what is compared."""
        parts = (self.subscription, self.group, self.name)
        object.__setattr__(self, "_folded", tuple(part.lower() for part in parts))

    @classmethod
    def parse(cls, arm_id: str) -> CacheKey:
        """Read the form that `arm_id` gives; `ValueError` for any other text."""
        match arm_id.strip("/").split("/"):
            case [_, subscription, _, group, _, _, _, name]:
                return cls(subscription, group, name)
            case _:
                raise ValueError(arm_id)

    @property
    def arm_id(self) -> str:
        """The resource id, in the casing of the real service."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
            f"/providers/Microsoft.Cache/Redis/{self.name}"
        )

    def __str__(self) -> str:
        return f"{self.group}/{self.name}"


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


def _children(none: Any = NOTHING) -> Any:  # noqa: ANN401 (as above)
    """Mark a kind of children: echoed, and only written to through their own paths."""
    return field(default_factory=lambda: none, metadata={"echoed": True, "child": True})


class ErrandKind(enum.StrEnum):
    """What can be done to a running server once."""

    FLUSH = "Flush"  # empty all its databases
    DISCONNECT = "Disconnect"  # as a failover does: clients come back and find all
    IMPORT = "Import"  # accepted, and without effect yet
    EXPORT = "Export"  # the same


@dataclass(frozen=True, slots=True)
class Errand:
    """Something to do once, for the request of this id."""

    kind: ErrandKind
    request_id: str


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
    enable_non_ssl_port: bool = field(default=False, metadata={"echoed": True})
    redis_configuration: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    boot: str = ""  # id of the newest request for a new, empty server
    errands: tuple[Errand, ...] = ()  # the newest of each kind
    minimum_tls_version: str | None = _echoed()
    public_network_access: str | None = _echoed()
    update_channel: str | None = _echoed()
    zonal_allocation_policy: str | None = _echoed()
    disable_access_key_authentication: bool | None = _echoed()
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
    access_policies: Mapping[str, AccessPolicy] = _children()  # custom ones
    access_policy_assignments: Mapping[str, AccessPolicyAssignment] = _children()

    @property
    def children(self) -> Mapping[str, Any]:
        """The fields that hold children; no write to the cache itself changes them."""
        return {
            each.name: getattr(self, each.name)
            for each in fields(self)
            if each.metadata.get("child")
        }

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Host ports of a cache, taken from the ledger for as long as it exists."""

    plain: int
    tls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the users of a cache reach it."""

    host: str
    port: int
    ssl_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """The request that led to the newest write; its ids go into every log line.

    ``request_id`` is the operation's id too, as recorded from the service.
    """

    request_id: str
    correlation_id: str = ""
    client_request_id: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """The time on two clocks: one to measure with, one to show."""

    monotonic: float  # seconds
    utc: datetime


PROGRESSING = "Progressing"  # the condition whose falsehood means failure


@dataclass(frozen=True, slots=True)
class Condition:
    """One claim about a cache, in the manner of a Kubernetes condition."""

    type: str
    holds: bool | None  # None: not known
    reason: str  # CamelCase, for programs
    message: str = ""  # one sentence, for people
    since: datetime = NEVER  # UTC; moves only when ``holds`` changes


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheStatus:
    """What the controller last saw; only the controller writes it.

    ``observed_generation`` is the newest generation that was ever seen in place.
    ``errands_run`` are those of the spec that were run.
    ``unsettled_since`` and ``silent_since`` are monotonic seconds: since when the
    cache is not what its spec asks for, and since when its running server does not
    answer. ``None``: it is, and it does.
    """

    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()
    errands_run: frozenset[Errand] = frozenset()
    unsettled_since: float | None = None
    silent_since: float | None = None

    @property
    def ready(self) -> bool:
        """Every claim was seen to hold."""
        return bool(self.conditions) and all(each.holds for each in self.conditions)

    @property
    def failure(self) -> Condition | None:
        """The claim that only somebody's help can make true again, if there is one."""
        for each in self.conditions:
            if each.type == PROGRESSING and each.holds is False:
                return each
        return None


class Work(enum.StrEnum):
    """What an outstanding write is called in ``provisioningState``."""

    CREATING = "Creating"
    UPDATING = "Updating"
    SCALING = "Scaling"
    CONFIGURING_AAD = "ConfiguringAAD"
    UPDATING_IDENTITY = "UpdatingManagedIdentity"
    LINKING = "Linking"
    UNLINKING = "Unlinking"
    DELETING = "Deleting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Spec, status, and the numbers which tie them together.

    ``generation`` grows by one with each change of the spec. ``uid`` differs
    between two caches of the same name, one deleted and one created after it.
    ``not_before`` is in monotonic seconds: until then the newest write is shown as
    outstanding, whatever is in place.
    """

    key: CacheKey
    uid: str
    generation: int
    spec: CacheSpec
    ports: Ports
    created_at: datetime
    work: Work
    cause: Cause
    not_before: float = 0.0
    status: CacheStatus = CacheStatus()
    deleting: bool = False

    @property
    def settled(self) -> bool:
        """The newest generation is in place, as far as was seen."""
        return (
            not self.deleting
            and self.status.observed_generation == self.generation
            and self.status.ready
        )

    @property
    def failure(self) -> Condition | None:
        """Why the newest generation cannot be reached without help, if so."""
        return self.status.failure

    @property
    def busy(self) -> bool:
        """A write is outstanding, so that another one has to wait."""
        if self.deleting:
            return True
        outstanding = self.status.observed_generation != self.generation
        return outstanding and self.failure is None

    @property
    def provisioning_state(self) -> str:
        """ARM's ``provisioningState``; derived here, stored nowhere.

        A repair of a cache that nobody wrote to shows as ``Updating``.
        """
        if self.deleting:
            return Work.DELETING
        if self.settled:
            return "Succeeded"
        if self.failure is not None:
            return "Failed"
        if not self.status.observed_generation:
            return Work.CREATING
        return self.work if self.busy else Work.UPDATING


@dataclass(frozen=True, slots=True)
class Change:
    """A new spec, and the word for the work that it makes.

    ``joins`` says that it need not wait for the write before it.
    """

    spec: CacheSpec
    work: Work
    joins: bool = False


class OperationState(enum.StrEnum):
    """State of a long-running operation, as ARM spells it."""

    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A write that takes its time; ``id`` is that of the request.

    It follows its record until it ends, and then stays as it ended, while the
    cache may recover.
    """

    id: str
    key: CacheKey
    uid: str
    generation: int
    deletes: bool
    state: OperationState = OperationState.IN_PROGRESS
    code: str = ""
    message: str = ""

    @property
    def ended(self) -> bool:
        """Nothing will change it any more."""
        return self.state is not OperationState.IN_PROGRESS

    def follow(self, record: Record | None) -> Operation:
        """Settle by what became of the record; ``None``: it is gone."""
        if self.ended:
            return self
        if record is None or record.uid != self.uid:
            gone = OperationState.SUCCEEDED if self.deletes else OperationState.CANCELED
            return self._end(gone)
        if record.deleting and not self.deletes:
            return self._end(OperationState.CANCELED)
        if record.failure is not None:
            return replace(
                self,
                state=OperationState.FAILED,
                code=record.failure.reason,
                message=record.failure.message,
            )
        if not self.deletes and record.settled and record.generation >= self.generation:
            return self._end(OperationState.SUCCEEDED)
        return self

    def _end(self, state: OperationState) -> Operation:
        return replace(self, state=state)


@dataclass(frozen=True, slots=True)
class NodeKey:
    """Which server of which cache; ``index`` counts from 0."""

    cache: CacheKey
    index: int = 0

    def __str__(self) -> str:
        return f"{self.cache}#{self.index}"


class Phase(enum.Enum):
    """State of a node's process, as far as the plan cares."""

    RUNNING = enum.auto()
    STOPPED = enum.auto()  # created, exited, dead: `Backend.start` may revive it
    PAUSED = enum.auto()
    REMOVING = enum.auto()  # the engine is at it; absent soon


@dataclass(frozen=True, slots=True)
class Address:
    """Where the controller reaches a server; not always where its users do."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A server that a backend found."""

    key: NodeKey
    uid: str  # of the cache it was created for
    fingerprint: str  # of the `NodeSpec` it was created from
    phase: Phase
    address: Address | None = None  # None: it cannot be reached in this phase
    detail: str = ""  # why it is not running, as far as the engine tells


@dataclass(frozen=True, slots=True)
class Absent:
    """A complete, successful look found no node."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The engine could not be asked; nothing may be concluded from it."""

    cause: str


Sighting = Node | Absent | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class AclUser:
    """One user of a server: what it is opened by and what it may do.

    ``rules`` is the part of the server's own ``ACL LIST`` line behind the
    passwords, such as ``~* &* +@all``.
    """

    name: str
    enabled: bool
    digests: frozenset[KeyDigest]
    rules: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSpec:
    """All that a node needs; what of it needs a new server is in ``fingerprint``."""

    uid: str
    generation: int
    image: str
    ports: Ports
    boot: str
    memory_bytes: int  # what the process may use in all
    users: tuple[AclUser, ...]
    settings: Mapping[str, str]  # CONFIG names and values that can change live
    immutable: Mapping[str, str]  # CONFIG names and values fixed at the start

    @property
    def fingerprint(self) -> str:
        """Digest of what only a new server can change; keys are not in it."""
        fixed = (
            self.uid,
            self.image,
            str(self.ports),
            self.boot,
            str(self.memory_bytes),
            repr(sorted(self.immutable.items())),
        )
        return hashlib.sha256("\n".join(fixed).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What a server says of itself, over the controller's own connection.

    ``accepted`` are the access keys that opened it a moment ago. ``ceilings`` holds
    settings which the machine cannot serve as asked, with the most it can.
    """

    users: Mapping[str, AclUser]
    settings: Mapping[str, str]
    accepted: frozenset[KeyDigest]
    ceilings: Mapping[str, str] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class Observed:
    """One look at one node, taken before planning.

    ``server`` is ``None`` when it did not answer: not known is not empty.
    """

    node: Sighting
    server: Server | None = None
