"""Transfers under way: their ends, their turns and their time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from controller import transfers
from controller.backends.mocked import MockedAdmin, MockedBackend, MockedEngine
from controller.errors import ErrandError, TransientError
from controller.loaders import Loaders
from controller.model import CacheKey
from controller.nodes import Node, NodeSpec, Pause
from controller.spec import Errand, ErrandKind
from controller.transfers import Transfers
from tests import builders as b
from tests.contract.rigs import eventually

SECONDS = 10.0
FIRST = Errand(ErrandKind.IMPORT, "r1")
SECOND = Errand(ErrandKind.IMPORT, "r2")
OTHER = Errand(ErrandKind.EXPORT, "r3")


def nothing(_pause: Pause) -> None:
    """Be done at once."""


def wait(pause: Pause) -> None:
    """Go on until it is ended."""
    while True:
        pause(0.01)


@dataclass
class Carrier:
    """Does what the test says, and counts."""

    act: Callable[[Pause], None] = nothing
    carried: list[Errand] = field(default_factory=list)
    closed: bool = False

    def __call__(
        self, node: Node, spec: NodeSpec, errand: Errand, pause: Pause
    ) -> None:
        """Carry."""
        assert (node, spec) == (b.node(), b.wanted())
        self.carried.append(errand)
        self.act(pause)

    def close(self) -> None:
        """Note it."""
        self.closed = True


class World:
    """Transfers, and whom they wake."""

    def __init__(self, act: Callable[[Pause], None] = nothing) -> None:
        self.carrier = Carrier(act)
        self.woken = threading.Semaphore(0)
        engine = MockedEngine()
        backend, admin = MockedBackend(engine, hostname=None), MockedAdmin(engine)
        loaders = Loaders(backend, admin, self.wake)
        self.transfers = Transfers(self.carrier, loaders, self.wake)

    def wake(self, key: CacheKey) -> None:
        """Be told that one has ended."""
        assert key == b.KEY
        self.woken.release()

    def done(self, errand: Errand = FIRST) -> bool:
        """Ask as the loop does."""
        return self.transfers.done(b.node(), b.wanted(), errand)

    def ended(self) -> None:
        """Wait until one has."""
        assert self.woken.acquire(timeout=SECONDS)


def test_a_transfer_is_begun_once_and_told_once() -> None:
    """The first question begins it, and nobody waits; the end wakes the loop."""
    world = World()
    assert not world.done()
    world.ended()
    assert world.done()
    assert world.carrier.carried == [FIRST]
    assert not world.done()
    world.ended()
    assert world.carrier.carried == [FIRST, FIRST]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(ErrandError("BlobNotFound", "no such"), "BlobNotFound", id="own"),
        pytest.param(TransientError("no such"), "TransferFailed", id="engine"),
        pytest.param(OSError("no such"), "TransferFailed", id="disk"),
        pytest.param(ValueError("a secret"), "TransferFailed", id="defect"),
    ],
)
def test_what_goes_wrong_is_told(error: Exception, reason: str) -> None:
    """Once, with a reason; a mistake of our own shows no values."""

    def fail(_pause: Pause) -> None:
        raise error

    world = World(fail)
    assert not world.done()
    world.ended()
    with pytest.raises(ErrandError) as caught:
        world.done()
    assert caught.value.reason == reason
    assert "a secret" not in str(caught.value)


@pytest.mark.parametrize(
    "grace",
    [
        pytest.param(transfers.GRACE_SECONDS, id="by itself"),
        pytest.param(0.0, id="while it hangs"),
    ],
)
def test_a_transfer_has_its_time(monkeypatch: pytest.MonkeyPatch, grace: float) -> None:
    """After it the operation fails, whatever the thread is at."""
    monkeypatch.setattr(transfers, "SECONDS", 0.05)
    monkeypatch.setattr(transfers, "GRACE_SECONDS", grace)
    hangs = threading.Event()
    world = World(wait if grace else lambda _pause: _hang(hangs))
    assert not world.done()
    with pytest.raises(ErrandError) as caught:
        eventually(world.done)
    assert caught.value.reason == "TransferTimeout"
    hangs.set()
    world.ended()


def _hang(event: threading.Event) -> None:
    event.wait(SECONDS)


def test_a_deleted_cache_has_no_transfers() -> None:
    """What is under way ends, and is not told to the next cache of that name."""
    world = World(wait)
    assert not world.done()
    assert world.transfers.end(b.KEY)
    world.ended()
    world.carrier.act = nothing
    assert not world.done()
    world.ended()
    assert world.done()


def test_a_cache_has_one_transfer_at_a_time() -> None:
    """One that nobody asks for any more ends before the next begins."""
    world = World(wait)
    assert not world.done(FIRST)
    eventually(lambda: world.carrier.carried)
    world.carrier.act = nothing
    assert not world.done(SECOND)
    world.ended()
    world.ended()
    assert world.done(SECOND)


def test_an_export_waits_for_an_import() -> None:
    """Both are asked for, again and again: neither ends the other."""
    world = World(wait)
    assert not world.done(FIRST)
    eventually(lambda: world.carrier.carried)
    assert not world.done(OTHER)
    assert not world.done(FIRST)
    assert world.carrier.carried == [FIRST]
    assert world.transfers.end(b.KEY)
    world.ended()
    world.carrier.act = nothing
    assert not world.done(OTHER)
    world.ended()
    assert world.done(OTHER)


def test_nothing_begins_after_the_end() -> None:
    """What is under way ends, and what it left is let go."""
    world = World(wait)
    assert not world.done()
    world.transfers.close(1.0)
    world.ended()
    assert world.carrier.closed
    assert not world.done(SECOND)
    assert SECOND not in world.carrier.carried
