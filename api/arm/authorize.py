"""Sign-in in a browser, without a page to see: the way back is taken at once."""

from __future__ import annotations

import html
from urllib.parse import urlencode, urlsplit

import falcon

from api.arm.openid import ADFS
from api.arm.principals import SOMEBODY
from api.arm.tokens import OAuthError, SignIn, refuse
from api.context import query

LOOPBACK = ("localhost", "127.0.0.1", "::1")

_FORM = """<!DOCTYPE html>
<title>Signing in</title>
<body onload="document.forms[0].submit()">
<form method="post" action="{action}">{fields}<button>Go on</button></form>
"""
_FIELD = '<input type="hidden" name="{name}" value="{value}">'


class Authorize:
    """``GET .../oauth2/authorize``, for clients that listen on loopback."""

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, tenant: str = ADFS
    ) -> None:
        """Send the browser back with a code for whoever ``login_hint`` names.

        Only to this machine: a code that any page could ask for is none.
        """
        del tenant
        back = query(req, "redirect_uri")
        if not _stays_here(back):
            refuse(
                resp,
                OAuthError(
                    "invalid_request",
                    50011,
                    f"The redirect URI '{back}' is not one on this machine. Use "
                    "http://localhost with any port.",
                ),
            )
            return
        sign_in = SignIn(query(req, "login_hint") or SOMEBODY, query(req, "nonce"))
        answer = {"code": sign_in.pack(), "state": query(req, "state")}
        if query(req, "response_mode") == "form_post":
            resp.content_type = falcon.MEDIA_HTML
            resp.text = _page(back, answer)
        else:
            resp.status = falcon.HTTP_302
            resp.location = f"{back}{'&' if '?' in back else '?'}{urlencode(answer)}"


def _stays_here(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
    except ValueError:  # brackets that hold no address
        return False
    return parts.scheme in {"http", "https"} and parts.hostname in LOOPBACK


def _page(action: str, answer: dict[str, str]) -> str:
    fields = "".join(
        _FIELD.format(name=name, value=html.escape(value))
        for name, value in answer.items()
    )
    return _FORM.format(action=html.escape(action), fields=fields)
