"""Every example of the published specification is sent, and the answer is judged.

The examples are shapes, and not what the service answers word for word. So a status
has to be one of theirs, and a body as its schema has it, with every member that the
example shows; what is different is listed here, each with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests

from api.openapi.document import OPERATIONS, fold
from tests.e2e.swagger import MISSING, Example, Swagger, members, swagger
from tests.emulator import Emulator, eventually, running
from tests.redis_requests import premium

found = swagger()
if found is None:
    pytest.skip(MISSING, allow_module_level=True)
SWAGGER: Swagger = found

# One for all: the examples have this one, a misspelled one, and placeholders.
SUBSCRIPTION = "subid"
LINKED = {"cache1": "East US", "cache2": "West US"}

# What needs no cache, or creates it.
ALONE = {"Operations_List", "Redis_CheckNameAvailability", "Redis_Create"}

# Members that examples show and answers lack.
ABSENT = {
    "RedisCacheGet": {
        "properties.linkedServers.id": "it is not linked",
        "properties.privateEndpointConnections": "no endpoint was made for it",
    },
    "RedisCacheListUpgradeNotifications": {"value.": "there never are any"},
    "RedisCacheUpdate": {"properties.accessKeys.": "recorded: null after a PATCH"},
}


@pytest.fixture(scope="module")
def mocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Run an emulator without servers."""
    state = tmp_path_factory.mktemp("swagger")
    with running(state, FLOCI_AZ_SERVICES_REDIS_MOCKED="true") as emulator:
        yield emulator


@pytest.fixture
def emulator(mocked: Emulator) -> Iterator[Emulator]:
    """Give the emulator, and empty it again."""
    yield mocked
    of_subscription = f"{mocked.base}/subscriptions/{SUBSCRIPTION}"
    caches = f"{of_subscription}/providers/Microsoft.Cache/redis"
    for each in mocked.call("GET", caches).json()["value"]:
        group = each["id"].split("/")[4]
        mocked.call("DELETE", f"{of_subscription}/resourceGroups/{group}")
    eventually(lambda: mocked.call("GET", caches).json()["value"] == [])


def send(emulator: Emulator, example: Example, **other: str) -> requests.Response:
    """Send the request of an example, with ``other`` values in its path."""
    url = example.url(subscriptionId=SUBSCRIPTION, **other)
    return emulator.call(example.method, emulator.base + url, example.body)


def create(emulator: Emulator, example: Example, name: str, location: str) -> str:
    """Create a cache in the group of an example; gives the id of the operation."""
    group = example.values.get("resourceGroupName", "rg1")
    path = (
        f"{emulator.base}/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}"
        f"/providers/Microsoft.Cache/redis/{name}"
    )
    body = premium(location=location, enableNonSslPort=True)
    created = emulator.call("PUT", path, body)
    assert created.status_code == 201, created.text
    return created.headers["x-ms-request-id"]


def makers(example: Example) -> Iterator[Example]:
    """Find the examples that make what another one reads, deletes, or builds on."""
    if "accessPolicyAssignments" in example.template:
        yield SWAGGER.examples["RedisCacheAccessPolicyCreateUpdate"]
    child = "/redis/{}/"
    if example.method != "PUT" and child in fold(example.template):
        for each in SWAGGER.examples.values():
            if each.method == "PUT" and fold(each.template).startswith(
                fold(example.template)
            ):
                yield each


def prepare(emulator: Emulator, example: Example) -> dict[str, str]:
    """Bring about what an example takes for granted; gives values to send with it."""
    name = example.operation["operationId"]
    if name in ALONE:
        return {}
    cache = example.values.get("cacheName", example.values.get("name", "cache1"))
    there = LINKED if name.startswith("LinkedServer") else {cache: "East US"}
    for each, location in there.items():
        operation = create(emulator, example, each, location)
    for maker in makers(example):
        made = send(emulator, maker)
        assert made.status_code in {200, 201}, made.text
    return {"operationId": operation}


@pytest.mark.parametrize("name", SWAGGER.examples)
def test_an_example_is_answered_as_specified(emulator: Emulator, name: str) -> None:
    """With one of its statuses, the headers of it, and a body that fits its schema."""
    example = SWAGGER.examples[name]
    answer = send(emulator, example, **prepare(emulator, example))
    status = str(answer.status_code)
    assert status in example.answers, answer.text
    specified = example.operation["responses"][status].get("headers", {})
    assert [each for each in specified if each not in answer.headers] == []
    body = answer.json() if answer.content else None
    assert SWAGGER.mistakes(example, status, body) == []
    lacking = members(example.answers[status].get("body")) - members(body)
    explained = tuple(ABSENT.get(name, ()))
    assert [each for each in sorted(lacking) if not each.startswith(explained)] == []


def test_every_operation_is_described_as_specified() -> None:
    """By the same name, and below the same path, whose casing is Azure's."""

    def plain(path: str) -> str:
        return re.sub(r"{\w+}", "{}", path.replace("{default}", "default"))

    described = {(each.name, each.method, plain(each.path)) for each in OPERATIONS}
    specified = {
        (operation["operationId"], method.upper(), plain(path))
        for path, operations in SWAGGER.paths.items()
        for method, operation in operations.items()
    }
    assert specified <= described
