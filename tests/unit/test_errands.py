"""Errands as the loop has them: done at once, under way, or in vain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.actions import Again, Done
from controller.backends.mocked import MockedAdmin, MockedBackend, MockedEngine
from controller.errors import ErrandError
from controller.execute import UNDER_WAY_SECONDS
from controller.model import Change, Work
from controller.nodes import Node
from controller.observe import Observer
from controller.operations import OperationState
from controller.ports import NoLedger
from controller.reconcile import Reconciler
from controller.spec import Errand, ErrandKind
from controller.store import Store
from tests import builders as b

FLUSH = Errand(ErrandKind.FLUSH, "r2")


class World:
    """A cache that is in place, and an errand that ends as it is told to."""

    def __init__(self) -> None:
        engine = MockedEngine()
        backend, admin = MockedBackend(engine, hostname=None), MockedAdmin(engine)
        self.errands = b.ToldErrands()
        self.store = Store(NoLedger(), lambda _: None, b.Clock())
        world = b.world(engine)
        self.reconcile = Reconciler(
            store=self.store,
            world=replace(world, errands=self.errands),
            observe=Observer(backend, admin, lambda: 0.0),
            limits=b.LIMITS,
            leaves=b.leaves(),
            clock=b.Clock(),
        )
        self.store.put(b.KEY, lambda _: Change(b.SPEC, Work.CREATING), b.CAUSE)
        while self.reconcile(b.KEY) != Done():
            pass

    def ask(self) -> None:
        """Ask for the errand."""
        change = Change(b.SPEC.with_errand(FLUSH), Work.UPDATING)
        cause = replace(b.CAUSE, request_id="r2")
        self.store.put(b.KEY, lambda _: change, cause)

    def state(self) -> tuple[str, OperationState, str]:
        """Tell how the cache is, and its operation, with the code of its failure."""
        operation = self.store.operation("r2")
        assert operation is not None
        shown = self.store.get(b.KEY).provisioning_state
        return shown, operation.state, operation.code


@pytest.fixture
def world() -> World:
    """Give a cache that is in place."""
    return World()


def test_an_errand_that_is_done_ends_its_operation(world: World) -> None:
    """And is not run again."""
    ran: list[Errand] = []

    def run(_node: Node, errand: Errand) -> bool:
        ran.append(errand)
        return True

    world.errands.ends = run
    world.ask()
    while world.reconcile(b.KEY) != Done():
        pass
    assert ran == [FLUSH]
    assert world.state() == ("Succeeded", OperationState.SUCCEEDED, "")


def test_an_errand_under_way_is_come_back_to(world: World) -> None:
    """Meanwhile the cache is at work, and no worker waits."""
    world.errands.ends = lambda _node, _errand: False
    world.ask()
    outcome = world.reconcile(b.KEY)
    assert isinstance(outcome, Again)
    assert outcome.after == UNDER_WAY_SECONDS
    assert world.state() == ("Updating", OperationState.IN_PROGRESS, "")


def test_an_errand_in_vain_fails_its_operation_and_nothing_else(world: World) -> None:
    """The cache is as good as before; the reason is the operation's."""

    def fail(_node: Node, _errand: Errand) -> bool:
        raise ErrandError("BlobNotFound", "there is no such file; name another one")

    world.errands.ends = fail
    world.ask()
    while world.reconcile(b.KEY) != Done():
        pass
    assert world.state() == ("Succeeded", OperationState.FAILED, "BlobNotFound")
    operation = world.store.operation("r2")
    assert operation is not None
    assert operation.message == "there is no such file; name another one"
