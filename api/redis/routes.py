"""The routes below a cache, and of what belongs to the provider as a whole."""

from __future__ import annotations

from collections.abc import Mapping

from api.parts import Parts
from api.redis.access_policies import AccessPolicyCollection, AccessPolicyResource
from api.redis.access_policy_assignments import (
    AccessPolicyAssignmentCollection,
    AccessPolicyAssignmentResource,
)
from api.redis.check_name import CheckNameAvailability
from api.redis.firewall_rules import FirewallRuleCollection, FirewallRuleResource
from api.redis.flush import Flush
from api.redis.linked_servers import LinkedServerCollection, LinkedServerResource
from api.redis.operations_list import OperationCollection
from api.redis.patch_schedules import PatchScheduleCollection, PatchScheduleResource
from api.redis.private_endpoints import (
    PrivateEndpointConnectionCollection,
    PrivateEndpointConnectionResource,
    PrivateLinkResourceCollection,
)
from api.redis.reboot import ForceReboot
from api.redis.transfer import ExportBody, ImportBody, Transfer
from api.redis.upgrade_notifications import UpgradeNotifications
from controller.spec import ErrandKind

SUBSCRIPTION = "/subscriptions/{subscription}"
PROVIDER = "/providers/microsoft.cache"
CACHE = SUBSCRIPTION + "/resourcegroups/{group}" + PROVIDER + "/redis/{name}"


def routes(parts: Parts) -> Mapping[str, object]:
    """Give every route: template → resource; all are of the provider's versions."""
    return {
        PROVIDER + "/operations": OperationCollection(),
        SUBSCRIPTION + PROVIDER + "/checknameavailability": CheckNameAvailability(
            parts
        ),
        **{CACHE + below: resource for below, resource in _below(parts).items()},
    }


def _below(parts: Parts) -> Mapping[str, object]:
    return {
        "/accesspolicies": AccessPolicyCollection(parts),
        "/accesspolicies/{child}": AccessPolicyResource(parts),
        "/accesspolicyassignments": AccessPolicyAssignmentCollection(parts),
        "/accesspolicyassignments/{child}": AccessPolicyAssignmentResource(parts),
        "/export": Transfer(parts, ErrandKind.EXPORT, ExportBody),
        "/firewallrules": FirewallRuleCollection(parts),
        "/firewallrules/{child}": FirewallRuleResource(parts),
        "/flush": Flush(parts),
        "/forcereboot": ForceReboot(parts),
        "/import": Transfer(parts, ErrandKind.IMPORT, ImportBody),
        "/linkedservers": LinkedServerCollection(parts),
        "/linkedservers/{child}": LinkedServerResource(parts),
        "/listupgradenotifications": UpgradeNotifications(parts),
        "/patchschedules": PatchScheduleCollection(parts),
        "/patchschedules/default": PatchScheduleResource(parts),
        "/privateendpointconnections": PrivateEndpointConnectionCollection(parts),
        "/privateendpointconnections/{child}": PrivateEndpointConnectionResource(parts),
        "/privatelinkresources": PrivateLinkResourceCollection(parts),
    }
