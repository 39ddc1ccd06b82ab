"""Names that nothing can have are refused, wherever they stand."""

from __future__ import annotations

import pytest

from tests.wire.children import mistakes, settled
from tests.wire.rig import CACHE, SUBSCRIPTION, Wire

GROUPS = f"{SUBSCRIPTION}/resourceGroups"
ALIAS = "/providers/Microsoft.Subscription/aliases/mine"


@pytest.mark.parametrize(
    ("child", "parameter"),
    [
        pytest.param("firewallRules/a-b", "ruleName", id="rule"),
        pytest.param("linkedServers/a--b", "linkedServerName", id="link"),
        pytest.param("accessPolicies/ab", "accessPolicyName", id="policy"),
        pytest.param(
            "accessPolicyAssignments/a b c", "accessPolicyAssignmentName", id="user"
        ),
        pytest.param(
            "privateEndpointConnections/.a", "privateEndpointConnectionName", id="pec"
        ),
    ],
)
def test_a_child_is_not_deleted_by_such_a_name(
    wire: Wire, child: str, parameter: str
) -> None:
    """204 would say that it is gone."""
    settled(wire)
    assert mistakes(wire.call("DELETE", f"{CACHE}/{child}")) == [parameter]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/locations",
        "/providers",
        "/providers/Microsoft.Cache",
        "/resources",
        "/resourceGroups",
        "/resourceGroups/my-rg/resources",
    ],
)
def test_no_list_is_of_such_a_subscription(wire: Wire, path: str) -> None:
    """An empty one would say that it is there."""
    refused = wire.call("GET", f"/subscriptions/{{id}}{path}")
    assert refused.status_code == 400
    assert refused.json["error"]["code"] == "InvalidSubscriptionId"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", f"{GROUPS}/a.", id="GET"),
        pytest.param("DELETE", f"{GROUPS}/a.", id="DELETE"),
        pytest.param("GET", f"{GROUPS}/a./resources", id="list"),
    ],
)
def test_nothing_is_known_of_such_a_group(wire: Wire, method: str, path: str) -> None:
    """It is no group that is not found."""
    refused = wire.call(method, path)
    assert refused.status_code == 400
    assert refused.json["error"]["code"] == "InvalidResourceGroup"


def test_an_alias_is_not_of_an_empty_subscription(wire: Wire) -> None:
    """Only one that is not named at all is made up."""
    refused = wire.call("PUT", ALIAS, json={"properties": {"subscriptionId": ""}})
    assert refused.json["error"]["code"] == "InvalidSubscriptionId"
    made = wire.call("PUT", ALIAS, json={"properties": {"subscriptionId": None}})
    assert made.status_code == 200
