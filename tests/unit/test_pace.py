"""Operations that take their time: how long, and what is said of them meanwhile."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from controller import settings
from controller.actions import Again, Done
from controller.backends.mocked import MockedAdmin, MockedBackend, MockedEngine
from controller.children import AccessPolicyAssignment, FirewallRule
from controller.model import CacheStatus, Change, Moment, Record, Work
from controller.nodes import Absent, Observed
from controller.observe import Observer
from controller.operations import OperationState
from controller.pace import Pace, fast, pace_of, realistic
from controller.plan import plan
from controller.ports import NoLedger
from controller.reconcile import Reconciler
from controller.settings import SettingsError
from controller.spec import AccessKeys, CacheSpec, Errand, ErrandKind, Secret, Sku, Tier
from controller.status import DEADLINE_SECONDS, status_of
from controller.store import Store
from tests import builders as b

PREMIUM = replace(b.SPEC, sku=Sku(Tier.PREMIUM, 1))
ROTATED = AccessKeys(primary=Secret("new"), secondary=b.KEYS.secondary)
RULE = FirewallRule(start_ip="10.0.0.1", end_ip="10.0.0.2")
ASSIGNMENT = AccessPolicyAssignment(
    policy="Data Owner", object_id="o", object_id_alias="a"
)
FLUSHED = b.SPEC.with_errand(Errand(ErrandKind.FLUSH, "r1"))
TAGGED = replace(b.SPEC, tags=MappingProxyType({"a": "b"}))
IDENTIFIED = replace(b.SPEC, identity=MappingProxyType({"type": "SystemAssigned"}))
DISABLED = replace(b.SPEC, public_network_access="Disabled")


@pytest.mark.parametrize(
    ("old", "new", "work", "seconds"),
    [
        pytest.param(None, b.SPEC, Work.CREATING, 1040, id="Basic"),
        pytest.param(None, PREMIUM, Work.CREATING, 628, id="Premium"),
        pytest.param(b.SPEC, b.SPEC, Work.DELETING, 262, id="deletion"),
        pytest.param(PREMIUM, b.SPEC, Work.SCALING, 749, id="scaling"),
        pytest.param(b.SPEC, DISABLED, Work.UPDATING, 30, id="access"),
        pytest.param(b.SPEC, FLUSHED, Work.UPDATING, 30, id="flush"),
        pytest.param(
            FLUSHED,
            FLUSHED.with_errand(Errand(ErrandKind.EXPORT, "r2")),
            Work.UPDATING,
            60,
            id="export after a flush",
        ),
        pytest.param(
            b.SPEC, replace(DISABLED, boot="r1"), Work.UPDATING, 120, id="two at once"
        ),
        pytest.param(
            b.SPEC,
            replace(b.SPEC, access_policy_assignments={"one": ASSIGNMENT}),
            Work.UPDATING,
            92,
            id="assignment",
        ),
        pytest.param(b.SPEC, b.SPEC, Work.UPDATING, 0, id="nothing"),
        pytest.param(b.SPEC, TAGGED, Work.UPDATING, 0, id="tags"),
        pytest.param(
            FLUSHED,
            replace(FLUSHED, tags=TAGGED.tags),
            Work.UPDATING,
            0,
            id="tags after a flush",
        ),
        pytest.param(
            b.SPEC, replace(b.SPEC, access_keys=ROTATED), Work.UPDATING, 0, id="key"
        ),
        pytest.param(
            b.SPEC,
            replace(b.SPEC, firewall_rules={"one": RULE}),
            Work.UPDATING,
            0,
            id="firewall rule",
        ),
    ],
)
def test_pace(old: CacheSpec | None, new: CacheSpec, work: Work, seconds: int) -> None:
    """Operations take what was recorded, or a fixed time; all else takes none."""
    change = Change(new, work)
    assert pace_of("realistic")(old, change) == seconds
    assert pace_of(2.5)(old, change) == (2.5 if seconds else 0)
    assert pace_of("fast")(old, change) == 0


@pytest.mark.parametrize("work", Work)
def test_every_work_has_a_pace(work: Work) -> None:
    """A word that is new cannot be forgotten: all but two are slow by themselves."""
    slow = realistic(b.SPEC, Change(b.SPEC, work)) > 0
    assert slow is (work not in {Work.CREATING, Work.UPDATING})


@pytest.mark.parametrize("kind", ErrandKind)
def test_every_errand_has_a_pace(kind: ErrandKind) -> None:
    """None is done when the service answers."""
    change = Change(b.SPEC.with_errand(Errand(kind, "r1")), Work.UPDATING)
    assert realistic(b.SPEC, change) > 0


@pytest.fixture
def variable(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> pytest.MonkeyPatch:
    """Start from no settings."""
    monkeypatch.chdir(str(tmp_path))
    return monkeypatch


@pytest.mark.parametrize(
    ("text", "value"),
    [("fast", "fast"), ("Realistic", "realistic"), ("0", 0.0), ("2.5", 2.5)],
)
def test_the_setting(variable: pytest.MonkeyPatch, text: str, value: object) -> None:
    """It takes a word or a number."""
    variable.setenv("FLOCI_AZ_SERVICES_REDIS_OPERATIONS", text)
    assert settings.load().operations == value


@pytest.mark.parametrize("text", ["slow", "-1", "nan", "inf", "1s"])
def test_a_bad_setting(variable: pytest.MonkeyPatch, text: str) -> None:
    """It is told once, and with what it takes."""
    variable.setenv("FLOCI_AZ_SERVICES_REDIS_OPERATIONS", text)
    with pytest.raises(SettingsError) as caught:
        settings.load()
    (mistake,) = caught.value.mistakes
    assert mistake == (
        f"FLOCI_AZ_SERVICES_REDIS_OPERATIONS is {text!r}; it takes fast, realistic or "
        "a number of seconds, such as realistic"
    )


IN_PLACE = Observed(b.node(), b.server())
ABSENT = Observed(Absent())
SLOW = replace(b.record(), not_before=105.0)
DELETED = replace(SLOW, deleting=True)
REMOVES = "RemoveNode: cache deleted"
WAITS = "Wait: operations are slow here"


@pytest.mark.parametrize(
    ("record", "observed", "now", "expected"),
    [
        pytest.param(SLOW, IN_PLACE, 100.0, WAITS, id="too early"),
        pytest.param(SLOW, IN_PLACE, 105.0, "", id="in time"),
        pytest.param(SLOW, ABSENT, 100.0, "CreateNode: no node", id="work goes first"),
        pytest.param(DELETED, ABSENT, 100.0, WAITS, id="gone too early"),
        pytest.param(DELETED, ABSENT, 105.0, REMOVES, id="gone, but for its data"),
        pytest.param(DELETED, IN_PLACE, 100.0, REMOVES, id="not gone"),
    ],
)
def test_the_plan_comes_back_in_time(
    record: Record, observed: Observed, now: float, expected: str
) -> None:
    """What has to be done is done at once; then only the rest is waited for."""
    steps = plan(record, b.wanted(), observed, now)
    assert str(steps) == expected
    if expected == WAITS:
        (wait,) = steps.actions
        assert getattr(wait, "seconds", None) == 5.0


@pytest.mark.parametrize(
    ("now", "seen", "state"),
    [
        pytest.param(104.9, IN_PLACE, "Creating", id="too early"),
        pytest.param(105.0, IN_PLACE, "Succeeded", id="in time"),
        pytest.param(105.0 + DEADLINE_SECONDS, ABSENT, "Creating", id="late"),
        pytest.param(105.1 + DEADLINE_SECONDS, ABSENT, "Failed", id="too late"),
    ],
)
def test_a_state_is_not_settled_too_early(
    now: float, seen: Observed, state: str
) -> None:
    """And the deadline counts from when it could have been."""
    record = replace(SLOW, status=CacheStatus(unsettled_since=1.0))
    outcome = Again(after=0.0, cause="working")
    status = status_of(record, b.wanted(), seen, outcome, Moment(now, b.START))
    assert replace(record, status=status).provisioning_state == state


class World:
    """A store, a loop body and a clock."""

    def __init__(self, pace: Pace) -> None:
        engine = MockedEngine()
        backend, admin = MockedBackend(engine, hostname=None), MockedAdmin(engine)
        self.clock = b.Clock()
        self.engine = engine
        self.store = Store(NoLedger(), lambda _: None, self.clock, pace)
        self.reconcile = Reconciler(
            store=self.store,
            world=b.world(engine),
            observe=Observer(backend, admin, self.clock.monotonic),
            limits=b.LIMITS,
            leaves=b.leaves(),
            clock=self.clock,
        )

    def put(self, spec: CacheSpec, request: str) -> Record:
        """Write a spec."""
        word = Work.UPDATING_IDENTITY if spec.identity else Work.UPDATING
        change = Change(spec, word)
        cause = replace(b.CAUSE, request_id=request)
        return self.store.put(b.KEY, lambda _: change, cause).record

    def work(self) -> object:
        """Run rounds until there is nothing to do, or to wait for; gives the last."""
        while (outcome := self.reconcile(b.KEY)) != Done():
            if isinstance(outcome, Again) and outcome.after:
                return outcome.after
        return outcome

    def state(self) -> str:
        """Read the state."""
        return self.store.get(b.KEY).provisioning_state

    def operation(self, request: str) -> OperationState:
        """Read the state of an operation."""
        found = self.store.operation(request)
        assert found is not None
        return found.state


def test_an_operation_ends_when_its_time_has_come() -> None:
    """Not before, though the server is there at once, and the loop knows when."""
    world = World(pace_of(5.0))
    assert world.store.put(
        b.KEY, lambda _: Change(b.SPEC, Work.CREATING), b.CAUSE
    ).paced
    assert world.work() == 5.0
    assert world.engine.find(b.NODE) is not None
    world.clock.advance(3.0)
    assert world.work() == 2.0
    assert world.state() == "Creating"
    assert world.operation(b.CAUSE.request_id) is OperationState.IN_PROGRESS
    world.clock.advance(2.0)
    assert world.work() == Done()
    assert world.state() == "Succeeded"
    assert world.operation(b.CAUSE.request_id) is OperationState.SUCCEEDED


@pytest.mark.parametrize(
    ("spec", "pace", "state"),
    [
        pytest.param(IDENTIFIED, fast, "Succeeded", id="fast"),
        pytest.param(IDENTIFIED, pace_of(5.0), "UpdatingManagedIdentity", id="slow"),
        pytest.param(TAGGED, pace_of(5.0), "Succeeded", id="no operation"),
    ],
)
def test_what_asks_nothing_of_a_server_may_take_its_time_too(
    spec: CacheSpec, pace: Pace, state: str
) -> None:
    """It is in place at once only where it is no slow operation."""
    world = World(pace)
    world.put(b.SPEC, "r1")
    world.clock.advance(5.0)
    world.work()
    world.put(spec, "r2")
    assert world.state() == state
    world.clock.advance(5.0)
    world.work()
    assert world.state() == "Succeeded"


def test_a_deletion_takes_its_time() -> None:
    """The server goes at once; the record says `Deleting`, and asking again is free."""
    world = World(pace_of(5.0))
    world.put(b.SPEC, "r1")
    world.clock.advance(5.0)
    world.work()
    world.store.delete(b.KEY, replace(b.CAUSE, request_id="r2"))
    assert world.work() == 5.0
    assert world.engine.find(b.NODE) is None
    world.clock.advance(4.0)
    world.store.delete(b.KEY, replace(b.CAUSE, request_id="r3"))
    assert world.work() == 1.0
    assert world.state() == "Deleting"
    world.clock.advance(1.0)
    assert world.work() == Done()
    assert world.store.records() == ()
    assert world.operation("r2") is OperationState.SUCCEEDED
    assert world.operation("r3") is OperationState.SUCCEEDED
