"""What a round can do, and how it can end: frozen values.

An action carries all that `controller.execute` needs and knows nothing of how it
is run. ``cause`` is a phrase for people; no action shows a secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from controller.model import ErrandFailure
from controller.nodes import AclUser, NodeSpec
from controller.spec import Errand


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateNode:
    """Create and start a server, its users and settings already in place."""

    spec: NodeSpec = field(repr=False)
    keep_data: bool
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartNode:
    """Make the existing server run again."""

    keep_data: bool
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveData:
    """Have the server write its data down for the one that takes its place."""

    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DropDump:
    """Drop the file from which a server has taken over the data of another one."""

    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadAgain:
    """Have the server follow no other one any more."""

    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveNode:
    """Remove the server, and its data unless the next one is to have them."""

    keep_data: bool = False
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyUsers:
    """Set these users, each in one atomic command, drop those, and save.

    Then the connections of ``disconnect`` end: of users, by name.
    """

    users: tuple[AclUser, ...]
    drop: frozenset[str]
    disconnect: frozenset[str] = frozenset()
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplySettings:
    """Change these settings of the running server; it shall start with them, too.

    ``spec`` has them all, and the certificate that they name.
    """

    settings: Mapping[str, str]
    spec: NodeSpec = field(repr=False)
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunErrand:
    """Do something to the running server once; twice does no harm."""

    errand: Errand
    spec: NodeSpec = field(repr=False)
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing to do but look again after ``seconds``."""

    seconds: float
    cause: str


Change = (
    CreateNode
    | StartNode
    | SaveData
    | DropDump
    | LeadAgain
    | RemoveNode
    | ApplyUsers
    | ApplySettings
)
Action = Change | RunErrand | Wait


@dataclass(frozen=True, slots=True)
class Plan:
    """Actions in the order in which to run them; the first failure stops it."""

    actions: tuple[Action, ...] = ()

    def __iter__(self) -> Iterator[Action]:
        return iter(self.actions)

    @property
    def acts(self) -> bool:
        """Something is done, rather than nothing or waiting."""
        return any(not isinstance(action, Wait) for action in self.actions)

    def __str__(self) -> str:
        return "\n".join(f"{type(a).__name__}: {a.cause}" for a in self.actions)


@dataclass(frozen=True, slots=True)
class Done:
    """The plan was empty: converged; in ``after`` seconds it may not be any more."""

    after: float | None = None


@dataclass(frozen=True, slots=True)
class Deeds:
    """What a round did that the next ones have to know of.

    ``ran`` are errands that ended, the ``failed`` ones among them with the reason;
    ``saved`` says that data wait for the server which takes another's place, and
    ``taken_over`` that it has them.
    """

    ran: frozenset[Errand] = frozenset()
    failed: tuple[ErrandFailure, ...] = ()
    started: bool = False
    saved: bool = False
    taken_over: bool = False

    def __or__(self, other: Deeds) -> Deeds:
        """Add what was done besides."""
        return Deeds(
            ran=self.ran | other.ran,
            failed=self.failed + other.failed,
            started=self.started or other.started,
            saved=self.saved or other.saved,
            taken_over=self.taken_over or other.taken_over,
        )


@dataclass(frozen=True, slots=True)
class Again:
    """Look again; ``after`` in seconds, ``None`` for the queue's back-off.

    ``deeds`` are what was done of that which must not be done at will. ``taken`` is a
    port that another program holds: the node needs another one.
    """

    after: float | None
    cause: str
    deeds: Deeds = Deeds()
    taken: int | None = None


@dataclass(frozen=True, slots=True)
class Stuck:
    """Only somebody's help can end this; look again slowly."""

    reason: str
    cause: str
    deeds: Deeds = Deeds()


Outcome = Done | Again | Stuck
