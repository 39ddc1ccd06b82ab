"""Signing in as clients do, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import falcon.testing
import jwt

from tests.wire.rig import HOST, Wire

BASE = f"http://{HOST}"
ARM_SCOPE = f"{BASE}/.default"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
MSI = "/msi/token"
IMDS = "/metadata/identity/oauth2/token"
PROGRAM: Mapping[str, str] = {
    "grant_type": "client_credentials",
    "client_id": "any-id",
    "client_secret": "any secret",
    "scope": ARM_SCOPE,
}
PERSON: Mapping[str, str] = {
    "grant_type": "password",
    "client_id": "az",
    "username": "me@example.com",
    "password": "any password",
    "scope": f"{ARM_SCOPE} openid offline_access",
}


def get(wire: Wire, url: str) -> falcon.testing.Result:
    """GET a URL, whole or below the base, with nothing added."""
    parts = urlsplit(url)
    return wire.client.simulate_get(parts.path, query_string=parts.query)


def post(wire: Wire, url: str, form: Mapping[str, str]) -> falcon.testing.Result:
    """POST a form, as every client of OAuth does."""
    return wire.client.simulate_post(
        urlsplit(url).path,
        body=urlencode(form),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )


def claims_of(wire: Wire, token: str, audience: str) -> dict[str, Any]:
    """Read a token the hard way: find its issuer's keys, and verify it with them."""
    issuer = jwt.decode(token, options={"verify_signature": False})["iss"]
    document = get(wire, f"{issuer}/.well-known/openid-configuration").json
    assert document["issuer"] == issuer
    keys = jwt.PyJWKSet.from_dict(get(wire, document["jwks_uri"]).json)
    key = keys[jwt.get_unverified_header(token)["kid"]]
    found: dict[str, Any] = jwt.decode(
        token, key, ["RS256"], audience=audience, issuer=issuer
    )
    return found


def token_for(
    wire: Wire, form: Mapping[str, str], url: str = "/adfs/oauth2/token"
) -> Any:  # noqa: ANN401 (JSON)
    """Sign in, and give the answer."""
    result = post(wire, url, form)
    assert result.status_code == 200, result.text
    return result.json
