"""What an answer to a list call is good for, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from controller.backends.mocked import MockedAdmin, MockedBackend, MockedEngine
from controller.errors import ControllerError, TerminalError, TransientError
from controller.nodes import Absent, Node, NodeKey, Unknown
from controller.observe import FRESH_SECONDS, Observer
from tests import builders as b


class Backend(MockedBackend):
    """Counts what it is asked, and may refuse to answer."""

    def __init__(self) -> None:
        super().__init__(MockedEngine(), hostname=None)
        self.finds = 0
        self.refusal: ControllerError | None = None
        self.meanwhile: Callable[[], None] = lambda: None  # while it lists

    def list(self) -> Mapping[NodeKey, Node]:
        """List what there is before something happens."""
        nodes = super().list()
        self.meanwhile()
        return nodes

    def find(self, node: NodeKey) -> Node | None:
        """Count, and refuse if told to."""
        self.finds += 1
        if self.refusal is not None:
            raise self.refusal
        return super().find(node)


class World:
    """An observer of one backend, and its clock."""

    def __init__(self) -> None:
        self.backend = Backend()
        self.clock = b.Clock()
        admin = MockedAdmin(MockedEngine())
        self.observer = Observer(self.backend, admin, self.clock.monotonic)

    def seen(self) -> object:
        """Look at the one node."""
        return self.observer(b.NODE, b.KEYS).node


def refuse() -> None:
    """Be an engine that is away."""
    raise TransientError("no answer")


@pytest.fixture
def world() -> World:
    """Give an engine without nodes."""
    return World()


def test_a_list_saves_a_look(world: World) -> None:
    """What a list call saw is not asked for again, once."""
    world.observer.list()
    assert world.seen() == Absent()
    assert world.backend.finds == 0
    world.seen()
    assert world.backend.finds == 1


def test_an_old_list_says_nothing(world: World) -> None:
    """What was seen long ago is looked at anew."""
    world.observer.list()
    world.clock.advance(FRESH_SECONDS)
    assert world.seen() == Absent()
    assert world.backend.finds == 1


def test_a_list_that_was_overtaken_says_nothing(world: World) -> None:
    """What happens during a list call may be missing in its answer."""

    def create() -> None:
        world.backend.create(b.NODE, b.wanted())
        world.observer.forget(b.KEY)

    world.backend.meanwhile = create
    world.observer.list()
    assert isinstance(world.seen(), Node)
    world.backend.meanwhile = lambda: None
    world.observer.list()
    assert isinstance(world.seen(), Node)
    assert world.backend.finds == 1


def test_a_list_that_failed_revives_no_older_one(world: World) -> None:
    """What a round used or saw change stays out of date while the engine is away."""
    world.observer.list()
    world.seen()
    world.backend.create(b.NODE, b.wanted())
    world.backend.meanwhile = refuse
    with pytest.raises(TransientError):
        world.observer.list()
    assert isinstance(world.seen(), Node)


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(TransientError("no answer"), id="transient"),
        pytest.param(TerminalError("RefusedByDocker", "no answer"), id="final"),
    ],
)
def test_no_answer_is_not_known(world: World, refusal: ControllerError) -> None:
    """An engine that does not tell leaves the node unknown, and says why."""
    world.backend.refusal = refusal
    assert world.seen() == Unknown("no answer")
