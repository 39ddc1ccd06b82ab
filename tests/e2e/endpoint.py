"""Where a cache is reached, by each port and in each way to log in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import jwt
import requests

from tests.emulator import Emulator, running

_REDIS_SCOPE = "https://redis.azure.com/.default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What a client has to know of a cache; the token is that of ``object_id``."""

    host: str
    port: int
    tls_port: int
    ca: Path  # PEM: what signed the server's certificate, maybe among others
    primary: str = field(repr=False)
    secondary: str = field(repr=False)
    object_id: str
    token: str = field(repr=False)


@contextlib.contextmanager
def emulated(folder: Path) -> Iterator[Endpoint]:
    """Create a cache over ARM that has both ports open and an Entra user."""
    with running(folder, FLOCI_AZ_SERVICES_REDIS_BACKEND="docker") as emulator:
        shown = emulator.create(
            "clients",
            enableNonSslPort=True,
            redisConfiguration={"aad-enabled": "true"},
        )
        keys = emulator.keys("clients")
        token = _sign_in(emulator)
        claims = jwt.decode(token, options={"verify_signature": False})
        _make_owner(emulator, "clients", claims["oid"])
        yield Endpoint(
            host=shown["hostName"],
            port=shown["port"],
            tls_port=shown["sslPort"],
            ca=emulator.bundle,
            primary=keys["primaryKey"],
            secondary=keys["secondaryKey"],
            object_id=claims["oid"],
            token=token,
        )


def _sign_in(emulator: Emulator) -> str:
    """Get a token for caches, as azure-identity does."""
    answer = requests.post(
        f"{emulator.base}/adfs/oauth2/token",
        data={
            "grant_type": "client_credentials",
            "client_id": "any",
            "client_secret": "any",
            "scope": _REDIS_SCOPE,
        },
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


def _make_owner(emulator: Emulator, cache: str, object_id: str) -> None:
    properties = {
        "objectId": object_id,
        "objectIdAlias": "tester",
        "accessPolicyName": "Data Owner",
    }
    path = f"{cache}/accessPolicyAssignments/owner"
    answer = emulator.call("PUT", path, {"properties": properties})
    assert answer.status_code in {200, 201}, answer.text
    assert emulator.ended(answer)["status"] == "Succeeded"
    emulator.settled(cache)
