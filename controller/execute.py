"""Run a plan. No decisions here: those were taken in `controller.plan`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, assert_never

from controller.actions import (
    Again,
    ApplySettings,
    ApplyUsers,
    Change,
    CreateNode,
    Deeds,
    Done,
    DropDump,
    LeadAgain,
    Outcome,
    Plan,
    RemoveNode,
    RunErrand,
    SaveData,
    StartNode,
    Stuck,
    Wait,
)
from controller.admin import Admin
from controller.backends.base import Backend
from controller.errors import (
    ErrandError,
    PortTakenError,
    TerminalError,
    TransientError,
)
from controller.model import CacheKey, ErrandFailure
from controller.nodes import Node, NodeKey, NodeSpec, Sighting
from controller.spec import Errand

UNDER_WAY_SECONDS = 1.0  # before a long errand is asked for again; its end says so


class RunsErrands(Protocol):
    """Does what is done once; it may have servers of its own for that."""

    def __call__(self, node: Node, spec: NodeSpec, errand: Errand) -> bool:
        """Do an errand, or begin it: true once it is done. Raises `ErrandError`."""
        ...

    def own(self, key: CacheKey) -> bool:
        """Tell whether a key without a record is that of an errand's own server."""
        ...

    def end(self, cache: CacheKey) -> bool:
        """End what is under way for a deleted cache; true once no server is left."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a plan acts on."""

    backend: Backend
    admin: Admin
    errands: RunsErrands


def execute(plan: Plan, key: NodeKey, node: Sighting, world: World) -> Outcome:
    """Run the actions in order and say when to look at this cache again.

    ``node`` is what the plan was made from; the first failure ends the round.
    """
    after, deeds = 0.0, Deeds()
    for action in plan:
        try:
            match action:
                case Wait(seconds=seconds):
                    after = seconds
                case RunErrand():
                    ended, after = _errand(action, _running(node), world)
                    deeds |= ended
                case _:
                    deeds |= _change(action, key, node, world)
                    after = 0.0
        except PortTakenError as error:
            return Again(after=0.0, cause=str(error), deeds=deeds, taken=error.port)
        except TransientError as error:
            return Again(after=None, cause=str(error), deeds=deeds)
        except TerminalError as error:
            return Stuck(reason=error.reason, cause=str(error), deeds=deeds)
    if not plan.actions:
        return Done()
    return Again(after=after, cause=str(plan), deeds=deeds)


def _change(action: Change, key: NodeKey, node: Sighting, world: World) -> Deeds:
    backend = world.backend
    match action:
        case CreateNode(spec=spec, keep_data=keep):
            backend.create(key, spec, keep_data=keep)
        case StartNode(keep_data=keep):
            backend.start(key, keep_data=keep)
            return Deeds(started=True)
        case DropDump():
            backend.drop_dump(key)
            return Deeds(taken_over=True)
        case RemoveNode(keep_data=keep):
            backend.remove(key, keep_data=keep)
        case ApplySettings(settings=settings, spec=spec):
            backend.prepare(key, spec)
            world.admin.apply_settings(_running(node), settings)
        case _:
            return _tell(action, _running(node), world.admin)
    return Deeds()


def _tell(action: SaveData | LeadAgain | ApplyUsers, node: Node, admin: Admin) -> Deeds:
    match action:
        case LeadAgain():
            admin.data.lead(node)
        case SaveData():
            admin.save(node)
            return Deeds(saved=True)
        case ApplyUsers(users=users, drop=drop, disconnect=disconnect):
            admin.apply_users(node, users, drop, disconnect)
        case _:
            assert_never(action)
    return Deeds()


def _errand(action: RunErrand, node: Node, world: World) -> tuple[Deeds, float]:
    """Run an errand, or have it go on; say how it ended, and when to look again."""
    errand = action.errand
    try:
        if not world.errands(node, action.spec, errand):
            return Deeds(), UNDER_WAY_SECONDS
    except ErrandError as error:
        failure = ErrandFailure(errand, error.reason, str(error))
        return Deeds(ran=frozenset({errand}), failed=(failure,)), 0.0
    return Deeds(ran=frozenset({errand})), 0.0


def _running(node: Sighting) -> Node:
    """Narrow the type: only a node that answered is ever told to change."""
    if not isinstance(node, Node):
        raise TransientError(f"no node to change: {node}")
    return node
