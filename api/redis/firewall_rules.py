"""``…/redis/{name}/firewallRules``: stored and shown; nothing enforces them.

Source: RedisFirewallRule, api-version 2024-11-01, and recorded answers.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any
from urllib.parse import quote

import falcon
from pydantic import Field, ValidationInfo, field_validator

from api.context import api_version, base_url
from api.fields import Address, Body
from api.forms import Form
from api.parts import Parts
from api.redis import children
from api.redis.children import Kind
from controller.children import FirewallRule
from controller.model import CacheKey

NAME = Form(
    pattern="[A-Za-z0-9_]*",
    least=1,
    most=256,
    hint="A rule's name has 1 to 256 letters, digits and underscores",
)
KIND: Kind[FirewallRule] = Kind("firewall_rules", "firewallRules", NAME, "ruleName")


class RuleProperties(Body):
    """The ends of a range of addresses."""

    start_ip: Annotated[Address, Field(alias="startIP")]
    end_ip: Annotated[Address, Field(alias="endIP")]

    @field_validator("end_ip")
    @classmethod
    def _not_before_start(cls, value: str, info: ValidationInfo) -> str:
        start = info.data.get("start_ip", value)
        if ipaddress.IPv4Address(value) < ipaddress.IPv4Address(start):
            raise ValueError(f"It is not below 'properties.startIP', {start}")
        return value


class RuleBody(Body):
    """Body of a PUT."""

    properties: RuleProperties


class FirewallRuleCollection:
    """``…/firewallRules``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(self, _req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """List them, in the order in which they were created."""
        record = children.parent(self._parts, path)
        rules = KIND.of(record).items()
        resp.media = {"value": [_shown(record.key, *each) for each in rules]}


class FirewallRuleResource:
    """``…/firewallRules/{child}``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(self, _req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """Read it."""
        record, name, rule = children.find(self._parts, path, KIND)
        resp.media = _shown(record.key, name, rule)

    def on_put(self, req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """Create it, 201; or change it, 200."""
        there = KIND.there(children.parent(self._parts, path), path["child"])
        body = children.read(req, RuleBody, *KIND.mistakes(path))
        rule = FirewallRule(
            start_ip=body.properties.start_ip, end_ip=body.properties.end_ip
        )
        children.put(self._parts, req, path, KIND, rule)
        if not there:
            resp.status = falcon.HTTP_201
            version = quote(api_version(req))
            resp.location = f"{base_url(req)}{quote(req.path)}?api-version={version}"
        resp.media = _echoed(req, rule)

    def on_delete(
        self, req: falcon.Request, resp: falcon.Response, **path: str
    ) -> None:
        """Remove it, 200; 204 if there is none."""
        if children.drop(self._parts, req, path, KIND) is None:
            resp.status = falcon.HTTP_204


def _shown(parent: CacheKey, name: str, rule: FirewallRule) -> dict[str, Any]:
    body = KIND.shown(parent, name, _properties(rule))
    return body | {"name": f"{parent.name}/{name}"}


def _echoed(req: falcon.Request, rule: FirewallRule) -> dict[str, Any]:
    """Render it as PUT alone does: in the casing of the path, properties first."""
    segments = [segment for segment in req.path.split("/") if segment]
    *_, provider, cache_type, cache, kind, name = segments
    return {
        "properties": _properties(rule),
        "id": "/" + "/".join(segments),
        "name": f"{cache}/{name}",
        "type": f"{provider}/{cache_type}/{kind}",
    }


def _properties(rule: FirewallRule) -> dict[str, str]:
    return {"startIP": rule.start_ip, "endIP": rule.end_ip}
