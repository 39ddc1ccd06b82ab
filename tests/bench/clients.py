"""What Azure's own clients make users wait, against what the emulator needs."""

from __future__ import annotations

import json
import subprocess
import tempfile
from functools import partial
from pathlib import Path

from tests.bench.figures import milliseconds, ratio, show
from tests.e2e.clients import (
    AZURE_CLI,
    PYTHON_SDK,
    SUBSCRIPTION,
    python,
    surroundings,
)
from tests.emulator import Emulator, running

ROUNDS = 5
GROUP = "bench"

SDK = """
import json, os, sys, time
from azure.identity import DefaultAzureCredential
from azure.mgmt.redis import RedisManagementClient
endpoint, rounds = os.environ["ARM_ENDPOINT"], int(sys.argv[1])
client = RedisManagementClient(
    DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"], base_url=endpoint,
    credential_scopes=[endpoint + "/.default"],
)
body = {"location": "westeurope",
        "properties": {"sku": {"name": "Basic", "family": "C", "capacity": 0}}}
taken = []
for number in range(rounds + 1):
    name, started = f"sdk{number}", time.perf_counter()
    client.redis.begin_create("bench", name, body).result()
    created = time.perf_counter()
    client.redis.begin_delete("bench", name).result()
    taken.append((created - started, time.perf_counter() - created))
print(json.dumps(taken[1:]))  # the first one signs in
"""


def run() -> None:
    """Create and delete a cache with curl's means, the SDK and az."""
    with (
        tempfile.TemporaryDirectory() as state,
        running(Path(state), FLOCI_AZ_SERVICES_REDIS_BACKEND="docker") as emulator,
    ):
        create, delete = _bare(emulator)
        own = show("PUT until Succeeded", create), show("DELETE until 404", delete)
        environment = surroundings(emulator, Path(state))
        sdk_create, sdk_delete = _sdk(environment)
        ratio("begin_create().result()", show("SDK create", sdk_create), own[0])
        ratio("begin_delete().result()", show("SDK delete", sdk_delete), own[1])
        empty, az_create, az_delete = _az(environment)
        start = show("az version, which asks nobody", empty)
        ratio("az create", show("az redis create", az_create), own[0] + start)
        ratio("az delete", show("az redis delete", az_delete), own[1] + start)


def _bare(emulator: Emulator) -> tuple[list[float], list[float]]:
    names = [f"bare{number}" for number in range(ROUNDS)]
    create = [milliseconds(partial(emulator.create, name)) for name in names]
    return create, [milliseconds(partial(emulator.delete, name)) for name in names]


def _sdk(environment: dict[str, str]) -> tuple[list[float], list[float]]:
    interpreter = python(*PYTHON_SDK) / "bin" / "python"
    done = subprocess.run(
        [interpreter, "-c", SDK, str(ROUNDS)],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    rounds = json.loads(done.stdout)
    return [1000 * create for create, _ in rounds], [1000 * d for _, d in rounds]


def _az(environment: dict[str, str]) -> tuple[list[float], ...]:
    program = str(python(*AZURE_CLI) / "bin" / "az")

    def az(*arguments: str) -> None:
        subprocess.run(
            [program, *arguments], env=environment, check=True, capture_output=True
        )

    endpoint = environment["ARM_ENDPOINT"]
    az("cloud", "register", "-n", "emulator", "--endpoint-resource-manager", endpoint)
    az("cloud", "set", "-n", "emulator")
    az("login", "--service-principal", "-u", "any", "-p", "any", "--tenant", "adfs")
    az("account", "set", "--subscription", SUBSCRIPTION)
    az("group", "create", "-n", GROUP, "-l", "westeurope")
    cache = ("-g", GROUP, "-n", "az-bench")
    size = ("-l", "westeurope", "--sku", "Basic", "--vm-size", "c0")
    steps = (
        ("version",),
        ("redis", "create", *cache, *size),
        ("redis", "delete", *cache, "--yes"),
    )
    rounds = [[milliseconds(partial(az, *step)) for step in steps] for _ in range(3)]
    return tuple(list(taken) for taken in zip(*rounds, strict=True))
