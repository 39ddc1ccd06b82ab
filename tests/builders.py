"""Values that tests start from; each is whole, and changed with ``replace``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ec

from controller import config
from controller.backends.mocked import (
    MockedAdmin,
    MockedBackend,
    MockedDumps,
    MockedEngine,
)
from controller.certificates import LOCAL, constraint, new_authority
from controller.desired import Credentials, desired_node
from controller.errands import Errands
from controller.execute import World
from controller.leaves import Leaves
from controller.loaders import Loaders
from controller.model import CacheKey, Cause, Moment, Ports, Record, Work
from controller.nodes import Address, Node, NodeKey, NodeSpec, Phase, Server
from controller.spec import AccessKeys, CacheSpec, Errand, Secret, Sku, Tier
from controller.transfers import Transfers

KEY = CacheKey("my-sub", "my-rg", "Cache1")
NODE = NodeKey(KEY)
KEYS = AccessKeys(primary=Secret("first"), secondary=Secret("second"))
ADMIN = Secret("admin")
LIMITS = config.Limits(image="valkey/valkey:8-alpine", max_memory_bytes=256 << 20)
SPEC = CacheSpec(location="West Europe", sku=Sku(Tier.BASIC, 0), access_keys=KEYS)
CAUSE = Cause(request_id="00000000-0000-0000-0000-000000000001")
START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = Moment(100.0, START)
AUTHORITY = new_authority(
    ec.generate_private_key(ec.SECP256R1()), tuple(map(constraint, LOCAL)), START
)
LEAF = AUTHORITY.issue(("localhost", "127.0.0.1"), START)
CREDENTIALS = Credentials(admin=ADMIN, leaf=LEAF, tokens={})


def record(spec: CacheSpec = SPEC) -> Record:
    """Give a cache that was just created."""
    return Record(
        key=KEY,
        uid="uid-1",
        generation=1,
        spec=spec,
        ports=Ports(plain=6379, tls=6380),
        created_at=START,
        work=Work.CREATING,
        cause=CAUSE,
    )


def wanted(of: Record | None = None) -> NodeSpec:
    """Give the node that should run for a record."""
    return desired_node(of or record(), CREDENTIALS, LIMITS)


def node(spec: NodeSpec | None = None, phase: Phase = Phase.RUNNING) -> Node:
    """Give a node that was created from ``spec``."""
    spec = spec or wanted()
    return Node(
        key=NODE,
        uid=spec.uid,
        fingerprint=spec.fingerprint,
        phase=phase,
        boot=spec.boot,
        address=address(spec.ports),
    )


def address(ports: Ports) -> Address:
    """Give the place of a server of this machine."""
    return Address(
        host="127.0.0.1", ports=ports, peer="127.0.0.1", listens=ports, folder="/server"
    )


def leaves() -> Leaves:
    """Give certificates to whoever asks."""
    return Leaves(AUTHORITY, lambda _key: ("localhost",))


class ToldErrands:
    """Errands that end as they are told to, at once by default."""

    def __init__(self) -> None:
        self.ends: Callable[[Node, Errand], bool] = lambda _node, _errand: True

    def __call__(self, node: Node, spec: NodeSpec, errand: Errand) -> bool:  # noqa: ARG002 (the protocol's)
        """End, or not."""
        return self.ends(node, errand)

    def own(self, key: CacheKey) -> bool:  # noqa: ARG002 (the protocol's)
        """Have no server of their own."""
        return False

    def end(self, cache: CacheKey) -> bool:  # noqa: ARG002 (the protocol's)
        """Have ended."""
        return True


def world(engine: MockedEngine, backend: MockedBackend | None = None) -> World:
    """Give pretended servers to act on."""
    admin = MockedAdmin(engine)
    return World(
        backend=backend or MockedBackend(engine, hostname=None),
        admin=admin,
        errands=Errands(admin=admin, transfers=transfers(engine)),
    )


def transfers(engine: MockedEngine) -> Transfers:
    """Carry nothing, and wake nobody."""
    backend, admin = MockedBackend(engine, hostname=None), MockedAdmin(engine)
    loaders = Loaders(backend, admin, lambda _key: None)
    return Transfers(MockedDumps(), loaders, lambda _key: None)


def server(spec: NodeSpec | None = None) -> Server:
    """Give the answer of a server that is just as ``spec`` asks."""
    spec = spec or wanted()
    users = {user.name: user for user in spec.users}
    return Server(
        users=users,
        settings=dict(config.settings_at(spec, address(spec.ports))),
        accepted=users["default"].digests,
    )


class Clock:
    """A clock that stands still until it is told to move."""

    def __init__(self) -> None:
        self.moment = NOW

    def __call__(self) -> Moment:
        """Read both clocks."""
        return self.moment

    def monotonic(self) -> float:
        """Read the one to measure with."""
        return self.moment.monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.moment = Moment(self.moment.monotonic + seconds, self.moment.utc)
