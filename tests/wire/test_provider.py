"""What the provider answers about itself, and about names."""

from __future__ import annotations

import pytest

from tests.wire.children import mistakes, settled
from tests.wire.rig import CACHE, SUBSCRIPTION, VERSION, Wire

CHECK = SUBSCRIPTION + "/providers/Microsoft.Cache/CheckNameAvailability"
NOTIFICATIONS = CACHE + "/listUpgradeNotifications"


def test_operations_are_listed(wire: Wire) -> None:
    """All of the provider's, each with the words that a portal shows."""
    listed = wire.call("GET", "/providers/Microsoft.Cache/operations").json["value"]
    assert len({each["name"] for each in listed}) == len(listed) == 70
    by_name = {each["name"]: each["display"] for each in listed}
    assert by_name["Microsoft.Cache/redis/write"] == {
        "provider": "Microsoft Cache",
        "resource": "Redis Cache",
        "operation": "Manage Redis Cache (read-write)",
        "description": "Modify the Redis Cache's settings and configuration in the "
        "management portal",
    }
    assert by_name["Microsoft.Cache/operations/read"]["resource"] is None


@pytest.mark.parametrize(
    "path", [CHECK, CHECK.lower(), CHECK.replace("Check", "check")]
)
def test_a_free_name_is_an_empty_200(wire: Wire, path: str) -> None:
    """In whatever case the path and the type are written."""
    settled(wire)
    body = {"name": "Cache2", "type": "microsoft.cache/REDIS"}
    free = wire.call("POST", path, json=body)
    assert (free.status_code, free.content) == (200, b"")


def test_a_taken_name_is_a_409(wire: Wire) -> None:
    """Names have no case, and are taken for all subscriptions and groups."""
    settled(wire)
    body = {"name": "cache1", "type": "Microsoft.Cache/Redis"}
    taken = wire.call("POST", CHECK.replace("my-sub", "your-sub"), json=body)
    assert (taken.status_code, taken.json["error"]["code"]) == (409, "NameNotAvailable")


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        pytest.param({"name": "abc"}, ["type"], id="no type"),
        pytest.param(
            {"name": "a--b", "type": "Microsoft.Cache/redisEnterprise"},
            ["name", "type"],
            id="both",
        ),
    ],
)
def test_a_wrong_question_is_refused(
    wire: Wire, body: dict[str, object], wrong: list[str]
) -> None:
    """Each mistake by its path."""
    assert mistakes(wire.call("POST", CHECK, json=body)) == wrong


def test_there_are_no_upgrade_notifications(wire: Wire) -> None:
    """However far back one looks."""
    settled(wire)
    listed = wire.call("GET", NOTIFICATIONS, params=VERSION | {"History": "5000.5"})
    assert listed.json == {"value": []}


@pytest.mark.parametrize("history", ["", "many", "-1", "nan", "inf"])
def test_the_time_to_look_back_is_required(wire: Wire, history: str) -> None:
    """It is a number of minutes."""
    settled(wire)
    refused = wire.call("GET", NOTIFICATIONS, params=VERSION | {"history": history})
    assert mistakes(refused) == ["history"]


def test_notifications_of_no_cache_are_not_found(wire: Wire) -> None:
    """The cache is looked up first."""
    assert wire.call("GET", NOTIFICATIONS).status_code == 404
