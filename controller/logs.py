"""Log events: one per line, dotted names, JSON or for a terminal.

Note [No secret in a line]
~~~~~~~~~~~~~~~~~~~~~~~~~~
A `controller.spec.Secret` shows only its digest. Text from elsewhere, such as a
library's message or a traceback, is searched for access keys and signatures once the
line is whole; local variables of a traceback are never shown.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from controller.actions import Outcome, Plan, Stuck
from controller.model import Record
from controller.shortfalls import Shortfall
from controller.spec import Secret

LogFormat = Literal["json", "console"]

# The shape of an access key, as recorded from the service
ACCESS_KEY = re.compile(r"[A-Za-z0-9+/]{33}AzCa[A-P][A-Za-z0-9+/]{5}=")

# The part of a shared access signature that nobody can guess
SIGNATURE = re.compile(r"(?<=[?&]sig=)[^&\s\"'\\)>]+", re.IGNORECASE)

_log: FilteringBoundLogger = structlog.get_logger()


def configure(log_format: LogFormat, level: str, stream: TextIO) -> None:
    """Send every event of this process to ``stream``, libraries' included.

    ``level`` is ``debug``, ``info``, ``warning`` or ``error``. Libraries are heard
    from ``warning`` on: what they say below that, our own events say better.
    """
    at_least = logging.getLevelNamesMapping()[level.upper()]
    render = _render(log_format, stream)
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*common, *render],
        wrapper_class=structlog.make_filtering_bound_logger(at_least),
        logger_factory=structlog.WriteLoggerFactory(stream),
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*common, _name_after_library],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *render,
            ],
        )
    )
    logging.basicConfig(
        handlers=[handler], level=max(at_least, logging.WARNING), force=True
    )
    # It warns whenever all threads are busy: a load, not a fault.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)


def log_round(
    record: Record, steps: Plan, outcome: Outcome, took_seconds: float
) -> None:
    """Say how a round ended, with the ids of the request that caused the work."""
    _log.log(
        _level(steps, outcome),
        "round.done",
        key=str(record.key),
        uid=record.uid,
        generation=record.generation,
        plan="; ".join(str(steps).splitlines()),
        outcome=type(outcome).__name__,
        cause=getattr(outcome, "cause", ""),
        took_ms=round(took_seconds * 1000, 1),
        request_id=record.cause.request_id,
        correlation_id=record.cause.correlation_id,
        client_request_id=record.cause.client_request_id,
    )


def log_ready(record: Record, found: Iterable[Shortfall]) -> None:
    """Say that a generation is in place for the first time, and what it is not."""
    _log.info(
        "cache.ready",
        key=str(record.key),
        generation=record.generation,
        not_enforced=[each.property for each in found],
        request_id=record.cause.request_id,
        correlation_id=record.cause.correlation_id,
    )


def _level(steps: Plan, outcome: Outcome) -> int:
    if isinstance(outcome, Stuck):
        return logging.WARNING
    return logging.INFO if steps.acts else logging.DEBUG


def _render(log_format: LogFormat, stream: TextIO) -> tuple[Processor, ...]:
    """Turn an event into a line; see Note [No secret in a line]."""
    if log_format == "json":
        return (
            structlog.processors.format_exc_info,
            _in_reading_order,
            structlog.processors.JSONRenderer(default=str),
            _conceal,
        )
    console = structlog.dev.ConsoleRenderer(
        colors=stream.isatty(),
        exception_formatter=structlog.dev.plain_traceback,
    )
    return (console, _conceal)


def _in_reading_order(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    first = {name: event.pop(name) for name in ("timestamp", "level", "event")}
    return {**first, **event}


def _conceal(_: WrappedLogger, __: str, line: Any) -> str:  # noqa: ANN401 (rendered: a str, which the type of a processor cannot say)
    return SIGNATURE.sub(_digest, ACCESS_KEY.sub(_digest, line))


def _digest(match: re.Match[str]) -> str:
    return str(Secret(match[0]))


def _name_after_library(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Give a library's message the name of its logger: its texts are no names."""
    return {**event, "message": event["event"], "event": event["_record"].name}
