"""Access policies and their assignments over HTTP; answers as recorded."""

from __future__ import annotations

import threading

import falcon.testing
import pytest

from controller.errors import TransientError
from controller.model import CacheKey
from tests.wire.children import (
    RESOURCE,
    mistakes,
    operation,
    put,
    serve,
    settled,
    style,
)
from tests.wire.rig import CACHE, Wire

POLICIES = CACHE + "/accessPolicies"
POLICY = POLICIES + "/my policy"
ASSIGNMENTS = CACHE + "/accessPolicyAssignments"
ASSIGNMENT = ASSIGNMENTS + "/Mine-1"
USER = "a8263550-d587-4433-9eff-64020dd56c13"
OTHER_USER = USER.replace("a8", "b8")
PATIENCE_SECONDS = 10.0
EARLY_SECONDS = 0.1  # within that an answer would be out that does not wait
TWICE = ("asyncOperations", "asyncOperations")


def assignment(
    policy: str = "Data Reader", user: str = USER, alias: str = "me"
) -> dict[str, object]:
    """Give the properties of an assignment."""
    return {"objectId": user, "objectIdAlias": alias, "accessPolicyName": policy}


def placed(wire: Wire, path: str, **properties: object) -> falcon.testing.Result:
    """Send a PUT, and let its servers have what it asks for."""
    answer = put(wire, path, **properties)
    serve(wire)
    return answer


def test_a_policy_lives_from_put_to_delete(wire: Wire) -> None:
    """201 Updating, new and changed; then Succeeded; 202 when it goes, then 204."""
    settled(wire)
    for permissions in ("+get +hget", "+get ~a:*", "+get ~a:*"):
        written = put(wire, POLICY, permissions=permissions)
        assert (written.status_code, style(written)) == (201, TWICE)
        assert written.json["properties"]["provisioningState"] == "Updating"
        assert operation(wire, written) == "Succeeded"
    assert wire.call("GET", POLICY).json == {
        "id": f"{RESOURCE}/accessPolicies/my policy",
        "name": "my policy",
        "type": "Microsoft.Cache/Redis/accessPolicies",
        "properties": {
            "permissions": "+get ~a:*",
            "type": "Custom",
            "provisioningState": "Succeeded",
        },
    }
    deleted = wire.call("DELETE", POLICY)
    assert (deleted.status_code, deleted.content) == (202, b"")
    assert (style(deleted), operation(wire, deleted)) == (TWICE, "Succeeded")
    assert wire.call("GET", POLICY).status_code == 404
    assert wire.call("DELETE", POLICY).status_code == 204


def test_built_in_policies_come_first(wire: Wire) -> None:
    """They are there from the start, in the service's order and words."""
    settled(wire)
    placed(wire, POLICY, permissions="+get")
    listed = wire.call("GET", POLICIES).json["value"]
    shown = [(each["name"], each["properties"]) for each in listed]
    built_in = {"type": "BuiltIn", "provisioningState": "Succeeded"}
    cluster = "+cluster|info +cluster|nodes +cluster|slots allkeys"
    assert shown[:3] == [
        ("Data Owner", built_in | {"permissions": "+@all allkeys"}),
        (
            "Data Contributor",
            built_in | {"permissions": f"+@all -@dangerous {cluster}"},
        ),
        ("Data Reader", built_in | {"permissions": f"+@read +@connection {cluster}"}),
    ]
    assert [name for name, _ in shown[3:]] == ["my policy"]
    assert wire.call("GET", POLICIES + "/data%20OWNER").json == listed[0]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_built_in_policy_stays_as_it_is(wire: Wire, method: str) -> None:
    """Whatever is sent; there are custom ones for that."""
    settled(wire)
    path = POLICIES + "/data owner"
    refused = wire.call(method, path, json={"properties": {"permissions": "+get"}})
    assert refused.status_code == 400
    assert "built in" in refused.json["error"]["message"]
    assert len(wire.call("GET", POLICIES).json["value"]) == 3


def test_a_policy_can_be_sent_back_as_it_was_read(wire: Wire) -> None:
    """What only answers have is ignored in requests."""
    settled(wire)
    placed(wire, POLICY, permissions="+get")
    read = wire.call("GET", POLICY).json | {"systemData": None}
    assert wire.call("PUT", POLICY, json=read).status_code == 201
    assert wire.call("GET", POLICY).json["properties"] == read["properties"]


@pytest.mark.parametrize(
    ("name", "properties", "wrong"),
    [
        pytest.param("ab", {"permissions": "+get"}, ["accessPolicyName"], id="short"),
        pytest.param("a_b", {"permissions": "+get"}, ["accessPolicyName"], id="name"),
        pytest.param("abc", {}, ["properties.permissions"], id="none"),
        pytest.param(
            "abc",
            {"permissions": "+get nopass"},
            ["properties.permissions"],
            id="not a permission",
        ),
        pytest.param(
            "-ab",
            {"permissions": 7},
            ["accessPolicyName", "properties.permissions"],
            id="everything",
        ),
    ],
)
def test_a_wrong_policy_is_refused(
    wire: Wire, name: str, properties: dict[str, object], wrong: list[str]
) -> None:
    """Each mistake by its path, and nothing is stored."""
    settled(wire)
    assert mistakes(put(wire, f"{POLICIES}/{name}", **properties)) == wrong
    assert len(wire.call("GET", POLICIES).json["value"]) == 3


def test_a_policy_is_judged_by_the_server_that_would_have_it(wire: Wire) -> None:
    """Its words are the reason of the refusal, and nothing is stored."""
    asked: list[tuple[str, str]] = []

    def judge(cache: CacheKey, permissions: str) -> str | None:
        asked.append((cache.name, permissions))
        return "Unknown command: '+gett'" if "+gett" in permissions else None

    wire.judge = judge
    settled(wire)
    refused = put(wire, POLICY, permissions="+gett +set")
    assert mistakes(refused) == ["properties.permissions"]
    assert refused.json["error"]["code"] == "InvalidRequestBody"
    assert "Unknown command: '+gett'." in refused.json["error"]["message"]
    assert wire.call("GET", POLICY).status_code == 404
    assert put(wire, POLICY, permissions="+get").status_code == 201
    assert asked == [("Cache1", "+gett +set allkeys"), ("Cache1", "+get allkeys")]


def test_a_policy_that_nobody_can_judge_is_not_stored(wire: Wire) -> None:
    """The answer says that nothing was changed, why, and when to come back."""

    def judge(_cache: CacheKey, _permissions: str) -> str | None:
        raise TransientError("the server was lost.")

    wire.judge = judge
    settled(wire)
    refused = put(wire, POLICY, permissions="+get")
    assert refused.status_code == 504
    error = refused.json["error"]
    assert error["code"] == "GatewayTimeout"
    assert "Nothing was changed" in error["message"]
    assert "could not be asked: the server was lost. Send" in error["message"]
    assert wire.call("GET", POLICY).status_code == 404


def test_only_what_could_be_stored_is_judged(wire: Wire) -> None:
    """A server is not bothered with what is refused anyway, nor while it is busy."""

    def judge(_cache: CacheKey, _permissions: str) -> str | None:
        pytest.fail("the server was asked")

    wire.judge = judge
    assert put(wire, POLICY, permissions="+get").status_code == 404
    settled(wire)
    for path, permissions in (
        (POLICIES + "/Data Owner", "+get"),
        (POLICY, "+get nopass"),
    ):
        assert put(wire, path, permissions=permissions).status_code == 400
    wire.call("DELETE")
    assert put(wire, POLICY, permissions="+get").status_code == 409


def test_an_assignment_lives_from_put_to_delete(wire: Wire) -> None:
    """201 Updating, new and changed; then Succeeded; 202 when it goes, then 204."""
    settled(wire)
    for alias in ("me", "I"):
        written = put(wire, ASSIGNMENT, **assignment(alias=alias))
        assert (written.status_code, style(written)) == (201, TWICE)
        assert written.json["properties"]["provisioningState"] == "Updating"
        assert operation(wire, written) == "Succeeded"
    shown = wire.call("GET", ASSIGNMENT).json
    assert shown == {
        "id": f"{RESOURCE}/accessPolicyAssignments/Mine-1",
        "name": "Mine-1",
        "type": "Microsoft.Cache/Redis/accessPolicyAssignments",
        "properties": {
            "provisioningState": "Succeeded",
            "accessPolicyName": "Data Reader",
            "objectId": USER,
            "objectIdAlias": "I",
        },
    }
    assert wire.call("GET", ASSIGNMENTS).json == {"value": [shown]}
    deleted = wire.call("DELETE", ASSIGNMENT)
    assert (deleted.status_code, deleted.content) == (202, b"")
    assert (style(deleted), operation(wire, deleted)) == (TWICE, "Succeeded")
    assert wire.call("GET", ASSIGNMENTS).json == {"value": []}
    assert wire.call("DELETE", ASSIGNMENT).status_code == 204


@pytest.mark.parametrize(
    ("name", "properties", "wrong"),
    [
        pytest.param("a b", assignment(), ["accessPolicyAssignmentName"], id="name"),
        pytest.param(
            "abc", assignment(user="me"), ["properties.objectId"], id="no GUID"
        ),
        pytest.param(
            "abc", assignment(alias=""), ["properties.objectIdAlias"], id="no alias"
        ),
        pytest.param(
            "abc",
            assignment(policy="my policy"),
            ["properties.accessPolicyName"],
            id="no such policy",
        ),
    ],
)
def test_a_wrong_assignment_is_refused(
    wire: Wire, name: str, properties: dict[str, object], wrong: list[str]
) -> None:
    """Each mistake by its path, and nothing is stored."""
    settled(wire)
    assert mistakes(put(wire, f"{ASSIGNMENTS}/{name}", **properties)) == wrong
    assert wire.call("GET", ASSIGNMENTS).json == {"value": []}


def test_a_user_has_one_policy(wire: Wire) -> None:
    """A second one is refused in the service's words; another user is welcome."""
    settled(wire)
    placed(wire, ASSIGNMENT, **assignment())
    second = put(
        wire, ASSIGNMENTS + "/second", **assignment("Data Owner", USER.upper())
    )
    assert second.status_code == 400
    assert "due to duplicate entries" in second.json["error"]["message"]
    other = put(wire, ASSIGNMENTS + "/other", **assignment(user=OTHER_USER))
    assert other.status_code == 201


def test_a_policy_in_use_is_kept(wire: Wire) -> None:
    """Until nobody has it, in whatever case it was assigned."""
    settled(wire)
    placed(wire, POLICY, permissions="+get")
    assert placed(wire, ASSIGNMENT, **assignment("MY policy")).status_code == 201
    refused = wire.call("DELETE", POLICY)
    assert refused.status_code == 400
    assert "Mine-1" in refused.json["error"]["message"]
    wire.call("DELETE", ASSIGNMENT)
    serve(wire)
    assert wire.call("DELETE", POLICY).status_code == 202


@pytest.mark.parametrize(("path", "then"), [(POLICY, ASSIGNMENT), (ASSIGNMENT, POLICY)])
def test_a_deletion_is_over_when_it_is_answered(path: str, then: str) -> None:
    """Who reads that a child is gone may send the next write, as azurerm does."""
    wire = Wire(patience_seconds=PATIENCE_SECONDS)
    settled(wire)
    placed(wire, POLICY, permissions="+get")
    placed(wire, ASSIGNMENT, **assignment())
    answered = threading.Event()
    early: list[bool] = []

    def apply() -> None:
        early.append(answered.wait(EARLY_SECONDS))
        serve(wire)

    loops: list[threading.Thread] = []

    def told(_key: CacheKey) -> None:
        loops.append(threading.Thread(target=apply))
        loops[-1].start()

    wire.told = told
    assert wire.call("DELETE", path).status_code == 202
    assert wire.call("GET", path).status_code == 404
    assert wire.call("DELETE", then).status_code == 202
    answered.set()
    for each in loops:
        each.join()
    assert early == [False, False]


@pytest.mark.parametrize("path", [POLICY, ASSIGNMENT])
def test_children_follow_their_cache(wire: Wire, path: str) -> None:
    """While it is worked on they are Updating; Failed or Deleting when it is."""
    settled(wire)
    placed(wire, POLICY, permissions="+get")
    placed(wire, ASSIGNMENT, **assignment())

    def state() -> str:
        found: str = wire.call("GET", path).json["properties"]["provisioningState"]
        return found

    sku = {"name": "Premium", "family": "P", "capacity": 2}
    wire.call("PATCH", json={"properties": {"sku": sku}})
    assert state() == "Updating"
    wire.fail("EngineSilent", "the engine does not answer")
    assert state() == "Failed"
    wire.settle()
    assert state() == "Succeeded"
    wire.call("DELETE")
    assert state() == "Deleting"
