"""Every operation of Azure's SDKs works, against real servers.

One text for three clients: azure-mgmt-redis in both of its styles, set up by the
environment alone, and @azure/arm-rediscache. Names are the Python SDK's; see
`tests.e2e.sdks`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.e2e import applications, sdks
from tests.e2e.driver import RefusedError
from tests.e2e.sdks import Sdk
from tests.emulator import Emulator, eventually

pytestmark = pytest.mark.docker

GROUP = "sdk-group"
BASIC = {"name": "Basic", "family": "C", "capacity": 0}
PREMIUM = {"name": "Premium", "family": "P", "capacity": 1}
PRINCIPAL = "6f3e2f9c-7c62-4b7a-9bb0-6d0b6f7d8a11"

Cache = dict[str, Any]


@pytest.fixture(scope="module", params=["sync", "aio", "js"])
def style(request: pytest.FixtureRequest) -> str:
    """Name the client."""
    return str(request.param)


@pytest.fixture(scope="module")
def sdk(
    azure: Emulator, style: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sdk]:
    """Run the client."""
    home = tmp_path_factory.mktemp(style)
    if style == "js":
        running = sdks.javascript(azure, home)
    else:
        running = sdks.python(azure, home, style)
    with running as sdk:
        yield sdk


@pytest.fixture(scope="module")
def cache(sdk: Sdk, style: str) -> Iterator[Cache]:
    """Create a cache that tests give children to."""
    name = f"{style}-premium"
    yield created(sdk, name, sku=PREMIUM)
    sdk("redis", "begin_delete", GROUP, name)


def created(sdk: Sdk, name: str, **members: object) -> Cache:
    """Create a cache."""
    asked = {"location": "West Europe", "sku": BASIC}
    answer: Cache = sdk("redis", "begin_create", GROUP, name, {**asked, **members})
    return answer


def connected(cache: Cache, key: str) -> AbstractContextManager[redis.Redis]:
    """Connect to a cache as the client shows it."""
    return applications.connected(cache["host_name"], cache["ssl_port"], key)


def succeeded(cache: Cache) -> bool:
    """Tell whether a cache takes writes again."""
    return bool(cache["provisioning_state"] == "Succeeded")


def test_a_cache_lives(sdk: Sdk, style: str) -> None:
    """It is created, connected to, changed, rotated, scaled and deleted."""
    name = f"{style}-life"
    cache = created(sdk, name, tags={"team": "blue"}, redis_version="6")
    assert cache["provisioning_state"] == "Succeeded"
    assert cache["location"] == "West Europe"
    assert cache["tags"] == {"team": "blue"}
    assert cache["redis_version"] == "6.0"
    keys = sdk("redis", "list_keys", GROUP, name)
    with connected(cache, keys["secondary_key"]) as client:
        assert client.set("greeting", "hello")

    changed = {"tags": {"team": "red"}, "redis_configuration": {"maxclients": "1"}}
    sdk("redis", "begin_update", GROUP, name, changed)
    policy = {"redis_configuration": {"maxmemory_policy": "allkeys-lru"}}
    sdk("redis", "begin_update", GROUP, name, policy)
    shown = sdk("redis", "get", GROUP, name)
    assert shown["tags"] == {"team": "red"}
    assert shown["redis_configuration"]["maxmemory_policy"] == "allkeys-lru"
    assert shown["redis_configuration"]["maxclients"] == "256"

    rotated = sdk("redis", "regenerate_key", GROUP, name, {"key_type": "Primary"})
    assert rotated["secondary_key"] == keys["secondary_key"]
    with connected(cache, rotated["primary_key"]) as client:
        assert client.get("greeting") == "hello"
    with (
        connected(cache, keys["primary_key"]) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()

    sdk("redis", "begin_update", GROUP, name, {"sku": {**BASIC, "capacity": 1}})
    assert sdk("redis", "get", GROUP, name)["sku"]["capacity"] == 1
    sdk("redis", "begin_delete", GROUP, name)
    with pytest.raises(RefusedError) as refused:
        sdk("redis", "get", GROUP, name)
    assert refused.value.code == "ResourceNotFound"


def test_caches_are_listed(sdk: Sdk, cache: Cache) -> None:
    """In their group, and in their subscription."""
    of_group = sdk("redis", "list_by_resource_group", GROUP)
    assert [each["id"] for each in of_group] == [cache["id"]]
    assert of_group == sdk("redis", "list_by_subscription")


def test_names_are_checked(sdk: Sdk, cache: Cache) -> None:
    """One that is free says nothing, one that is taken says so."""
    asked = {"name": "nobody-has-this", "type": "Microsoft.Cache/Redis"}
    assert not sdk("redis", "check_name_availability", asked)
    with pytest.raises(RefusedError) as refused:
        sdk("redis", "check_name_availability", {**asked, "name": cache["name"]})
    assert refused.value.code == "NameNotAvailable"


def test_mistakes_are_told(sdk: Sdk) -> None:
    """What is wrong in a body arrives as the client's own error."""
    with pytest.raises(RefusedError, match="SkuFamily") as refused:
        created(sdk, "mistaken", sku={**BASIC, "family": "P"})
    assert refused.value.code == "BadRequest"


def test_firewall_rules(sdk: Sdk, cache: Cache) -> None:
    """They are written, read, listed and deleted."""
    parent = (GROUP, cache["name"])
    rule = {"start_ip": "10.0.0.1", "end_ip": "10.0.0.9"}
    written = sdk("firewall_rules", "create_or_update", *parent, "office", rule)
    assert written["name"] == f"{cache['name']}/office"
    assert (written["start_ip"], written["end_ip"]) == ("10.0.0.1", "10.0.0.9")
    shown = sdk("firewall_rules", "get", *parent, "office")
    assert sdk("firewall_rules", "list", *parent) == [shown]
    sdk("firewall_rules", "delete", *parent, "office")
    assert sdk("firewall_rules", "list", *parent) == []


def test_patch_schedules(sdk: Sdk, cache: Cache) -> None:
    """The entries come back as they were given."""
    parent = (GROUP, cache["name"], "default")
    entry = {"day_of_week": "Friday", "start_hour_utc": 3, "maintenance_window": "PT5H"}
    body = {"schedule_entries": [entry]}
    written = sdk("patch_schedules", "create_or_update", *parent, body)
    assert written["schedule_entries"] == [entry]
    shown = sdk("patch_schedules", "get", *parent)
    of_cache = sdk("patch_schedules", "list_by_redis_resource", *parent[:2])
    assert of_cache == [shown]
    sdk("patch_schedules", "delete", *parent)
    with pytest.raises(RefusedError, match="no patch schedules"):
        sdk("patch_schedules", "get", *parent)


def test_linked_servers(sdk: Sdk, cache: Cache, style: str) -> None:
    """A link is seen from both of its ends, until it is deleted."""
    other = created(sdk, f"{style}-second", sku=PREMIUM, location="East US")
    link = {
        "linked_redis_cache_id": other["id"],
        "linked_redis_cache_location": other["location"],
        "server_role": "Secondary",
    }
    ends = (GROUP, cache["name"], other["name"])
    written = sdk("linked_server", "begin_create", *ends, link)
    assert written["provisioning_state"] == "Succeeded"
    assert sdk("linked_server", "get", *ends)["server_role"] == "Secondary"
    [seen] = sdk("linked_server", "list", GROUP, other["name"])
    assert (seen["name"], seen["server_role"]) == (cache["name"], "Primary")
    sdk("linked_server", "begin_delete", *ends)
    assert sdk("linked_server", "list", *ends[:2]) == []
    sdk("redis", "begin_delete", GROUP, other["name"])


def test_private_endpoints(sdk: Sdk, cache: Cache) -> None:
    """A connection is decided upon, shown and deleted."""
    parent = (GROUP, cache["name"])
    decided = {"status": "Rejected", "description": "not you"}
    body = {"private_link_service_connection_state": decided}
    written = sdk("private_endpoint_connections", "begin_put", *parent, "pe", body)
    assert written["private_link_service_connection_state"]["status"] == "Rejected"
    shown = sdk("private_endpoint_connections", "get", *parent, "pe")
    assert sdk("private_endpoint_connections", "list", *parent) == [shown]
    sdk("private_endpoint_connections", "delete", *parent, "pe")
    assert sdk("private_endpoint_connections", "list", *parent) == []
    [linkable] = sdk("private_link_resources", "list_by_redis_cache", *parent)
    assert linkable["group_id"] == "redisCache"


def test_access_policies(sdk: Sdk, cache: Cache) -> None:
    """Own ones stand beside those that are built in."""
    parent = (GROUP, cache["name"])
    body = {"permissions": "+get +hget allkeys"}
    written = sdk("access_policy", "begin_create_update", *parent, "readers", body)
    assert written["permissions"] == "+get +hget allkeys"
    assert written["type_properties_type"] == "Custom"
    assert sdk("access_policy", "get", *parent, "readers")["name"] == "readers"
    names = [each["name"] for each in sdk("access_policy", "list", *parent)]
    assert names == ["Data Owner", "Data Contributor", "Data Reader", "readers"]
    sdk("access_policy", "begin_delete", *parent, "readers")
    assert len(sdk("access_policy", "list", *parent)) == 3


def test_access_policy_assignments(sdk: Sdk, cache: Cache) -> None:
    """A principal is given a policy, and it is taken away again."""
    child = (GROUP, cache["name"], "app")
    asked = {
        "object_id": PRINCIPAL,
        "object_id_alias": "an app",
        "access_policy_name": "Data Reader",
    }
    written = sdk("access_policy_assignment", "begin_create_update", *child, asked)
    assert written == {**written, **asked, "provisioning_state": "Succeeded"}
    shown = sdk("access_policy_assignment", "get", *child)
    assert sdk("access_policy_assignment", "list", *child[:2]) == [shown]
    sdk("access_policy_assignment", "begin_delete", *child)
    assert sdk("access_policy_assignment", "list", *child[:2]) == []


def test_a_server_is_flushed_and_rebooted(sdk: Sdk, cache: Cache) -> None:
    """Both reach the server: the keys are gone, and then it is a new process."""
    name = cache["name"]
    key = sdk("redis", "list_keys", GROUP, name)["primary_key"]
    with connected(cache, key) as client:
        client.set("greeting", "hello")
        sdk("redis", "begin_flush_cache", GROUP, name)
        assert client.dbsize() == 0
        before = applications.run_of(client)
        told = sdk("redis", "force_reboot", GROUP, name, {"reboot_type": "AllNodes"})
        assert "successfully scheduled" in told["message"]
        applications.wait_for_another_run(client, before)
    eventually(lambda: succeeded(sdk("redis", "get", GROUP, name)))


def test_data_is_exported_and_imported(sdk: Sdk, cache: Cache) -> None:
    """Both are operations that end, and move data by way of a container."""
    parent = (GROUP, cache["name"])
    blob = "container"
    asked = {"format": "RDB", "prefix": "night", "container": blob}
    sdk("redis", "begin_export_data", *parent, asked)
    sdk("redis", "begin_import_data", *parent, {"files": [f"{blob}/night.rdb"]})
    shown = sdk("redis", "get", *parent)
    assert shown["provisioning_state"] == "Succeeded"


def test_operations_are_followed(sdk: Sdk, cache: Cache, azure: Emulator) -> None:
    """The status of one can be asked for by location and id."""
    body = {"properties": {"sku": {**PREMIUM, "capacity": 2}}}
    answer = azure.call("PATCH", azure.base + cache["id"], body)
    url = answer.headers["Azure-AsyncOperation"]
    [operation] = re.findall(r"asyncOperations/([^?]+)", url)
    azure.ended(answer)
    shown = sdk("async_operation_status", "get", "West Europe", operation)
    assert (shown["name"], shown["status"]) == (operation, "Succeeded")


def test_what_there_is_to_know_of_the_provider(sdk: Sdk, cache: Cache) -> None:
    """Its operations are listed; no cache is told to upgrade."""
    names = [each["name"] for each in sdk("operations", "list")]
    assert "Microsoft.Cache/redis/write" in names
    history = ("redis", "list_upgrade_notifications", GROUP, cache["name"], 5000)
    assert sdk(*history) == []


def test_no_operation_is_left_out(sdk: Sdk, style: str) -> None:
    """Whatever the client offers is called somewhere on this page."""
    js = style == "js"
    offered = sdks.javascript_operations() if js else sdks.python_operations(sdk)
    called = set(re.findall(r'"(\w+)",\s+"(\w+)"', Path(__file__).read_text()))
    assert len(offered) >= 40
    assert offered - called == set()
