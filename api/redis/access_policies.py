"""``…/redis/{name}/accessPolicies``: the three built-in ones, and custom ones.

Source: RedisCacheAccessPolicy, api-version 2024-11-01, and recorded answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import falcon
from pydantic import AfterValidator, Field

from api import lro
from api.errors import ArmError, Detail
from api.fields import Body
from api.forms import Form
from api.mistakes import BAD_REQUEST, invalid, refusal
from api.parts import Parts
from api.redis import children
from api.redis.children import Kind
from controller import acl_rules
from controller.acl_rules import BUILT_IN
from controller.children import AccessPolicy, spelled, without
from controller.errors import BusyError, TransientError
from controller.model import Record, Work
from controller.spec import CacheSpec

NAME = Form(
    pattern="[A-Za-z0-9][A-Za-z0-9 -]*[A-Za-z0-9]",
    least=3,
    most=63,
    hint="It has 3 to 63 letters, digits, hyphens and spaces, and begins and ends "
    "with a letter or digit",
)
KIND: Kind[AccessPolicy] = Kind(
    "access_policies", "accessPolicies", NAME, "accessPolicyName"
)


# As most are written: what commands, and then which keys. Others are accepted too.
_RULE = rf"[+-](@({acl_rules.CATEGORIES})|[A-Za-z0-9_-]+(\|[A-Za-z0-9_-]+)?)"
_USUAL = rf"^{_RULE}( {_RULE})*( ~[^ ~]+)*( allkeys)?$"


def _permissions(value: str) -> str:
    found = list(acl_rules.mistakes(value))
    if found:
        raise ValueError("; ".join(found[:5]))
    return acl_rules.complete(value)


class PolicyProperties(Body):
    """Properties of a policy."""

    permissions: Annotated[
        str, AfterValidator(_permissions), Field(json_schema_extra={"pattern": _USUAL})
    ]


class PolicyBody(Body):
    """Body of a PUT."""

    properties: PolicyProperties


class AccessPolicyCollection:
    """``…/accessPolicies``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(self, _req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """List them, the built-in ones first."""
        record = children.parent(self._parts, path)
        policies = all_of(record).items()
        resp.media = {"value": [_shown(record, *each) for each in policies]}


class AccessPolicyResource:
    """``…/accessPolicies/{child}``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(self, _req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """Read it."""
        record = children.parent(self._parts, path)
        name = spelled(all_of(record), path["child"])
        if name not in all_of(record):
            raise children.missing()
        resp.media = _shown(record, name, all_of(record)[name])

    def on_put(self, req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """Create or change it; 201 in either case, as recorded."""
        parent = children.parent(self._parts, path)
        body = children.read(req, PolicyBody, *_name_mistakes(path))
        policy = AccessPolicy(permissions=body.properties.permissions)
        _check_judgement(self._parts, parent, policy)
        record = children.put(self._parts, req, path, KIND, policy)
        resp.status = falcon.HTTP_201
        lro.start_operation(
            req, resp, record.spec.location, leads_to=lro.Target.OPERATION
        )
        name = spelled(KIND.of(record), path["child"])
        resp.media = _shown(record, name, policy, state=Work.UPDATING)

    def on_delete(
        self, req: falcon.Request, resp: falcon.Response, **path: str
    ) -> None:
        """Remove it, 202; 204 if there is none."""
        key, name = children.cache_key(path), path["child"]
        found = tuple(_name_mistakes(path))
        if found:
            raise refusal(found)
        if not KIND.there(self._parts.store.get(key), name):
            resp.status = falcon.HTTP_204
            return

        def change(old: Record) -> CacheSpec:
            _check_unused(old, name)
            return KIND.replaced(old, without(KIND.of(old), name))

        record = children.write(self._parts, req, key, change)
        record = children.gone(self._parts, record)
        resp.status = falcon.HTTP_202
        lro.start_operation(
            req, resp, record.spec.location, leads_to=lro.Target.OPERATION
        )


def all_of(record: Record) -> Mapping[str, AccessPolicy]:
    """Give every policy that can be assigned, the built-in ones first."""
    return {**BUILT_IN, **record.spec.access_policies}


def _is_built_in(name: str) -> bool:
    return spelled(BUILT_IN, name) in BUILT_IN


def _built_in(name: str) -> Detail:
    """Say that a policy cannot be changed; the words are ours."""
    return Detail(
        BAD_REQUEST,
        f"The access policy '{name}' is built in, so that it can neither be changed "
        "nor deleted. Create a custom one under another name.",
        "accessPolicyName",
    )


def _name_mistakes(path: children.Path) -> Iterator[Detail]:
    yield from KIND.mistakes(path)
    if _is_built_in(path["child"]):
        yield _built_in(path["child"])


def _check_unused(record: Record, name: str) -> None:
    """Refuse to take a policy from its users; the words are ours."""
    users = [
        user
        for user, each in record.spec.access_policy_assignments.items()
        if each.policy.lower() == name.lower()
    ]
    if users:
        raise ArmError(
            400,
            BAD_REQUEST,
            f"The access policy '{name}' cannot be deleted while it is assigned. "
            f"Delete these access policy assignments first: {', '.join(users)}.",
        )


def _check_judgement(parts: Parts, record: Record, policy: AccessPolicy) -> None:
    """Refuse what the cache's server does not take; the words are its own and ours."""
    if record.busy:
        raise BusyError(record.key)  # its server may not be there, or not for long
    try:
        with parts.seat():
            words = parts.judge(record.key, policy.permissions)
    except TransientError as error:
        raise _not_judged(error) from error
    if words is not None:
        why = f"The server of the cache does not take it: {words.rstrip('.')}."
        raise refusal([invalid("properties.permissions", why)])


def _not_judged(error: TransientError) -> ArmError:
    """Say that nothing was changed, why, and what to do."""
    return ArmError(
        504,
        "GatewayTimeout",
        "The gateway did not receive a response from 'Microsoft.Cache' within the "
        "specified time period. Nothing was changed: the cache's server has to say "
        "whether it knows the commands in 'properties.permissions', and it could not "
        f"be asked: {str(error).rstrip('.')}. Send the request again when the cache "
        "is 'Succeeded'.",
        gateway=True,
    )


def _shown(
    record: Record, name: str, policy: AccessPolicy, *, state: str | None = None
) -> dict[str, Any]:
    """Render one; those that are built in are there, whatever the cache is doing."""
    built_in = name in BUILT_IN
    current = "Succeeded" if built_in else children.state(record)
    return KIND.shown(
        record.key,
        name,
        {
            "permissions": policy.permissions,
            "type": "BuiltIn" if built_in else "Custom",
            "provisioningState": state or current,
        },
    )
