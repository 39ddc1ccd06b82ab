"""Names in paths, names of regions, and the shape of access keys."""

from __future__ import annotations

import base64
import re

import pytest

from api import locations, names
from api.errors import ArmError
from api.redis import access_keys
from controller.model import CacheKey


@pytest.mark.parametrize("name", ["a", "0", "a-b-c", "Cache1", "x" * 63])
def test_a_good_cache_name(name: str) -> None:
    """Letters, digits, and single hyphens inside."""
    assert names.cache_key("s", "g", name) == CacheKey("s", "g", name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-a",
        "a-",
        "a--b",
        "x" * 64,
        "a_b",
        "a.b",
        "a b",
        "a\n",
        "a\0",
        "é",
        "\u0661",
    ],
)
def test_a_bad_cache_name(name: str) -> None:
    """It is refused with the rule, and not echoed."""
    with pytest.raises(ArmError, match="no two hyphens in a row") as refused:
        names.cache_key("s", "g", name)
    assert (refused.value.status, refused.value.code) == (400, "InvalidRequestBody")


@pytest.mark.parametrize("group", ["g", "my-rg", "A_b.(1)", "é", "x" * 90])
def test_a_good_group_name(group: str) -> None:
    """Parentheses and dots are fine, letters of any language too."""
    names.check_group("my-sub", group)


@pytest.mark.parametrize("group", ["", "g.", "a/b", "a b", "a\n", "a\0", "x" * 91])
def test_a_bad_group_name(group: str) -> None:
    """A dot at the end is what people miss."""
    with pytest.raises(ArmError, match="does not end with") as refused:
        names.check_group("my-sub", group)
    assert refused.value.code == "InvalidResourceGroup"


@pytest.mark.parametrize(
    "subscription", ["my-sub", "subid", "00000000-0000-0000-0000-000000000001"]
)
def test_a_subscription_need_be_no_guid(subscription: str) -> None:
    """Examples and quick starts use words."""
    names.check_subscription(subscription)


@pytest.mark.parametrize("subscription", ["", "a b", "a\n", "-a", "{sub}", "x" * 91])
def test_a_bad_subscription(subscription: str) -> None:
    """A placeholder that was never filled in is found."""
    with pytest.raises(ArmError, match="malformed or invalid"):
        names.check_subscription(subscription)


@pytest.mark.parametrize(
    "text", ["West Europe", "westeurope", "WestEurope", " WEST EUROPE", "west europe"]
)
def test_a_region_is_found_in_any_spelling(text: str) -> None:
    """Case and spaces do not count."""
    assert locations.find(text) == locations.Location("West Europe")


def test_regions_are_told_apart() -> None:
    """Numbers count, and unknown ones are not guessed."""
    assert locations.find("eastus2") == locations.Location("East US 2")
    assert locations.find("Mars") is None
    assert len({each.name for each in locations.LOCATIONS}) == len(locations.LOCATIONS)


@pytest.mark.parametrize(
    ("text", "zones"),
    [("East US", True), ("westus2", True), ("West US", False), ("Mars", False)],
)
def test_zones_of_a_region(text: str, zones: bool) -> None:  # noqa: FBT001 (a column)
    """Recorded: West US has none."""
    assert locations.has_zones(text) is zones


def test_a_key_has_the_shape_of_the_service() -> None:
    """44 characters of canonical base64 with the mark where scanners look for it."""
    key = access_keys.new_key().reveal
    assert re.fullmatch(r"[A-Za-z0-9+/]{33}AzCa[A-P][A-Za-z0-9+/]{5}=", key)
    decoded = base64.b64decode(key, validate=True)
    assert len(decoded) == 32
    assert base64.b64encode(decoded).decode() == key


def test_a_key_is_random_but_for_the_end() -> None:
    """The checksum is the same false one in each; see Note [Key shape]."""
    made = {access_keys.new_key().reveal for _ in range(100)}
    assert len({key[:33] for key in made}) == 100
    assert {key[33:] for key in made} == {"AzCaLOCAL0="}


def test_one_of_two_keys_is_replaced() -> None:
    """The other one stays as it is."""
    pair, fresh = access_keys.new_pair(), access_keys.new_key()
    assert pair.primary != pair.secondary
    first = access_keys.rotated(pair, "Primary", fresh)
    assert (first.primary, first.secondary) == (fresh, pair.secondary)
    second = access_keys.rotated(pair, "Secondary", fresh)
    assert (second.primary, second.secondary) == (pair.primary, fresh)
