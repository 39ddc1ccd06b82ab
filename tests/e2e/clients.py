"""Real clients of Azure, each in an environment of its own below the checkout.

An environment is made once for each set of versions, and found again by later runs.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.emulator import Emulator
from tests.needs import missing

FOLDER = Path(__file__).parents[2] / ".clients"
SECONDS = 900  # for one installation, on a slow network

AZURE_CLI = ("azure-cli==2.91.0",)
PYTHON_SDK = (
    "azure-mgmt-redis==14.5.0",
    "azure-identity==1.27.0",
    "aiohttp==3.14.5",
    "redis==8.1.0",
)
JS_SDK = ("@azure/arm-rediscache@8.2.0", "@azure/identity@4.13.1", "redis@6.3.1")
GO_SDK = (
    "github.com/Azure/azure-sdk-for-go/sdk/azcore@v1.23.3",
    "github.com/Azure/azure-sdk-for-go/sdk/azidentity@v1.15.0",
    "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/redis/armredis/v2@v2.3.0",
    "github.com/redis/go-redis/v9@v9.22.0",
)
JAVA_SDK = (
    "com.azure.resourcemanager:azure-resourcemanager-redis:2.53.3",
    "com.azure:azure-identity:1.17.0",
    "redis.clients:jedis:8.0.2",
)

ENTRA = ("redis==8.1.0", "redis-entraid==1.2.2")

# Clients of the caches themselves
REDIS_PYTHON = ("redis==8.1.0", "valkey==6.2.0", "valkey-glide==2.6.0")
REDIS_NODE = ("ioredis@6.0.0", "redis@6.3.1")
REDIS_GO = ("github.com/redis/go-redis/v9@v9.22.0",)
REDIS_JAVA = ("redis.clients:jedis:8.0.2", "io.lettuce:lettuce-core:7.7.0.RELEASE")
AZURITE = ("azurite@3.37.0",)  # a stand-in for storage accounts, by Microsoft
BLOB_SDK = ("azure-storage-blob==12.31.1",)

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"  # the one that az finds


class CannotInstallError(Exception):
    """A client is not to be had here; the message holds the installer's last words."""


def python(*requirements: str) -> Path:
    """Give a virtual environment that has these, or skip the test: see `obtain`."""
    make = partial(_make_python, requirements)
    return obtain(f"python-{sys.version_info.minor}", requirements, make)


def node(*packages: str) -> Path:
    """Give a folder whose ``node_modules`` has these, or skip the test."""
    return obtain("node", packages, partial(_make_node, packages))


def go(*modules: str) -> Path:
    """Give a folder with the ``go.mod`` and ``go.sum`` of a module that needs these."""
    return obtain("go", modules, partial(_make_go, modules))


def go_variables(folder: Path) -> dict[str, str]:
    """Give what lets Go find what `go` has downloaded and compiled."""
    return {
        "GOFLAGS": "-modcacherw",
        "GOMODCACHE": str(folder / "modules"),
        "GOCACHE": str(folder / "compiled"),
    }


def java(*artifacts: str) -> Path:
    """Give a folder whose ``lib`` has these and all that they need."""
    return obtain("java", artifacts, partial(_make_java, artifacts))


def node_script(folder: Path, text: str) -> Path:
    """Write a script to a folder from where it finds the packages of the SDK."""
    modules = folder / "node_modules"
    if not modules.exists():
        modules.symlink_to(node(*JS_SDK) / "node_modules")
    script = folder / "script.mjs"
    script.write_text(text)
    return script


def surroundings(emulator: Emulator, home: Path) -> dict[str, str]:
    """Give the whole environment of a client: an endpoint, any login, and the CA."""
    bundle = str(emulator.bundle)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "ARM_ENDPOINT": emulator.secure,
        "AZURE_AUTHORITY_HOST": emulator.secure,
        "AZURE_CLIENT_ID": "any",
        "AZURE_CLIENT_SECRET": "any",
        "AZURE_TENANT_ID": "adfs",
        "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
        "AZURE_CONFIG_DIR": str(home / "azure"),
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
        "NODE_EXTRA_CA_CERTS": bundle,
        "REQUESTS_CA_BUNDLE": bundle,
        "SSL_CERT_FILE": bundle,
    }


def obtain(kind: str, wanted: tuple[str, ...], make: Callable[[Path], None]) -> Path:
    """Give the folder that holds what is wanted, made where it is not there yet.

    Where that fails the test is skipped with the reason; in CI it fails.
    """
    digest = hashlib.sha256(json.dumps(wanted).encode()).hexdigest()[:12]
    folder = FOLDER / f"{kind}-{digest}"
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n")
    with (FOLDER / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another test run may be at it
        if (folder / "complete").exists():
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            make(folder)
        except CannotInstallError as error:
            missing(f"{' '.join(wanted)} cannot be installed: {error}")
        (folder / "complete").touch()
        return folder


def install(folder: Path, *command: str, **variables: str) -> None:
    """Run one step of an installation in its folder; raises `CannotInstallError`."""
    if shutil.which(command[0]) is None:
        raise CannotInstallError(f"no {command[0]} on PATH")
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise CannotInstallError("\n".join(done.stdout.splitlines()[-8:]))


def _make_python(requirements: tuple[str, ...], folder: Path) -> None:
    install(folder, sys.executable, "-m", "venv", str(folder))
    pip = str(folder / "bin/pip")
    install(folder, pip, "install", "--disable-pip-version-check", *requirements)


def _make_node(packages: tuple[str, ...], folder: Path) -> None:
    (folder / "package.json").write_text('{"private": true}\n')
    quiet = ("--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")
    install(folder, "npm", "install", *quiet, *packages)


def _make_go(modules: tuple[str, ...], folder: Path) -> None:
    variables = go_variables(folder)
    install(folder, "go", "mod", "init", "recipe", **variables)
    install(folder, "go", "get", *modules, **variables)


def _make_java(artifacts: tuple[str, ...], folder: Path) -> None:
    parts = (each.split(":") for each in artifacts)
    dependencies = "".join(_DEPENDENCY.format(*each) for each in parts)
    (folder / "pom.xml").write_text(_PROJECT.format(dependencies))
    copy = ("dependency:copy-dependencies", "-DoutputDirectory=lib")
    install(folder, "mvn", "--batch-mode", "--quiet", *copy)


_PROJECT = """\
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>recipe</groupId>
  <artifactId>recipe</artifactId>
  <version>1</version>
  <dependencies>
{}  </dependencies>
</project>
"""
_DEPENDENCY = """\
    <dependency>
      <groupId>{}</groupId>
      <artifactId>{}</artifactId>
      <version>{}</version>
    </dependency>
"""
