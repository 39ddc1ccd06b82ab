"""Tenants, subscriptions, regions, resources and providers over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from api.arm.principals import HOME_TENANT
from api.arm.scopes import HOME_SUBSCRIPTION
from tests.wire.rig import BASIC, CACHE, SUBSCRIPTION, VERSION, Wire

OTHER = "/subscriptions/other/resourceGroups/g/providers/Microsoft.Cache/redis/Other"


def values(wire: Wire, path: str, **query: str) -> list[dict[str, Any]]:
    """Read a list."""
    found = wire.call("GET", path, params=VERSION | query).json
    assert found.keys() == {"value"}
    listed: list[dict[str, Any]] = found["value"]
    return listed


def test_there_is_one_tenant(wire: Wire) -> None:
    """A login of a person asks for it first, and signs in to what it finds."""
    assert [each["tenantId"] for each in values(wire, "/tenants")] == [HOME_TENANT]


def test_a_subscription_is_there_when_it_is_named(wire: Wire) -> None:
    """A login finds the home subscription, and any that something was created in."""
    one = wire.call("GET", SUBSCRIPTION).json
    assert one["id"] == SUBSCRIPTION
    assert one["subscriptionId"] == "my-sub"
    assert (one["state"], one["tenantId"]) == ("Enabled", HOME_TENANT)
    assert one["displayName"]
    wire.create()
    found = values(wire, "/subscriptions")
    assert [each["subscriptionId"] for each in found] == [HOME_SUBSCRIPTION, "my-sub"]
    assert found[1] == one
    assert len({each["displayName"] for each in found}) == 2


def test_a_subscription_that_cannot_be_one_is_refused(wire: Wire) -> None:
    """An id is a GUID or a plain word."""
    result = wire.call("GET", "/subscriptions/a%20b")
    assert result.status_code == 400
    assert result.json["error"]["code"] == "InvalidSubscriptionId"


def test_regions_are_listed_with_their_zones(wire: Wire) -> None:
    """Both spellings are given, and the three zones where there are any."""
    found = {each["name"]: each for each in values(wire, SUBSCRIPTION + "/locations")}
    west = found["westeurope"]
    assert west["id"] == SUBSCRIPTION + "/locations/westeurope"
    assert west["displayName"] == "West Europe"
    assert [each["logicalZone"] for each in west["availabilityZoneMappings"]] == [
        "1",
        "2",
        "3",
    ]
    assert "availabilityZoneMappings" not in found["westus"]


def test_caches_are_listed_as_resources(wire: Wire) -> None:
    """In the form that every kind of resource has."""
    wire.call("PUT", json=BASIC | {"tags": {"env": "test"}})
    wire.create(OTHER)
    assert values(wire, SUBSCRIPTION + "/resources") == [
        {
            "id": CACHE.replace("/redis/", "/Redis/"),
            "name": "Cache1",
            "type": "Microsoft.Cache/Redis",
            "location": "westeurope",
            "tags": {"env": "test"},
        }
    ]


def test_resources_show_zones_and_identity_where_there_are_any(wire: Wire) -> None:
    """These two are members of every resource in ARM, not of caches alone."""
    premium = {"sku": {"name": "Premium", "family": "P", "capacity": 1}}
    body = BASIC | {
        "properties": premium,
        "zones": ["1", "2"],
        "identity": {"type": "SystemAssigned"},
    }
    assert wire.call("PUT", json=body).status_code == 201
    (found,) = values(wire, SUBSCRIPTION + "/resources")
    assert found["zones"] == ["1", "2"]
    assert found["identity"]["type"] == "SystemAssigned"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("resourceGroup eq 'MY-RG'", ["Cache1"], id="group"),
        pytest.param("resourceType eq 'Microsoft.Cache/redis'", ["Cache1"], id="type"),
        pytest.param("resourceType eq 'Microsoft.Web/sites'", [], id="other type"),
        pytest.param("location eq 'westeurope'", ["Cache1"], id="location"),
        pytest.param("tagname eq 'env' and tagvalue eq 'x'", [], id="tag"),
    ],
)
def test_resources_are_filtered(wire: Wire, text: str, found: list[str]) -> None:
    """Filters are those of ``az resource list``; ``$expand`` does no harm."""
    wire.create()
    query = {"$filter": text, "$expand": "createdTime,changedTime"}
    listed = values(wire, SUBSCRIPTION + "/resources", **query)
    assert [each["name"] for each in listed] == found


def test_a_group_lists_its_own_resources(wire: Wire) -> None:
    """Terraform deletes a group once this list is empty."""
    resources = SUBSCRIPTION + "/resourceGroups/MY-RG/resources"
    wire.create()
    wire.create(CACHE.replace("my-rg", "other").replace("Cache1", "Cache2"))
    assert [each["name"] for each in values(wire, resources)] == ["Cache1"]
    wire.call("DELETE", CACHE)
    wire.settle()
    assert values(wire, resources) == []


@pytest.mark.parametrize("below", ["", SUBSCRIPTION])
def test_the_cache_provider_is_registered(wire: Wire, below: str) -> None:
    """Its newest stable version comes first among the stable ones: az takes that."""
    names = [each["namespace"] for each in values(wire, below + "/providers")]
    assert names == ["Microsoft.Cache", "Microsoft.Resources"]
    found = wire.call("GET", below + "/providers/microsoft.cache").json
    assert found["id"] == below + "/providers/Microsoft.Cache"
    assert found["namespace"] == "Microsoft.Cache"
    assert found["registrationState"] == "Registered"
    types = {each["resourceType"]: each for each in found["resourceTypes"]}
    versions = types["Redis"]["apiVersions"]
    assert next(each for each in versions if "preview" not in each) == "2024-11-01"
    assert "West Europe" in types["Redis"]["locations"]
    zones = {each["location"]: each["zones"] for each in types["Redis"]["zoneMappings"]}
    assert zones["West Europe"] == ["1", "2", "3"]
    assert "West US" not in zones
    assert "Redis/firewallRules" in types


@pytest.mark.parametrize("namespace", ["Microsoft.Cache", "microsoft.insights"])
def test_registering_is_done_before_it_is_asked(wire: Wire, namespace: str) -> None:
    """Terraform registers 66 providers, and waits until each says so."""
    path = f"{SUBSCRIPTION}/providers/{namespace}"
    for result in (wire.call("POST", path + "/register"), wire.call("GET", path)):
        assert result.status_code == 200
        assert result.json["namespace"] == namespace
        assert result.json["registrationState"] == "Registered"


def test_a_namespace_that_can_be_none_is_not_found(wire: Wire) -> None:
    """A wrong path is told from an unused provider."""
    result = wire.call("GET", "/providers/not%20one")
    assert result.status_code == 404
    assert result.json["error"]["code"] == "InvalidResourceNamespace"
