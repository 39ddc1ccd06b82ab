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
    DropDump,
    LeadAgain,
    Plan,
    RemoveNode,
    RunErrand,
    SaveData,
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
from controller.spec import ErrandKind

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
    if not record.deleting:
        return Plan(_exist(record, wanted, observed, now) or _linger(record, now))
    if isinstance(observed.node, Absent):
        return Plan(_linger(record, now) or _delete(observed.node, "cache deleted"))
    return Plan(_delete(observed.node, "cache deleted"))


def plan_orphan(node: Sighting) -> Plan:
    """Return the actions that bring a node to nought whose cache is not known."""
    return Plan(_delete(node, "no such cache"))


def _delete(node: Sighting, cause: str) -> tuple[Action, ...]:
    """Remove a node; where there is none its data may be left."""
    match node:
        case Unknown(cause=unknown):
            return (Wait(seconds=PATIENT_SECONDS, cause=unknown),)
        case Node() | Absent():
            return (RemoveNode(cause=cause),)
        case _:
            assert_never(node)


def _exist(
    record: Record,
    wanted: NodeSpec,
    observed: Observed,
    now: float,
) -> tuple[Action, ...]:
    node, server = observed.node, observed.server
    keep = wanted.durable or record.status.saved
    match node:
        case Unknown(cause=cause):
            return (Wait(seconds=PATIENT_SECONDS, cause=cause),)
        case Absent():
            return (CreateNode(spec=wanted, keep_data=keep, cause="no node"),)
        case Node(fingerprint=seen) if seen != wanted.fingerprint:
            return _succeed(record, wanted, node, server, now)
        case Node(phase=Phase.RUNNING) if server is not None:
            return (
                *_take_over(record),
                *_lead(record, server),
                *_serve(wanted, node, server),
                *_run_errands(record, wanted),
            )
        case Node(phase=Phase.RUNNING):
            return _silent(record, wanted, now, keep=keep)
        case Node():
            return _revive(node, record.status.starts, now, keep=keep)
        case _:
            assert_never(node)


def _linger(record: Record, now: float) -> tuple[Action, ...]:
    """Come back when what is in place already may be said to be."""
    rest = record.not_before - now
    return (Wait(seconds=rest, cause="operations are slow here"),) if rest > 0 else ()


def _revive(
    node: Node, starts: Starts, now: float, *, keep: bool
) -> tuple[Action, ...]:
    if node.phase is Phase.REMOVING:
        return (Wait(seconds=QUICK_SECONDS, cause="node is being removed"),)
    state = f"node is {node.phase.name.lower()}"
    cause = f"{state}: {node.detail}" if node.detail else state
    rest = starts.last + _pause(starts.count) - now
    if rest > 0:
        return (Wait(seconds=rest, cause=f"{cause}; started {starts.count} times"),)
    return (StartNode(keep_data=keep, cause=cause),)


def _pause(starts: int) -> float:
    """Give the seconds between two starts: none at first, then ever more.

    The queue's back-off cannot do it: the engine's events make rounds run sooner.
    """
    if not starts:
        return 0.0
    return min(FIRST_START_SECONDS * 2.0 ** min(starts - 1, 16), LONGEST_START_SECONDS)


def _succeed(
    record: Record, wanted: NodeSpec, node: Node, server: Server | None, now: float
) -> tuple[Action, ...]:
    """Replace a server by one that inherits its data, unless a reboot is the reason.

    One that does not answer is given time, because its data would be lost.
    """
    cause = f"settings {node.fingerprint} -> {wanted.fingerprint}"
    keep = wanted.durable or record.status.saved
    heir = node.uid == wanted.uid
    rebooted = node.boot != wanted.boot
    if not heir or rebooted or record.status.saved or node.phase is Phase.STOPPED:
        return _replace(wanted, cause, keep=keep and heir)
    match node.phase, server:
        case Phase.RUNNING, Server() if wanted.durable:
            steps = _hand_over(wanted, server, cause)
            return (*steps, *_replace(wanted, cause, keep=True))
        case Phase.RUNNING, Server():
            # alone, so that it is known, also to a restarted controller, what waits
            return (SaveData(cause=cause),)
        case Phase.RUNNING, _:
            return _silent(record, wanted, now, keep=keep)
        case _:
            return _revive(node, record.status.starts, now, keep=keep)


def _hand_over(wanted: NodeSpec, server: Server, cause: str) -> tuple[Action, ...]:
    """Have a durable server's data where the next one reads them."""
    if server.settings.get(config.APPENDING) == "yes":
        return ()
    appending = {config.APPENDING: "yes"}
    return (ApplySettings(settings=appending, spec=wanted, cause=cause),)


def _replace(wanted: NodeSpec, cause: str, *, keep: bool) -> tuple[Action, ...]:
    return (
        RemoveNode(keep_data=keep, cause=cause),
        CreateNode(spec=wanted, keep_data=keep, cause=cause),
    )


def _silent(
    record: Record, wanted: NodeSpec, now: float, *, keep: bool
) -> tuple[Action, ...]:
    since = record.status.silent_since
    silence = 0.0 if since is None else now - since
    if silence > HUNG_SECONDS:
        cause = f"running, yet silent for {HUNG_SECONDS:.0f} s"
        return _replace(wanted, cause, keep=keep)
    seconds = QUICK_SECONDS if silence < LATE_SECONDS else PATIENT_SECONDS
    return (Wait(seconds=seconds, cause="server does not answer yet"),)


def _take_over(record: Record) -> tuple[Action, ...]:
    """Forget what a server has begun with; its data have moved on since."""
    if not record.status.saved:
        return ()
    return (DropDump(cause="data were handed over"),)


def _lead(record: Record, server: Server) -> tuple[Action, ...]:
    """End what an import that was cut short has left: a server that takes no writes."""
    imports = {each for each in record.spec.errands if each.kind is ErrandKind.IMPORT}
    if not server.follows or imports - record.status.errands_run:
        return ()
    return (LeadAgain(cause="follows another server"),)


def _run_errands(record: Record, wanted: NodeSpec) -> tuple[Action, ...]:
    return tuple(
        RunErrand(
            errand=errand, spec=wanted, cause=f"{errand.kind} {errand.request_id}"
        )
        for errand in record.spec.errands
        if errand not in record.status.errands_run
    )


def _serve(wanted: NodeSpec, node: Node, server: Server) -> tuple[Action, ...]:
    users = acl.users_to_set(wanted.users, server.users)
    drop = acl.users_to_drop(wanted.users, server.users)
    drift = config.drift_of(wanted, node, server)
    actions: list[Action] = []
    if users or drop:
        cause = f"{len(users)} users to set, {len(drop)} to drop"
        disconnect = acl.users_to_disconnect(wanted.users, server.users)
        actions.append(
            ApplyUsers(users=users, drop=drop, disconnect=disconnect, cause=cause)
        )
    if drift:
        cause = ", ".join(f"{name} -> {value!r}" for name, value in drift.items())
        actions.append(ApplySettings(settings=drift, spec=wanted, cause=cause))
    return tuple(actions)
