"""What docs/ tells the users of each client to do works as it is printed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e import applications, clients
from tests.emulator import Emulator

pytestmark = pytest.mark.docker

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "clients.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
SAVED_AS = re.compile(r"save as\s+`([^`]+)`")
SECONDS = 300  # for one recipe; Go compiles the SDK the first time

# What the page says of it in a sentence, behind all of the page
MANAGED_IDENTITY = """
```sh
unset AZURE_CLIENT_ID AZURE_CLIENT_SECRET
export IDENTITY_ENDPOINT=https://localhost:4577/msi/token IDENTITY_HEADER=any
oid=$(python -c '
import base64, json
from azure.identity import DefaultAzureCredential
token = DefaultAzureCredential().get_token("https://redis.azure.com/.default").token
print(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["oid"])')
curl --cacert ca.pem --fail --silent --show-error --request PUT \\
  "$cache/accessPolicyAssignments/identity?$version" \\
  --header 'Content-Type: application/json' --data '{"properties": {
    "accessPolicyName": "Data Owner", "objectId": "'"$oid"'", "objectIdAlias": "me"}}'
while curl --cacert ca.pem --fail --silent "$cache?$version" | grep --quiet Updating; do
  sleep 0.1
done
REDIS_HOST=$(property hostName) REDIS_PORT=$(property sslPort) python app.py
```
"""

Variables = dict[str, str]


def nothing(_folder: Path) -> Variables:
    """Prepare nothing: curl is everywhere."""
    return {}


def az(_folder: Path) -> Variables:
    """Have az on PATH; it does not call home."""
    return {**_python(*clients.AZURE_CLI), "AZURE_CORE_COLLECT_TELEMETRY": "false"}


def python(_folder: Path) -> Variables:
    """Have a Python on PATH that has the SDK."""
    return _python(*clients.PYTHON_SDK)


def node(folder: Path) -> Variables:
    """Have the packages of the SDK beside the script."""
    clients.node_script(folder, "")
    return {}


def go(folder: Path) -> Variables:
    """Have a module that needs the SDK."""
    module = clients.go(*clients.GO_SDK)
    for name in ("go.mod", "go.sum"):
        shutil.copy(module / name, folder)
    return clients.go_variables(module)


def java(folder: Path) -> Variables:
    """Have the archives of the SDK beside the program."""
    (folder / "lib").symlink_to(clients.java(*clients.JAVA_SDK) / "lib")
    return {}


def _python(*requirements: str) -> Variables:
    programs = clients.python(*requirements) / "bin"
    return {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def script(text: str) -> str:
    """Make a script of the blocks of a text, which saves what is to be saved."""
    steps = ["set -euo pipefail\n"]
    for found in BLOCK.finditer(text):
        language, block = found.groups()
        if language == "sh":
            steps.append(block)
        else:
            *_, name = SAVED_AS.findall(text[: found.start()])
            steps.append(f"cat > {name} <<'END'\n{block}END\n")
    return "".join(steps)


@pytest.mark.parametrize(
    ("heading", "prepare"),
    [
        ("curl", nothing),
        ("az", az),
        ("Python", python),
        ("JavaScript", node),
        ("Go", go),
        ("Java", java),
    ],
)
def test_a_recipe_works_as_printed(
    azure: Emulator,
    tmp_path: Path,
    heading: str,
    prepare: Callable[[Path], Variables],
) -> None:
    """The cache that it makes is connected to with the key that it prints."""
    introduction, *sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    [section] = (each for each in sections if each.startswith(f"{heading}\n"))
    printed = run(azure, introduction + section, tmp_path, prepare(tmp_path))
    [key, *_] = re.findall(r"[A-Za-z0-9+/]{43}=", printed)
    subscription = clients.SUBSCRIPTION if heading == "az" else "my-sub"
    [name] = set(re.findall(r"\b[a-z]+-cache\b", section))
    cache = (
        f"{azure.base}/subscriptions/{subscription}/resourceGroups/my-group"
        f"/providers/Microsoft.Cache/redis/{name}"
    )
    shown = azure.call("GET", cache).json()["properties"]
    with applications.connected(shown["hostName"], shown["sslPort"], key) as client:
        assert client.ping()
    assert azure.call("DELETE", cache).status_code == 202


def test_an_application_signs_in_as_printed(azure: Emulator, tmp_path: Path) -> None:
    """It gets its token by itself, as an application and as a managed identity."""
    text = (DOCS / "entra.md").read_text() + MANAGED_IDENTITY
    printed = run(azure, text, tmp_path, _python(*clients.ENTRA))
    assert printed.count("b'hello'\n") == 2


def run(azure: Emulator, text: str, folder: Path, variables: Variables) -> str:
    """Run the blocks of a text in an environment of their own; gives the output."""
    here = azure.secure.removeprefix("https://")
    surroundings = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(
        ["bash", "-c", script(text).replace("localhost:4577", here)],
        cwd=folder,
        env={**surroundings, **variables},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
