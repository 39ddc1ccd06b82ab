"""Managed identities, as a program finds them inside App Service or a machine.

Both speak plain HTTP in Azure too, and both ask for a header that a web page or a
redirected request cannot send.
"""

from __future__ import annotations

from dataclasses import replace

import falcon

from api.arm.issuing import Mint
from api.arm.principals import (
    HOME_TENANT,
    Principal,
    application,
    object_id,
    user_assigned,
)
from api.context import base_url, query

SYSTEM_CLIENT = object_id("system-assigned identity")


class ManagedIdentity:
    """``GET /msi/token`` and ``GET /metadata/identity/oauth2/token``.

    The first is what ``IDENTITY_ENDPOINT`` names in App Service, api-version
    2019-08-01, and wants ``X-IDENTITY-HEADER``; the second is a machine's metadata
    service, and wants ``Metadata``. Any value of them is the right one.
    """

    def __init__(self, mint: Mint, header: str) -> None:
        self._mint = mint
        self._header = header

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Issue a token; azure-identity first asks without the header, as a probe."""
        audience = query(req, "resource")
        if req.get_header(self._header) is None:
            _refuse(resp, f"Required header {self._header} not specified")
        elif not audience:
            _refuse(resp, "Required query variable 'resource' is missing")
        else:
            resp.media = self._answer(req, audience)

    def _answer(self, req: falcon.Request, audience: str) -> dict[str, str]:
        """Give the members of both; all are texts, as in Azure."""
        who = _identity(req)
        issued = self._mint.issue(who, f"{base_url(req)}/{who.tenant}", audience)
        token = issued.token
        return {
            "access_token": issued.text,
            "client_id": who.client_id,
            "expires_in": str(token.lifetime_seconds),
            "expires_on": str(token.expires_at),
            "not_before": str(token.issued_at),
            "resource": audience,
            "token_type": "Bearer",
        }


def _identity(req: falcon.Request) -> Principal:
    """Give the identity that was asked for, by any of its names, or the system's.

    Source: "Use managed identities for App Service", and the same for machines,
    which say ``object_id`` and ``msi_res_id``.
    """
    resource_id = query(req, "mi_res_id") or query(req, "msi_res_id")
    if resource_id:
        return user_assigned(resource_id)
    who = application(HOME_TENANT, query(req, "client_id") or SYSTEM_CLIENT)
    asked = query(req, "object_id") or query(req, "principal_id")
    return replace(who, object_id=asked.lower()) if asked else who


def _refuse(resp: falcon.Response, why: str) -> None:
    resp.status = falcon.HTTP_400
    resp.media = {"error": "invalid_request", "error_description": why}
