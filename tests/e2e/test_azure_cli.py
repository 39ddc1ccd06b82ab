"""The whole ``az redis``, and what az does around it, against real servers.

Nothing is set up but an endpoint and its CA: any login succeeds. One process runs all
commands; see `tests/e2e/drivers/az.py`.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.e2e import applications, clients
from tests.e2e.driver import SCRIPTS, RefusedError, driving
from tests.emulator import Emulator, eventually

pytestmark = pytest.mark.docker

GROUP = "az-group"
NAME = "az-premium"
CACHE = f"-g {GROUP} -n {NAME}"
TENANT = "11111111-1111-1111-1111-111111111111"
PRINCIPAL = "6f3e2f9c-7c62-4b7a-9bb0-6d0b6f7d8a11"
NOT_FOUND = "3"  # az's exit status

Az = Callable[..., Any]  # a command, and arguments that have spaces, to its output
Cache = dict[str, Any]


@pytest.fixture(scope="module")
def az(azure: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Az]:
    """Give an az that has been told of the emulator, and is logged in."""
    interpreter = clients.python(*clients.AZURE_CLI) / "bin/python"
    variables = clients.surroundings(azure, tmp_path_factory.mktemp("az"))
    with driving([str(interpreter), str(SCRIPTS / "az.py")], variables) as driver:

        def run(command: str, *more: str) -> Any:  # noqa: ANN401 (as `Driver.ask`)
            return driver.ask([*command.split(), *more])

        run(f"cloud register -n emulator --endpoint-resource-manager {azure.secure}")
        run("cloud set -n emulator")
        run(f"login --service-principal -u any -p any --tenant {TENANT}")
        yield run
        run("cloud set -n AzureCloud")
        run("cloud unregister -n emulator")


@pytest.fixture(scope="module")
def cache(az: Az) -> Iterator[Cache]:
    """Create a group, and in it the cache that tests work on."""
    az(f"group create -n {GROUP} -l westeurope --tags team=blue")
    premium = "--sku Premium --vm-size p1 -l westeurope"
    yield az(f"redis create {CACHE} {premium} --tags team=blue")
    az(f"redis delete {CACHE} -y")
    az(f"group delete -n {GROUP} -y")


def connected(cache: Cache, key: str) -> AbstractContextManager[redis.Redis]:
    """Connect to a cache as az shows it."""
    return applications.connected(cache["hostName"], cache["sslPort"], key)


@pytest.mark.parametrize(
    "credentials",
    [
        pytest.param(f"--service-principal -u any -p any --tenant {TENANT}", id="app"),
        pytest.param("-u somebody@example.test -p any", id="person"),
        pytest.param("--use-device-code", id="device-code"),
        pytest.param("--identity", id="managed-identity"),
    ],
)
def test_any_login_succeeds(azure: Emulator, tmp_path: Path, credentials: str) -> None:
    """A program of its own for each command: what one leaves behind serves the next."""
    program = clients.python(*clients.AZURE_CLI) / "bin/az"
    variables = clients.surroundings(azure, tmp_path)
    if credentials == "--identity":
        variables |= {"IDENTITY_ENDPOINT": f"{azure.base}/msi/token"}
        variables |= {"IDENTITY_HEADER": "any"}
    for command in (
        f"cloud register -n emulator --endpoint-resource-manager {azure.secure}",
        "cloud set -n emulator",
        f"login {credentials}",
        "redis list",
        "logout",
    ):
        done = subprocess.run(
            [program, *command.split(), "--only-show-errors"],
            env=variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, (command, done.stderr)


def test_groups(az: Az) -> None:
    """They come and go; deleting one waits for its end."""
    assert az("group exists -n az-other") is False
    az("group create -n az-other -l westeurope --tags a=1")
    assert az("group exists -n az-other") is True
    assert az("group show -n az-other")["tags"] == {"a": "1"}
    assert "az-other" in [each["name"] for each in az("group list")]
    az("group update -n az-other --set tags.b=2")
    assert az("group show -n AZ-OTHER")["tags"] == {"a": "1", "b": "2"}
    az("group delete -n az-other -y")
    assert az("group exists -n az-other") is False


def test_a_cache_is_created_with_options(az: Az) -> None:
    """They are in the answer as they were asked for, and the server is there."""
    name = f"-g {GROUP} -n az-options"
    sizes = "--sku Standard --vm-size c1 -l westeurope --redis-version 6"
    more = "--minimum-tls-version 1.2 --update-channel Preview --mi-system-assigned"
    configuration = json.dumps({"maxmemory-policy": "allkeys-lru"})
    written = az(
        f"redis create {name} {sizes} {more} --redis-configuration", configuration
    )
    assert written["provisioningState"] == "Succeeded"
    assert written["sku"] == {"capacity": 1, "family": "C", "name": "Standard"}
    assert written["minimumTlsVersion"] == "1.2"
    assert written["updateChannel"] == "Preview"
    assert written["identity"]["type"] == "SystemAssigned"
    assert written["redisConfiguration"]["maxmemoryPolicy"] == "allkeys-lru"
    assert az(f"redis show {name}")["id"] == written["id"]
    az(f"redis delete {name} -y")
    with pytest.raises(RefusedError, match="ResourceNotFound") as refused:
        az(f"redis show {name}")
    assert refused.value.code == NOT_FOUND


def test_a_cache_is_listed(az: Az, cache: Cache) -> None:
    """In its group, in the subscription, and as a resource among others."""
    for listed in ("redis list", f"redis list -g {GROUP}", f"resource list -g {GROUP}"):
        assert cache["id"] in [each["id"] for each in az(listed)]


def test_keys_are_shown_and_rotated(az: Az, cache: Cache) -> None:
    """An application connects with what az prints, and with nothing older."""
    old = az(f"redis list-keys {CACHE}")
    with connected(cache, old["secondaryKey"]) as client:
        assert client.ping()
    new = az(f"redis regenerate-keys {CACHE} --key-type Primary")
    with connected(cache, new["primaryKey"]) as client:
        assert client.ping()
    assert new["secondaryKey"] == old["secondaryKey"]
    with (
        connected(cache, old["primaryKey"]) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()


def test_a_cache_is_updated(az: Az, cache: Cache) -> None:
    """Settings reach the server; what is not named stays."""
    change = "redisConfiguration.maxmemory-policy=allkeys-lfu"
    az(f"redis update {CACHE} --set tags.stage=test {change}")
    shown = az(f"redis show {CACHE}")
    assert shown["tags"] == {"team": "blue", "stage": "test"}
    assert shown["redisConfiguration"]["maxmemoryPolicy"] == "allkeys-lfu"
    key = az(f"redis list-keys {CACHE}")["primaryKey"]
    with connected(cache, key) as client:
        assert client.info("memory")["maxmemory_policy"] == "allkeys-lfu"
    az(f"redis update {CACHE} --set enableNonSslPort=true")
    with redis.Redis(cache["hostName"], cache["port"], password=key) as plain:
        assert plain.ping()
    az(f"redis update {CACHE} --sku Premium --vm-size p2 --no-wait false")
    assert az(f"redis show {CACHE}")["sku"]["capacity"] == 2


def test_firewall_rules(az: Az, cache: Cache) -> None:
    """They are written, changed, read, listed and deleted."""
    rule = f"{CACHE} --rule-name office"
    az(f"redis firewall-rules create {rule} --start-ip 10.0.0.1 --end-ip 10.0.0.9")
    az(f"redis firewall-rules update {rule} --start-ip 10.0.0.1 --end-ip 10.0.0.5")
    shown = az(f"redis firewall-rules show {rule}")
    assert shown["endIp"] == "10.0.0.5"
    assert shown["name"] == f"{cache['name']}/office"
    assert az(f"redis firewall-rules list {CACHE}") == [shown]
    az(f"redis firewall-rules delete {rule}")
    assert az(f"redis firewall-rules list {CACHE}") == []


@pytest.mark.usefixtures("cache")
def test_patch_schedules(az: Az) -> None:
    """They are written, changed, read and deleted."""
    entry = {"dayOfWeek": "Tuesday", "startHourUtc": "00", "maintenanceWindow": "PT5H"}
    entries = f"{CACHE} --schedule-entries"
    az(f"redis patch-schedule create {entries}", json.dumps([entry]))
    changed = json.dumps([{**entry, "dayOfWeek": "Friday"}])
    az(f"redis patch-schedule update {entries}", changed)
    [shown] = az(f"redis patch-schedule show {CACHE}")["scheduleEntries"]
    assert (shown["dayOfWeek"], shown["startHourUtc"]) == ("Friday", 0)
    az(f"redis patch-schedule delete {CACHE}")
    with pytest.raises(RefusedError, match="no patch schedules") as refused:
        az(f"redis patch-schedule show {CACHE}")
    assert refused.value.code == NOT_FOUND


def test_server_links(az: Az, cache: Cache) -> None:
    """Two caches are linked and taken apart."""
    other = f"-g {GROUP} -n az-second"
    az(f"redis create {other} --sku Premium --vm-size p2 -l eastus")
    link = f"redis server-link create {CACHE} --replication-role Secondary"
    written = az(f"{link} --server-to-link az-second")
    assert written["provisioningState"] == "Succeeded"
    shown = az(f"redis server-link show {CACHE} --linked-server-name az-second")
    assert shown["serverRole"] == "Secondary"
    [seen] = az(f"redis server-link list {other}")
    assert (seen["name"], seen["serverRole"]) == (cache["name"], "Primary")
    az(f"redis server-link delete {CACHE} --linked-server-name az-second")
    assert az(f"redis server-link list {CACHE}") == []
    az(f"redis delete {other} -y")


@pytest.mark.usefixtures("cache")
def test_access_policies(az: Az) -> None:
    """They are written, changed, read, listed, assigned and deleted."""
    policy = f"{CACHE} --access-policy-name readers"
    given = f"--object-id {PRINCIPAL} --object-id-alias app --access-policy-name"
    assigned = f"{CACHE} --policy-assignment-name app"
    az(f"redis access-policy create {policy} --permissions", "+get")
    az(f"redis access-policy update {policy} --permissions", "+get +hget")
    permissions = az(f"redis access-policy show {policy}")["permissions"]
    assert permissions == "+get +hget allkeys"
    assert len(az(f"redis access-policy list {CACHE}")) == 4
    az(f"redis access-policy-assignment create {assigned} {given} readers")
    az(f"redis access-policy-assignment update {assigned} {given}", "Data Reader")
    shown = az(f"redis access-policy-assignment show {assigned}")
    assert shown["accessPolicyName"] == "Data Reader"
    assert az(f"redis access-policy-assignment list {CACHE}") == [shown]
    az(f"redis access-policy-assignment delete {assigned}")
    az(f"redis access-policy delete {policy}")
    assert len(az(f"redis access-policy list {CACHE}")) == 3


@pytest.mark.usefixtures("cache")
def test_identities(az: Az) -> None:
    """A cache is given one, another one beside it, and loses both."""
    mine = f"/subscriptions/{clients.SUBSCRIPTION}/resourceGroups/{GROUP}/providers"
    mine += "/Microsoft.ManagedIdentity/userAssignedIdentities/mine"
    assert az(f"redis identity show {CACHE}")["type"] == "None"
    az(f"redis identity assign {CACHE} --mi-system-assigned")
    both = az(f"redis identity assign {CACHE} --mi-user-assigned {mine}")
    assert both["type"] == "SystemAssigned, UserAssigned"
    assert list(both["userAssignedIdentities"]) == [mine]
    az(f"redis identity remove {CACHE} --mi-user-assigned {mine}")
    assert az(f"redis identity show {CACHE}")["type"] == "SystemAssigned"
    left = az(f"redis identity remove {CACHE} --mi-system-assigned")
    assert left["type"] == "None"


def test_a_server_is_flushed_and_rebooted(az: Az, cache: Cache) -> None:
    """Both reach the server: the keys are gone, and then it is a new process."""
    with connected(cache, az(f"redis list-keys {CACHE}")["primaryKey"]) as client:
        client.set("greeting", "hello")
        assert az(f"redis flush {CACHE} -y")["status"] == "Succeeded"
        assert client.dbsize() == 0
        before = applications.run_of(client)
        told = az(f"redis force-reboot {CACHE} --reboot-type AllNodes")
        assert "successfully scheduled" in told["message"]
        applications.wait_for_another_run(client, before)
    state = f"redis show {CACHE} --query provisioningState"
    eventually(lambda: az(state) == "Succeeded")


@pytest.mark.usefixtures("cache")
def test_data_is_exported_and_imported(az: Az) -> None:
    """Both are operations that end, and move data by way of a container."""
    blob = "container"
    assert az(f"redis export {CACHE} --prefix night --container {blob}") is None
    files = f"--files {blob}/night.rdb --file-format RDB -y"
    assert az(f"redis import {CACHE} {files}") is None


def test_a_cache_is_a_resource(az: Az, cache: Cache) -> None:
    """The general commands find it by its id, and delete it."""
    assert az(f"resource show --ids {cache['id']}")["id"] == cache["id"]
    other = f"-g {GROUP} -n az-resource --sku Basic --vm-size c0 -l westeurope"
    made = az(f"redis create {other}")
    az(f"resource delete --ids {made['id']}")
    of_type = az(f"resource list -g {GROUP} --resource-type Microsoft.Cache/Redis")
    assert [each["id"] for each in of_type] == [cache["id"]]


def test_any_request_can_be_sent(az: Az, cache: Cache) -> None:
    """``az rest`` takes the path of a cache as it is."""
    url = f"{cache['id']}?api-version=2024-11-01"
    assert az(f"rest --method get --url {url}")["name"] == cache["name"]


def test_the_provider_is_registered(az: Az) -> None:
    """Nobody has to ask for it; who asks is told that all is well."""
    assert az("provider show -n Microsoft.Cache")["registrationState"] == "Registered"
    az("provider register -n Microsoft.Cache --wait")
    assert "westeurope" in [each["name"] for each in az("account list-locations")]


def test_no_command_is_left_out() -> None:
    """Whatever the redis module of az offers is called somewhere on this page."""
    site = clients.python(*clients.AZURE_CLI) / "lib"
    [module] = site.glob("python*/site-packages/azure/cli/command_modules/redis")
    offered: set[str] = set()
    for line in (module / "commands.py").read_text().splitlines():
        if group := re.search(r"command_group\('([^']+)'", line):
            named = group[1]
        elif command := re.search(r"g\.\w+\('([^']+)'", line):
            offered.add(f"{named} {command[1]}")
    page = Path(__file__).read_text()
    offered -= {"redis import-method"}  # the old name of import, and hidden
    assert len(offered) > 30
    assert {each for each in offered if f"{each} " not in page} == set()
