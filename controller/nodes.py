"""Values around one server: its name, what it needs, and what was seen of it."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from controller.certificates import Leaf
from controller.model import CacheKey, Ports
from controller.spec import NOTHING, KeyDigest


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server is: to the controller, to its neighbours, and to itself.

    ``ports`` are those that the controller dials at ``host``, which is not always where
    users do. ``peer`` is the name by which other nodes reach the server's own ports,
    ``listens``. ``folder`` is where the server finds its files.
    """

    host: str
    ports: Ports
    peer: str
    listens: Ports
    folder: str
    speaks_tls: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A server that a backend found."""

    key: NodeKey
    uid: str  # of the cache it was created for
    fingerprint: str  # of the `NodeSpec` it was created from
    phase: Phase
    boot: str = ""  # of the same
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
    nopass: bool = False  # any password opens it, and none


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSpec:
    """All that a node needs; what of it needs a new server is in ``fingerprint``.

    ``renames`` hides commands: the original name → the controller's own, or empty.
    ``published`` says whether the node may be reached from outside the engine's
    networks, ``plain`` whether its port without TLS is open. What a ``durable`` node
    holds outlives it.
    """

    uid: str
    generation: int
    image: str
    ports: Ports
    boot: str
    memory_bytes: int  # what the process may use in all
    users: tuple[AclUser, ...]
    settings: Mapping[str, str]  # CONFIG names and values that can change live
    immutable: Mapping[str, str]  # CONFIG names and values fixed at the start
    renames: Mapping[str, str] = field(default_factory=lambda: NOTHING, repr=False)
    leaf: Leaf = field(repr=False)
    plain: bool = False
    published: bool = True
    durable: bool = False

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
            repr(sorted(self.renames.items())),
            str(self.published),
        )
        return hashlib.sha256("\n".join(fixed).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What a server says of itself, over the controller's own connection.

    ``accepted`` are the access keys that opened every open port of it since it last
    changed. ``ceilings`` holds settings which the machine cannot serve as asked, with
    the most it can. ``follows`` says that it is the replica of another server.
    """

    users: Mapping[str, AclUser]
    settings: Mapping[str, str]
    accepted: frozenset[KeyDigest]
    ceilings: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    follows: bool = False


# Waits so many seconds, and raises what ends the whole affair, such as a deadline
Pause = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """How far a server is with the dump that it was started from."""

    done: bool
    used_bytes: int  # of memory, by now


@dataclass(frozen=True, slots=True)
class Observed:
    """One look at one node, taken before planning.

    ``server`` is ``None`` when it did not answer: not known is not empty.
    """

    node: Sighting
    server: Server | None = None
