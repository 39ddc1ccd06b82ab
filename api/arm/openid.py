"""Authorities: where a tenant's tokens come from, and the documents that say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import falcon

from api.arm.signing import ALGORITHM, Signer
from api.context import base_url

ADFS = "adfs"  # what stands for a tenant in the URLs of a local federation server


@dataclass(frozen=True, slots=True)
class Authority:
    """One form of a tenant's URLs; ``version`` is ``/v2.0`` or empty."""

    prefix: str
    version: str

    @property
    def discovery(self) -> str:
        """Template of the OpenID configuration."""
        return f"{self.prefix}{self.version}/.well-known/openid-configuration"

    @property
    def keys(self) -> str:
        """Template of the key set."""
        return f"{self.prefix}/discovery{self.version}/keys"

    def endpoint(self, name: str) -> str:
        """Template of an OAuth endpoint: ``token``, ``authorize``, ``devicecode``."""
        return f"{self.prefix}/oauth2{self.version}/{name}"

    def issuer(self, req: falcon.Request, tenant: str) -> str:
        """Name who signs, as discovery and the claim ``iss`` have to agree on it."""
        return self.url(req, self.prefix + self.version, tenant)

    def url(self, req: falcon.Request, template: str, tenant: str) -> str:
        """Fill a template in, below the address that the client used."""
        return base_url(req) + template.replace("{tenant}", quote(tenant, safe=""))


# azurerm puts the tenant behind whatever login endpoint it is told, ``/adfs`` too;
# ``/adfs`` itself is there so that no ``v2.0`` below it is taken for a tenant.
AUTHORITIES = tuple(
    Authority(prefix, version)
    for prefix in ("/{tenant}", "/adfs", "/adfs/{tenant}")
    for version in ("", "/v2.0")
)


class Discovery:
    """``.../.well-known/openid-configuration``."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    def on_get(
        self, req: falcon.Request, resp: falcon.Response, tenant: str = ADFS
    ) -> None:
        """Tell a client where to go. Source: OpenID Connect Discovery 1.0."""

        def url(template: str) -> str:
            return self._authority.url(req, template, tenant)

        endpoint = self._authority.endpoint
        resp.media = {
            "issuer": self._authority.issuer(req, tenant),
            "authorization_endpoint": url(endpoint("authorize")),
            "token_endpoint": url(endpoint("token")),
            "device_authorization_endpoint": url(endpoint("devicecode")),
            "jwks_uri": url(self._authority.keys),
            **_abilities(),
        }


class Keys:
    """``.../discovery/keys``."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def on_get(
        self, _req: falcon.Request, resp: falcon.Response, tenant: str = ADFS
    ) -> None:
        """Give the public keys, which are the same for every tenant."""
        del tenant
        resp.media = self._signer.keys


def _abilities() -> dict[str, Any]:
    return {
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "scopes_supported": ["openid", "profile", "offline_access"],
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "private_key_jwt",
        ],
    }
