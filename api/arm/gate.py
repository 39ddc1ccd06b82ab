"""Middleware: names that can be, and in strict mode what has to be there."""

from __future__ import annotations

import falcon

from api.arm.scopes import Scopes
from api.context import base_url
from api.errors import ArmError
from api.names import check_group, check_subscription

ARM = ("/subscriptions", "/tenants", "/providers")  # all the rest is open to everybody
SUBSCRIPTION = "/subscriptions/{subscription}"
GROUP = SUBSCRIPTION + "/resourcegroups/{group}"
CREATES = ("PUT", "PATCH")


class Gate:
    """Looks at the token, the subscription and the group; see Note [Scopes]."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes

    def process_resource(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        _resource: object,
        params: dict[str, str],
    ) -> None:
        """Refuse with ARM's own errors; nothing below was looked at."""
        template = req.uri_template or ""
        if not template.startswith(ARM):
            return
        if self._scopes.strict:
            _require_token(req, resp)
        if template.startswith(SUBSCRIPTION):
            check_subscription(params["subscription"])
            self._scopes.require_subscription(params["subscription"])
        if template.startswith(GROUP):
            check_group(params["subscription"], params["group"])
        if template.startswith(f"{GROUP}/"):
            self._scopes.require_group(
                params["subscription"], params["group"], writes=req.method in CREATES
            )


def _require_token(req: falcon.Request, resp: falcon.Response) -> None:
    """Ask for a bearer token, whoever issued it and whatever it says."""
    match (req.get_header("Authorization") or "").split():
        case []:
            code, why = "AuthenticationFailed", "is missing."
        case [scheme, _] if scheme.lower() == "bearer":
            return
        case _:
            code = "AuthenticationFailedInvalidHeader"
            why = "is provided in an invalid format."
    resp.set_header(
        "WWW-Authenticate", f'Bearer authorization_uri="{base_url(req)}/adfs"'
    )
    message = f"Authentication failed. The 'Authorization' header {why}"
    raise ArmError(401, code, message, gateway=True)
