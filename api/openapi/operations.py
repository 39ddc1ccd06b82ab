"""What an operation of the document is, and the parameters that operations share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from api import names, versions
from api.arm.providers import NAMESPACE
from api.arm.scopes import HOME_SUBSCRIPTION
from api.redis import (
    access_policies,
    access_policy_assignments,
    firewall_rules,
    private_endpoints,
)

POLL = "Azure-AsyncOperation"
LOCATION = "Location"

TEXT: Mapping[str, Any] = {"type": "string", "minLength": 1}
# More resources than any list has.
COUNT: Mapping[str, Any] = {"type": "integer", "minimum": 0, "maximum": 999_999}

# Schema and example of what stands in paths, by the names that Azure gives it.
IN_PATHS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "subscriptionId": (names.SUBSCRIPTION.json_schema, HOME_SUBSCRIPTION),
    "resourceGroupName": (names.GROUP.json_schema, "my-group"),
    "name": (names.CACHE.json_schema, "my-cache"),
    "ruleName": (firewall_rules.NAME.json_schema, "my_rule"),
    "linkedServerName": (names.CACHE.json_schema, "my-replica"),
    "accessPolicyName": (access_policies.NAME.json_schema, "My policy"),
    "accessPolicyAssignmentName": (
        access_policy_assignments.NAME.json_schema,
        "my-assignment",
    ),
    "privateEndpointConnectionName": (
        private_endpoints.NAME.json_schema,
        "my-connection",
    ),
    "resourceProviderNamespace": (NAMESPACE.json_schema, "Microsoft.Cache"),
    "location": (TEXT, "West Europe"),
    "operationId": (TEXT, "00000000-0000-0000-0000-00000000000a"),
    "aliasName": (TEXT, "my-alias"),
}

# The ``api-version``, by the name that the document has for the parameter.
VERSIONS: Mapping[str, Mapping[str, Any]] = {
    "versionOfCache": {
        "type": "string",
        "enum": [*versions.KNOWN],
        "default": versions.NEWEST_STABLE,
        "description": "Later dates are accepted too, and answered like the newest.",
    },
    # Of a polled result, which had no body before.
    "versionOfResult": {
        "type": "string",
        "enum": [each for each in versions.KNOWN if versions.results_have_bodies(each)],
        "default": versions.NEWEST_STABLE,
    },
    "versionOfArm": {
        "type": "string",
        "format": "date",
        "description": "Any date; previews have '-preview' behind it.",
        "examples": [*versions.ARM_EXAMPLES],
    },
}


@dataclass(frozen=True, slots=True)
class Query:
    """A query parameter besides ``api-version``."""

    name: str
    schema: Mapping[str, Any]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: what its body is, `None` for an empty one, and its own headers.

    ``followed_by`` names the operation that tells what becomes of the request.
    """

    model: type[BaseModel] | None = None
    headers: tuple[str, ...] = ()
    followed_by: str = ""


EMPTY = Answer()


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the tables: what is asked for, and what can come back.

    ``path`` is that of a route in the casing of Azure; ``errors`` are the statuses
    that not every operation has; ``version`` is a name in `VERSIONS`.
    """

    name: str
    method: str
    path: str
    answers: Mapping[int, Answer]
    body: type[BaseModel] | None = None
    query: tuple[Query, ...] = ()
    errors: tuple[int, ...] = ()
    version: str = "versionOfCache"

    @property
    def statuses(self) -> Iterable[int]:
        """The statuses of refusals: by the gateway, and by the operation."""
        writes = self.method in {"PUT", "PATCH", "POST", "DELETE"}
        found = {400, 401, 403, 421, 500, *self.errors}
        found |= {404} if "{" in self.path else set()
        found |= {415} if writes else set()
        found |= {413} if self.body is not None else set()
        return sorted(found)
