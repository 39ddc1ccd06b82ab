"""Decide what to do. Pure: no clock, no network, no log.

Note [Absence]
~~~~~~~~~~~~~~
Only a complete, successful look may say that a node is `Absent`. When the engine
could not be asked the node is `Unknown`, and an unknown node is neither created
again nor given up.
"""

from __future__ import annotations

from typing import assert_never

from controller import acl, config
from controller.actions import (
    Action,
    ApplySettings,
    ApplyUsers,
    CreateNode,
    Plan,
    RemoveNode,
    RunErrand,
    StartNode,
    Wait,
)
from controller.model import Record, Starts
from controller.nodes import (
    Absent,
    Node,
    NodeSpec,
    Observed,
    Phase,
    Server,
    Sighting,
    Unknown,
)

QUICK_SECONDS = 0.02  # between two first questions to a server that just started
PATIENT_SECONDS = 0.25  # between two questions to one that is late
LATE_SECONDS = 1.0
FIRST_START_SECONDS = 0.25  # before a server that ended again is started again
LONGEST_START_SECONDS = 8.0
HUNG_SECONDS = 6.0  # a running server that is silent for so long is replaced


def plan(record: Record, wanted: NodeSpec, observed: Observed, now: float) -> Plan:
    """Return the actions that bring ``observed`` to what ``record`` asks for.

    ``now`` is in monotonic seconds. An empty plan means converged.
    """
    if record.deleting:
        steps = _delete(observed.node, "cache deleted")
    else:
        steps = _exist(record, wanted, observed.node, now, observed.server)
    return Plan(steps or _linger(record, now))


def plan_orphan(node: Sighting) -> Plan:
    """Return the actions that bring a node to nought whose cache is not known."""
    return Plan(_delete(node, "no such cache"))


def _delete(node: Sighting, cause: str) -> tuple[Action, ...]:
    match node:
        case Absent():
            return ()
        case Unknown(cause=unknown):
            return (Wait(seconds=PATIENT_SECONDS, cause=unknown),)
        case Node():
            return (RemoveNode(cause=cause),)
        case _:
            assert_never(node)


def _exist(
    record: Record,
    wanted: NodeSpec,
    node: Sighting,
    now: float,
    server: Server | None,
) -> tuple[Action, ...]:
    match node:
        case Unknown(cause=cause):
            return (Wait(seconds=PATIENT_SECONDS, cause=cause),)
        case Absent():
            return (CreateNode(spec=wanted, cause="no node"),)
        case Node(fingerprint=seen) if seen != wanted.fingerprint:
            return _replace(wanted, f"settings {seen} -> {wanted.fingerprint}")
        case Node(phase=Phase.RUNNING) if server is not None:
            return (*_serve(wanted, server), *_run_errands(record))
        case Node(phase=Phase.RUNNING):
            return _silent(record, wanted, now)
        case Node():
            return _revive(node, record.status.starts, now)
        case _:
            assert_never(node)


def _linger(record: Record, now: float) -> tuple[Action, ...]:
    """Come back when what is in place already may be said to be."""
    rest = record.not_before - now
    return (Wait(seconds=rest, cause="operations are slow here"),) if rest > 0 else ()


def _revive(node: Node, starts: Starts, now: float) -> tuple[Action, ...]:
    if node.phase is Phase.REMOVING:
        return (Wait(seconds=QUICK_SECONDS, cause="node is being removed"),)
    state = f"node is {node.phase.name.lower()}"
    cause = f"{state}: {node.detail}" if node.detail else state
    rest = starts.last + _pause(starts.count) - now
    if rest > 0:
        return (Wait(seconds=rest, cause=f"{cause}; started {starts.count} times"),)
    return (StartNode(cause=cause),)


def _pause(starts: int) -> float:
    """Give the seconds between two starts: none at first, then ever more.

    The queue's back-off cannot do it: the engine's events make rounds run sooner.
    """
    if not starts:
        return 0.0
    return min(FIRST_START_SECONDS * 2.0 ** min(starts - 1, 16), LONGEST_START_SECONDS)


def _replace(wanted: NodeSpec, cause: str) -> tuple[Action, ...]:
    return (RemoveNode(cause=cause), CreateNode(spec=wanted, cause=cause))


def _silent(record: Record, wanted: NodeSpec, now: float) -> tuple[Action, ...]:
    since = record.status.silent_since
    silence = 0.0 if since is None else now - since
    if silence > HUNG_SECONDS:
        return _replace(wanted, f"running, yet silent for {HUNG_SECONDS:.0f} s")
    seconds = QUICK_SECONDS if silence < LATE_SECONDS else PATIENT_SECONDS
    return (Wait(seconds=seconds, cause="server does not answer yet"),)


def _run_errands(record: Record) -> tuple[Action, ...]:
    return tuple(
        RunErrand(errand=errand, cause=f"{errand.kind} {errand.request_id}")
        for errand in record.spec.errands
        if errand not in record.status.errands_run
    )


def _serve(wanted: NodeSpec, server: Server) -> tuple[Action, ...]:
    users = acl.users_to_set(wanted.users, server.users)
    drop = acl.users_to_drop(wanted.users, server.users)
    settings = config.drift(wanted.settings, server.settings, server.ceilings)
    actions: list[Action] = []
    if users or drop:
        cause = f"{len(users)} users to set, {len(drop)} to drop"
        actions.append(ApplyUsers(users=users, drop=drop, cause=cause))
    if settings:
        cause = ", ".join(f"{name} -> {value!r}" for name, value in settings.items())
        actions.append(ApplySettings(settings=settings, cause=cause))
    return tuple(actions)
