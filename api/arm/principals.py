"""Who signs in, and what their tokens claim; pure.

Nobody is refused, so an identity follows from its name alone: the same client id or
user name is the same object, on every machine and after every restart.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, replace
from typing import Any

HOME_TENANT = "00000000-0000-0000-0000-000000000002"

# Client id of az, the usual one of those who sign in a person.
PUBLIC_CLIENT = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
SOMEBODY = "developer@emulator.localhost"

_OBJECTS = uuid.UUID("6f0a4d1c-53c7-4c0e-9a51-0d5b6f2b7e11")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """One identity; ``user`` is the sign-in name of a person, empty for a program."""

    tenant: str
    client_id: str
    object_id: str
    user: str = ""
    resource_id: str = ""  # of a managed identity that was asked for by it


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token before it is signed; ``issued_at`` is in seconds of Unix time."""

    principal: Principal
    issuer: str
    audience: str
    issued_at: int
    lifetime_seconds: int

    @property
    def expires_at(self) -> int:
        """When it ceases to be valid, in seconds of Unix time."""
        return self.issued_at + self.lifetime_seconds


def is_guid(text: str) -> bool:
    """Tell whether a text is a GUID in the form of ARM."""
    return _GUID.fullmatch(text) is not None


def object_id(name: str) -> str:
    """Give the object id of a client id, a user name, or any other name."""
    return str(uuid.uuid5(_OBJECTS, name.lower()))


def tenant_id(name: str) -> str:
    """Give the tenant that a URL names: ``common``, ``adfs``, a domain are the home."""
    return name.lower() if is_guid(name) else HOME_TENANT


def application(tenant: str, client_id: str) -> Principal:
    """Give the service principal of a client id."""
    return Principal(
        tenant=tenant_id(tenant), client_id=client_id, object_id=object_id(client_id)
    )


def user_assigned(resource_id: str) -> Principal:
    """Give the managed identity of a resource id; its client id leads to it too."""
    who = application(HOME_TENANT, object_id(f"{resource_id}/clientId"))
    return replace(who, resource_id=resource_id)


def person(tenant: str, client_id: str, user: str) -> Principal:
    """Give the user of a sign-in name, signed in by the program ``client_id``."""
    return Principal(
        tenant=tenant_id(tenant),
        client_id=client_id,
        object_id=object_id(user),
        user=user,
    )


def access_claims(token: Token) -> dict[str, Any]:
    """Claim what ARM clients read. Source: Entra's access token reference, v1.0.

    azurerm is strict about types: ``aud`` is a text, ``roles`` a list, and the times
    are whole numbers.
    """
    who = token.principal
    claims = _common_claims(token) | {
        "aud": token.audience,
        "appid": who.client_id,
        "appidacr": "0" if who.user else "1",
        "idp": token.issuer,
        "idtyp": "user" if who.user else "app",
        "ver": "1.0",
    }
    if who.user:
        return claims | _names(who.user) | {"scp": "openid user_impersonation"}
    if who.resource_id:
        claims["xms_mirid"] = who.resource_id
    return claims | {"roles": []}


def id_claims(token: Token, nonce: str) -> dict[str, Any]:
    """Claim who signed in. Source: Entra's ID token reference, v2.0."""
    who = token.principal
    claims = _common_claims(token) | {"aud": who.client_id, "ver": "2.0"}
    if nonce:
        claims["nonce"] = nonce
    return claims | _names(who.user) | {"preferred_username": who.user}


def _common_claims(token: Token) -> dict[str, Any]:
    return {
        "iss": token.issuer,
        "iat": token.issued_at,
        "nbf": token.issued_at,
        "exp": token.expires_at,
        "oid": token.principal.object_id,
        "sub": token.principal.object_id,
        "tid": token.principal.tenant,
    }


def _names(user: str) -> dict[str, str]:
    return {"name": user.partition("@")[0], "unique_name": user, "upn": user}
