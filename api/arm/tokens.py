"""OAuth token endpoints: every login succeeds, whatever the secret.

A code, a device code and a refresh token hold the sign-in name themselves, so that
one given out before a restart is worth as much after it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import parse_qsl

import falcon
from jwt.utils import base64url_decode, base64url_encode

from api.arm.issuing import Issued, Mint
from api.arm.openid import ADFS, Authority
from api.arm.principals import (
    PUBLIC_CLIENT,
    SOMEBODY,
    Principal,
    application,
    person,
)
from api.body import MOST_BYTES
from api.context import base_url

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
DEVICE_CODE_SECONDS = 900
SIGN_IN = "emulator"  # the mark of a `SignIn` in its packed form
SIGN_IN_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})


class OAuthError(Exception):
    """A refusal in the words of OAuth and Entra; ``number`` is that of AADSTS."""

    def __init__(self, error: str, number: int, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.number = number


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a code or a refresh token stands for."""

    user: str = SOMEBODY
    nonce: str = ""

    def pack(self) -> str:
        """Give the text to hand out."""
        text = f"{SIGN_IN}\n{self.user}\n{self.nonce}"
        return base64url_encode(text.encode()).decode()

    @classmethod
    def unpack(cls, text: str) -> SignIn:
        """Read what `pack` made; any other text stands for somebody."""
        try:
            lines = base64url_decode(text).decode().split("\n")
        except ValueError:  # neither base64 nor UTF-8
            return cls()
        match lines:
            case [mark, user, nonce] if mark == SIGN_IN:
                return cls(user, nonce)
            case _:
                return cls()


class TokenEndpoint:
    """``POST .../oauth2/token`` and ``.../oauth2/v2.0/token``."""

    def __init__(self, authority: Authority, mint: Mint) -> None:
        self._authority = authority
        self._mint = mint

    def on_post(
        self, req: falcon.Request, resp: falcon.Response, tenant: str = ADFS
    ) -> None:
        """Issue tokens for any client id, user and secret."""
        form = read_form(req)
        try:
            principal, nonce = _signed_in(form, tenant)
        except OAuthError as error:
            refuse(resp, error)
            return
        issued = self._mint.issue(
            principal,
            self._authority.issuer(req, tenant),
            _audience(form) or base_url(req),
        )
        resp.media = self._answer(issued, form, nonce)

    def _answer(
        self, issued: Issued, form: dict[str, str], nonce: str
    ) -> dict[str, Any]:
        token = issued.token
        answer: dict[str, Any] = {
            "token_type": "Bearer",
            "expires_in": token.lifetime_seconds,
            "ext_expires_in": token.lifetime_seconds,
            "access_token": issued.text,
        }
        if not self._authority.version:
            answer["expires_on"] = str(token.expires_at)
            answer["not_before"] = str(token.issued_at)
            answer["resource"] = token.audience
        who = token.principal
        if not who.user:
            return answer
        return answer | {
            "scope": form.get("scope", ""),
            "id_token": self._mint.identify(token, nonce),
            "refresh_token": SignIn(who.user).pack(),
            "client_info": _client_info(who),
        }


class DeviceCode:
    """``POST .../oauth2/devicecode``."""

    def on_post(
        self, req: falcon.Request, resp: falcon.Response, tenant: str = ADFS
    ) -> None:
        """Give a code that is good at once: nobody has to type it anywhere."""
        del tenant
        try:
            _required(read_form(req), "client_id")
        except OAuthError as error:
            refuse(resp, error)
            return
        resp.media = {
            "device_code": SignIn().pack(),
            "user_code": "EMULATOR",
            "verification_uri": base_url(req),
            "expires_in": DEVICE_CODE_SECONDS,
            "interval": 1,
            "message": f"The emulator signs you in as {SOMEBODY}; nothing to do.",
        }


def read_form(req: falcon.Request) -> dict[str, str]:
    """Read a form, empty values included; of a repeated field the last counts."""
    raw = req.bounded_stream.read(MOST_BYTES)
    return dict(parse_qsl(raw.decode(errors="replace"), keep_blank_values=True))


def refuse(resp: falcon.Response, error: OAuthError) -> None:
    """Answer in the envelope of OAuth, which is not that of ARM."""
    resp.status = falcon.HTTP_400
    resp.media = {
        "error": error.error,
        "error_description": f"AADSTS{error.number}: {error}",
        "error_codes": [error.number],
    }


def _signed_in(form: dict[str, str], tenant: str) -> tuple[Principal, str]:
    """Give who asks, and the nonce that their ID token has to repeat."""
    match _required(form, "grant_type"):
        case "client_credentials":
            return application(tenant, _required(form, "client_id")), ""
        case "password":
            found = SignIn(_required(form, "username"))
        case "refresh_token":
            found = SignIn.unpack(_required(form, "refresh_token"))
        case "authorization_code":
            found = SignIn.unpack(_required(form, "code"))
        case grant if grant == DEVICE_CODE:
            found = SignIn.unpack(_required(form, "device_code"))
        case other:
            _unsupported(other)
    client_id = form.get("client_id") or PUBLIC_CLIENT
    return person(tenant, client_id, found.user), found.nonce


def _required(form: dict[str, str], name: str) -> str:
    if form.get(name):
        return form[name]
    raise OAuthError(
        "invalid_request",
        900144,
        f"The request body must contain the following parameter: '{name}'.",
    )


def _unsupported(grant: str) -> NoReturn:
    raise OAuthError(
        "unsupported_grant_type",
        70003,
        f"The app requested an unsupported grant type '{grant}'.",
    )


def _audience(form: dict[str, str]) -> str:
    """Give whom a token is for; empty if the form does not say.

    ``resource`` names it, or a scope such as ``https://redis.azure.com/.default``.
    """
    if form.get("resource"):
        return form["resource"]
    for scope in form.get("scope", "").split():
        if scope not in SIGN_IN_SCOPES:
            return scope.rpartition("/")[0] or scope
    return ""


def _client_info(who: Principal) -> str:
    """Tell MSAL under which account to keep the tokens."""
    info = json.dumps({"uid": who.object_id, "utid": who.tenant})
    return base64url_encode(info.encode()).decode()
