"""Records as text, and back; pure.

Note [Rows of older versions]
~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
No field is named here. One that a row lacks, because it was added later, has its
default; one that is no longer there is passed over. A change that this does not cover
(a field without a default, or with another meaning) takes a new
`controller.journal.VERSION`, and a rule for the older rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import PurePath

from pydantic import TypeAdapter, ValidationError

from controller.model import Record

_RECORD = TypeAdapter(Record)


def encode(record: Record) -> str:
    """Write a record as JSON, access keys included."""
    return json.dumps(record, default=_plain)


def decode(text: str) -> Record:
    """Read what `encode` wrote, now or in an older version; `ValueError` if damaged."""
    try:
        return _RECORD.validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        # Without its cause, which would show the input, and so access keys
        raise ValueError(f"a damaged record: {first['msg']} at {where!r}") from None


def _plain(value: object) -> object:
    """Take one layer off what JSON does not know."""
    if is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in fields(value) if f.init}
    match value:
        case Mapping():
            return dict(value)
        case frozenset():
            return list(value)
        case datetime():
            return value.isoformat()
        case PurePath():
            return str(value)
        case _:
            raise TypeError(type(value))
