"""Terraform's azurerm provider creates, changes, imports and destroys what it should.

Each folder of ``tests/e2e/terraform`` is one configuration, its files the steps that it
goes through. They need the provider, which no package registry has; where it cannot be
had, `tests.e2e.test_terraform_requests` sends its requests instead.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e import clients
from tests.emulator import Emulator

FOLDER = Path(__file__).parent / "terraform"
PROVIDER = FOLDER / "provider.tf"
CASES = sorted(each.name for each in FOLDER.iterdir() if each.is_dir())
SECONDS = 1200  # for one command: the provider waits in steps of 10 and 15 s
NOTHING_TO_CHANGE = 0  # exit status of a plan

Terraform = Callable[..., str]  # arguments to output


def run(folder: Path, *arguments: str, **variables: str) -> str:
    """Run one command of terraform in a folder, and give what it prints."""
    done = subprocess.run(
        ["terraform", *arguments],
        cwd=folder,
        env={**os.environ, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == NOTHING_TO_CHANGE, done.stdout
    return done.stdout


@pytest.fixture(scope="session")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fetch the provider once, from wherever this terraform is set up to find it."""
    if shutil.which("terraform") is None:
        pytest.skip("no terraform on PATH")
    folder = tmp_path_factory.mktemp("plugins")
    shutil.copy(PROVIDER, folder)
    try:
        run(folder, "init", "-no-color", TF_PLUGIN_CACHE_DIR=str(folder))
    except AssertionError as error:
        # Also in CI: no package registry has the provider.
        reason = " ".join(str(error).partition("Error: ")[2].split())
        pytest.skip(f"the azurerm provider cannot be had here: {reason}")
    return folder


@pytest.fixture
def terraform(plugins: Path, azure: Emulator, tmp_path: Path) -> Terraform:
    """Give terraform in a folder that has the provider, and nothing to build yet."""
    shutil.copy(PROVIDER, tmp_path)
    variables = {
        "ARM_CLIENT_ID": "any",
        "ARM_CLIENT_SECRET": "any",
        "ARM_METADATA_HOSTNAME": azure.secure.removeprefix("https://"),
        "ARM_SUBSCRIPTION_ID": clients.SUBSCRIPTION,
        "ARM_TENANT_ID": "any",
        "SSL_CERT_FILE": str(azure.bundle),
        "TF_PLUGIN_CACHE_DIR": str(plugins),
    }
    run(tmp_path, "init", **variables)
    return lambda *arguments: run(tmp_path, *arguments, **variables)


def apply(terraform: Terraform, step: Path, folder: Path) -> None:
    """Make it so without replacing a cache; then there is nothing left to change."""
    shutil.copy(step, folder / "main.tf")
    terraform("plan", "-out=planned")
    for change in json.loads(terraform("show", "-json", "planned"))["resource_changes"]:
        replaces = {"create", "delete"} <= set(change["change"]["actions"])
        assert change["type"] != "azurerm_redis_cache" or not replaces
    terraform("apply", "planned")
    terraform("plan", "-detailed-exitcode")


@pytest.mark.docker
@pytest.mark.parametrize("case", CASES)
def test_a_configuration_settles(
    terraform: Terraform, tmp_path: Path, case: str
) -> None:
    """After each of its steps a plan says no change; destroyed, nothing is left."""
    for step in sorted((FOLDER / case).glob("*.tf")):
        apply(terraform, step, tmp_path)
    terraform("destroy", "-auto-approve")
    assert terraform("state", "list") == ""


@pytest.mark.docker
def test_what_exists_is_imported(terraform: Terraform, tmp_path: Path) -> None:
    """What terraform has forgotten is found again, just as it is configured."""
    apply(terraform, FOLDER / "smoke/1.tf", tmp_path)
    state = json.loads(terraform("show", "-json"))["values"]["root_module"]
    made = [each for each in state["resources"] if each["mode"] == "managed"]
    assert len(made) == 3
    for each in made:
        terraform("state", "rm", each["address"])
        terraform("import", each["address"], each["values"]["id"])
    terraform("plan", "-detailed-exitcode")
    terraform("destroy", "-auto-approve")


@pytest.mark.skipif(shutil.which("terraform") is None, reason="no terraform on PATH")
def test_the_configurations_are_well_formed() -> None:
    """They are written as ``terraform fmt`` writes them."""
    for folder in (FOLDER, FOLDER.parents[2] / "deploy/terraform"):
        run(folder, "fmt", "-check", "-recursive")
