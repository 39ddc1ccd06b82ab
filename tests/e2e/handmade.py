"""A cache set up by hand: what the emulator's caches are held to, without it."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import docker
import jwt
import redis

from controller.pki import CERTIFICATE_FILE, load_or_create_authority
from tests.conftest import IMAGE
from tests.e2e.endpoint import Endpoint
from tests.emulator import eventually, free_ports

RENAMED = (
    "acl bgrewriteaof bgsave config debug failover migrate module replicaof save "
    "shutdown slaveof sync"
)
_KEPT = "psync replconf cluster"  # a server needs these by their names
_CLUSTER_READS = (
    "count-failure-reports countkeysinslot getkeysinslot help info keyslot links myid "
    "myshardid nodes replicas shards slaves slot-stats slots"
)
_RULES = " ".join(
    (
        "~* &* +@all",
        *(f"-{name}" for name in f"{RENAMED} {_KEPT}".split()),
        *(f"+cluster|{name}" for name in _CLUSTER_READS.split()),
    )
)
_KEYS = ("primary-" + "p" * 36, "secondary-" + "s" * 34)
_OBJECT_ID = "11111111-2222-3333-4444-555555555555"
_ADMIN = "admin"


@contextlib.contextmanager
def made(folder: Path) -> Iterator[Endpoint]:
    """Run a server with both ports, two keys and an Entra user."""
    first = free_ports(2)
    claims = {"oid": _OBJECT_ID, "aud": "https://redis.azure.com"}
    endpoint = Endpoint(
        host="localhost",
        port=first,
        tls_port=first + 1,
        ca=folder / CERTIFICATE_FILE,
        primary=_KEYS[0],
        secondary=_KEYS[1],
        object_id=_OBJECT_ID,
        token=jwt.encode(claims, "k" * 32, "HS256"),
    )
    _write(folder, endpoint)
    with _container(folder, endpoint):
        admin = redis.Redis(
            "localhost", endpoint.port, username=_ADMIN, password=_ADMIN
        )
        eventually(lambda: _answers(admin))
        admin.close()
        yield endpoint


def _write(folder: Path, endpoint: Endpoint) -> None:
    now = datetime.now(UTC)
    leaf = load_or_create_authority(folder, (), now).issue(
        ("localhost", "127.0.0.1"), now
    )
    users = {
        "default": (_RULES, *_KEYS),
        _OBJECT_ID: (_RULES, endpoint.token),
        _ADMIN: ("~* &* +@all", _ADMIN),
    }
    inside = {
        "server.pem": leaf.certificate_pem.decode(),
        "server-key.pem": leaf.key_pem.decode(),
        "users.acl": "".join(
            f"user {name} on {' '.join(map(_digest, passwords))} {rules}\n"
            for name, (rules, *passwords) in users.items()
        ),
        "valkey.conf": _configuration(),
    }
    (folder / "etc").mkdir()
    for name, text in inside.items():
        (folder / "etc" / name).write_text(text)


def _configuration() -> str:
    lines = (
        "port 6379",
        "tls-port 6380",
        "tls-cert-file /etc/valkey/server.pem",
        "tls-key-file /etc/valkey/server-key.pem",
        "tls-ca-cert-file /etc/valkey/server.pem",
        "tls-auth-clients no",
        "aclfile /etc/valkey/users.acl",
        'save ""',
        *(f"rename-command {name} {name}-{uuid4().hex}" for name in RENAMED.split()),
    )
    return "\n".join(lines) + "\n"


def _digest(password: str) -> str:
    return "#" + hashlib.sha256(password.encode()).hexdigest()


@contextlib.contextmanager
def _container(folder: Path, endpoint: Endpoint) -> Iterator[None]:
    """Run the image; the daemon, not this user, reads the folder."""
    folder.chmod(0o755)
    engine = docker.from_env()
    container = engine.containers.run(
        IMAGE,
        ["/etc/valkey/valkey.conf"],
        detach=True,
        ports={
            "6379/tcp": ("127.0.0.1", endpoint.port),
            "6380/tcp": ("127.0.0.1", endpoint.tls_port),
        },
        volumes={str(folder / "etc"): {"bind": "/etc/valkey", "mode": "ro"}},
    )
    try:
        yield
    finally:
        container.remove(force=True, v=True)
        engine.close()


def _answers(client: redis.Redis) -> bool:
    with contextlib.suppress(redis.ConnectionError):
        return bool(client.ping())
    return False
