"""The loop's threads, on the mocked backend and a real clock."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from controller.actions import Outcome
from controller.backends.mocked import MockedAdmin, MockedBackend, MockedEngine
from controller.errors import StorageError, TransientError
from controller.loop import Loop, Parts
from controller.metrics import LoopMetrics
from controller.model import CacheKey, Change, Moment, Record, Work
from controller.nodes import Node, NodeKey, Phase
from controller.observe import Observer
from controller.ports import NoLedger
from controller.reconcile import Reconciler
from controller.store import Store
from controller.workqueue import WorkQueue
from tests import builders as b

PATIENCE_SECONDS = 10.0
Round = Callable[[CacheKey], Outcome]


def now() -> Moment:
    """Read the real clocks."""
    return Moment(time.monotonic(), datetime.now(UTC))


class Engine(MockedBackend):
    """A backend that counts list calls and can be told to hang."""

    def __init__(self, engine: MockedEngine) -> None:
        super().__init__(engine, hostname=None)
        self.lists = 0
        self.finds = 0
        self.away = False

    def list(self) -> Mapping[NodeKey, Node]:
        """Count, and fail while away."""
        self.lists += 1
        if self.away:
            raise TransientError("the engine is away")
        return super().list()

    def find(self, node: NodeKey) -> Node | None:
        """Count."""
        self.finds += 1
        return super().find(node)


class Rig:
    """A whole controller without an API."""

    def __init__(self, wrap: Callable[[Reconciler], Round]) -> None:
        self.engine = MockedEngine()
        self.backend = Engine(self.engine)
        self.queue: WorkQueue[CacheKey] = WorkQueue(time.monotonic, random.random)
        self.registry = CollectorRegistry()
        self.store = Store(NoLedger(), self.queue.add, now)
        admin = MockedAdmin(self.engine)
        observer = Observer(self.backend, admin, time.monotonic)
        reconciler = Reconciler(
            store=self.store,
            world=b.world(self.engine, self.backend),
            observe=observer,
            limits=b.LIMITS,
            leaves=b.leaves(),
            clock=now,
        )
        self.loop = Loop(
            Parts(
                store=self.store,
                backend=self.backend,
                observer=observer,
                reconcile=wrap(reconciler),
                queue=self.queue,
                metrics=LoopMetrics(self.registry, lambda: len(self.queue)),
                clock=now,
            )
        )

    def put(self, key: CacheKey = b.KEY) -> None:
        """Ask for a cache."""
        change = Change(b.SPEC, Work.CREATING)
        self.store.put(key, lambda _: change, b.CAUSE)

    def until_settled(self, key: CacheKey = b.KEY) -> None:
        """Wait until the cache is ready."""

        def settled(record: Record | None) -> bool:
            return record is not None and record.settled

        record = self.store.wait(key, settled, PATIENCE_SECONDS)
        assert settled(record), record

    def until_repaired(self) -> None:
        """Wait until the node runs."""
        eventually(lambda: self._phase() is Phase.RUNNING)

    def _phase(self) -> Phase | None:
        server = self.engine.find(b.NODE)
        return server.phase if server else None


def eventually(claim: Callable[[], bool]) -> None:
    """Wait until ``claim`` holds."""
    tick = threading.Event()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not claim():
        assert time.monotonic() < deadline, "it never came true"
        tick.wait(0.005)


@pytest.fixture
def rig() -> Iterator[Rig]:
    """Run a controller and end it."""
    rig = Rig(lambda reconciler: reconciler)
    rig.loop.start()
    yield rig
    rig.loop.stop(5.0)


def test_a_cache_becomes_ready(rig: Rig) -> None:
    """What is put into the store is made to run."""
    rig.put()
    rig.until_settled()
    assert rig.engine.find(b.NODE) is not None


def test_an_event_leads_to_a_repair(rig: Rig) -> None:
    """A node that stops is started again, without waiting for a resync."""
    rig.put()
    rig.until_settled()
    lists = rig.backend.lists
    rig.engine.enter(b.NODE, Phase.STOPPED)
    rig.until_repaired()
    assert rig.backend.lists == lists


def test_orphans_are_removed(rig: Rig) -> None:
    """A node of ours without a cache is gone after the next resync."""
    orphan = NodeKey(replace(b.KEY, name="orphan"))
    rig.backend.create(orphan, b.wanted())
    rig.loop.resync()
    eventually(lambda: rig.engine.find(orphan) is None)


def test_a_resync_is_one_call(rig: Rig) -> None:
    """Looking at ten caches that need nothing is one list call and no other."""
    for number in range(10):
        key = replace(b.KEY, name=f"cache{number}")
        rig.put(key)
        rig.until_settled(key)
    eventually(lambda: _rounds(rig) >= 10)
    lists, finds = rig.backend.lists, rig.backend.finds
    before = _rounds(rig)
    rig.loop.resync()
    eventually(lambda: _rounds(rig) >= before + 10)
    assert rig.backend.lists == lists + 1
    assert rig.backend.finds == finds


def test_readiness_follows_the_engine(rig: Rig) -> None:
    """Not ready while the engine is away, with the reason; ready when it is back."""
    eventually(lambda: rig.loop.not_ready() == ())
    rig.backend.away = True
    rig.engine.shut()  # the stream of events ends, as it does when a daemon dies
    eventually(lambda: rig.loop.not_ready() == ("the engine is away",))
    rig.backend.away = False
    eventually(lambda: rig.loop.not_ready() == ())


def test_stop_leaves_nothing(rig: Rig) -> None:
    """After a stop no node of ours is left."""
    rig.put()
    rig.until_settled()
    rig.loop.stop(5.0)
    assert rig.engine.servers() == ()


def test_a_defect_in_a_round_does_not_end_the_worker() -> None:
    """A round that crashes is logged and tried again; other caches go on."""
    crashes = iter([True, True, True, True, False])

    def crash_first(reconciler: Reconciler) -> Round:
        def reconcile(key: CacheKey) -> Outcome:
            if next(crashes, False):
                raise ZeroDivisionError
            return reconciler(key)

        return reconcile

    rig = Rig(crash_first)
    rig.loop.start()
    try:
        rig.put()
        rig.until_settled()
        assert not [r for r in rig.loop.not_ready() if "thread" in r]
    finally:
        rig.loop.stop(5.0)


def test_a_round_that_cannot_be_kept_is_tried_again() -> None:
    """A full disk is no defect: the log has one line, and the cache gets on later."""
    full = iter([True, True, False])

    def refuse_first(reconciler: Reconciler) -> Round:
        def reconcile(key: CacheKey) -> Outcome:
            if next(full, False):
                raise StorageError("caches.db", "disk full")
            return reconciler(key)

        return reconcile

    rig = Rig(refuse_first)
    with capture_logs() as logs:
        rig.loop.start()
        try:
            rig.put()
            rig.until_settled()
        finally:
            rig.loop.stop(5.0)
    events = [each["event"] for each in logs]
    assert events.count("round.not_kept") == 2
    assert "round.crashed" not in events


def _rounds(rig: Rig) -> float:
    labels = {"outcome": "Done"}
    return rig.registry.get_sample_value("reconcile_rounds_total", labels) or 0.0
