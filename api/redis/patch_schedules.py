"""``…/redis/{name}/patchSchedules``: stored and shown; nothing is ever patched.

Source: RedisPatchSchedule, api-version 2024-11-01, and recorded answers.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Literal

import falcon
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from api.errors import ArmError
from api.fields import Body, any_case
from api.parts import Parts
from api.redis import children
from controller.children import ScheduleEntry
from controller.model import Record
from controller.spec import CacheSpec

DEFAULT_WINDOW = "PT5H"
LEAST_WINDOW = timedelta(hours=5)  # source: "Update channel and schedule updates"

Day = Literal[
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Everyday",
    "Weekend",
]

_DURATION = TypeAdapter(timedelta)
_USUAL = "^PT([5-9]|1[0-9]|2[0-4])H$"  # as most are written; others are accepted too


def _window(value: str) -> str:
    try:
        # Pydantic reads "05:00:00" too, which is no ISO 8601 duration.
        long_enough = value[:1] == "P" and _DURATION.validate_python(value)
    except ValidationError:
        long_enough = False
    if not long_enough or long_enough < LEAST_WINDOW:
        raise ValueError('It is an ISO 8601 duration of 5 hours or more: "PT5H"')
    return value


class EntryBody(Body):
    """One entry of a schedule."""

    day_of_week: Annotated[Day, any_case(Day)]
    start_hour_utc: Annotated[int, Field(ge=0, le=23)]
    maintenance_window: (
        Annotated[
            str, AfterValidator(_window), Field(json_schema_extra={"pattern": _USUAL})
        ]
        | None
    ) = None


class ScheduleProperties(Body):
    """All entries of a schedule; their order is kept."""

    schedule_entries: Annotated[list[EntryBody], Field(min_length=1)]


class ScheduleBody(Body):
    """Body of a PUT."""

    properties: ScheduleProperties


class PatchScheduleCollection:
    """``…/patchSchedules``: a list of the one schedule that a cache may have."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(self, _req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """List it; 404 if there is none, as recorded."""
        record = children.parent(self._parts, path)
        resp.media = {"value": [_shown(record)]}


class PatchScheduleResource:
    """``…/patchSchedules/default``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(self, _req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """Read it."""
        resp.media = _shown(children.parent(self._parts, path))

    def on_put(self, req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """Set it; 200 even if it is new, as recorded."""
        asked = children.read(req, ScheduleBody).properties
        entries = tuple(
            ScheduleEntry(
                day_of_week=each.day_of_week,
                start_hour_utc=each.start_hour_utc,
                maintenance_window=each.maintenance_window or DEFAULT_WINDOW,
            )
            for each in asked.schedule_entries
        )
        resp.media = _shown(self._write(req, path, entries))

    def on_delete(
        self, req: falcon.Request, resp: falcon.Response, **path: str
    ) -> None:
        """Remove it, 200; 204 if there is none."""
        record = children.parent(self._parts, path)
        if not record.spec.patch_schedule:
            resp.status = falcon.HTTP_204
            return
        self._write(req, path, ())

    def _write(
        self,
        req: falcon.Request,
        path: dict[str, str],
        entries: tuple[ScheduleEntry, ...],
    ) -> Record:
        def change(old: Record) -> CacheSpec:
            return replace(old.spec, patch_schedule=entries)

        return children.write(self._parts, req, children.cache_key(path), change)


def _shown(record: Record) -> dict[str, Any]:
    """Render the schedule, or raise the error for none in the service's words."""
    key, entries = record.key, record.spec.patch_schedule
    if not entries:
        raise ArmError(
            404,
            "ResourceNotFound",
            f"There are no patch schedules found for redis cache '{key.name}'.",
        )
    return {
        "id": f"{key.arm_id}/patchSchedules/default",
        "location": record.spec.location,
        "name": f"{key.name}/default",
        "type": "Microsoft.Cache/Redis/PatchSchedules",
        "properties": {
            "scheduleEntries": [
                {
                    "dayOfWeek": each.day_of_week,
                    "startHourUtc": each.start_hour_utc,
                    "maintenanceWindow": each.maintenance_window,
                }
                for each in entries
            ]
        },
    }
