"""Patch schedules over HTTP; bodies and statuses as recorded."""

from __future__ import annotations

import pytest

from tests.wire.children import RESOURCE, mistakes, put, settled
from tests.wire.rig import CACHE, Wire

SCHEDULES = CACHE + "/patchSchedules"
SCHEDULE = SCHEDULES + "/default"
TUESDAY = {"dayOfWeek": "Tuesday", "startHourUtc": 1, "maintenanceWindow": "PT10H"}
WEEKEND = {"dayOfWeek": "Weekend", "startHourUtc": 23, "maintenanceWindow": "PT5H"}
SHOWN = {
    "id": f"{RESOURCE}/patchSchedules/default",
    "location": "West Europe",
    "name": "Cache1/default",
    "type": "Microsoft.Cache/Redis/PatchSchedules",
    "properties": {"scheduleEntries": [TUESDAY, WEEKEND]},
}


def test_a_schedule_lives_from_put_to_delete(wire: Wire) -> None:
    """200 even when it is new; the order of its entries is kept."""
    settled(wire)
    created = put(wire, SCHEDULE, scheduleEntries=[TUESDAY, WEEKEND])
    assert (created.status_code, created.json) == (200, SHOWN)
    assert wire.call("GET", SCHEDULE).json == SHOWN
    assert wire.call("GET", SCHEDULES).json == {"value": [SHOWN]}
    deleted = wire.call("DELETE", SCHEDULE)
    assert (deleted.status_code, deleted.content) == (200, b"")
    assert wire.call("DELETE", SCHEDULE).status_code == 204


@pytest.mark.parametrize("path", [SCHEDULE, SCHEDULES])
def test_no_schedule_is_an_error_in_known_words(wire: Wire, path: str) -> None:
    """Clients look for this text, in lists too."""
    settled(wire)
    missing = wire.call("GET", path)
    assert missing.status_code == 404
    request_id = missing.headers["x-ms-request-id"]
    assert missing.json["error"] == {
        "code": "ResourceNotFound",
        "message": "There are no patch schedules found for redis cache 'Cache1'.\r\n"
        f"RequestID={request_id}",
        "target": None,
    }


def test_what_is_left_out_gets_its_default(wire: Wire) -> None:
    """Days have no case, and five hours are the usual window."""
    settled(wire)
    sent = {"dayOfWeek": "EVERYDAY", "startHourUtc": 0, "maintenanceWindow": None}
    (entry,) = put(wire, SCHEDULE, scheduleEntries=[sent]).json["properties"][
        "scheduleEntries"
    ]
    assert entry == {
        "dayOfWeek": "Everyday",
        "startHourUtc": 0,
        "maintenanceWindow": "PT5H",
    }


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        pytest.param({"dayOfWeek": "Someday"}, "dayOfWeek", id="day"),
        pytest.param({"startHourUtc": 24}, "startHourUtc", id="late hour"),
        pytest.param({"startHourUtc": -1}, "startHourUtc", id="early hour"),
        pytest.param({"startHourUtc": "1"}, "startHourUtc", id="hour as text"),
        pytest.param({"maintenanceWindow": "PT4H59M"}, "maintenanceWindow", id="short"),
        pytest.param({"maintenanceWindow": "-P1D"}, "maintenanceWindow", id="negative"),
        pytest.param(
            {"maintenanceWindow": "05:00:00"}, "maintenanceWindow", id="not ISO 8601"
        ),
        pytest.param({"maintenanceWindow": ""}, "maintenanceWindow", id="empty"),
    ],
)
def test_a_wrong_entry_is_pointed_at(
    wire: Wire, entry: dict[str, object], wrong: str
) -> None:
    """By its place in the list."""
    settled(wire)
    entries = [TUESDAY, TUESDAY | entry]
    found = mistakes(put(wire, SCHEDULE, scheduleEntries=entries))
    assert found == [f"properties.scheduleEntries[1].{wrong}"]
    assert wire.call("GET", SCHEDULE).status_code == 404


def test_an_empty_schedule_is_refused(wire: Wire) -> None:
    """Whoever wants none deletes it."""
    settled(wire)
    found = mistakes(put(wire, SCHEDULE, scheduleEntries=[]))
    assert found == ["properties.scheduleEntries"]


def test_there_is_only_the_default_schedule(wire: Wire) -> None:
    """Its name is part of the path, in any case."""
    settled(wire)
    path = SCHEDULES + "/DEFAULT"
    assert put(wire, path, scheduleEntries=[TUESDAY]).status_code == 200
    assert wire.call("GET", SCHEDULES + "/other").status_code == 404
