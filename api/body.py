"""Request bodies: strict JSON objects, refused in ARM's words."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

import falcon

from api.errors import ArmError

MOST_BYTES = 1 << 20
MOST_LEVELS = 64
INT64 = range(-(1 << 63), 1 << 63)  # what the service's own reader can hold

_NOT_TEXT = re.compile("[\0\ud800-\udfff]")  # NUL and halves of surrogate pairs


def read_object(req: falcon.Request) -> dict[str, Any]:
    """Read the body, which has to be a JSON object; `ArmError` says what is wrong.

    Stricter than `json.loads`: UTF-8 only (a byte order mark is skipped), each name
    once, numbers that fit, no NUL and no half characters in texts, at most 1 MiB
    and 64 levels.
    """
    raw = _read(req)
    if not raw.strip():
        _refuse("the body is empty; a JSON object is required")
    value = _parse(raw)
    if not isinstance(value, dict):
        _refuse(f"a JSON object is required, not {_kind(value)}")
    _inspect(value)
    return value


def _read(req: falcon.Request) -> bytes:
    if (req.content_length or 0) > MOST_BYTES:
        raise ArmError(
            413,
            "RequestContentTooLarge",
            f"The request content has {req.content_length} bytes; the maximum is "
            f"{MOST_BYTES}. Send a smaller body.",
            gateway=True,
        )
    return req.bounded_stream.read()


def _parse(raw: bytes) -> object:
    try:
        return json.loads(
            raw.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_float=_float,
            parse_int=_int,
            parse_constant=_constant,
        )
    except UnicodeDecodeError as error:
        _refuse(f"not UTF-8: byte 0x{raw[error.start]:02x} at offset {error.start}")
    except json.JSONDecodeError as error:
        _refuse(f"{error.msg}: line {error.lineno}, column {error.colno}")
    except RecursionError:
        _refuse(f"nested deeper than {MOST_LEVELS} levels")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        _refuse(f"the member {twice!r} occurs more than once in one object")
    return value


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        _refuse(f"the number {text[:40]} is too large")
    return value


def _int(text: str) -> int:
    digits = 20  # more than any 64-bit number has
    if len(text) > digits or int(text) not in INT64:
        _refuse(f"the number {text[:40]} does not fit into 64 bits")
    return int(text)


def _constant(text: str) -> NoReturn:
    _refuse(f"{text} is no JSON number")


def _inspect(value: dict[str, Any]) -> None:
    """Refuse what parses and yet cannot be stored or sent back."""
    pending: list[tuple[str, int, object]] = [("", 0, value)]
    while pending:
        path, level, item = pending.pop()
        if level > MOST_LEVELS:
            _refuse(f"nested deeper than {MOST_LEVELS} levels")
        match item:
            case str() if _NOT_TEXT.search(item):
                _refuse(f"NUL or half a surrogate pair in the text at '{path}'")
            case dict():
                for name, each in item.items():
                    if _NOT_TEXT.search(name):
                        _refuse(f"NUL or half a surrogate pair in a name at '{path}'")
                    pending.append((f"{path}.{name}".lstrip("."), level + 1, each))
            case list():
                pending += [
                    (f"{path}[{index}]", level + 1, each)
                    for index, each in enumerate(item)
                ]


def _kind(value: object) -> str:
    names = {list: "an array", str: "a string", bool: "true or false"}
    return "null" if value is None else names.get(type(value), "a number")


def _refuse(why: str) -> NoReturn:
    raise ArmError(
        400,
        "InvalidRequestContent",
        f"The request content was invalid and could not be deserialized: '{why}'.",
        gateway=True,
    )
