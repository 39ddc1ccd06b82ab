"""The queue, with a clock that tests move."""

from __future__ import annotations

import threading

import pytest

from controller.workqueue import LONGEST_RETRY_SECONDS, WorkQueue
from tests.builders import Clock


@pytest.fixture
def clock() -> Clock:
    """Stand still."""
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> WorkQueue[str]:
    """Give an empty queue whose delays are never shortened."""
    return WorkQueue(clock.monotonic, lambda: 1.0)


def test_ten_adds_are_one_visit(queue: WorkQueue[str]) -> None:
    """A key that is added many times comes once."""
    for _ in range(10):
        queue.add("a")
    assert queue.get() == "a"
    queue.done("a")
    assert len(queue) == 0


def test_a_key_is_never_with_two_workers(queue: WorkQueue[str]) -> None:
    """A key that a worker has is kept back, and comes once more afterwards."""
    queue.add("a")
    assert queue.get() == "a"
    queue.add("a")
    queue.add("b")
    assert queue.get() == "b"
    queue.done("a")
    assert queue.get() == "a"


def test_first_come_first_served(queue: WorkQueue[str]) -> None:
    """No key waits behind one that was added after it."""
    for key in "abc":
        queue.add(key)
    assert [queue.get() for _ in "abc"] == ["a", "b", "c"]


def test_a_delay_is_kept_and_shortened_by_an_add(
    queue: WorkQueue[str], clock: Clock
) -> None:
    """A key put off comes when it is due, or at once when something happened."""
    queue.add("later", after=5.0)
    queue.add("sooner", after=5.0)
    assert len(queue) == 0
    queue.add("sooner")
    assert queue.get() == "sooner"
    clock.advance(5.0)
    assert queue.get() == "later"


def test_retries_double_up_to_the_longest(queue: WorkQueue[str], clock: Clock) -> None:
    """The delay doubles with each failure, has an end, and starts anew on success."""
    assert _delays(queue, clock, 8) == [0.25, 0.5, 1, 2, 4, 8, 15, 15]
    queue.forget("a")
    assert _delays(queue, clock, 1) == [0.25]


def test_jitter_halves_the_delay_at_most(clock: Clock) -> None:
    """Caches that failed together do not all come back together."""
    queue: WorkQueue[str] = WorkQueue(clock.monotonic, lambda: 0.0)
    assert _delays(queue, clock, 7)[-1] == LONGEST_RETRY_SECONDS / 2


def test_close_wakes_a_waiting_worker(queue: WorkQueue[str]) -> None:
    """A worker that waits for work goes home at shutdown."""
    got: list[str | None] = ["not yet"]
    worker = threading.Thread(target=lambda: got.append(queue.get()))
    worker.start()
    queue.close()
    worker.join(5.0)
    assert got[-1] is None


def _delays(queue: WorkQueue[str], clock: Clock, failures: int) -> list[float]:
    """Fail ``failures`` times and note after which delay the key was due."""
    delays = []
    for _ in range(failures):
        queue.retry("a")
        before = clock.monotonic()
        while not len(queue):
            clock.advance(0.125)
        delays.append(clock.monotonic() - before)
        assert queue.get() == "a"
        queue.done("a")
    return delays
