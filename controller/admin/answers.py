"""What servers say and are told, beyond what redis-py reads and writes; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import redis

from controller import config


def objection(answers: list[object]) -> str | None:
    """Read what a server has against a user that it was asked to make.

    What is no rule at all is an error among the answers of the transaction.
    """
    for answer in answers:
        for each in answer if isinstance(answer, list) else (answer,):
            if isinstance(each, redis.ResponseError):
                return str(each)
    return None


def pairs(answer: list[str], **_: object) -> dict[str, str]:
    """Read names and values in turn; redis-py knows no command by another name."""
    return dict(zip(answer[::2], answer[1::2], strict=True))


def writing(persistence: Mapping[str, Any]) -> bool:
    """Tell whether the file of all changes is not whole yet, from a server's INFO."""
    begun = ("aof_rewrite_in_progress", "aof_rewrite_scheduled")
    return any(persistence[each] for each in begun)


def groups(settings: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """Give each setting alone, but a certificate with its key: only both fit."""
    pair = (config.CERTIFICATE, config.CERTIFICATE_KEY)
    if any(name in settings for name in pair):
        yield {name: settings[name] for name in pair if name in settings}
    for name, value in settings.items():
        if name not in pair:
            yield {name: value}


def open_doors(settings: Mapping[str, str]) -> Mapping[str, str]:
    """Pick the settings that decide whether a key lets its user in."""
    return {
        name: value
        for name, value in settings.items()
        if name in {"port", "maxclients"} or name.startswith("tls-")
    }
