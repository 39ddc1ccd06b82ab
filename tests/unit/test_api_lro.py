"""Headers that lead a client through a long-running operation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import falcon
import falcon.testing
import pytest

from api import lro
from api.context import cause

PATH = "/subscriptions/S/resourceGroups/G/providers/Microsoft.Cache/redis/N"
PLACE = (
    "https://localhost:4577/subscriptions/S/providers/Microsoft.Cache/locations"
    "/West%20US"
)
VERSION = "?api-version=2024-11-01"


def request(agent: str = "") -> falcon.Request:
    """Give a request for a cache over TLS, from a client of that name."""
    environ = falcon.testing.create_environ(
        path=PATH,
        query_string="api-version=2024-11-01",
        headers={"Host": "localhost:4577", "User-Agent": agent},
        scheme="https",
    )
    return falcon.Request(environ)


@pytest.mark.parametrize(
    ("leads_to", "location"),
    [
        pytest.param(None, None, id="no location"),
        pytest.param(lro.Target.OPERATION, "{operation}", id="the operation"),
        pytest.param(
            lro.Target.RESOURCE,
            f"https://localhost:4577{PATH}{VERSION}",
            id="the resource",
        ),
    ],
)
def test_an_operation_is_watched_at_an_absolute_url(
    leads_to: lro.Target | None, location: str | None
) -> None:
    """URLs carry the client's scheme and host, its version, and the request's id."""
    req, resp = request(), falcon.Response()
    lro.start_operation(req, resp, "West US", leads_to=leads_to)
    operation = f"{PLACE}/asyncOperations/{cause(req).request_id}{VERSION}"
    assert resp.get_header("Azure-AsyncOperation") == operation
    wanted = location and location.replace("{operation}", operation)
    assert resp.get_header("Location") == wanted


@pytest.mark.parametrize("twice", [False, True])
def test_a_result_is_watched_at_location(*, twice: bool) -> None:
    """Only a flush has the URL of its result in both headers."""
    req, resp = request(), falcon.Response()
    lro.start_result(req, resp, "West US", twice=twice)
    url = f"{PLACE}/operationresults/{cause(req).request_id}{VERSION}"
    assert resp.get_header("Location") == url
    assert resp.get_header("Azure-AsyncOperation") == (url if twice else None)


@pytest.mark.parametrize(
    ("agent", "retry_after"),
    [
        pytest.param(
            "azsdk-python-mgmt-redis/14.5.0 Python/3.11.7 (Linux)", None, id="Python"
        ),
        pytest.param(
            "AZURECLI/2.91.0 (PIP) azsdk-python-core/1.41.0 Python/3.13",
            None,
            id="az",
        ),
        pytest.param(
            "HashiCorp/go-azure-sdk (Go-http-Client/1.1 redisresources/2024-11-01) "
            "HashiCorp Terraform/1.11.4 terraform-provider-azurerm/5.2.0",
            "0",
            id="Terraform",
        ),
        pytest.param("azsdk-go-armredis/v3.3.0 (go1.23; linux)", "1", id="Go"),
        pytest.param("azsdk-java-azure-resourcemanager-redis/2.50", "1", id="Java"),
        pytest.param("", "1", id="unknown"),
    ],
)
def test_each_client_is_told_to_poll_in_its_own_words(
    agent: str, retry_after: str | None
) -> None:
    """Milliseconds go to all, whole seconds only to those whom they do not slow."""
    resp = falcon.Response()
    lro.hurry(request(agent), resp)
    assert resp.get_header("x-ms-retry-after-ms") == "50"
    assert resp.get_header("Retry-After") == retry_after


def test_javascript_is_told_a_moment_in_milliseconds() -> None:
    """Its parser takes a date with a fraction; whole seconds would be too long."""
    resp = falcon.Response()
    before = datetime.now(UTC)
    lro.hurry(request("azsdk-js-arm-rediscache/8.2.0 core-rest-pipeline/1.24"), resp)
    given = resp.get_header("Retry-After") or ""
    utc = given.replace("GMT", "+0000")
    ahead = datetime.strptime(utc, "%a, %d %b %Y %H:%M:%S.%f %z") - before
    shortest = timedelta(milliseconds=lro.JS_MILLISECONDS - 1)  # cut, not rounded
    assert ahead >= shortest
