"""Requests that are turned away before they reach a responder."""

from __future__ import annotations

import pytest

from tests.wire.rig import BASIC, CACHE, CACHES, HOST, SUBSCRIPTION, Wire

FORM = "application/x-www-form-urlencoded"
OPERATION = SUBSCRIPTION + "/providers/Microsoft.Cache/locations/x/asyncOperations/y"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:4577",
        "127.0.0.1:4577",
        "192.168.1.20",
        "[::1]:4577",
        "[::1]",
        "emulator:4577",
        "azure.localhost",
        "host.docker.internal:4577",
        "mac.local",
        "azure.test",
        "emulator.default.svc",
        "emulator.default.svc.cluster.local.",
        "nas.lan",
        "Azure.Example.com:4577",
    ],
)
def test_names_of_this_machine_are_served(host: str) -> None:
    """Local names cannot be taken by a web site; the configured one is ours."""
    wire = Wire(hostname="azure.example.com")
    assert wire.call("GET", CACHES, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example:4577",
        "127.0.0.1.evil.example",
        "evil.example:127",
        "internal.example",
        "management.azure.com",
        "[::1].evil.example",
        "evil.example/localhost",
        "not a name",
        "[localhost]",
    ],
)
def test_names_that_a_web_site_can_have_are_refused(wire: Wire, host: str) -> None:
    """DNS rebinding ends here, and whoever owns the name learns the setting."""
    refused = wire.call("GET", CACHES, headers={"Host": host})
    assert refused.status_code == 421
    assert refused.json["error"]["code"] == "MisdirectedRequest"
    assert "FLOCI_AZ_HOSTNAME" in refused.json["error"]["message"]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Origin": "https://evil.example"}, id="foreign origin"),
        pytest.param({"Origin": "http://["}, id="broken origin"),
        pytest.param({"Origin": "null"}, id="no origin to speak of"),
        pytest.param({"Origin": "http://localhost:3000"}, id="another port"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="no origin, other site"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pages_of_other_sites_are_refused(
    wire: Wire, method: str, headers: dict[str, str]
) -> None:
    """Whatever a page makes a browser send, nothing is done and nothing is told."""
    wire.create()
    refused = wire.call(method, CACHE + "/listKeys", headers=headers)
    assert refused.status_code == 403
    assert refused.json["error"]["code"] == "CrossSiteRequest"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="curl"),
        pytest.param({"Origin": f"http://{HOST}"}, id="own page"),
        pytest.param({"Sec-Fetch-Site": "same-origin"}, id="own script"),
        pytest.param({"Sec-Fetch-Site": "none"}, id="typed by the user"),
    ],
)
def test_programs_and_own_pages_may_post_nothing(
    wire: Wire, headers: dict[str, str]
) -> None:
    """``curl -X POST …/listKeys`` needs neither a token nor a content type."""
    wire.create()
    assert wire.call("POST", CACHE + "/listKeys", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("kind", "token", "status"),
    [
        pytest.param("application/json", None, 201, id="JSON"),
        pytest.param("application/json; charset=utf-8", None, 201, id="with charset"),
        pytest.param(FORM, None, 415, id="form"),
        pytest.param(f"{FORM.upper()}; a=b", None, 415, id="form in capitals"),
        pytest.param("text/plain", None, 415, id="text"),
        pytest.param("multipart/form-data; boundary=x", None, 415, id="upload"),
        pytest.param(FORM, "Bearer x", 201, id="form with a token"),
    ],
)
def test_a_write_that_any_page_could_send_is_refused(
    wire: Wire, kind: str, token: str | None, status: int
) -> None:
    """A page needs permission to send JSON or a token, and never gets it."""
    headers = {"Content-Type": kind} | ({"Authorization": token} if token else {})
    body = '{"location":"West Europe","properties":{"sku":{"name":"Basic",'
    body += '"family":"C","capacity":0}}}'
    result = wire.call("PUT", body=body, headers=headers)
    assert result.status_code == status
    if status == 415:
        assert "application/json" in result.json["error"]["message"]
        assert wire.store.records() == ()


@pytest.mark.parametrize("slash", ["%2f", "%2F"])
def test_an_encoded_slash_is_no_separator(wire: Wire, slash: str) -> None:
    """What servers make of it would delete another cache than the one that is named."""
    wire.create()
    there = wire.store.records()
    sent = {"REQUEST_URI": f"{CACHE}{slash}?api-version=2024-11-01"}
    refused = wire.call("DELETE", f"{CACHE}/", extras=sent)
    assert (refused.status_code, refused.json["error"]["code"]) == (400, "BadRequest")
    assert slash in refused.json["error"]["message"]
    assert wire.store.records() == there


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        pytest.param("GET", CACHE, "NoRegisteredProviderFound", id="cache"),
        pytest.param("PUT", CACHE, "NoRegisteredProviderFound", id="creation"),
        pytest.param("GET", CACHES, "InvalidResourceType", id="collection"),
        pytest.param("GET", OPERATION, "NoRegisteredProviderFound", id="operation"),
    ],
)
def test_an_unknown_api_version_is_refused(
    wire: Wire, method: str, path: str, code: str
) -> None:
    """Nothing is done in a version that has never been."""
    refused = wire.call(method, path, json=BASIC, params={"api-version": "1999-01-01"})
    assert refused.json["error"]["code"] == code
    assert wire.store.records() == ()


def test_a_missing_api_version_is_refused(wire: Wire) -> None:
    """In the words of the service."""
    refused = wire.call("GET", CACHES, params={})
    assert refused.status_code == 400
    assert refused.json["error"] == {
        "code": "MissingApiVersionParameter",
        "message": "The api-version query parameter (?api-version=) is required for "
        "all requests.",
    }


@pytest.mark.parametrize("path", [CACHE, CACHES, CACHE + "/listKeys", OPERATION])
def test_a_provider_that_is_turned_off_says_how_to_turn_it_on(path: str) -> None:
    """No Microsoft.Cache route does anything then; the probes still answer."""
    wire = Wire(enabled=False)
    refused = wire.call("POST" if path.endswith("Keys") else "GET", path)
    assert refused.status_code == 403
    assert refused.json["error"]["code"] == "ResourceProviderDisabled"
    named = "FLOCI_AZ_SERVICES_REDIS_ENABLED"
    assert named in refused.json["error"]["message"]
    assert wire.call("GET", "/healthz").status_code == 200


def test_what_comes_around_the_cache_is_served_behind_its_own_gate() -> None:
    """ARM's other routes have its headers too, and their gate covers the cache."""
    strict = Wire(strict=True)
    for path in (CACHE, SUBSCRIPTION):
        refused = strict.call("GET", path)
        assert refused.status_code == 401
        assert "www-authenticate" in refused.headers
        assert "x-ms-request-id" in refused.headers
    assert Wire().call("GET", SUBSCRIPTION).status_code == 200
    nothing = Wire().call("GET", SUBSCRIPTION, params={})
    assert nothing.json["error"]["code"] == "MissingApiVersionParameter"
