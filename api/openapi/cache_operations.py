"""The operations of Microsoft.Cache/redis. Source: api-version 2024-11-01."""

from __future__ import annotations

from api.openapi import cache_answers as shown
from api.openapi.operations import EMPTY, LOCATION, POLL, Answer, Operation, Query
from api.openapi.shape import Page
from api.redis.access_policies import PolicyBody
from api.redis.access_policy_assignments import AssignmentBody
from api.redis.check_name import NameBody
from api.redis.firewall_rules import RuleBody
from api.redis.keys import RegenerateBody
from api.redis.linked_servers import LinkBody
from api.redis.patch_schedules import ScheduleBody
from api.redis.private_endpoints import ConnectionBody
from api.redis.reboot import RebootBody
from api.redis.schema import CacheBody, CreateBody
from api.redis.transfer import ExportBody, ImportBody

SUBSCRIPTION = "/subscriptions/{subscriptionId}"
PROVIDER = "/providers/Microsoft.Cache"
IN_REGION = SUBSCRIPTION + PROVIDER + "/locations/{location}"
CACHES = SUBSCRIPTION + "/resourceGroups/{resourceGroupName}" + PROVIDER + "/redis"
CACHE = CACHES + "/{name}"
RULES = CACHE + "/firewallRules"
RULE = RULES + "/{ruleName}"
SCHEDULES = CACHE + "/patchSchedules"
SCHEDULE = SCHEDULES + "/default"
LINKS = CACHE + "/linkedServers"
LINK = LINKS + "/{linkedServerName}"
CONNECTIONS = CACHE + "/privateEndpointConnections"
CONNECTION = CONNECTIONS + "/{privateEndpointConnectionName}"
POLICIES = CACHE + "/accessPolicies"
POLICY = POLICIES + "/{accessPolicyName}"
ASSIGNMENTS = CACHE + "/accessPolicyAssignments"
ASSIGNMENT = ASSIGNMENTS + "/{accessPolicyAssignmentName}"

HISTORY = Query("history", {"type": "number", "minimum": 0}, required=True)
BUSY = (409,)

KEYS = Answer(shown.AccessKeys)
RULE_SHOWN = Answer(shown.FirewallRule)
SCHEDULE_SHOWN = Answer(shown.PatchSchedule)
LINK_SHOWN = Answer(shown.LinkedServer)
CONNECTION_SHOWN = Answer(shown.PrivateEndpointConnection)
POLICY_SHOWN = Answer(shown.AccessPolicy)
ASSIGNMENT_SHOWN = Answer(shown.AccessPolicyAssignment)

STATUS = "AsyncOperationStatus_Get"
RESULT = "OperationResult_Get"

CACHE_BEGUN = Answer(shown.Cache, (POLL, LOCATION), STATUS)
CHILD_GOING = Answer(None, (POLL, LOCATION), STATUS)
BEGUN = Answer(None, (LOCATION,), RESULT)
FLUSHING = Answer(None, (POLL, LOCATION), RESULT)

OPERATIONS = (
    Operation(
        "Operations_List",
        "GET",
        PROVIDER + "/operations",
        {200: Answer(Page[shown.Permission])},
    ),
    Operation(
        "Redis_CheckNameAvailability",
        "POST",
        SUBSCRIPTION + PROVIDER + "/CheckNameAvailability",
        {200: EMPTY},
        NameBody,
        errors=BUSY,
    ),
    Operation(
        STATUS,
        "GET",
        IN_REGION + "/asyncOperations/{operationId}",
        {200: Answer(shown.OperationStatus, (POLL,))},
    ),
    Operation(
        RESULT,
        "GET",
        IN_REGION + "/operationresults/{operationId}",
        {
            200: Answer(shown.OperationResult),
            202: Answer(shown.OperationResult, (LOCATION,)),
        },
        errors=BUSY,
        version="versionOfResult",
    ),
    # --- the cache -------------------------------------------------------------------
    Operation(
        "Redis_ListBySubscription",
        "GET",
        SUBSCRIPTION + PROVIDER + "/redis",
        {200: Answer(Page[shown.Cache])},
    ),
    Operation(
        "Redis_ListByResourceGroup",
        "GET",
        CACHES,
        {200: Answer(Page[shown.Cache])},
    ),
    Operation("Redis_Get", "GET", CACHE, {200: Answer(shown.Cache)}),
    Operation(
        "Redis_Create",
        "PUT",
        CACHE,
        {200: Answer(shown.Cache), 201: CACHE_BEGUN},
        CreateBody,
        errors=BUSY,
    ),
    Operation(
        "Redis_Update",
        "PATCH",
        CACHE,
        {200: Answer(shown.Cache), 202: CACHE_BEGUN},
        CacheBody,
        errors=BUSY,
    ),
    Operation("Redis_Delete", "DELETE", CACHE, {202: BEGUN, 204: EMPTY}),
    Operation("Redis_ListKeys", "POST", CACHE + "/listKeys", {200: KEYS}),
    Operation(
        "Redis_RegenerateKey",
        "POST",
        CACHE + "/regenerateKey",
        {200: KEYS},
        RegenerateBody,
        errors=(409, 504),
    ),
    Operation(
        "Redis_ForceReboot",
        "POST",
        CACHE + "/forceReboot",
        {200: Answer(shown.RebootMessage)},
        RebootBody,
        errors=BUSY,
    ),
    Operation(
        "Redis_FlushCache", "POST", CACHE + "/flush", {202: FLUSHING}, errors=BUSY
    ),
    Operation(
        "Redis_ImportData",
        "POST",
        CACHE + "/import",
        {202: BEGUN},
        ImportBody,
        errors=BUSY,
    ),
    Operation(
        "Redis_ExportData",
        "POST",
        CACHE + "/export",
        {202: BEGUN},
        ExportBody,
        errors=BUSY,
    ),
    Operation(
        "Redis_ListUpgradeNotifications",
        "GET",
        CACHE + "/listUpgradeNotifications",
        {200: Answer(Page[shown.UpgradeNotification])},
        query=(HISTORY,),
    ),
    # --- its children ----------------------------------------------------------------
    Operation(
        "FirewallRules_List", "GET", RULES, {200: Answer(Page[shown.FirewallRule])}
    ),
    Operation("FirewallRules_Get", "GET", RULE, {200: RULE_SHOWN}),
    Operation(
        "FirewallRules_CreateOrUpdate",
        "PUT",
        RULE,
        {200: RULE_SHOWN, 201: Answer(shown.FirewallRule, (LOCATION,))},
        RuleBody,
        errors=BUSY,
    ),
    Operation(
        "FirewallRules_Delete", "DELETE", RULE, {200: EMPTY, 204: EMPTY}, errors=BUSY
    ),
    Operation(
        "PatchSchedules_ListByRedisResource",
        "GET",
        SCHEDULES,
        {200: Answer(Page[shown.PatchSchedule])},
    ),
    Operation("PatchSchedules_Get", "GET", SCHEDULE, {200: SCHEDULE_SHOWN}),
    Operation(
        "PatchSchedules_CreateOrUpdate",
        "PUT",
        SCHEDULE,
        {200: SCHEDULE_SHOWN},
        ScheduleBody,
        errors=BUSY,
    ),
    Operation(
        "PatchSchedules_Delete",
        "DELETE",
        SCHEDULE,
        {200: EMPTY, 204: EMPTY},
        errors=BUSY,
    ),
    Operation(
        "LinkedServer_List", "GET", LINKS, {200: Answer(Page[shown.LinkedServer])}
    ),
    Operation("LinkedServer_Get", "GET", LINK, {200: LINK_SHOWN}),
    Operation(
        "LinkedServer_Create",
        "PUT",
        LINK,
        {200: LINK_SHOWN, 201: Answer(shown.LinkedServer, (POLL,), STATUS)},
        LinkBody,
        errors=BUSY,
    ),
    Operation(
        "LinkedServer_Delete",
        "DELETE",
        LINK,
        {200: EMPTY, 202: CHILD_GOING},
        errors=BUSY,
    ),
    Operation(
        "PrivateEndpointConnections_List",
        "GET",
        CONNECTIONS,
        {200: Answer(Page[shown.PrivateEndpointConnection])},
    ),
    Operation(
        "PrivateEndpointConnections_Get", "GET", CONNECTION, {200: CONNECTION_SHOWN}
    ),
    Operation(
        "PrivateEndpointConnections_Put",
        "PUT",
        CONNECTION,
        {201: Answer(shown.PrivateEndpointConnection, (POLL, LOCATION), STATUS)},
        ConnectionBody,
        errors=BUSY,
    ),
    Operation(
        "PrivateEndpointConnections_Delete",
        "DELETE",
        CONNECTION,
        {200: EMPTY, 204: EMPTY},
        errors=BUSY,
    ),
    Operation(
        "PrivateLinkResources_ListByRedisCache",
        "GET",
        CACHE + "/privateLinkResources",
        {200: Answer(Page[shown.PrivateLinkResource])},
    ),
    Operation(
        "AccessPolicy_List", "GET", POLICIES, {200: Answer(Page[shown.AccessPolicy])}
    ),
    Operation("AccessPolicy_Get", "GET", POLICY, {200: POLICY_SHOWN}),
    Operation(
        "AccessPolicy_CreateUpdate",
        "PUT",
        POLICY,
        {201: Answer(shown.AccessPolicy, (POLL, LOCATION), STATUS)},
        PolicyBody,
        errors=BUSY,
    ),
    Operation(
        "AccessPolicy_Delete",
        "DELETE",
        POLICY,
        {202: CHILD_GOING, 204: EMPTY},
        errors=BUSY,
    ),
    Operation(
        "AccessPolicyAssignment_List",
        "GET",
        ASSIGNMENTS,
        {200: Answer(Page[shown.AccessPolicyAssignment])},
    ),
    Operation("AccessPolicyAssignment_Get", "GET", ASSIGNMENT, {200: ASSIGNMENT_SHOWN}),
    Operation(
        "AccessPolicyAssignment_CreateUpdate",
        "PUT",
        ASSIGNMENT,
        {201: Answer(shown.AccessPolicyAssignment, (POLL, LOCATION), STATUS)},
        AssignmentBody,
        errors=BUSY,
    ),
    Operation(
        "AccessPolicyAssignment_Delete",
        "DELETE",
        ASSIGNMENT,
        {202: CHILD_GOING, 204: EMPTY},
        errors=BUSY,
    ),
)
