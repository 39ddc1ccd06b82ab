"""Waiting for the loop, and how many may."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import pytest
import tenacity
from prometheus_client import CollectorRegistry

from api.errors import ArmError
from api.parts import MOST_WAITERS, Parts
from controller.model import (
    CacheKey,
    CacheStatus,
    Change,
    Condition,
    Endpoint,
    Ports,
    Record,
    Work,
)
from controller.ports import NoLedger
from controller.store import Store
from tests.builders import CAUSE, KEY, NOW, SPEC, START

DEADLINE_SECONDS = 10.0  # for what should happen at once
FOR_EVER_SECONDS = 3600.0  # a patience that no test outlasts


def endpoint(_key: CacheKey, ports: Ports) -> Endpoint:
    """Give no endpoint in particular."""
    return Endpoint(host="localhost", port=ports.plain, ssl_port=ports.tls)


def parts(*, patience: float = FOR_EVER_SECONDS, mocked: bool = False) -> Parts:
    """Give parts with one cache in the store, which nobody works on."""
    store = Store(NoLedger(), lambda _key: None, lambda: NOW)
    store.put(KEY, lambda _old: Change(SPEC, Work.CREATING), CAUSE)
    return Parts(
        store=store,
        endpoint=endpoint,
        patience_seconds=patience,
        mocked=mocked,
        ready=tuple,
        enabled=True,
        hostname="",
        token_lifetime_seconds=3600,
        judge=lambda _key, _permissions: None,
        registry=CollectorRegistry(),
        describe={},
    )


def report(store: Store, *, holds: bool) -> None:
    """Let the loop say that the cache is in place, or that it needs help."""
    condition = Condition(
        type="Progressing", holds=holds, reason="Told", message="", since=START
    )
    status = CacheStatus(observed_generation=int(holds), conditions=(condition,))
    store.report(store.get(KEY), status)


def overtake(store: Store) -> None:
    """Write again, as a second client may once the first write failed."""
    report(store, holds=False)
    spec = replace(SPEC, tags={"a": "b"})
    store.put(KEY, lambda _old: Change(spec, Work.UPDATING), CAUSE)


def remove(store: Store) -> None:
    """Begin to delete the cache."""
    store.delete(KEY, CAUSE)


def forget(store: Store) -> None:
    """Delete the cache, until nothing is left."""
    remove(store)
    store.drop(store.get(KEY))


class Waiter:
    """A thread that waits as a request would."""

    def __init__(self, parts: Parts) -> None:
        self.answers: list[Record | None] = []
        self._parts = parts
        self._thread = threading.Thread(target=self._wait, daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait until the waiting is over."""
        self._thread.join(DEADLINE_SECONDS)
        assert not self._thread.is_alive()

    def _wait(self) -> None:
        self.answers.append(self._parts.wait_settled(KEY, 1))


@pytest.mark.parametrize(
    "happens",
    [
        pytest.param(lambda store: report(store, holds=True), id="in place"),
        pytest.param(lambda store: report(store, holds=False), id="failed"),
        pytest.param(overtake, id="overtaken"),
        pytest.param(remove, id="being deleted"),
        pytest.param(forget, id="gone"),
    ],
)
def test_waiting_ends_with_the_decision(happens: Callable[[Store], None]) -> None:
    """Nobody waits for what is already known."""
    waited_for = parts()
    waiter = Waiter(waited_for)
    happens(waited_for.store)
    waiter.join()
    assert waiter.answers == [waited_for.store.find(KEY)]


def test_waiting_ends_when_patience_does() -> None:
    """The answer then is the record as it is, still on its way."""
    record = parts(patience=0.0).wait_settled(KEY, 1)
    assert record is not None
    assert record.busy


def test_only_so_many_wait_and_the_others_are_answered_at_once() -> None:
    """Threads are left for reads, even while the engine hangs."""
    crowded = parts()
    waiters = [Waiter(crowded) for _ in range(MOST_WAITERS)]
    seats = crowded._seats
    seated = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda free: free > 0),
        stop=tenacity.stop_after_delay(DEADLINE_SECONDS),
        wait=tenacity.wait_fixed(0.001),
    )
    seated(lambda: seats._value)
    late = Waiter(crowded)
    late.join()
    assert [record and record.busy for record in late.answers] == [True]
    report(crowded.store, holds=True)
    for each in waiters:
        each.join()
    assert seats._value == MOST_WAITERS


def test_the_mocked_backend_lets_everybody_wait() -> None:
    """It is done in no time, and its callers count on ``Succeeded``."""
    mocked = parts(mocked=True)
    waiters = [Waiter(mocked) for _ in range(MOST_WAITERS + 1)]
    report(mocked.store, holds=True)
    for each in waiters:
        each.join()
        assert [record and record.settled for record in each.answers] == [True]


def test_who_must_wait_is_turned_away_before_anything_is_done() -> None:
    """When all seats are taken, a request that has to wait is told to come back."""
    full = parts()
    with ExitStack() as seats:
        for _ in range(MOST_WAITERS):
            seats.enter_context(full.seat())
        with pytest.raises(ArmError) as refused, full.seat():
            pytest.fail("there was a seat")
    assert refused.value.status == 429
    with full.seat():
        pass
