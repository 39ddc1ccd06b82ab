"""Children in a spec: their names have no case, and no server depends on them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.children import (
    FirewallRule,
    LinkedServer,
    ScheduleEntry,
    spelled,
    with_child,
    without,
)
from controller.spec import CacheSpec
from tests.builders import SPEC

RULES = {"First": 1, "second": 2}


def test_a_name_keeps_the_casing_of_its_creation() -> None:
    """A name that is not there stays as it is."""
    assert spelled(RULES, "FIRST") == "First"
    assert spelled(RULES, "Third") == "Third"


def test_a_changed_child_keeps_name_and_place() -> None:
    """A new one comes last; what was handed out before does not change."""
    changed = with_child(with_child(RULES, "third", 3), "FIRST", 4)
    assert list(changed.items()) == [("First", 4), ("second", 2), ("third", 3)]
    assert RULES == {"First": 1, "second": 2}


def test_a_removed_child_is_gone_in_any_casing() -> None:
    """To remove one that is not there changes nothing."""
    assert without(RULES, "SECOND") == {"First": 1}
    assert without(RULES, "third") == RULES


@pytest.mark.parametrize(
    "change",
    [
        {"firewall_rules": {"r": FirewallRule(start_ip="1.1.1.1", end_ip="1.1.1.1")}},
        {
            "patch_schedule": (
                ScheduleEntry(
                    day_of_week="Monday", start_hour_utc=1, maintenance_window="PT5H"
                ),
            )
        },
        {"linked_servers": {"other": LinkedServer(uid="uid-2")}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_stored_children_ask_nothing_of_a_server(change: dict[str, object]) -> None:
    """So that a cache is in place as soon as they are written."""
    spec: CacheSpec = replace(SPEC, **change)  # type: ignore[arg-type]  # any field
    assert spec != SPEC
    assert spec.asks_the_same(SPEC)
