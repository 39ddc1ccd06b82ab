"""Values of the domain; all frozen, none does I/O.

Terms: a *cache* is one ``Microsoft.Cache/redis`` resource; a *node* is one server
that runs for it; a *record* is what the store holds of a cache.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from controller.spec import CacheSpec, Errand, KeyDigest

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


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

    @property
    def azure_host(self) -> str:
        """The host name that the cache would have in Azure."""
        return f"{self.name}.redis.cache.windows.net"

    def __str__(self) -> str:
        return f"{self.group}/{self.name}"


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

    @property
    def unix(self) -> float:
        """The time to show in seconds of Unix time, as tokens have it."""
        return self.utc.timestamp()


@dataclass(frozen=True, slots=True)
class ErrandFailure:
    """Why an errand was in vain; the cache is none the worse for it."""

    errand: Errand
    reason: str  # CamelCase, for programs
    message: str  # what, why and what to do, for people


PROGRESSING = "Progressing"  # the condition whose falsehood means failure


@dataclass(frozen=True, slots=True)
class Condition:
    """One claim about a cache, in the manner of a Kubernetes condition."""

    type: str
    holds: bool | None  # None: not known
    reason: str  # CamelCase, for programs
    message: str = ""  # one sentence, for people
    since: datetime = NEVER  # UTC; moves only when ``holds`` changes
    essential: bool = True  # else the cache is ready all the same


@dataclass(frozen=True, slots=True)
class Starts:
    """How often a server was found stopped and started again, all in vain so far."""

    count: int = 0
    last: float = 0.0  # when; monotonic seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheStatus:
    """What the controller last saw; only the controller writes it.

    ``observed_generation`` is the newest generation that was ever seen in place.
    ``errands_run`` are those of the spec that were run, the failed ones included.
    ``tokens`` are those with which somebody can sign in. ``saved`` says that data wait
    for a new server.
    ``unsettled_since`` and ``silent_since`` are monotonic seconds: since when the
    cache is not what its spec asks for, and since when its running server does not
    answer. ``None``: it is, and it does.
    """

    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()
    errands_run: frozenset[Errand] = frozenset()
    errand_failures: tuple[ErrandFailure, ...] = ()
    tokens: frozenset[KeyDigest] = frozenset()
    saved: bool = False
    unsettled_since: float | None = None
    silent_since: float | None = None
    starts: Starts = Starts()

    @property
    def ready(self) -> bool:
        """Every essential claim was seen to hold."""
        essential = [each for each in self.conditions if each.essential]
        return bool(essential) and all(each.holds for each in essential)

    @property
    def failure(self) -> Condition | None:
        """The claim that only somebody's help can make true again, if there is one."""
        for each in self.conditions:
            if each.type == PROGRESSING and each.holds is False:
                return each
        return None

    @property
    def restarted(self) -> CacheStatus:
        """Without what went wrong with an older spec, and how long it took."""
        conditions = tuple(c for c in self.conditions if c.type != PROGRESSING)
        return replace(
            self, conditions=conditions, unsettled_since=None, starts=Starts()
        )


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
    def lasting(self) -> Record:
        """What of it outlives the process: all that is not seen anew by the next one.

        A monotonic clock begins anew as well.
        """
        status = CacheStatus(
            observed_generation=self.status.observed_generation,
            errands_run=frozenset(each.bare for each in self.status.errands_run),
            saved=self.status.saved,
        )
        return replace(self, spec=self._forgetful, status=status, not_before=0.0)

    @property
    def _forgetful(self) -> CacheSpec:
        """The spec without what opened the storage of transfers that are over."""
        run = self.status.errands_run
        errands = (each.bare if each in run else each for each in self.spec.errands)
        return replace(self.spec, errands=tuple(errands))

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


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did; ``changed`` is false when the spec was equal.

    ``paced`` says that it takes longer than it has to: nobody should wait for it.
    """

    record: Record
    created: bool
    changed: bool
    paced: bool = False
