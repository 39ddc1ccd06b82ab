"""Keep reconciling: workers, engine events, resync, shutdown.

Note [Keys without a record]
~~~~~~~~~~~~~~~~~~~~~~~~~~~~
A node whose cache is not in the store is an orphan. It is removed by a round of its
key like any other, so that a cache created anew under the same name meanwhile is
never hit: one key is with one worker at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from controller import config
from controller.actions import Again, Done, Outcome, Stuck
from controller.backends.base import Backend
from controller.errors import ControllerError, StorageError
from controller.metrics import LoopMetrics
from controller.model import CacheKey, Moment
from controller.nodes import NodeKey
from controller.observe import Observer
from controller.store import Store
from controller.workqueue import WorkQueue

WORKERS: Final = 4  # twice the cores of a small machine; more only lengthen the rounds
RESYNC_SECONDS: Final = 10.0
RECOVER_SECONDS: Final = 1.0  # between two resyncs while the engine is away

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a loop is made of."""

    store: Store
    backend: Backend
    observer: Observer
    reconcile: Callable[[CacheKey], Outcome]
    queue: WorkQueue[CacheKey]
    metrics: LoopMetrics
    clock: Callable[[], Moment]


class Loop:
    """The threads that make the world match the store."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._stopping = threading.Event()
        self._look = threading.Event()
        self._swept = False  # what an earlier emulator left is known
        self._trouble: str | None = "the first look at all nodes is not done yet"
        self._threads = [
            threading.Thread(target=target, name=name, daemon=True)
            for target, name in (
                (self._watch, "watch"),
                (self._resync_for_ever, "resync"),
                *((self._work, f"worker-{n}") for n in range(WORKERS)),
            )
        ]

    def start(self) -> None:
        """Start the threads; returns at once."""
        for thread in self._threads:
            thread.start()

    def not_ready(self) -> tuple[str, ...]:
        """Say why caches may not be looked after at the moment; empty: they are."""
        dead = [t.name for t in self._threads if not t.is_alive()]
        reasons = [self._trouble] if self._trouble else []
        return (*reasons, *(f"thread {name} is not running" for name in dead))

    def stop(self, seconds: float) -> None:
        """End the threads and remove every node of ours, within ``seconds``.

        The records stay where the store keeps them, if it does.
        """
        deadline = self._parts.clock().monotonic + seconds
        self._stopping.set()
        self._look.set()
        self._parts.queue.close()
        self._parts.backend.close()
        for thread in self._threads:
            thread.join(self._until(deadline) / 2)
        self._remove_all(deadline)

    # What the threads do.

    def _work(self) -> None:
        while (key := self._parts.queue.get()) is not None:
            started = self._parts.clock().monotonic
            try:
                outcome = self._parts.reconcile(key)
            except StorageError as error:
                log.warning("round.not_kept", key=str(key), cause=str(error))
                outcome = Again(after=None, cause=str(error))
            except Exception as error:  # a defect must not end the worker
                log.exception("round.crashed", key=str(key))
                outcome = Again(after=None, cause=f"defect: {error!r}")
            self._parts.metrics.round(outcome, self._parts.clock().monotonic - started)
            self._plan_next(key, outcome)
            self._parts.queue.done(key)

    def _plan_next(self, key: CacheKey, outcome: Outcome) -> None:
        match outcome:
            case Done(after=after):
                self._parts.queue.forget(key)
                if after is not None:
                    self._parts.queue.add(key, after)
            case Again(after=float(seconds)):
                self._parts.queue.add(key, seconds)
            case Again() | Stuck():
                self._parts.queue.retry(key)

    def _watch(self) -> None:
        """Follow the engine's events; whenever they end, look at everything."""
        while not self._stopping.is_set():
            self._look.set()
            try:
                self._parts.backend.watch(self._happened)
            except ControllerError as error:
                log.warning("watch.ended", cause=str(error))
            self._stopping.wait(RECOVER_SECONDS)

    def _happened(self, key: CacheKey) -> None:
        self._parts.observer.forget(key)
        self._parts.queue.add(key)

    def _resync_for_ever(self) -> None:
        while not self._stopping.is_set():
            self._look.clear()
            try:
                self.resync()
            except ControllerError as error:
                self._trouble = str(error)
                log.warning("resync.failed", cause=str(error))
            self._look.wait(RECOVER_SECONDS if self._trouble else RESYNC_SECONDS)

    def resync(self) -> None:
        """List all nodes, in one call, and have every cache and orphan looked at."""
        parts = self._parts
        nodes = {*parts.observer.list()}
        if not self._swept:
            nodes |= parts.backend.leftovers()
            self._swept = True
        keys = {record.key for record in parts.store.records()}
        recovered, self._trouble = self._trouble is not None, None
        for key in keys | {node.cache for node in nodes}:
            if recovered:
                parts.queue.forget(key)
            parts.queue.add(key)

    def _remove_all(self, deadline: float) -> None:
        """Leave nothing behind; what cannot be removed in time is named in the log.

        Daemon threads do it: a call that hangs must not keep the process from its end.
        """
        left = {"all": "the engine did not tell in time what there is"}
        clearing = _daemon(self._clear, left, deadline)
        clearing.join(self._until(deadline))
        if left:
            log.error("shutdown.left", what=dict(left))
        else:
            kept = len(self._parts.store.records()) if self._parts.store.durable else 0
            log.info("shutdown.clean", caches_kept=kept)

    def _clear(self, left: dict[str, str], deadline: float) -> None:
        try:
            nodes = [*self._parts.backend.list()]
        except ControllerError as error:
            left["all"] = str(error)
            return
        left |= {str(node): "not done in time" for node in nodes}
        removals = [_daemon(self._remove, node, left) for node in nodes]
        for removal in removals:
            removal.join(self._until(deadline))
        if left.keys() == {"all"}:
            self._clean_up(left)
        else:
            del left["all"]

    def _clean_up(self, left: dict[str, str]) -> None:
        left["all"] = "what nodes share was not removed in time"
        try:
            self._parts.backend.clean_up()
        except ControllerError as error:
            left["all"] = str(error)
        else:
            del left["all"]

    def _remove(self, node: NodeKey, left: dict[str, str]) -> None:
        store = self._parts.store
        record = store.find(node.cache) if store.durable else None
        keep_data = record is not None and config.durable(record.spec)
        try:
            self._parts.backend.remove(node, keep_data=keep_data)
        except ControllerError as error:
            left[str(node)] = str(error)
        else:
            del left[str(node)]

    def _until(self, deadline: float) -> float:
        return max(0.0, deadline - self._parts.clock().monotonic)


def _daemon(target: Callable[..., None], *args: object) -> threading.Thread:
    thread = threading.Thread(target=target, args=args, daemon=True)
    thread.start()
    return thread
