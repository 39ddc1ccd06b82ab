"""Records survive their way into text and back, across versions as well."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, replace
from datetime import UTC
from pathlib import PurePosixPath
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.codec import decode, encode
from controller.model import (
    CacheKey,
    CacheStatus,
    Cause,
    Condition,
    Ports,
    Record,
    Starts,
    Work,
)
from controller.spec import CacheSpec, Errand, ErrandKind
from tests import builders as b

st.register_type_strategy(
    PurePosixPath, st.text("abc./", min_size=1).map(PurePosixPath)
)
identities = st.none() | st.dictionaries(
    st.text(), st.none() | st.text() | st.lists(st.booleans())
)
specs = st.builds(
    CacheSpec,
    **{  # by their types, so that none is forgotten
        name: identities if name == "identity" else st.from_type(hint)
        for name, hint in get_type_hints(CacheSpec).items()
    },
)
records = st.builds(
    Record,
    key=st.from_type(CacheKey),
    uid=st.text(),
    generation=st.integers(min_value=1),
    spec=specs,
    ports=st.from_type(Ports),
    created_at=st.datetimes(timezones=st.just(UTC)),
    work=st.sampled_from(Work),
    cause=st.from_type(Cause),
    status=st.builds(
        CacheStatus,
        observed_generation=st.integers(min_value=0),
        errands_run=st.from_type(frozenset[Errand]),
    ),
    deleting=st.booleans(),
)


def optional(of: type[Any]) -> list[str]:
    """Name the fields that have a default."""
    return [
        each.name
        for each in fields(of)
        if each.default is not MISSING or each.default_factory is not MISSING
    ]


@given(records)
def test_nothing_is_lost_on_the_way(record: Record) -> None:
    """What is read is what was written, children and keys and all."""
    read = decode(encode(record))
    assert read == record
    assert read.key.arm_id == record.key.arm_id  # its casing, which `==` passes over


def test_what_follows_from_the_rest_is_not_written() -> None:
    """A field that nobody may set is made anew."""
    row = json.loads(encode(b.record()))
    assert [*row["key"]] == ["subscription", "group", "name"]
    assert decode(encode(b.record())).key == b.KEY


@pytest.mark.parametrize("name", optional(CacheSpec))
def test_a_row_of_before_a_field_was_added_has_its_default(name: str) -> None:
    """Nobody's caches are given up for a new version of the emulator."""
    row = json.loads(encode(b.record()))
    del row["spec"][name]
    assert decode(json.dumps(row)) == b.record()


def test_a_row_may_have_a_field_that_is_no_more() -> None:
    """What an older version knew and this one does not is passed over."""
    row = json.loads(encode(b.record()))
    row["spec"]["colour"] = "blue"
    row["moon"] = "full"
    assert decode(json.dumps(row)) == b.record()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ({"uid": None}, "Input should be a valid string at 'uid'"),
        ({"work": "Sleeping"}, "Input should be 'Creating', "),
        ({"spec": {}}, "Field required at 'spec.location'"),
        ({"generation": "1"}, "Input should be a valid integer at 'generation'"),
    ],
    ids=["no uid", "unknown word", "no spec", "text for a number"],
)
def test_a_damaged_row_is_refused(damage: dict[str, Any], reason: str) -> None:
    """The message says where, and shows nothing of what is there."""
    row = json.loads(encode(b.record())) | damage
    with pytest.raises(ValueError, match=reason) as caught:
        decode(json.dumps(row))
    assert caught.value.__cause__ is None
    assert b.KEYS.primary.reveal not in str(caught.value)


def test_what_was_observed_is_observed_anew() -> None:
    """Of a status two things outlive the process; a clock's time means nothing then."""
    errands = frozenset({Errand(ErrandKind.FLUSH, "r1")})
    told = CacheStatus(
        observed_generation=7,
        errands_run=errands,
        conditions=(Condition("Running", holds=True, reason="Observed"),),
        unsettled_since=1.0,
        silent_since=1.0,
        starts=Starts(1, 1.0),
    )
    record = replace(b.record(), status=told, not_before=9.0)
    kept = CacheStatus(observed_generation=7, errands_run=errands)
    assert record.lasting == replace(b.record(), status=kept)
