"""No access key, token or password of our own can be read where it should not be."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
import requests

from controller.backends.process.children import SERVERS
from tests.emulator import PATIENCE_SECONDS, Emulator, basic
from tests.faults.rig import Rig
from tests.faults.servers import Servers, identity

CACHE = "discreet"


@pytest.fixture(scope="module")
def secrets(rig: Rig[Servers]) -> Iterator[dict[str, bytes]]:
    """Put a cache through all that handles secrets; gives what nobody may find."""
    emulator = rig.emulator
    emulator.create(CACHE, redisConfiguration={"aad-enabled": "true"})
    found = {f"first {name}": key for name, key in emulator.keys(CACHE).items()}
    emulator.rotate(CACHE, "Primary")
    emulator.rotate(CACHE, "Secondary")
    found |= {f"second {name}": key for name, key in emulator.keys(CACHE).items()}
    policy = {"redisConfiguration": {"maxmemory-policy": "allkeys-lfu"}}
    assert emulator.call("PATCH", CACHE, {"properties": policy}).ok
    found["token"] = signed_in(rig)
    for key in tuple(found.values()):  # clients make mistakes with them
        wrong = {"keyType": key}
        assert emulator.call("POST", f"{CACHE}/regenerateKey", wrong).status_code == 400
        assert emulator.call("PUT", CACHE, basic(shardCount=key)).status_code == 400
    rig.servers.crash(CACHE)
    rig.settle(CACHE)
    found["instance secret"] = identity(emulator)["secret"]
    found["admin password"] = rig.admin_password(CACHE).reveal
    yield {name: secret.encode() for name, secret in found.items()}
    emulator.delete(CACHE)


def signed_in(rig: Rig[Servers]) -> str:
    """Assign somebody a policy, and have the cache opened with their token."""
    token = issued(rig.emulator)
    claims = jwt.decode(token, options={"verify_signature": False})
    owner = {
        "objectId": claims["oid"],
        "objectIdAlias": "tester",
        "accessPolicyName": "Data Owner",
    }
    path = f"{CACHE}/accessPolicyAssignments/owner"
    assert rig.emulator.call("PUT", path, {"properties": owner}).ok
    rig.emulator.settled(CACHE)
    with rig.door(CACHE).client(token, username=claims["oid"]) as client:
        assert client.ping()
    return token


def issued(emulator: Emulator) -> str:
    """Get a token for caches, as azure-identity does."""
    form = {
        "grant_type": "client_credentials",
        "client_id": "discreet",
        "client_secret": "any",
        "scope": "https://redis.azure.com/.default",
    }
    url = f"{emulator.base}/adfs/oauth2/token"
    answer = requests.post(url, data=form, timeout=PATIENCE_SECONDS)
    token: str = answer.json()["access_token"]
    return token


def found_in(secrets: dict[str, bytes], text: bytes) -> list[str]:
    """Name the secrets that a text holds."""
    return [name for name, secret in secrets.items() if secret in text]


def test_the_search_finds_what_is_there(secrets: dict[str, bytes]) -> None:
    """There are two pairs of keys, all different, a token, and two of our own."""
    assert len(set(secrets.values())) == 7
    assert found_in(secrets, b" ".join(secrets.values())) == [*secrets]


def test_no_secret_is_logged(rig: Rig[Servers], secrets: dict[str, bytes]) -> None:
    """The emulator's log has none, at its most talkative, mistakes included."""
    log = rig.emulator.log.read_bytes()
    assert b"regenerateKey" in log
    assert found_in(secrets, log) == []


def test_no_secret_is_on_the_status_page(
    rig: Rig[Servers], secrets: dict[str, bytes]
) -> None:
    """It tells of the cache, and of none of what opens it."""
    url = f"{rig.emulator.base}/_emulator/status"
    page = requests.get(url, timeout=PATIENCE_SECONDS).content
    assert CACHE.encode() in page
    assert found_in(secrets, page) == []


def test_no_secret_is_shown_of_a_server(
    rig: Rig[Servers], secrets: dict[str, bytes]
) -> None:
    """Labels, settings, output and files of a server have digests at most."""
    shown = rig.servers.shown(CACHE)
    assert b"maxmemory-policy" in shown
    assert b"user default on" in shown
    assert found_in(secrets, shown) == []


def test_no_secret_is_an_argument_or_a_variable(secrets: dict[str, bytes]) -> None:
    """Whoever lists the processes of this machine sees none."""
    seen = 0
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            with contextlib.suppress(OSError):  # it ended, or is somebody else's
                text = (process / name).read_bytes()
                seen += any(name.encode() in text for name in SERVERS)
                assert found_in(secrets, text) == []
    assert seen


def test_no_key_is_stored(rig: Rig[Servers], secrets: dict[str, bytes]) -> None:
    """The state directory knows the instance's own secret, and no key or token."""
    for path in rig.emulator.directory.rglob("*"):
        if path.is_file() and path.name != "instance.json":
            assert found_in(secrets, path.read_bytes()) == []
