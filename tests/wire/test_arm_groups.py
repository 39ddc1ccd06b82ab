"""Resource groups over HTTP."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import falcon.testing
import pytest

from tests.wire.rig import BASIC, CACHE, HOST, SUBSCRIPTION, VERSION, Wire

GROUPS = SUBSCRIPTION + "/resourcegroups"
GROUP = GROUPS + "/my-rg"
BODY: dict[str, Any] = {"location": "West Europe", "tags": {"env": "test"}}


def error_of(result: falcon.testing.Result) -> tuple[int, str]:
    """Give what a client tells refusals by."""
    return result.status_code, result.json["error"]["code"]


def names(result: falcon.testing.Result) -> list[str]:
    """Give what a list has."""
    return [each["name"] for each in result.json["value"]]


def poll(wire: Wire, url: str) -> falcon.testing.Result:
    """GET a URL that the server gave, as it gave it."""
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc) == ("http", HOST)
    return wire.client.simulate_get(parts.path, query_string=parts.query)


def test_a_group_is_created_and_read(wire: Wire) -> None:
    """It is shown with the casing of creation, wherever it is asked for."""
    created = wire.call("PUT", SUBSCRIPTION + "/resourceGroups/My-RG", json=BODY)
    assert created.status_code == 201
    assert created.json == {
        "id": "/subscriptions/my-sub/resourceGroups/My-RG",
        "name": "My-RG",
        "type": "Microsoft.Resources/resourceGroups",
        "location": "westeurope",
        "tags": {"env": "test"},
        "properties": {"provisioningState": "Succeeded"},
    }
    assert wire.call("GET", GROUP).json == created.json


def test_a_second_put_replaces_the_tags(wire: Wire) -> None:
    """A group is there once, and a PUT says all of it."""
    wire.call("PUT", GROUP, json=BODY)
    again = wire.call("PUT", GROUP, json={"location": "westeurope", "managedBy": "me"})
    assert again.status_code == 200
    assert (again.json["tags"], again.json["managedBy"]) == ({}, "me")


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_group_that_nobody_made_is_not_there(wire: Wire, method: str) -> None:
    """Whoever wants to create one asks first."""
    result = wire.call(method, GROUP, body="{}" if method == "PATCH" else None)
    assert result.status_code == 404
    assert result.json["error"] == {
        "code": "ResourceGroupNotFound",
        "message": "Resource group 'my-rg' could not be found.",
    }
    assert wire.call("HEAD", GROUP).status_code == 404


def test_a_cache_makes_its_group(wire: Wire) -> None:
    """After it was used, the group is there for every client."""
    wire.create()
    assert wire.call("HEAD", GROUP).status_code == 204
    assert wire.call("GET", GROUP).json["location"] == "westeurope"
    assert names(wire.call("GET", GROUPS)) == ["my-rg"]


def test_a_patch_changes_only_the_tags(wire: Wire) -> None:
    """Tags are replaced as a whole; without any the group stays as it is."""
    wire.call("PUT", GROUP, json=BODY)
    assert wire.call("PATCH", GROUP, json={"name": "my-rg"}).json["tags"] == {
        "env": "test"
    }
    changed = wire.call("PATCH", GROUP, json={"tags": {"a": "1"}, "location": "eastus"})
    assert changed.status_code == 200
    assert (changed.json["tags"], changed.json["location"]) == (
        {"a": "1"},
        "westeurope",
    )


def test_a_group_takes_its_caches_along(wire: Wire) -> None:
    """The operation ends when the last cache is gone, and then so is the group."""
    wire.call("PUT", GROUP, json=BODY)
    wire.create()
    started = wire.call("DELETE", GROUP)
    assert (started.status_code, started.text) == (202, "")
    url = started.headers["location"]
    assert urlsplit(url).path.startswith(SUBSCRIPTION + "/operationresults/")
    assert started.headers["x-ms-retry-after-ms"] == "50"

    running = poll(wire, url)
    assert (running.status_code, running.headers["location"]) == (202, url)
    assert running.headers["x-ms-retry-after-ms"] == "50"
    shown = wire.call("GET", GROUP).json["properties"]
    assert shown == {"provisioningState": "Deleting"}
    assert wire.call("GET").json["properties"]["provisioningState"] == "Deleting"

    wire.settle()
    ended = poll(wire, url)
    assert (ended.status_code, ended.text) == (200, "")
    assert "location" not in ended.headers
    assert wire.call("HEAD", GROUP).status_code == 404
    assert wire.call("GET").status_code == 404
    assert poll(wire, url).status_code == 200


def test_nothing_is_created_in_a_group_that_is_being_deleted(wire: Wire) -> None:
    """What would be lost a moment later is refused, and can be had afterwards."""
    wire.create()
    wire.call("DELETE", GROUP)
    other = CACHE.replace("Cache1", "Cache2")
    refused = wire.call("PUT", other, json=BASIC)
    assert error_of(refused) == (409, "ResourceGroupBeingDeleted")
    assert error_of(wire.call("PUT", GROUP, json=BODY)) == (
        409,
        "ResourceGroupBeingDeleted",
    )
    wire.settle()
    wire.create(other)


def test_an_unknown_operation_says_so(wire: Wire) -> None:
    """A client that polls across a restart is told what to do instead."""
    result = wire.call("GET", SUBSCRIPTION + "/operationresults/none")
    assert error_of(result) == (404, "OperationNotFound")
    assert "read the resource group instead" in result.json["error"]["message"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param({}, "LocationRequired", id="no location"),
        pytest.param(
            {"location": "mars"}, "LocationNotAvailableForResourceGroup", id="nowhere"
        ),
        pytest.param({"location": 1}, "InvalidRequestBody", id="type"),
        pytest.param(BODY | {"tags": {"a<": "1"}}, "InvalidRequestBody", id="tag name"),
        pytest.param(
            BODY | {"tags": {"a": "1" * 257}}, "InvalidRequestBody", id="tag value"
        ),
        pytest.param(
            BODY | {"tags": {str(number): "" for number in range(51)}},
            "InvalidRequestBody",
            id="too many tags",
        ),
    ],
)
def test_a_wrong_body_is_refused_and_creates_nothing(
    wire: Wire, body: dict[str, Any], code: str
) -> None:
    """What is wrong is named before anything is kept."""
    assert error_of(wire.call("PUT", GROUP, json=body)) == (400, code)
    assert names(wire.call("GET", GROUPS)) == []


@pytest.mark.parametrize("name", ["ends.", "a b", "a" * 91, "a%00b", "a%0a"])
def test_a_name_that_azure_has_not_is_refused(wire: Wire, name: str) -> None:
    """A group name has the letters that Azure allows, and 90 at most."""
    result = wire.call("PUT", f"{GROUPS}/{name}", json=BODY)
    assert error_of(result) == (400, "InvalidResourceGroup")


def test_a_group_does_not_move(wire: Wire) -> None:
    """Another location on a second PUT is a conflict, as in Azure."""
    wire.call("PUT", GROUP, json=BODY)
    result = wire.call("PUT", GROUP, json={"location": "eastus"})
    assert error_of(result) == (409, "InvalidResourceGroupLocation")


def test_groups_are_listed_by_tag(wire: Wire) -> None:
    """``az group list --tag`` asks in lower case, the SDKs in mixed case."""
    for name, tags in (("a", {"env": "x"}), ("b", {"env": "y"}), ("c", {})):
        wire.call("PUT", f"{GROUPS}/{name}", json=BODY | {"tags": tags})

    def listed(text: str) -> list[str]:
        return names(wire.call("GET", GROUPS, params=VERSION | {"$filter": text}))

    assert listed("tagName eq 'env'") == ["a", "b"]
    assert listed("tagname eq 'env' and tagvalue eq 'y'") == ["b"]
    result = wire.call("GET", GROUPS, params=VERSION | {"$filter": "colour eq 'x'"})
    assert error_of(result) == (400, "InvalidFilterInQueryString")


def test_groups_come_in_pages_when_asked(wire: Wire) -> None:
    """Each page leads to the next one, and the filter goes along."""
    for name in ("a", "b", "other", "c"):
        tags = {} if name == "other" else {"env": "x"}
        wire.call("PUT", f"{GROUPS}/{name}", json=BODY | {"tags": tags})
    params = VERSION | {"$top": "2", "$filter": "tagName eq 'env'"}
    first = wire.call("GET", GROUPS, params=params)
    assert names(first) == ["a", "b"]
    second = poll(wire, first.json["nextLink"])
    assert names(second) == ["c"]
    assert "nextLink" not in second.json


@pytest.mark.parametrize("top", ["-1", "many", "1e3", "²", "9" * 30])
def test_a_page_size_is_a_number(wire: Wire, top: str) -> None:
    """Anything else is refused, not guessed."""
    result = wire.call("GET", GROUPS, params=VERSION | {"$top": top})
    assert error_of(result) == (400, "InvalidQueryParameterValue")


def test_terraform_finds_what_it_expects_at_each_step(wire: Wire) -> None:
    """Its own order of requests: create, read, tag, look for leftovers, destroy."""
    version = {"api-version": "2023-07-01"}

    def step(method: str, path: str = GROUP, **options: Any) -> falcon.testing.Result:  # noqa: ANN401 (whatever falcon's client takes)
        return wire.call(method, path, params=version, **options)

    assert step("GET").status_code == 404
    body = {"location": "westeurope", "tags": {}}
    assert step("PUT", json=body).status_code == 201
    for _ in range(4):
        assert step("GET").json["location"] == "westeurope"
    assert step("PATCH", json={"tags": {"a": "1"}}).status_code == 200
    assert step("GET").json["tags"] == {"a": "1"}
    leftovers = {"$expand": "provisioningState", "$top": "10"}
    found = wire.call("GET", GROUP + "/resources", params=version | leftovers)
    assert (found.status_code, found.json) == (200, {"value": []})
    deleted = step("DELETE")
    assert deleted.status_code == 202
    assert deleted.headers["x-go-azure-sdk-skip-polling-delay"] == "true"
    assert poll(wire, deleted.headers["location"]).status_code == 200
    assert step("GET").status_code == 404
