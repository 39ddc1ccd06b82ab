"""Signing in: where clients are sent, and what they get there."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest

from api.arm.principals import HOME_TENANT, SOMEBODY, object_id
from tests.wire.rig import Wire
from tests.wire.signing_in import (
    ARM_SCOPE,
    BASE,
    DEVICE_CODE,
    IMDS,
    MSI,
    PERSON,
    PROGRAM,
    claims_of,
    get,
    post,
    token_for,
)

TENANT = "11111111-2222-3333-4444-555555555555"


def test_the_metadata_has_what_az_and_azurerm_read(wire: Wire) -> None:
    """With it az needs no option, and azurerm does not take this for Azure Stack."""
    found = get(wire, "/metadata/endpoints?api-version=2022-09-01").json
    assert found["name"] == "AzureRedisEmulator"
    assert found["resourceManager"] == BASE
    assert found["microsoftGraphResourceId"] == f"{BASE}/graph"
    assert found["authentication"] == {
        "loginEndpoint": f"{BASE}/adfs",
        "audiences": [BASE],
        "tenant": "common",
        "identityProvider": "AAD",
    }
    for name in ("graphAudience", "gallery", "portal", "batch", "media"):
        assert found[name] == BASE
    for name in ("sqlManagement", "vmImageAliasDoc", "activeDirectoryDataLake"):
        assert found[name] == BASE
    for name in ("storage", "keyVaultDns", "sqlServerHostname", "acrLoginServer"):
        assert found["suffixes"][name].endswith(".localhost")


def test_older_metadata_is_a_list_of_the_same(wire: Wire) -> None:
    """Clients before 2022 look their cloud up by name."""
    newest = get(wire, "/metadata/endpoints?api-version=2022-09-01").json
    assert get(wire, "/metadata/endpoints?api-version=2019-05-01").json == [newest]


def test_the_oldest_metadata_is_not_there(wire: Wire) -> None:
    """Terraform asks with a doubled slash, and does without when it is a 404."""
    result = wire.call(
        "GET", "//metadata/endpoints", params={"api-version": "2018-01-01"}
    )
    assert result.status_code == 404
    assert result.json["error"]["code"] == "InvalidApiVersionParameter"


@pytest.mark.parametrize("tenant", ["adfs", "common", "organizations", TENANT])
@pytest.mark.parametrize("prefix", ["", "/adfs"])
@pytest.mark.parametrize("version", ["", "/v2.0"])
def test_each_tenant_leads_to_its_own_endpoints(
    wire: Wire, prefix: str, tenant: str, version: str
) -> None:
    """Discovery names URLs of the same authority, on the host that was asked."""
    authority = f"{BASE}{prefix}/{tenant}"
    url = f"{authority}{version}/.well-known/openid-configuration"
    found = get(wire, url).json
    assert found["issuer"] == authority + version
    for name, leaf in (
        ("token_endpoint", "token"),
        ("authorization_endpoint", "authorize"),
        ("device_authorization_endpoint", "devicecode"),
    ):
        assert found[name] == f"{authority}/oauth2{version}/{leaf}"
    assert found["jwks_uri"] == f"{authority}/discovery{version}/keys"
    answer = token_for(wire, PROGRAM, found["token_endpoint"])
    assert claims_of(wire, answer["access_token"], BASE)["iss"] == found["issuer"]


def test_a_program_gets_a_token_with_the_claims_that_clients_read(wire: Wire) -> None:
    """Terraform is strict about their types, and asks again for short-lived ones."""
    answer = token_for(wire, PROGRAM, f"/adfs/{TENANT}/oauth2/v2.0/token")
    assert answer.keys() == {
        "token_type",
        "expires_in",
        "ext_expires_in",
        "access_token",
    }
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 3600
    claims = claims_of(wire, answer["access_token"], BASE)
    assert claims["tid"] == TENANT
    assert claims["appid"] == "any-id"
    assert claims["oid"] == claims["sub"] == object_id("any-id")
    assert claims["idtyp"] == "app"
    assert claims["aud"] == BASE
    assert claims["roles"] == []
    assert [type(claims[name]) for name in ("exp", "iat", "nbf")] == [int, int, int]
    assert claims["exp"] - claims["iat"] == 3600


def test_tokens_last_as_long_as_is_set() -> None:
    """All that tells a lifetime follows the setting: claims, and both answers."""
    wire = Wire(token_lifetime_seconds=60)
    answer = token_for(wire, PROGRAM)
    claims = claims_of(wire, answer["access_token"], BASE)
    assert claims["exp"] - claims["iat"] == 60
    assert (answer["expires_in"], answer["ext_expires_in"]) == (60, 60)
    assert answer["expires_on"] == str(claims["exp"])
    answer = wire.call(
        "GET", IMDS, params={"resource": BASE}, headers={"Metadata": "true"}
    ).json
    claims = claims_of(wire, answer["access_token"], BASE)
    assert (answer["expires_in"], answer["expires_on"]) == ("60", str(claims["exp"]))
    assert claims["exp"] - claims["iat"] == 60


def test_the_same_client_id_is_always_the_same_object() -> None:
    """A role or a policy that names an object id still fits after a restart."""
    assert object_id("Any-ID") == "664e5ff1-3fee-5a27-b0b4-6e68ad1ec271"


@pytest.mark.parametrize(
    ("asked", "audience"),
    [
        pytest.param({"scope": ARM_SCOPE}, BASE, id="arm"),
        pytest.param(
            {"scope": "https://redis.azure.com/.default"},
            "https://redis.azure.com",
            id="redis",
        ),
        pytest.param(
            {"scope": "https://management.core.windows.net//.default"},
            "https://management.core.windows.net/",
            id="doubled slash",
        ),
        pytest.param(
            {"scope": "openid profile https://graph/User.Read"},
            "https://graph",
            id="behind sign-in scopes",
        ),
        pytest.param({"resource": "https://x/"}, "https://x/", id="resource"),
        pytest.param({"scope": "a-guid"}, "a-guid", id="bare"),
        pytest.param({"scope": ""}, BASE, id="none"),
    ],
)
def test_a_token_is_for_whom_it_was_asked(
    wire: Wire, asked: dict[str, str], audience: str
) -> None:
    """Every scope and resource is accepted, and named in ``aud``."""
    answer = token_for(wire, {**PROGRAM, "scope": "", **asked})
    assert claims_of(wire, answer["access_token"], audience)["aud"] == audience


def test_a_person_gets_what_msal_keeps(wire: Wire) -> None:
    """An account of its own, and a refresh token that leads to the same one."""
    answer = token_for(wire, PERSON)
    claims = claims_of(wire, answer["access_token"], BASE)
    assert (answer["resource"], answer["expires_on"]) == (BASE, str(claims["exp"]))
    assert claims["upn"] == "me@example.com"
    assert claims["idtyp"] == "user"
    assert claims["tid"] == HOME_TENANT
    assert "openid" in claims["scp"].split()
    shown = claims_of(wire, answer["id_token"], "az")
    assert shown["preferred_username"] == "me@example.com"
    assert shown["oid"] == claims["oid"]
    info = json.loads(jwt.utils.base64url_decode(answer["client_info"]))
    assert info == {"uid": claims["oid"], "utid": HOME_TENANT}
    refresh = {
        "grant_type": "refresh_token",
        "client_id": "az",
        "refresh_token": answer["refresh_token"],
    }
    again = token_for(wire, refresh)
    assert claims_of(wire, again["access_token"], BASE)["oid"] == claims["oid"]


@pytest.mark.parametrize("token", ["of an earlier version", "YQpiCmM", "_w", "é"])
def test_any_refresh_token_is_good(wire: Wire, token: str) -> None:
    """Who kept one that nobody can read is somebody."""
    form = {"grant_type": "refresh_token", "client_id": "az", "refresh_token": token}
    answer = token_for(wire, form)
    assert claims_of(wire, answer["access_token"], BASE)["upn"] == SOMEBODY


def test_a_device_code_is_good_at_once(wire: Wire) -> None:
    """``az login --use-device-code`` ends without anybody typing the code."""
    url = "/organizations/oauth2/v2.0/devicecode"
    assert post(wire, url, {}).json["error"] == "invalid_request"
    code = post(wire, url, {"client_id": "az", "scope": "openid"}).json
    assert code["verification_uri"] == BASE
    assert SOMEBODY in code["message"]
    assert (code["interval"], code["expires_in"]) == (1, 900)
    form = {"grant_type": DEVICE_CODE, "client_id": "az"}
    answer = token_for(wire, form | {"device_code": code["device_code"]})
    assert claims_of(wire, answer["id_token"], "az")["upn"] == SOMEBODY


def test_a_browser_is_sent_back_with_a_code(wire: Wire) -> None:
    """The code stands for the name that was hinted at, and keeps the nonce."""
    back = "http://localhost:8400/?kept=1"
    asked = {
        "redirect_uri": back,
        "state": "a state&more",
        "nonce": "n1",
        "login_hint": "me@example.com",
    }
    result = get(wire, f"/{TENANT}/oauth2/v2.0/authorize?{urlencode(asked)}")
    assert result.status_code == 302
    target = urlsplit(result.headers["location"])
    assert (target.scheme, target.netloc) == ("http", "localhost:8400")
    given = {name: value[0] for name, value in parse_qs(target.query).items()}
    assert (given["kept"], given["state"]) == ("1", "a state&more")
    form = {"grant_type": "authorization_code", "client_id": "az"}
    shown = token_for(wire, form | {"code": given["code"]})["id_token"]
    claims = claims_of(wire, shown, "az")
    assert (claims["upn"], claims["nonce"]) == ("me@example.com", "n1")


def test_a_browser_can_bring_the_code_in_a_form(wire: Wire) -> None:
    """So az asks for it; what a client sent is never markup in the page."""
    asked = {
        "redirect_uri": 'http://127.0.0.1:8400/"><script>',
        "state": '"><script>',
        "response_mode": "form_post",
    }
    result = get(wire, f"/adfs/oauth2/authorize?{urlencode(asked)}")
    assert result.headers["content-type"].startswith("text/html")
    assert 'name="code"' in result.text
    assert "&quot;&gt;&lt;script&gt;" in result.text
    assert "<script>" not in result.text


@pytest.mark.parametrize(
    "back",
    [
        "https://example.com/",
        "javascript://localhost/%0aalert(1)",
        "http://localhost.example.com/",
        "http://localhost@example.com/",
        "http://[",
        "",
    ],
)
def test_no_browser_is_sent_to_another_machine(wire: Wire, back: str) -> None:
    """A link to the emulator cannot be made to lead elsewhere."""
    result = get(wire, f"/adfs/oauth2/authorize?{urlencode({'redirect_uri': back})}")
    assert result.status_code == 400
    assert result.json["error"] == "invalid_request"
    assert "http://localhost" in result.json["error_description"]


@pytest.mark.parametrize(
    ("form", "error", "named"),
    [
        pytest.param({}, "invalid_request", "'grant_type'", id="nothing"),
        pytest.param(
            {"grant_type": "client_credentials"},
            "invalid_request",
            "'client_id'",
            id="no client",
        ),
        pytest.param(
            {"grant_type": "password"}, "invalid_request", "'username'", id="no user"
        ),
        pytest.param(
            {"grant_type": "refresh_token", "refresh_token": ""},
            "invalid_request",
            "'refresh_token'",
            id="empty",
        ),
        pytest.param(
            {"grant_type": "magic"}, "unsupported_grant_type", "'magic'", id="unknown"
        ),
    ],
)
def test_what_is_missing_is_named_in_the_words_of_oauth(
    wire: Wire, form: dict[str, str], error: str, named: str
) -> None:
    """OAuth has an envelope of its own, which is not that of ARM."""
    result = post(wire, "/common/oauth2/v2.0/token", form)
    assert result.status_code == 400
    assert result.json["error"] == error
    assert result.json["error_description"].startswith("AADSTS")
    assert named in result.json["error_description"]


WAYS = [
    pytest.param(MSI, "X-IDENTITY-HEADER", id="app service"),
    pytest.param(IMDS, "Metadata", id="machine"),
]


@pytest.mark.parametrize(("path", "header"), WAYS)
def test_a_managed_identity_gets_a_token(wire: Wire, path: str, header: str) -> None:
    """Times are texts, and the token says its tenant, which az looks for."""
    answer = wire.call(
        "GET",
        path,
        params={"api-version": "2019-08-01", "resource": BASE},
        headers={header: "true"},
    ).json
    claims = claims_of(wire, answer["access_token"], BASE)
    assert claims["tid"] == HOME_TENANT
    assert answer["expires_on"] == str(claims["exp"])
    assert answer["client_id"] == claims["appid"]
    assert (answer["resource"], answer["token_type"]) == (BASE, "Bearer")


@pytest.mark.parametrize(("path", "header"), WAYS)
def test_a_managed_identity_shows_the_header(
    wire: Wire, path: str, header: str
) -> None:
    """A redirected request cannot have it, and so gets no token."""
    result = wire.call("GET", path, params={"resource": BASE})
    assert result.status_code == 400
    assert result.json["error"] == "invalid_request"
    assert header in result.json["error_description"]
    result = wire.call("GET", path, headers={header: "true"})
    assert "'resource'" in result.json["error_description"]


def test_a_user_assigned_identity_is_the_same_by_each_of_its_names(wire: Wire) -> None:
    """Its resource id and its client id lead to one object."""

    def identity(**names: str) -> dict[str, Any]:
        answer = wire.call(
            "GET",
            IMDS,
            params={"resource": BASE, **names},
            headers={"Metadata": "true"},
        ).json
        return claims_of(wire, answer["access_token"], BASE)

    by_resource = identity(msi_res_id="/subscriptions/s/an/identity")
    assert by_resource["xms_mirid"] == "/subscriptions/s/an/identity"
    wanted = by_resource["oid"]
    assert identity(mi_res_id="/subscriptions/s/an/identity")["oid"] == wanted
    assert identity(client_id=by_resource["appid"])["oid"] == wanted
    assert identity(object_id=wanted.upper())["oid"] == wanted
    assert identity()["oid"] != wanted
