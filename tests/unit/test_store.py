"""The store: generations, incarnations, operations, ports."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.children import AccessPolicyAssignment
from controller.errors import (
    BusyError,
    CacheNotFoundError,
    NameTakenError,
    PortsExhaustedError,
)
from controller.model import (
    PROGRESSING,
    CacheKey,
    CacheStatus,
    Cause,
    Change,
    Condition,
    Record,
    Work,
    Written,
)
from controller.operations import OperationState
from controller.ports import PortLedger, PortRange
from controller.spec import AccessKeys, CacheSpec, Secret
from controller.store import Store
from tests import builders as b

READY = (Condition("Running", holds=True, reason="Observed"),)
ROTATED = replace(
    b.SPEC, access_keys=AccessKeys(primary=Secret("new"), secondary=Secret("second"))
)


@pytest.fixture
def told() -> list[CacheKey]:
    """Collect what the store notified."""
    return []


@pytest.fixture
def store(told: list[CacheKey]) -> Store:
    """Give an empty store with two plain ports."""
    clock = b.Clock()
    ledger = PortLedger(
        PortRange(7000, 7001, "MAX_PORT"),
        PortRange(7100, 7109, "MAX_SSL_PORT"),
        free=lambda _: True,
        monotonic=clock.monotonic,
    )
    return Store(ledger, told.append, clock)


def put(
    store: Store, spec: CacheSpec = b.SPEC, key: CacheKey = b.KEY, request: str = "r1"
) -> Written:
    """Write a spec."""
    change = Change(spec, Work.UPDATING)
    return store.put(key, lambda _: change, Cause(request_id=request))


def settle(store: Store, record: Record) -> Record:
    """Report the record's generation as in place."""
    status = CacheStatus(observed_generation=record.generation, conditions=READY)
    store.report(record, status)
    return store.get(record.key)


def fail(store: Store, record: Record, message: str) -> None:
    """Report that the record's generation cannot be reached."""
    stuck = Condition(PROGRESSING, holds=False, reason="ImageMissing", message=message)
    store.report(record, replace(record.status, conditions=(stuck,)))


def test_an_equal_spec_changes_nothing(store: Store, told: list[CacheKey]) -> None:
    """Sending the whole object back makes no generation, no operation, no work."""
    record = settle(store, put(store).record)
    told.clear()
    written = put(store, request="r2")
    assert written == Written(record, created=False, changed=False)
    assert told == []
    assert store.operation("r2") is None


def test_a_changed_spec_makes_a_generation(store: Store, told: list[CacheKey]) -> None:
    """A change is numbered, told, and unsettles the cache."""
    settle(store, put(store).record)
    record = put(store, ROTATED).record
    assert record.generation == 2
    assert record.provisioning_state == "Updating"
    assert told == [b.KEY, b.KEY]


def test_tags_ask_nothing_of_a_server(store: Store) -> None:
    """A change that no server can notice is in place as soon as it is written."""
    settle(store, put(store).record)
    record = put(store, replace(b.SPEC, tags={"env": "test"}), request="r2").record
    assert record.provisioning_state == "Succeeded"
    operation = store.operation("r2")
    assert operation is not None
    assert operation.state is OperationState.SUCCEEDED


def test_names_are_compared_without_case(store: Store) -> None:
    """A cache is found in any casing, and shows that of its creation."""
    put(store)
    found = store.get(CacheKey("MY-SUB", "My-RG", "cache1"))
    assert found.key.name == "Cache1"


def test_a_name_is_given_once(store: Store) -> None:
    """A cache of another group cannot have the name, until it is free again."""
    record = put(store).record
    other = CacheKey("my-sub", "other-rg", "CACHE1")
    with pytest.raises(NameTakenError):
        put(store, key=other)
    assert store.find(other) is None
    store.drop(_deleted(store, record))
    assert put(store, key=other).created


def test_a_write_waits_for_the_one_before(store: Store) -> None:
    """A busy cache refuses writes and stays as it was."""
    record = put(store).record
    with pytest.raises(BusyError):
        put(store, ROTATED)
    assert store.get(b.KEY) == record


def test_what_a_change_raises_leaves_all_as_it_was(store: Store) -> None:
    """A refused request creates nothing and takes no port."""

    def refuse(_: Record | None) -> Change:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 (ours, from above)
        store.put(b.KEY, refuse, b.CAUSE)
    assert store.records() == ()
    assert store.owner("Cache1") is None


def test_a_status_loses_against_a_newer_write(store: Store) -> None:
    """What was seen of an older generation or cache says nothing of the new one."""
    old = settle(store, put(store).record)
    new = put(store, ROTATED).record
    fail(store, old, "late news")
    assert store.get(b.KEY) == new
    store.drop(_deleted(store, new))
    again = put(store).record
    settle(store, replace(again, uid="another"))
    assert store.get(b.KEY).provisioning_state == "Creating"


def test_an_operation_ends_and_stays_ended(store: Store) -> None:
    """A failed operation stays failed, though its cache recovers."""
    record = put(store, request="r1").record
    running = store.operation("r1")
    assert running is not None
    assert running.state is OperationState.IN_PROGRESS
    fail(store, record, "no such image")
    assert store.get(b.KEY).provisioning_state == "Failed"
    settle(store, store.get(b.KEY))
    assert store.get(b.KEY).provisioning_state == "Succeeded"
    ended = store.operation("r1")
    assert ended is not None
    assert (ended.state, ended.code, ended.message) == (
        OperationState.FAILED,
        "ImageMissing",
        "no such image",
    )


def test_a_good_put_recovers_a_failed_cache(store: Store) -> None:
    """A failed cache accepts a write, even an equal one, and is tried again."""
    fail(store, put(store).record, "no such image")
    written = put(store, request="r2")
    assert written.changed
    assert written.record.provisioning_state == "Creating"
    settle(store, written.record)
    operation = store.operation("r2")
    assert operation is not None
    assert operation.state is OperationState.SUCCEEDED


def test_delete_works_in_every_state(store: Store) -> None:
    """A busy cache can be deleted; its creation counts as canceled."""
    put(store, request="r1")
    record = store.delete(b.KEY, Cause(request_id="r2"))
    assert record is not None
    assert record.provisioning_state == "Deleting"
    created, deleted = store.operation("r1"), store.operation("r2")
    assert created is not None
    assert created.state is OperationState.CANCELED
    assert deleted is not None
    assert deleted.state is OperationState.IN_PROGRESS
    store.drop(record)
    with pytest.raises(CacheNotFoundError):
        store.get(b.KEY)
    deleted = store.operation("r2")
    assert deleted is not None
    assert deleted.state is OperationState.SUCCEEDED


def test_delete_of_nothing(store: Store) -> None:
    """There is nothing to delete where no cache is."""
    assert store.delete(b.KEY, b.CAUSE) is None


def test_a_used_up_range_says_so_and_frees_again(store: Store) -> None:
    """The error names the range and its setting; a freed port is given again."""
    first = put(store).record
    put(store, key=replace(b.KEY, name="second"))
    with pytest.raises(PortsExhaustedError, match=r"7000-7001.*MAX_PORT"):
        put(store, key=replace(b.KEY, name="third"))
    store.drop(_deleted(store, first))
    third = put(store, key=replace(b.KEY, name="third")).record
    assert third.ports.plain == first.ports.plain


def test_a_taken_port_is_changed(store: Store) -> None:
    """A port that a program holds is given to nobody for a while."""
    record = put(store).record
    store.move_ports(record, record.ports.plain)
    moved = store.get(b.KEY)
    assert moved.ports.plain == 7001
    with pytest.raises(PortsExhaustedError):
        store.move_ports(moved, 7001)
    assert store.get(b.KEY).ports == moved.ports


def _deleted(store: Store, record: Record) -> Record:
    deleted = store.delete(record.key, b.CAUSE)
    assert deleted is not None
    return deleted


def test_what_is_remembered_of_operations_is_bounded(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Caches that came and went leave nothing behind but their newest operations."""
    monkeypatch.setattr("controller.operations.OPERATIONS_KEPT", 2)
    for number in range(8):
        key = replace(b.KEY, name=f"cache-{number}")
        create, delete = (Cause(request_id=f"{word}-{number}") for word in "cd")
        store.put(key, lambda _: Change(b.SPEC, Work.CREATING), create)
        deleted = store.delete(key, delete)
        assert deleted is not None
        store.drop(deleted)
    assert store.operation("d-0") is None
    assert store.operation("d-7") is not None
    assert not store._operations._open


def test_a_granted_token_wakes_the_caches_it_is_for(
    store: Store, told: list[CacheKey]
) -> None:
    """By the object id of an assignment, in any case; it is kept until it expires."""
    mine = AccessPolicyAssignment(
        object_id="A8-User", object_id_alias="me", policy="Data Owner"
    )
    record = settle(store, put(store).record)
    put(store, replace(b.SPEC, access_policy_assignments={"one": mine}), request="r2")
    other = CacheKey("my-sub", "my-rg", "Cache2")
    put(store, key=other, request="r3")
    told.clear()
    digest, end = Secret("token").digest, b.NOW.unix + 60
    (granted,) = store.grant("a8-uSER", digest, end)
    assert (granted.key, told) == (record.key, [record.key])
    assert store.tokens.valid(["a8-user"]) == {"a8-user": {digest}}
    assert store.tokens.next_expiry(["a8-user"]) == end
    assert store.grant("somebody", digest, end) == ()
