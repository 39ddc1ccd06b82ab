"""``…/redis/{name}/accessPolicyAssignments``: who may do what a policy allows.

Source: RedisCacheAccessPolicyAssignment, api-version 2024-11-01, and recorded
answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import falcon
from pydantic import Field

from api import lro
from api.errors import Detail
from api.fields import Body
from api.forms import Form
from api.mistakes import BAD_REQUEST, invalid, refusal
from api.parts import Parts
from api.redis import access_policies, children
from api.redis.children import Kind
from controller.children import AccessPolicyAssignment, spelled, with_child
from controller.model import Record, Work
from controller.spec import CacheSpec

NAME = Form(
    pattern="[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]",
    least=3,
    most=63,
    hint="It has 3 to 63 letters, digits and hyphens, and begins and ends with a "
    "letter or digit",
)
KIND: Kind[AccessPolicyAssignment] = Kind(
    "access_policy_assignments",
    "accessPolicyAssignments",
    NAME,
    "accessPolicyAssignmentName",
)

OBJECT_ID = Form(
    pattern="[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    any_case=True,
    hint="It is the object id of an Entra principal, a GUID",
)


class AssignmentProperties(Body):
    """Properties of an assignment."""

    object_id: Annotated[str, OBJECT_ID]
    object_id_alias: Annotated[str, Field(min_length=1)]
    access_policy_name: str


class AssignmentBody(Body):
    """Body of a PUT."""

    properties: AssignmentProperties


class AccessPolicyAssignmentCollection:
    """``…/accessPolicyAssignments``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(self, _req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """List them, in the order in which they were created."""
        record = children.parent(self._parts, path)
        assignments = KIND.of(record).items()
        resp.media = {"value": [_shown(record, *each) for each in assignments]}


class AccessPolicyAssignmentResource:
    """``…/accessPolicyAssignments/{child}``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(self, _req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """Read it."""
        resp.media = _shown(*children.find(self._parts, path, KIND))

    def on_put(self, req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """Create or change it; 201 in either case, as recorded."""
        children.parent(self._parts, path)
        name = path["child"]
        asked = children.read(req, AssignmentBody, *KIND.mistakes(path)).properties
        assignment = AccessPolicyAssignment(
            object_id=asked.object_id,
            object_id_alias=asked.object_id_alias,
            policy=asked.access_policy_name,
        )

        def change(old: Record) -> CacheSpec:
            found = list(_mistakes(old, name, assignment))
            if found:
                raise refusal(found)
            return KIND.replaced(old, with_child(KIND.of(old), name, assignment))

        record = children.write(self._parts, req, children.cache_key(path), change)
        resp.status = falcon.HTTP_201
        lro.start_operation(
            req, resp, record.spec.location, leads_to=lro.Target.OPERATION
        )
        name = spelled(KIND.of(record), name)
        resp.media = _shown(record, name, assignment, state=Work.UPDATING)

    def on_delete(
        self, req: falcon.Request, resp: falcon.Response, **path: str
    ) -> None:
        """Remove it, 202; 204 if there is none."""
        record = children.drop(self._parts, req, path, KIND)
        if record is None:
            resp.status = falcon.HTTP_204
            return
        resp.status = falcon.HTTP_202
        lro.start_operation(
            req, resp, record.spec.location, leads_to=lro.Target.OPERATION
        )


def _mistakes(
    record: Record, name: str, asked: AccessPolicyAssignment
) -> Iterator[Detail]:
    """Find what only the cache can tell: no such policy, or a second one for a user."""
    policies = access_policies.all_of(record)
    if spelled(policies, asked.policy) not in policies:
        known = ", ".join(f"'{each}'" for each in policies)
        yield invalid(
            "properties.accessPolicyName",
            f"There is no access policy '{asked.policy}'; there are {known}.",
        )
    others = [
        other
        for other, each in KIND.of(record).items()
        if each.object_id.lower() == asked.object_id.lower()
        and other.lower() != name.lower()
    ]
    if others:
        # The service says so of a second policy too: one is all that a user can have.
        yield Detail(
            BAD_REQUEST,
            "An invalid access policy assignment was detected due to duplicate "
            "entries. Please review and ensure that each assignment has a unique "
            "combination of assignmentName, policyName and ObjectId to avoid such "
            f"duplicates. This ObjectId is in the assignment '{others[0]}' already.",
            "properties.objectId",
        )


def _shown(
    record: Record,
    name: str,
    assignment: AccessPolicyAssignment,
    *,
    state: str | None = None,
) -> dict[str, Any]:
    return KIND.shown(
        record.key,
        name,
        {
            "provisioningState": state or children.state(record),
            "accessPolicyName": assignment.policy,
            "objectId": assignment.object_id,
            "objectIdAlias": assignment.object_id_alias,
        },
    )
