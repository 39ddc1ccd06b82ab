"""``/openapi.json``: all of ARM that is served, and nothing else."""

from __future__ import annotations

from typing import Any

import falcon.inspect
import pytest
from falcon.routing import CompiledRouter

from api.arm.gate import ARM
from api.openapi.document import fold
from tests.wire.rig import Wire


@pytest.fixture
def document(wire: Wire) -> dict[str, Any]:
    """Read the document as anybody can: no api-version is asked for."""
    answer = wire.call("GET", "/openapi.json", params={})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    found: dict[str, Any] = answer.json
    return found


def routes(wire: Wire) -> list[tuple[str, str]]:
    """Give the path and the method of everything that ARM is asked for."""
    router = wire.client.app._router
    assert isinstance(router, CompiledRouter)
    return [
        (fold(route.path), method.method.lower())
        for route in falcon.inspect.inspect_compiled_router(router)
        for method in route.methods
        if route.path.startswith(ARM) and not method.internal
    ]


def test_what_is_served_is_described_and_nothing_else(
    wire: Wire, document: dict[str, Any]
) -> None:
    """Each route of ARM with each of its methods, once."""
    described = [
        (fold(path), method)
        for path, operations in document["paths"].items()
        for method in operations
    ]
    assert sorted(described) == sorted(routes(wire))


def test_every_operation_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    """Code that is generated from the document calls it so."""
    names = [
        operation["operationId"]
        for operations in document["paths"].values()
        for operation in operations.values()
    ]
    assert len(names) == len(set(names))


def test_words_come_from_the_code(document: dict[str, Any]) -> None:
    """A responder's own sentence describes it, and a body is that of its model."""
    put = document["paths"][
        "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers"
        "/Microsoft.Cache/redis/{name}/firewallRules/{ruleName}"
    ]["put"]
    assert put["description"] == "Create it, 201; or change it, 200."
    schema = put["requestBody"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/RuleBody"}
    properties = document["components"]["schemas"]["RuleProperties"]
    assert properties["properties"]["startIP"] == {"type": "string", "format": "ipv4"}
    assert properties["required"] == ["startIP", "endIP"]
