"""Run a plan. No decisions here: those were taken in `controller.plan`."""

from __future__ import annotations

from typing import assert_never

from controller.actions import (
    Action,
    Again,
    ApplySettings,
    ApplyUsers,
    CreateNode,
    Done,
    Outcome,
    Plan,
    RemoveNode,
    RunErrand,
    StartNode,
    Stuck,
    Wait,
)
from controller.admin import Admin
from controller.backends.base import Backend
from controller.errors import TerminalError, TransientError
from controller.nodes import Node, NodeKey, Sighting
from controller.spec import Errand


def execute(
    plan: Plan, key: NodeKey, node: Sighting, backend: Backend, admin: Admin
) -> Outcome:
    """Run the actions in order and say when to look at this cache again.

    ``node`` is what the plan was made from; the first failure ends the round. Raises
    `PortTakenError`: only the caller can give the node another port.
    """
    after = 0.0
    ran: frozenset[Errand] = frozenset()
    started = False
    for action in plan:
        try:
            after = _run(action, key, node, backend, admin)
        except TransientError as error:
            return Again(after=None, cause=str(error), ran=ran)
        except TerminalError as error:
            return Stuck(reason=error.reason, cause=str(error))
        if isinstance(action, RunErrand):
            ran |= {action.errand}
        started = started or isinstance(action, StartNode)
    if not plan.actions:
        return Done()
    return Again(after=after, cause=str(plan), ran=ran, started=started)


def _run(
    action: Action, key: NodeKey, node: Sighting, backend: Backend, admin: Admin
) -> float:
    match action:
        case CreateNode(spec=spec):
            backend.create(key, spec)
        case StartNode():
            backend.start(key)
        case RemoveNode():
            backend.remove(key)
        case ApplyUsers(users=users, drop=drop):
            admin.apply_users(_running(node), users, drop)
        case ApplySettings(settings=settings):
            admin.apply_settings(_running(node), settings)
        case RunErrand(errand=errand):
            admin.run_errand(_running(node), errand.kind)
        case Wait(seconds=seconds):
            return seconds
        case _:
            assert_never(action)
    return 0.0


def _running(node: Sighting) -> Node:
    """Narrow the type: only a node that answered is ever told to change."""
    if not isinstance(node, Node):
        raise TransientError(f"no node to change: {node}")
    return node
