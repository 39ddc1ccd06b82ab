"""The operations of ARM that are served around Microsoft.Cache."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from api.arm import resources
from api.arm.groups import PatchBody, PutBody
from api.arm.subscriptions import AliasBody
from api.openapi import arm_answers as shown
from api.openapi.operations import COUNT, EMPTY, LOCATION, Answer, Operation, Query
from api.openapi.shape import Page

SUBSCRIPTION = "/subscriptions/{subscriptionId}"
GROUPS = SUBSCRIPTION + "/resourceGroups"
GROUP = GROUPS + "/{resourceGroupName}"
NAMESPACE = "/providers/{resourceProviderNamespace}"


def _listed(names: Iterable[str]) -> tuple[Query, ...]:
    """Give the parameters of a list, which can be filtered by ``names``."""
    comparison = f"({'|'.join(sorted(names))}|tagName|tagValue) (eq|ne) '[^']*'"
    usual = f"^({comparison}( and {comparison})*)?$"  # there are more functions
    return (
        Query("$filter", {"type": "string", "pattern": usual}),
        Query("$top", COUNT),
        Query("$skiptoken", COUNT),
        Query("$expand", {"type": "string"}),
    )


DELETION = "ResourceGroups_GetDeletion"

GROUP_SHOWN = Answer(shown.ResourceGroup)
PROVIDER_SHOWN = Answer(shown.Provider)
PROVIDERS = Answer(Page[shown.Provider])
RESOURCES = Answer(Page[shown.GenericResource])
OF_RESOURCES = _listed(resources.FILTERED)

_ROWS = (
    Operation("Tenants_List", "GET", "/tenants", {200: Answer(Page[shown.Tenant])}),
    Operation(
        "Subscriptions_List",
        "GET",
        "/subscriptions",
        {200: Answer(Page[shown.Subscription])},
    ),
    Operation(
        "Subscriptions_Get", "GET", SUBSCRIPTION, {200: Answer(shown.Subscription)}
    ),
    Operation(
        "Subscriptions_ListLocations",
        "GET",
        SUBSCRIPTION + "/locations",
        {200: Answer(Page[shown.Region])},
    ),
    Operation(
        "Alias_Create",
        "PUT",
        "/providers/Microsoft.Subscription/aliases/{aliasName}",
        {200: Answer(shown.Alias)},
        AliasBody,
    ),
    Operation(
        "ResourceGroups_List",
        "GET",
        GROUPS,
        {200: Answer(Page[shown.ResourceGroup])},
        query=_listed(["name"]),
    ),
    Operation("ResourceGroups_Get", "GET", GROUP, {200: GROUP_SHOWN}),
    Operation("ResourceGroups_CheckExistence", "HEAD", GROUP, {204: EMPTY}),
    Operation(
        "ResourceGroups_CreateOrUpdate",
        "PUT",
        GROUP,
        {200: GROUP_SHOWN, 201: GROUP_SHOWN},
        PutBody,
        errors=(409,),
    ),
    Operation(
        "ResourceGroups_Update",
        "PATCH",
        GROUP,
        {200: GROUP_SHOWN},
        PatchBody,
        errors=(409,),
    ),
    Operation(
        "ResourceGroups_Delete",
        "DELETE",
        GROUP,
        {202: Answer(None, (LOCATION,), DELETION)},
    ),
    Operation(
        DELETION,
        "GET",
        SUBSCRIPTION + "/operationresults/{operationId}",
        {200: EMPTY, 202: Answer(None, (LOCATION,))},
    ),
    Operation(
        "Resources_List",
        "GET",
        SUBSCRIPTION + "/resources",
        {200: RESOURCES},
        query=OF_RESOURCES,
    ),
    Operation(
        "Resources_ListByResourceGroup",
        "GET",
        GROUP + "/resources",
        {200: RESOURCES},
        query=OF_RESOURCES,
    ),
    Operation("Providers_ListAtTenantScope", "GET", "/providers", {200: PROVIDERS}),
    Operation("Providers_GetAtTenantScope", "GET", NAMESPACE, {200: PROVIDER_SHOWN}),
    Operation("Providers_List", "GET", SUBSCRIPTION + "/providers", {200: PROVIDERS}),
    Operation("Providers_Get", "GET", SUBSCRIPTION + NAMESPACE, {200: PROVIDER_SHOWN}),
    Operation(
        "Providers_Register",
        "POST",
        SUBSCRIPTION + NAMESPACE + "/register",
        {200: PROVIDER_SHOWN},
    ),
)

OPERATIONS = tuple(replace(each, version="versionOfArm") for each in _ROWS)
