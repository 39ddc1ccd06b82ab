"""Answers of Microsoft.Cache, for the document; `api.redis` renders them.

What an older api-version leaves out has a default. Source: recorded answers.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from api.openapi.shape import Resource, Shown
from api.redis.access_policy_assignments import AssignmentProperties
from api.redis.firewall_rules import RuleProperties
from api.redis.linked_servers import LinkProperties
from api.redis.patch_schedules import ScheduleProperties
from api.redis.private_endpoints import ConnectionProperties, EndpointBody
from api.redis.schema import Access, Channel, SkuBody, TlsVersion, ZonalPolicy
from controller.model import Work
from controller.operations import OperationState

CLOSED = ConfigDict(extra="forbid")

# Of a cache or a child of it; what a cache is doing is named in `Work`.
State = Annotated[
    str, Field(json_schema_extra={"enum": [*Work, "Succeeded", "Failed"]})
]


class AccessKeys(Shown):
    """Both keys of a cache, readable."""

    primary_key: str
    secondary_key: str


class Instance(Shown):
    """One node of a cache; nothing listens at its ports."""

    ssl_port: int
    non_ssl_port: int | None = None
    zone: str | None = None
    shard_id: int | None = None
    is_master: bool | None = None
    is_primary: bool | None = None


class Linked(Shown):
    """A link to another cache, by its id."""

    id: str


class UserIdentity(Shown):
    """A user-assigned identity."""

    principal_id: str
    client_id: str


class CacheIdentity(Shown):
    """The identities of a cache."""

    type: str
    principal_id: str | None = None
    tenant_id: str | None = None
    user_assigned_identities: dict[str, UserIdentity] | None = None


class PrivateEndpointConnectionProperties(ConnectionProperties):
    """Properties of a connection."""

    model_config = CLOSED

    private_endpoint: EndpointBody
    provisioning_state: Literal["Succeeded"]


class PrivateEndpointConnection(Resource):
    """A private endpoint's connection to a cache."""

    properties: PrivateEndpointConnectionProperties


class CacheProperties(Shown):
    """Properties of a cache; its keys are in answers to PUT alone, else null."""

    provisioning_state: State
    redis_version: str
    sku: SkuBody
    enable_non_ssl_port: bool
    instances: list[Instance] | None = None
    minimum_tls_version: TlsVersion | None = None
    public_network_access: Access | None = None
    private_endpoint_connections: list[PrivateEndpointConnection] | None = None
    tenant_settings: dict[str, str] | None = None
    redis_configuration: dict[str, str]
    access_keys: AccessKeys | None
    host_name: str
    port: int
    ssl_port: int
    shard_count: int | None = None
    replicas_per_master: int | None = None
    linked_servers: list[Linked]
    replicas_per_primary: int | None = None
    update_channel: Channel | None = None
    zonal_allocation_policy: ZonalPolicy | None = None
    disable_access_key_authentication: bool | None = None
    subnet_id: str | None = None
    static_ip: Annotated[str | None, Field(alias="staticIP")] = None


class Cache(Resource):
    """A cache."""

    location: str
    tags: dict[str, str]
    properties: CacheProperties
    zones: list[str] | None = None
    identity: CacheIdentity | None = None


class FirewallRule(Resource):
    """A firewall rule of a cache."""

    properties: RuleProperties


class PatchSchedule(Resource):
    """When a cache may be patched."""

    location: str
    properties: ScheduleProperties


class LinkedServerProperties(LinkProperties):
    """Properties of a link."""

    model_config = CLOSED

    geo_replicated_primary_host_name: str
    primary_host_name: str
    provisioning_state: State


class LinkedServer(Resource):
    """A geo-replication link, as one of its two caches sees it."""

    properties: LinkedServerProperties


class AccessPolicyProperties(Shown):
    """Properties of an access policy."""

    permissions: str
    type: Literal["BuiltIn", "Custom"]
    provisioning_state: State


class AccessPolicy(Resource):
    """An access policy of a cache."""

    properties: AccessPolicyProperties


class AccessPolicyAssignmentProperties(AssignmentProperties):
    """Properties of an assignment."""

    model_config = CLOSED

    provisioning_state: State


class AccessPolicyAssignment(Resource):
    """Who may do what an access policy allows."""

    properties: AccessPolicyAssignmentProperties


class PrivateLinkResourceProperties(Shown):
    """Properties of what a private endpoint can be made for."""

    group_id: str
    required_members: list[str]
    required_zone_names: list[str]


class PrivateLinkResource(Resource):
    """What a private endpoint can be made for."""

    properties: PrivateLinkResourceProperties


class RebootMessage(Shown):
    """What becomes of a reboot."""

    message: str


class UpgradeNotification(Shown):
    """News of a cache's upgrades; there never are any."""

    name: str
    timestamp: str
    upsell_notification: dict[str, str]


class Display(Shown):
    """What a portal shows of a permission."""

    provider: str
    resource: str | None
    operation: str
    description: str


class Permission(Shown):
    """What somebody can be allowed to do."""

    name: str
    display: Display


class OperationError(Shown):
    """Why an operation did not succeed."""

    code: str
    message: str


class OperationResult(Shown):
    """How far an operation is."""

    id: str
    name: str
    status: OperationState


class OperationStatus(OperationResult):
    """How far an operation is, and why it failed."""

    start_time: str | None
    end_time: str | None
    percent_complete: float | None
    properties: dict[str, Any] | None
    error: OperationError | None
