"""Which subscriptions and groups there are, by default and in strict mode."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.arm.scopes import DELETIONS_KEPT, HOME_SUBSCRIPTION, Group, Scopes
from api.errors import ArmError
from controller.model import CacheKey, Cause, Change, Work
from controller.ports import NoLedger
from controller.store import Store
from tests import builders as b

GROUP = Group(subscription="my-sub", name="my-rg", location="westeurope")
DELETE = Cause(request_id="delete-1")


@pytest.fixture
def store() -> Store:
    """Give a store without a loop."""
    return Store(NoLedger(), lambda _: None, b.Clock())


@pytest.fixture
def scopes(store: Store) -> Scopes:
    """Give what there is by default."""
    return Scopes(store, strict=False)


@pytest.fixture
def strict(store: Store) -> Scopes:
    """Give what there is when all wants to be created."""
    return Scopes(store, strict=True)


def put(store: Store, key: CacheKey = b.KEY) -> None:
    """Create a cache."""
    store.put(key, lambda _: Change(b.SPEC, Work.CREATING), replace(b.CAUSE))


def drop(store: Store) -> None:
    """Do the loop's part of every deletion."""
    for record in store.records():
        store.drop(record)


def code_of(caught: pytest.ExceptionInfo[ArmError]) -> tuple[int, str]:
    """Give what a client tells refusals by."""
    return caught.value.status, caught.value.code


def test_a_group_that_nobody_named_is_not_there(scopes: Scopes) -> None:
    """Terraform creates only what it finds missing."""
    with pytest.raises(ArmError) as caught:
        scopes.group("my-sub", "My-RG")
    assert code_of(caught) == (404, "ResourceGroupNotFound")
    assert caught.value.message == "Resource group 'My-RG' could not be found."


def test_a_cache_makes_its_group_known(scopes: Scopes, store: Store) -> None:
    """Nobody has to create a group before a cache."""
    put(store)
    assert scopes.group("MY-SUB", "MY-RG") == GROUP
    assert scopes.subscriptions() == (HOME_SUBSCRIPTION, "my-sub")


def test_a_created_group_outlives_its_caches(scopes: Scopes, store: Store) -> None:
    """What a client created, only a client deletes."""
    assert scopes.put_group(GROUP) is True
    put(store)
    store.delete(b.KEY, DELETE)
    drop(store)
    assert scopes.groups("my-sub") == (GROUP,)


def test_names_have_no_case_and_keep_that_of_creation(scopes: Scopes) -> None:
    """A second PUT in other letters changes the group, not its name."""
    scopes.put_group(GROUP)
    again = replace(GROUP, subscription="MY-SUB", name="MY-RG", tags={"a": "1"})
    assert scopes.put_group(again) is False
    assert scopes.groups("my-SUB") == (replace(GROUP, tags={"a": "1"}),)


def test_a_group_never_moves(scopes: Scopes) -> None:
    """Another location is refused, and changes nothing."""
    scopes.put_group(GROUP)
    with pytest.raises(ArmError) as caught:
        scopes.put_group(replace(GROUP, location="eastus", tags={"a": "1"}))
    assert code_of(caught) == (409, "InvalidResourceGroupLocation")
    assert scopes.group("my-sub", "my-rg") == GROUP


def test_tags_are_kept_for_a_group_that_a_cache_made_known(
    scopes: Scopes, store: Store
) -> None:
    """Who tags a group means it to be there."""
    put(store)
    scopes.tag_group("my-sub", "my-rg", {"a": "1"})
    store.delete(b.KEY, DELETE)
    drop(store)
    assert scopes.group("my-sub", "my-rg").tags == {"a": "1"}


def test_a_group_is_deleted_with_its_caches_and_no_others(
    scopes: Scopes, store: Store
) -> None:
    """Deleting is over when every cache of the group is gone."""
    other = CacheKey("my-sub", "other", "cache2")
    scopes.put_group(GROUP)
    put(store)
    put(store, other)
    scopes.delete_group("MY-sub", "MY-rg", DELETE)
    assert scopes.deleted("delete-1") is False
    assert scopes.group("my-sub", "my-rg").deleting
    drop(store)
    assert scopes.deleted("delete-1") is True
    assert [each.key for each in store.records()] == [other]
    assert [each.name for each in scopes.groups("my-sub")] == ["other"]


def test_an_empty_group_is_gone_at_once(scopes: Scopes) -> None:
    """Nothing has to be waited for."""
    scopes.put_group(GROUP)
    scopes.delete_group("my-sub", "my-rg", DELETE)
    assert scopes.deleted("delete-1") is True
    assert scopes.groups("my-sub") == ()


def test_a_group_can_be_created_again(scopes: Scopes) -> None:
    """A new group has nothing of the one before it."""
    scopes.put_group(replace(GROUP, tags={"a": "1"}))
    scopes.delete_group("my-sub", "my-rg", DELETE)
    assert scopes.put_group(replace(GROUP, location="eastus")) is True
    assert not scopes.group("my-sub", "my-rg").tags


def test_nothing_is_written_below_a_group_that_is_being_deleted(
    scopes: Scopes, store: Store
) -> None:
    """What would be lost a moment later is refused; reading goes on."""
    put(store)
    scopes.delete_group("my-sub", "my-rg", DELETE)
    scopes.require_group("my-sub", "my-rg", writes=False)
    with pytest.raises(ArmError) as caught:
        scopes.require_group("my-sub", "my-rg", writes=True)
    assert code_of(caught) == (409, "ResourceGroupBeingDeleted")
    with pytest.raises(ArmError) as caught:
        scopes.put_group(GROUP)
    assert code_of(caught) == (409, "ResourceGroupBeingDeleted")


def test_each_cache_of_a_deleted_group_has_an_operation_of_its_own(
    scopes: Scopes, store: Store
) -> None:
    """An operation follows one cache, so two may not share an id."""
    put(store)
    put(store, CacheKey("my-sub", "my-rg", "cache2"))
    scopes.delete_group("my-sub", "my-rg", DELETE)
    ids = {record.cause.request_id for record in store.records()}
    assert len(ids) == 2
    assert all(store.operation(each) for each in ids)


def test_old_deletions_are_forgotten(scopes: Scopes) -> None:
    """A long test suite does not fill the memory."""
    for number in range(DELETIONS_KEPT + 1):
        scopes.put_group(GROUP)
        scopes.delete_group("my-sub", "my-rg", Cause(request_id=f"d{number}"))
    assert scopes.deleted("d0") is None
    assert scopes.deleted("d1") is True


def test_by_default_all_is_there_as_soon_as_it_is_named(scopes: Scopes) -> None:
    """Nobody has to create anything before a cache."""
    scopes.require_subscription("my-sub")
    scopes.require_group("my-sub", "my-rg", writes=True)


def test_strict_mode_wants_the_subscription_created(strict: Scopes) -> None:
    """The home subscription is there from the start; others are created."""
    strict.require_subscription(HOME_SUBSCRIPTION)
    with pytest.raises(ArmError) as caught:
        strict.require_subscription("my-sub")
    assert code_of(caught) == (404, "SubscriptionNotFound")
    strict.add_subscription("My-Sub")
    strict.require_subscription("my-sub")
    assert strict.subscriptions() == (HOME_SUBSCRIPTION, "My-Sub")


def test_a_cache_from_before_a_restart_vouches_for_where_it_is(
    strict: Scopes, store: Store
) -> None:
    """A kept cache is not out of reach because its group was not kept with it."""
    put(store)
    strict.require_subscription("MY-SUB")
    strict.require_group("my-sub", "my-rg", writes=True)


def test_strict_mode_wants_the_group_created(strict: Scopes) -> None:
    """Below a group that is not there nothing can be asked."""
    with pytest.raises(ArmError) as caught:
        strict.require_group("my-sub", "my-rg", writes=False)
    assert code_of(caught) == (404, "ResourceGroupNotFound")
    strict.put_group(GROUP)
    strict.require_group("my-sub", "my-rg", writes=True)
