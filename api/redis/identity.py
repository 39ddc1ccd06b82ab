"""Managed identities of a cache: what a request asks for, and what it gets.

Source: ManagedServiceIdentity of the common types, v4; answers as recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, model_validator

from api.arm.principals import HOME_TENANT, user_assigned
from api.fields import Body, any_case
from api.forms import Form

IdentityType = Literal[
    "None", "SystemAssigned", "UserAssigned", "SystemAssigned, UserAssigned"
]

RESOURCE_ID = Form(
    pattern="/subscriptions/[^/]+/resourceGroups/[^/]+/providers"
    r"/Microsoft\.ManagedIdentity/userAssignedIdentities/[^/]+",
    any_case=True,
    hint="It is the resource id of a user-assigned identity: /subscriptions/{id}/"
    "resourceGroups/{name}/providers/Microsoft.ManagedIdentity/"
    "userAssignedIdentities/{name}",
)


def _spaced(value: object) -> object:
    """Let both forms of the pair pass: with a space behind the comma and without."""
    if isinstance(value, str):
        return ", ".join(part.strip() for part in value.split(","))
    return value


class Identity(Body):
    """The identities of a cache as a request has them; ``None`` removes all."""

    type: Annotated[IdentityType, any_case(IdentityType), BeforeValidator(_spaced)]
    user_assigned_identities: dict[Annotated[str, RESOURCE_ID], dict[str, Any]] = {}  # noqa: RUF012 (pydantic copies it)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if ("UserAssigned" in self.type) != bool(self.user_assigned_identities):
            raise ValueError(
                "'userAssignedIdentities' names at least one identity if 'type' has "
                "UserAssigned, else none"
            )
        return self


def granted(
    asked: Identity, old: Mapping[str, Any] | None, fresh: str
) -> Mapping[str, Any] | None:
    """Give the identity of the answer; `None`: the cache has none.

    The system-assigned principal stays as long as it is not removed; ``fresh`` is the
    id of one that is added. A user-assigned one follows from its resource id.
    """
    if asked.type == "None":
        return None
    result: dict[str, Any] = {"type": asked.type}
    if asked.type.startswith("SystemAssigned"):
        kept = (old or {}).get("principalId")
        result["principalId"] = kept or fresh
        result["tenantId"] = HOME_TENANT
    if asked.user_assigned_identities:
        result["userAssignedIdentities"] = {
            each: {"principalId": who.object_id, "clientId": who.client_id}
            for each in asked.user_assigned_identities
            for who in (user_assigned(each),)
        }
    return result
