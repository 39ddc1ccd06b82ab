"""Schemathesis against the document: every check, and sequences of operations too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import hypothesis
import schemathesis
from schemathesis import Case, HookContext
from schemathesis.config import SchemathesisConfig

from api.body import INT64
from api.openapi.operations import IN_PATHS
from tests.redis_requests import premium
from tests.wire.rig import Wire

EXAMPLES = {name: example for name, (_, example) in IN_PATHS.items()}
CACHES = (
    f"/subscriptions/{EXAMPLES['subscriptionId']}"
    f"/resourceGroups/{EXAMPLES['resourceGroupName']}/providers/Microsoft.Cache/redis"
)
CACHE = f"{CACHES}/{EXAMPLES['name']}"
REPLICA = f"{CACHES}/{EXAMPLES['linkedServerName']}"
# What is there before each attempt: the resources that the document has as examples.
CHILDREN: dict[str, dict[str, Any]] = {
    f"firewallRules/{EXAMPLES['ruleName']}": {
        "startIP": "10.0.0.1",
        "endIP": "10.0.0.9",
    },
    "patchSchedules/default": {
        "scheduleEntries": [{"dayOfWeek": "Monday", "startHourUtc": 3}]
    },
    f"accessPolicies/{EXAMPLES['accessPolicyName']}": {"permissions": "+get ~a*"},
    f"accessPolicyAssignments/{EXAMPLES['accessPolicyAssignmentName']}": {
        "objectId": "6497c918-11ad-41e7-1b0f-7c518a87d0b0",
        "objectIdAlias": "somebody",
        "accessPolicyName": EXAMPLES["accessPolicyName"],
    },
    f"privateEndpointConnections/{EXAMPLES['privateEndpointConnectionName']}": {
        "privateLinkServiceConnectionState": {"status": "Pending"}
    },
    f"linkedServers/{EXAMPLES['linkedServerName']}": {
        "linkedRedisCacheId": REPLICA,
        "linkedRedisCacheLocation": "West Europe",
        "serverRole": "Secondary",
    },
}

# Operations that refuse what their schema allows, and what it cannot say.
REFUSE = {
    "Redis_Create": "settings contradict each other, or the tier",
    "Redis_Update": "the same, or the cache cannot become like that",
    "Redis_Delete": "the cache is linked",
    "Redis_ForceReboot": "the cache has no such shard or port",
    "Redis_ImportData": "the tier cannot do it",
    "Redis_ExportData": "the tier cannot do it",
    "FirewallRules_CreateOrUpdate": "a range ends before it begins",
    "LinkedServer_Create": "the caches do not go together",
    "AccessPolicy_CreateUpdate": "the policy is built in",
    "AccessPolicy_Delete": "the policy is built in, or assigned",
    "AccessPolicyAssignment_CreateUpdate": "there is no such policy",
}
ACCEPTED = ["2xx", "404", "409"]
# Lists of a group that is there as soon as it is named, and so after its deletion too.
LISTS = ["Redis_ListByResourceGroup", "Resources_ListByResourceGroup"]

CONFIG: dict[str, Any] = {
    "generation": {
        "deterministic": True,
        "database": "none",
        "max-examples": 10,
        "allow-x00": False,  # no text may have it, which each schema would have to say
    },
    # Else what is sent would follow from random ids and keys in the answers before.
    "phases": {
        "fuzzing": {
            "extra-data-sources": {"responses": False},
            "error-feedback": {"enabled": False},
        },
        "stateful": {"link-calibration": False, "inference": {"algorithms": []}},
    },
    "dictionaries": {name: {"values": [value]} for name, value in EXAMPLES.items()},
    "parameters": {
        f"path.{name}": {"dictionary": name, "probability": 0.8} for name in EXAMPLES
    },
    "checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTED}},
    "operations": [
        {
            "include-operation-id": [*REFUSE],
            "checks": {
                "positive_data_acceptance": {"expected-statuses": [*ACCEPTED, "400"]}
            },
        },
        {
            "include-operation-id": LISTS,
            "checks": {"use_after_free": {"enabled": False}},
        },
    ],
}


class Api:
    """The WSGI application on a mocked store; each write is in place at once."""

    def __init__(self) -> None:
        self.renew()

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer a request, as WSGI has it."""
        return self._wire.client.app(environ, start_response)

    def renew(self) -> None:
        """Forget all that was done to it, so that one attempt is as the next."""
        self._wire = Wire(prompt=True)

    def populate(self) -> None:
        """Create the resources of the examples, if the cache is not there any more."""
        if self._wire.call("GET", CACHE).status_code == 200:
            return
        for path in (REPLICA, CACHE):
            made = self._wire.call("PUT", path, json=premium())
            assert made.status_code < 300, made.text
        for path, properties in CHILDREN.items():
            body = {"properties": properties}
            made = self._wire.call("PUT", f"{CACHE}/{path}", json=body)
            assert made.status_code < 300, made.text


API = Api()
DOCUMENT = schemathesis.openapi.from_wsgi(
    "/openapi.json", API, config=SchemathesisConfig.from_dict(CONFIG)
)


@DOCUMENT.hook
def map_body(_context: HookContext, body: Any) -> Any:  # noqa: ANN401 (any JSON)
    """Write numbers as clients do: no schema can say that others are refused."""
    match body:
        case int() if body not in INT64:
            return INT64[-1] if body > 0 else INT64[0]
        case float() if body.is_integer() and int(body) in INT64:
            return int(body)
        case dict():
            return {name: map_body(_context, each) for name, each in body.items()}
        case list():
            return [map_body(_context, each) for each in body]
        case _:
            return body


def test_the_document_is_valid() -> None:
    """It is OpenAPI 3.1 in form."""
    DOCUMENT.validate()


@DOCUMENT.parametrize()
def test_an_operation_does_what_is_written(case: Case[Any]) -> None:
    """Whatever is sent to it, as it should be or not."""
    API.populate()
    case.call_and_validate()


# With actions among them, a sequence would begin with nothing else.
LINKED = DOCUMENT.exclude(method="POST").as_state_machine()


class Sequence(LINKED):  # type: ignore[misc, valid-type]  # made at run time
    """Operations one after the other, along the links of the document."""

    rule_order_seed = 1

    def setup(self) -> None:
        """Begin with what the examples name, and nothing else."""
        API.renew()
        API.populate()


def test_sequences_of_operations_do_what_is_written() -> None:
    """What was created is there, and what was deleted is not."""
    settings = hypothesis.settings(
        Sequence.TestCase.settings,
        derandomize=True,
        database=None,
        max_examples=40,
        stateful_step_count=12,
    )
    Sequence.run(settings=settings)
