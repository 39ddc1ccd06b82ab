"""The loop's one property: from any state a few rounds are enough, and then none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.actions import Again, Done
from controller.backends.mocked import (
    MockedAdmin,
    MockedBackend,
    MockedDumps,
    MockedEngine,
)
from controller.errands import Errands
from controller.errors import PortTakenError, TerminalError, TransientError
from controller.loaders import Loaders, Order
from controller.model import Change, Record, Starts, Work
from controller.nodes import AclUser, Node, NodeKey, NodeSpec, Phase
from controller.observe import Observer
from controller.plan import LONGEST_START_SECONDS
from controller.ports import PortLedger, PortRange
from controller.reconcile import Reconciler
from controller.spec import AccessKeys, CacheSpec, Secret, Sku, Tier
from controller.store import Store
from controller.transfers import Transfers
from tests import builders as b

ROUNDS = 6  # unpause or replace, look, apply, look

secrets = st.builds(Secret, st.text(min_size=1, max_size=3))
specs = st.builds(
    CacheSpec,
    location=st.just("West Europe"),
    sku=st.builds(Sku, st.just(Tier.BASIC), st.integers(0, 2)),
    access_keys=st.builds(AccessKeys, primary=secrets, secondary=secrets),
    redis_configuration=st.fixed_dictionaries(
        {},
        optional={
            "maxmemory-policy": st.sampled_from(["noeviction", "allkeys-lru"]),
            "databases": st.sampled_from(["8", "32"]),
        },
    ),
)
foreign_users = st.builds(
    AclUser,
    name=st.sampled_from(["default", "eve"]),
    enabled=st.booleans(),
    digests=st.frozensets(secrets.map(lambda secret: secret.digest), max_size=2),
    rules=st.sampled_from(["~* &* +@all", "-@all"]),
)
settings = st.dictionaries(
    st.sampled_from(["maxmemory", "maxclients", "maxmemory-policy"]), st.just("1")
)


class Engine(MockedBackend):
    """A backend that refuses the next calls that change something, or hangs."""

    def __init__(self, engine: MockedEngine, refusals: list[Exception]) -> None:
        super().__init__(engine, hostname=None)
        self._refusals = refusals
        self.hangs = False
        self.crashes = False
        self.meanwhile: Callable[[], object] = lambda: None  # while it creates
        self.stale: Mapping[NodeKey, Node] | None = None
        self.starts = 0
        self.refuses_creation_only = False
        self.kept: list[bool] = []  # whether each creation kept data

    def list(self) -> Mapping[NodeKey, Node]:
        """List what there is, or what there was."""
        return super().list() if self.stale is None else self.stale

    def find(self, node: NodeKey) -> Node | None:
        """Look, unless nobody answers."""
        if self.hangs:
            raise TransientError("the daemon does not answer")
        return super().find(node)

    def create(
        self,
        node: NodeKey,
        spec: NodeSpec,
        *,
        keep_data: bool = False,
        seed: Path | None = None,
    ) -> None:
        """Create, unless it is time to refuse."""
        self._refuse()
        self.kept.append(keep_data)
        super().create(node, spec, keep_data=keep_data, seed=seed)
        self.meanwhile()

    def start(self, node: NodeKey, *, keep_data: bool) -> None:
        """Start a server, which may end at once."""
        self.starts += 1
        if not self.crashes:
            super().start(node, keep_data=keep_data)

    def remove(self, node: NodeKey, *, keep_data: bool = False) -> None:
        """Remove, unless it is time to refuse."""
        if not self.refuses_creation_only:
            self._refuse()
        super().remove(node, keep_data=keep_data)

    def _refuse(self) -> None:
        if self._refusals:
            raise self._refusals.pop()


class World:
    """A store, an engine and a reconciler of their own."""

    def __init__(self, refusals: list[Exception] | None = None) -> None:
        self.clock = b.Clock()
        self.engine = MockedEngine()
        self.backend = Engine(self.engine, [] if refusals is None else refusals)
        self.admin = MockedAdmin(self.engine)
        ledger = PortLedger(
            PortRange(7000, 7001, "MAX_PORT"),
            PortRange(7100, 7109, "MAX_SSL_PORT"),
            free=lambda _: True,
            monotonic=self.clock.monotonic,
        )
        self.store = Store(ledger, lambda _: None, self.clock)
        self.observer = Observer(self.backend, self.admin, self.clock.monotonic)
        self.reconcile = Reconciler(
            store=self.store,
            world=b.world(self.engine, self.backend),
            observe=self.observer,
            limits=b.LIMITS,
            leaves=b.leaves(),
            clock=self.clock,
        )

    def put(self, spec: CacheSpec) -> Record:
        """Write a spec."""
        change = Change(spec, Work.UPDATING)
        return self.store.put(b.KEY, lambda _: change, b.CAUSE).record

    def settle(self) -> None:
        """Run rounds until there is nothing to do."""
        for _ in range(ROUNDS):
            if isinstance(self.reconcile(b.KEY), Done):
                return
        pytest.fail(f"not settled after {ROUNDS} rounds")

    def node(self) -> Node:
        """Give the one node."""
        found = self.backend.find(b.NODE)
        assert found is not None
        return found


@dataclass(frozen=True)
class Damage:
    """What may happen to a node behind the controller's back."""

    users: tuple[AclUser, ...]
    settings: dict[str, str]
    phase: Phase
    lost: bool


damages = st.builds(
    Damage,
    users=st.lists(foreign_users, max_size=2).map(tuple),
    settings=settings,
    phase=st.sampled_from([Phase.RUNNING, Phase.STOPPED, Phase.PAUSED]),
    lost=st.booleans(),
)


@given(before=specs, after=specs, damage=damages)
def test_converges(before: CacheSpec, after: CacheSpec, damage: Damage) -> None:
    """From any state of the server a few rounds make it what the spec asks for."""
    world = World()
    world.put(before)
    world.settle()
    world.admin.apply_users(world.node(), damage.users, frozenset())
    world.admin.apply_settings(world.node(), damage.settings)
    world.engine.enter(b.NODE, damage.phase)
    if damage.lost:
        world.engine.remove(b.NODE)
    world.put(after)
    world.settle()
    record = world.store.get(b.KEY)
    assert record.provisioning_state == "Succeeded"
    server = world.admin.look(world.node(), after.access_keys)
    assert server is not None
    assert server.accepted == after.access_keys.digests
    assert server.users.keys() == {"default", "azure-redis-emulator"}
    assert world.reconcile(b.KEY) == Done()


@given(phase=st.sampled_from(list(Phase)))
def test_a_deletion_converges(phase: Phase) -> None:
    """From any state of the server a deletion leaves nothing, not even a record."""
    world = World()
    world.put(b.SPEC)
    world.settle()
    world.engine.enter(b.NODE, phase)
    assert world.store.delete(b.KEY, b.CAUSE) is not None
    world.settle()
    assert world.backend.list() == {}
    assert world.store.records() == ()


def test_an_orphan_converges() -> None:
    """A node whose cache is in no store is removed by a round of its key."""
    world = World()
    world.backend.create(b.NODE, b.wanted())
    world.settle()
    assert world.backend.list() == {}


def test_a_loader_at_work_is_no_orphan(tmp_path: Path) -> None:
    """It belongs to no cache, and is left alone for as long as it is needed."""
    world = World()
    loaders = Loaders(world.backend, world.admin, lambda _key: None)
    errands = Errands(
        admin=world.admin,
        transfers=Transfers(MockedDumps(), loaders, lambda _key: None),
    )
    around = replace(b.world(world.engine, world.backend), errands=errands)
    reconcile = replace(world.reconcile, world=around)
    order = Order(node=b.NODE, spec=b.wanted(), name="r1", dump=tmp_path, most_bytes=1)
    with loaders.loaded(order, lambda _seconds: None):
        assert reconcile(order.key.cache) == Done()
        assert set(world.backend.list()) == {order.key}
    world.backend.create(order.key, b.wanted())
    for _ in range(ROUNDS):
        reconcile(order.key.cache)
    assert world.backend.list() == {}


def test_a_recreated_cache_gets_a_node_of_its_own() -> None:
    """The node of an earlier cache of the same name is never taken over."""
    world = World()
    world.backend.create(b.NODE, replace(b.wanted(), uid="earlier"))
    record = world.put(b.SPEC)
    world.settle()
    assert world.node().uid == record.uid


@pytest.mark.parametrize(
    ("refusal", "state"),
    [
        pytest.param(TransientError("engine busy"), "Creating", id="transient"),
        pytest.param(TerminalError("ImageMissing", "no image"), "Failed", id="final"),
    ],
)
def test_a_refusal_shows_and_ends(refusal: Exception, state: str) -> None:
    """What stops a round shows in the state and its reason, and is tried again."""
    world = World([refusal])
    world.put(b.SPEC)
    world.reconcile(b.KEY)
    record = world.store.get(b.KEY)
    assert record.provisioning_state == state
    assert [c.message for c in record.status.conditions if c.message] == [str(refusal)]
    world.settle()
    assert world.store.get(b.KEY).provisioning_state == "Succeeded"


def test_a_taken_port_is_exchanged() -> None:
    """A port that another program holds costs a round and nothing else."""
    world = World([PortTakenError(7000, "in use")])
    world.put(b.SPEC)
    world.settle()
    assert world.store.get(b.KEY).ports.plain == 7001


def test_a_taken_port_costs_no_data() -> None:
    """What was saved for the next server is remembered while it looks for a port."""
    refusals: list[Exception] = []
    world = World(refusals)
    world.put(b.SPEC)
    world.settle()
    world.put(replace(b.SPEC, public_network_access="Disabled"))
    refusals.append(PortTakenError(7000, "in use"))
    world.backend.refuses_creation_only = True
    world.reconcile(b.KEY)
    assert world.store.get(b.KEY).status.saved
    world.settle()
    assert world.backend.kept[-1] is True


def test_no_free_port_is_a_failure_that_names_the_range() -> None:
    """When every port is taken by programs, the cache says which range is used up."""
    world = World([PortTakenError(7001, "in use"), PortTakenError(7000, "in use")])
    world.put(b.SPEC)
    world.reconcile(b.KEY)
    world.reconcile(b.KEY)
    failure = world.store.get(b.KEY).failure
    assert failure is not None
    assert failure.reason == "PortRangeExhausted"
    assert "7000-7001" in failure.message


def test_a_list_call_from_before_the_work_does_not_say_how_it_ended() -> None:
    """A node that was just created is not taken for absent."""
    world = World()
    world.put(b.SPEC)
    world.backend.stale = {}
    world.backend.meanwhile = world.observer.list
    world.reconcile(b.KEY)
    assert world.store.get(b.KEY).provisioning_state == "Succeeded"


def test_a_server_that_always_ends_is_started_ever_more_slowly() -> None:
    """A server that cannot run costs a start now and then; one that can runs soon."""
    world = World()
    world.put(b.SPEC)
    world.settle()
    world.backend.crashes = True
    world.engine.enter(b.NODE, Phase.STOPPED)
    begin = world.clock.monotonic()
    while world.clock.monotonic() < begin + 60.0:
        outcome = world.reconcile(b.KEY)  # at least each second: events come, too
        assert isinstance(outcome, Again)
        world.clock.advance(min(outcome.after or 0.01, 1.0))
    assert 5 < world.backend.starts < 15
    world.backend.crashes = False
    world.clock.advance(LONGEST_START_SECONDS)
    world.settle()
    assert world.store.get(b.KEY).status.starts == Starts()


def test_a_daemon_that_hangs_changes_no_claim() -> None:
    """What cannot be seen is not taken for gone: a ready cache stays ready."""
    world = World()
    world.put(b.SPEC)
    world.settle()
    world.backend.hangs = True
    world.reconcile(b.KEY)
    assert world.store.get(b.KEY).provisioning_state == "Succeeded"
