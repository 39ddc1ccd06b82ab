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

# What stands in paths: examples, and then schemas, by the names that Azure gives them.
EXAMPLES: Mapping[str, str] = {
    "subscriptionId": HOME_SUBSCRIPTION,
    "resourceGroupName": "my-group",
    "name": "my-cache",
    "ruleName": "my_rule",
    "linkedServerName": "my-replica",
    "accessPolicyName": "My policy",
    "accessPolicyAssignmentName": "my-assignment",
    "privateEndpointConnectionName": "my-connection",
    "resourceProviderNamespace": "Microsoft.Cache",
    "location": "West Europe",
    "operationId": "00000000-0000-0000-0000-00000000000a",
    "aliasName": "my-alias",
}
IN_PATHS: Mapping[str, Mapping[str, Any]] = {
    "subscriptionId": names.SUBSCRIPTION.json_schema,
    "resourceGroupName": names.GROUP.json_schema,
    "name": names.CACHE.json_schema,
    "ruleName": firewall_rules.NAME.json_schema,
    "linkedServerName": names.CACHE.json_schema,
    "accessPolicyName": access_policies.NAME.json_schema,
    "accessPolicyAssignmentName": access_policy_assignments.NAME.json_schema,
    "privateEndpointConnectionName": private_endpoints.NAME.json_schema,
    "resourceProviderNamespace": NAMESPACE.json_schema,
    "location": TEXT,
    "operationId": TEXT,
    "aliasName": TEXT,
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
