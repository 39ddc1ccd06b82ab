"""What one look at every cache costs."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from prometheus_client import CollectorRegistry

from controller.actions import Done
from controller.backends.mocked import MockedAdmin, MockedBackend, MockedEngine
from controller.loop import Loop, Parts
from controller.metrics import LoopMetrics
from controller.model import CacheKey, Change, Moment, Work
from controller.observe import Observer
from controller.ports import NoLedger
from controller.reconcile import Reconciler
from controller.store import Store
from controller.workqueue import WorkQueue
from tests import builders
from tests.bench.figures import milliseconds, show

ROUNDS = 10


def run() -> None:
    """Time a resync and the rounds that it leads to, without the threads."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    for caches in (10, 100, 1000):
        loop, queue, reconcile = _controller(caches)

        def once(
            loop: Loop = loop,
            queue: WorkQueue[CacheKey] = queue,
            reconcile: Reconciler = reconcile,
        ) -> None:
            loop.resync()
            while len(queue):
                key = queue.get()
                assert key is not None
                assert isinstance(reconcile(key), Done)
                queue.done(key)

        show(
            f"resync of {caches} mocked caches",
            [milliseconds(once) for _ in range(ROUNDS)],
        )


def _now() -> Moment:
    return Moment(time.monotonic(), datetime.now(UTC))


def _controller(caches: int) -> tuple[Loop, WorkQueue[CacheKey], Reconciler]:
    """Make a controller whose caches are all in place."""
    engine = MockedEngine()
    backend, admin = MockedBackend(engine, hostname=None), MockedAdmin(engine)
    queue: WorkQueue[CacheKey] = WorkQueue(time.monotonic, random.random)
    store = Store(NoLedger(), lambda _: None, _now)
    observer = Observer(backend, admin, time.monotonic)
    reconcile = Reconciler(
        store=store,
        world=builders.world(engine, backend),
        observe=observer,
        limits=builders.LIMITS,
        leaves=builders.leaves(),
        clock=_now,
    )
    change = Change(builders.SPEC, Work.CREATING)
    for number in range(caches):
        key = replace(builders.KEY, name=f"cache{number}")
        store.put(
            key, lambda _: change, replace(builders.CAUSE, request_id=str(number))
        )
        while not isinstance(reconcile(key), Done):
            pass
    parts = Parts(
        store=store,
        backend=backend,
        observer=observer,
        reconcile=reconcile,
        queue=queue,
        metrics=LoopMetrics(CollectorRegistry(), queue.__len__),
        clock=_now,
    )
    return Loop(parts), queue, reconcile
