"""Every branch of the planner, as text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.actions import Plan
from controller.model import Record
from controller.nodes import Absent, AclUser, Observed, Phase, Unknown
from controller.plan import HUNG_SECONDS, plan, plan_orphan
from controller.spec import (
    NOTHING,
    AccessKeys,
    Errand,
    ErrandKind,
    Secret,
    Sku,
    Tier,
)
from tests import builders as b

UP = b.node()
GOOD = b.server()
DEFAULT = GOOD.users["default"]
ROTATED = {"default": replace(DEFAULT, digests=frozenset({Secret("old").digest}))}
STRANGER = AclUser(
    name="eve", enabled=True, digests=frozenset(), rules="~* &* +@all nopass"
)


def seen(**changes: object) -> Observed:
    """Observe a running node whose server differs in some members."""
    return Observed(node=UP, server=replace(GOOD, **changes))  # type: ignore[arg-type]  # members vary


STATES = [
    pytest.param(Observed(Absent()), "CreateNode: no node", id="absent"),
    pytest.param(Observed(Unknown("hung")), "Wait: hung", id="unknown"),
    pytest.param(
        Observed(b.node(phase=Phase.STOPPED)),
        "StartNode: node is stopped",
        id="stopped",
    ),
    pytest.param(
        Observed(replace(b.node(phase=Phase.STOPPED), detail="exit code 137")),
        "StartNode: node is stopped: exit code 137",
        id="killed",
    ),
    pytest.param(
        Observed(b.node(phase=Phase.PAUSED)), "StartNode: node is paused", id="paused"
    ),
    pytest.param(
        Observed(b.node(phase=Phase.REMOVING)),
        "Wait: node is being removed",
        id="being removed",
    ),
    pytest.param(Observed(UP), "Wait: server does not answer yet", id="silent"),
    pytest.param(
        seen(users={**GOOD.users, **ROTATED}),
        "ApplyUsers: 1 users to set, 0 to drop",
        id="rotated",
    ),
    pytest.param(
        seen(users={**GOOD.users, "eve": STRANGER}),
        "ApplyUsers: 0 users to set, 1 to drop",
        id="foreign user",
    ),
    pytest.param(
        seen(settings={**GOOD.settings, "maxmemory-policy": "noeviction"}),
        "ApplySettings: maxmemory-policy -> 'volatile-lru'",
        id="drifted setting",
    ),
    pytest.param(
        seen(settings={**GOOD.settings, "maxclients": "64"}, ceilings=NOTHING),
        "ApplySettings: maxclients -> '256'",
        id="too few clients",
    ),
    pytest.param(
        seen(
            settings={**GOOD.settings, "maxclients": "64"},
            ceilings={"maxclients": "64"},
        ),
        "",
        id="all clients that the machine can serve",
    ),
    pytest.param(Observed(UP, GOOD), "", id="converged"),
]


@pytest.mark.parametrize(("observed", "expected"), STATES)
def test_plan(observed: Observed, expected: str) -> None:
    """Each state of the world leads to exactly these actions."""
    assert str(plan(b.record(), b.wanted(), observed, now=0.0)) == expected


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        pytest.param(Observed(Absent()), "RemoveNode: cache deleted", id="absent"),
        pytest.param(Observed(Unknown("hung")), "Wait: hung", id="unknown"),
        pytest.param(Observed(UP, GOOD), "RemoveNode: cache deleted", id="running"),
        pytest.param(
            Observed(b.node(phase=Phase.STOPPED)),
            "RemoveNode: cache deleted",
            id="stopped",
        ),
    ],
)
def test_plan_of_a_deletion(observed: Observed, expected: str) -> None:
    """A deleted cache wants neither node nor data, whatever is there."""
    deleted = replace(b.record(), deleting=True)
    assert str(plan(deleted, b.wanted(), observed, now=0.0)) == expected


def test_an_orphan_is_removed() -> None:
    """What is left of a cache that nobody knows is removed, unless nothing is seen."""
    assert str(plan_orphan(UP)) == "RemoveNode: no such cache"
    assert str(plan_orphan(Absent())) == "RemoveNode: no such cache"
    assert str(plan_orphan(Unknown("hung"))) == "Wait: hung"


def test_another_fingerprint_replaces_the_node() -> None:
    """What cannot change live removes the server before it creates another."""
    old = replace(b.node(phase=Phase.STOPPED), fingerprint="0ld")
    cause = f"settings 0ld -> {b.wanted().fingerprint}"
    assert str(plan(b.record(), b.wanted(), Observed(old), now=0.0)) == (
        f"RemoveNode: {cause}\nCreateNode: {cause}"
    )


MOVED = b.record(replace(b.SPEC, public_network_access="Disabled"))
SAVED = replace(MOVED, status=replace(MOVED.status, saved=True))
OVER = Observed(b.node(b.wanted(SAVED)), b.server(b.wanted(SAVED)))
LEADS = "LeadAgain: follows another server"
IMPORT = Errand(ErrandKind.IMPORT, "r2")
REBOOTED = b.record(replace(b.SPEC, boot="r2"))
LASTING = b.record(
    replace(
        b.SPEC,
        sku=Sku(Tier.PREMIUM, 1),
        redis_configuration={"aof-backup-enabled": "true"},
    )
)
REBOOTED_LASTING = replace(LASTING, spec=replace(LASTING.spec, boot="r2"))


@pytest.mark.parametrize(
    ("record", "before", "answers", "actions", "kept"),
    [
        pytest.param(MOVED, b.record(), True, "SaveData", True, id="moved"),
        pytest.param(MOVED, b.record(), False, "Wait", True, id="moved, busy"),
        pytest.param(
            SAVED, b.record(), True, "RemoveNode CreateNode", True, id="saved"
        ),
        pytest.param(
            REBOOTED, b.record(), True, "RemoveNode CreateNode", False, id="rebooted"
        ),
        pytest.param(
            REBOOTED_LASTING, LASTING, True, "RemoveNode CreateNode", True, id="lasting"
        ),
        pytest.param(
            replace(LASTING, uid="uid-2"), LASTING, True, "RemoveNode CreateNode",
            False, id="another cache's",
        ),
    ],
)  # fmt: skip
def test_what_becomes_of_data_when_a_server_is_replaced(
    record: Record, before: Record, actions: str, *, answers: bool, kept: bool
) -> None:
    """They are carried over; a reboot loses them, unless they were to last.

    A server that has no time for an answer is not given up at once.
    """
    old = b.wanted(before)
    server = b.server(old) if answers else None
    steps = plan(record, b.wanted(record), Observed(b.node(old), server), now=0.0)
    assert " ".join(type(each).__name__ for each in steps) == actions
    assert {getattr(each, "keep_data", kept) for each in steps} == {kept}


def test_a_frozen_server_is_thawed_before_it_is_replaced() -> None:
    """Its data are still there."""
    paused = b.node(b.wanted(), Phase.PAUSED)
    steps = plan(MOVED, b.wanted(MOVED), Observed(paused), now=0.0)
    assert str(steps) == "StartNode: node is paused"


def test_what_a_server_has_taken_over_is_dropped() -> None:
    """Or it would come back at its next start, however old it is by then."""
    steps = plan(SAVED, b.wanted(SAVED), OVER, now=0.0)
    assert str(steps) == "DropDump: data were handed over"


@pytest.mark.parametrize(
    ("errands", "run", "expected"),
    [
        pytest.param((), (), LEADS, id="by mistake"),
        pytest.param(
            (IMPORT,), (IMPORT,), "LeadAgain: follows another server", id="cut"
        ),
        pytest.param((IMPORT,), (), "RunErrand: Import r2", id="at work"),
    ],
)
def test_a_server_follows_another_one_during_an_import_only(
    errands: tuple[Errand, ...], run: tuple[Errand, ...], expected: str
) -> None:
    """It takes no writes meanwhile, so that it must not stay like this."""
    record = b.record(replace(b.SPEC, errands=errands))
    record = replace(record, status=replace(record.status, errands_run=frozenset(run)))
    steps = plan(record, b.wanted(), seen(follows=True), now=0.0)
    assert str(steps) == expected


def test_data_that_were_saved_are_not_lost_on_the_way() -> None:
    """A node that could not be created at once gets them when it can."""
    record = replace(MOVED, status=replace(MOVED.status, saved=True))
    crashed = b.node(b.wanted(record), Phase.STOPPED)
    for state in (Absent(), crashed):
        [step] = plan(record, b.wanted(record), Observed(state), now=0.0).actions
        assert getattr(step, "keep_data", None) is True


def test_a_new_certificate_comes_with_its_key() -> None:
    """The server is told of both at once: neither fits without the other."""
    leaf = b.AUTHORITY.issue(("localhost",), b.START)
    wanted = replace(b.wanted(), leaf=leaf)
    apply = str(plan(b.record(), wanted, Observed(UP, GOOD), 0.0))
    assert f"tls-cert-file -> '/server/{leaf.digest}.crt'" in apply
    assert f"tls-key-file -> '/server/{leaf.digest}.key'" in apply


@pytest.mark.parametrize(
    ("durable", "appending", "actions"),
    [
        pytest.param(False, "no", ["SaveData"], id="never durable"),
        pytest.param(False, "yes", ["SaveData"], id="no longer durable"),
        pytest.param(
            True, "no", ["ApplySettings", "RemoveNode", "CreateNode"], id="from now on"
        ),
        pytest.param(
            True, "unfinished", ["ApplySettings", "RemoveNode", "CreateNode"], id="soon"
        ),
        pytest.param(True, "yes", ["RemoveNode", "CreateNode"], id="durable"),
    ],
)
def test_a_server_hands_its_data_over(
    *, durable: bool, appending: str, actions: list[str]
) -> None:
    """Before it is removed they are where the next one reads them."""
    wanted = replace(b.wanted(), durable=durable)
    server = replace(GOOD, settings={**GOOD.settings, "appendonly": appending})
    old = replace(UP, fingerprint="0ld", uid=wanted.uid, boot=wanted.boot)
    steps = plan(b.record(), wanted, Observed(old, server), now=0.0)
    assert [type(step).__name__ for step in steps] == actions


def test_a_rotated_key_leaves_the_fingerprint_alone() -> None:
    """A regenerated key is applied without a new server."""
    keys = AccessKeys(primary=Secret("new"), secondary=b.KEYS.secondary)
    rotated = b.record(replace(b.SPEC, access_keys=keys))
    assert b.wanted(rotated).fingerprint == b.wanted().fingerprint


def test_a_hung_server_is_replaced() -> None:
    """A running server that stays silent for too long is replaced, not waited for."""
    record = b.record()
    silent = replace(record, status=replace(record.status, silent_since=10.0))
    late = plan(silent, b.wanted(), Observed(UP), now=10.5 + HUNG_SECONDS)
    assert str(late).startswith("RemoveNode: running, yet silent")


def test_a_plan_shows_no_secret() -> None:
    """A plan may be logged: no access key appears in its text or repr."""
    keys = AccessKeys(primary=Secret("hunter2"), secondary=Secret("correct horse"))
    record = b.record(replace(b.SPEC, access_keys=keys))
    for node in (Absent(), UP):
        steps: Plan = plan(record, b.wanted(record), Observed(node, GOOD), now=0.0)
        assert steps.actions
        shown = repr(steps) + str(steps)
        assert "hunter2" not in shown
        assert "correct horse" not in shown
