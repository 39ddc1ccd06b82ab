"""Answers of ARM itself, for the document; `api.arm` renders them."""

from __future__ import annotations

from typing import Literal

from api.openapi.cache_answers import CacheIdentity
from api.openapi.shape import Resource, Shown


class Detail(Shown):
    """One mistake of several; ``target`` is a path such as ``properties.sku``."""

    code: str
    message: str
    target: str


class ErrorBody(Shown):
    """Why a request was refused; errors of ARM itself have no ``target``."""

    code: str
    message: str
    target: None = None
    details: list[Detail] | None = None


class Error(Shown):
    """The envelope of every error."""

    error: ErrorBody


class Tenant(Shown):
    """A directory."""

    id: str
    tenant_id: str
    country_code: str
    display_name: str
    domains: list[str]
    default_domain: str
    tenant_category: str
    tenant_type: str


class SubscriptionPolicies(Shown):
    """What a subscription may spend."""

    location_placement_id: str
    quota_id: str
    spending_limit: str


class Subscription(Shown):
    """A subscription."""

    id: str
    subscription_id: str
    tenant_id: str
    display_name: str
    state: Literal["Enabled"]
    authorization_source: str
    managed_by_tenants: list[str]
    subscription_policies: SubscriptionPolicies


class AliasState(Shown):
    """Properties of an alias."""

    subscription_id: str
    provisioning_state: Literal["Succeeded"]


class Alias(Resource):
    """What a subscription was created by."""

    properties: AliasState


class RegionMetadata(Shown):
    """What kind of region it is."""

    region_type: str
    region_category: str


class ZoneMapping(Shown):
    """An availability zone of a region."""

    logical_zone: str
    physical_zone: str


class Region(Resource):
    """A region."""

    display_name: str
    regional_display_name: str
    metadata: RegionMetadata
    availability_zone_mappings: list[ZoneMapping] | None = None


class GroupState(Shown):
    """Properties of a resource group."""

    provisioning_state: Literal["Deleting", "Succeeded"]


class ResourceGroup(Resource):
    """A resource group."""

    location: str
    managed_by: str | None = None
    tags: dict[str, str]
    properties: GroupState


class GenericResource(Resource):
    """A resource of any type, without its properties."""

    location: str
    tags: dict[str, str]
    zones: list[str] | None = None
    identity: CacheIdentity | None = None


class ProviderZones(Shown):
    """The availability zones of a region, for a type of resources."""

    location: str
    zones: list[str]


class ResourceType(Shown):
    """A type of resources: where it can be had, and in which api-versions."""

    resource_type: str
    locations: list[str]
    zone_mappings: list[ProviderZones] | None = None
    api_versions: list[str]
    default_api_version: str | None = None
    capabilities: str


class Provider(Shown):
    """A resource provider, which is registered."""

    id: str
    namespace: str
    resource_types: list[ResourceType]
    registration_state: Literal["Registered"]
    registration_policy: str
