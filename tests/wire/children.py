"""Caches to put children into, and their paths."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import falcon.testing

from controller.model import CacheStatus, Condition
from tests.wire.rig import CACHE, CACHES, Wire

RESOURCE = CACHE.replace("/redis/", "/Redis/")  # as answers spell it


def premium(**properties: object) -> dict[str, Any]:
    """Give the body of a P1 cache."""
    sku = {"name": "Premium", "family": "P", "capacity": 1}
    return {"location": "West Europe", "properties": {"sku": sku, **properties}}


def settled(wire: Wire, name: str = "Cache1", **properties: object) -> str:
    """Create a P1 cache that is in place, and give its path."""
    path = f"{CACHES}/{name}"
    created = wire.call("PUT", path, json=premium(**properties))
    assert created.status_code == 201, created.text
    serve(wire)
    return path


def serve(wire: Wire) -> None:
    """Let every cache be in place as a server is that answers."""
    claim = Condition(type="Serving", holds=True, reason="Observed")
    for record in wire.store.records():
        status = CacheStatus(observed_generation=record.generation, conditions=(claim,))
        wire.store.report(record, status)


def put(wire: Wire, path: str, **properties: object) -> falcon.testing.Result:
    """Send a PUT with ``properties``."""
    return wire.call("PUT", path, json={"properties": properties})


def operation(wire: Wire, answer: falcon.testing.Result) -> str:
    """Let the cache get there, and ask for the operation that an answer tells of."""
    serve(wire)
    url = urlsplit(answer.headers["azure-asyncoperation"])
    polled = wire.client.simulate_get(url.path, query_string=url.query)
    assert polled.status_code == 200, polled.text
    state: str = polled.json["status"]
    return state


def style(answer: falcon.testing.Result) -> tuple[str, str]:
    """Say where ``Azure-AsyncOperation`` and ``Location`` lead: a kind of URL each."""
    kinds = ("asyncOperations", "operationresults")

    def kind(header: str) -> str:
        url = answer.headers.get(header, "")
        found = next((each for each in kinds if f"/{each}/" in url), "resource")
        return found if url else ""

    return kind("azure-asyncoperation"), kind("location")


def mistakes(answer: falcon.testing.Result) -> list[str]:
    """Give the paths of all that a refusal finds wrong."""
    assert answer.status_code == 400, answer.text
    error = answer.json["error"]
    if "details" in error:
        return [each["target"] for each in error["details"]]
    return [error["message"].split("'")[1]]
