"""Talk to a server as the controller's own user. Only this module imports redis.

Note [The controller's own user]
~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
After a rotation the controller must not depend on an access key, so every server has
a user of the controller's own. Its password is derived from the instance's secret
and the cache's uid: a restarted controller knows it again, and nobody can read it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar, assert_never

import redis
import tenacity
from redis.backoff import NoBackoff
from redis.retry import Retry

from controller import acl, config
from controller.errors import TransientError
from controller.model import CacheKey
from controller.nodes import AclUser, Address, Node, NodeKey, Server
from controller.spec import AccessKeys, ErrandKind, Secret

ANSWER_SECONDS = 1.0  # a server that needs longer for a PING counts as silent
RETRY_SECONDS = 2.0  # in all, around one call

_CEILING = re.compile(r"try with (\d+)")  # CONFIG SET maxclients beyond the file limit
_BUSY = "BUSY "  # a script runs; it is killed by its author, not by us
_FULL = "max number of clients reached"
_LOST = (redis.ConnectionError, redis.TimeoutError)
_Answer = TypeVar("_Answer")


class Admin(Protocol):
    """What the controller asks of a server; mocked in `controller.backends.mocked`."""

    def password(self, uid: str) -> Secret:
        """Derive the password of the controller's own user on a cache's servers."""
        ...

    def look(self, node: Node, keys: AccessKeys) -> Server | None:
        """Ask for users and settings, and try both keys; ``None``: no answer.

        Raises `TransientError` for a server that says it has no time: it is not dead.
        """
        ...

    def apply_users(
        self, node: Node, users: tuple[AclUser, ...], drop: frozenset[str]
    ) -> None:
        """Set each user in one atomic command, drop others, and save to the aclfile.

        Raises `TransientError`.
        """
        ...

    def apply_settings(self, node: Node, settings: Mapping[str, str]) -> None:
        """``CONFIG SET`` each of them. Raises `TransientError`."""
        ...

    def run_errand(self, node: Node, kind: ErrandKind) -> None:
        """Do it. Raises `TransientError`, and then it may have been done."""
        ...

    def judge(self, cache: CacheKey, permissions: str) -> str | None:
        """Have a cache's server judge permissions; ``None``: it takes them.

        Gives the server's words else. Raises `TransientError`.
        """
        ...

    def forget(self, node: NodeKey) -> None:
        """Let go of what is kept for a node, which is gone for good."""
        ...


@dataclass(frozen=True, slots=True)
class _Kept:
    """A connection to one server, and the most that its machine gave of a setting."""

    uid: str
    address: Address
    client: redis.Redis
    ceilings: dict[str, str] = field(default_factory=dict)


class RedisAdmin:
    """The real one, with one kept connection per server."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret
        self._lock = threading.Lock()
        self._kept: dict[NodeKey, _Kept] = {}

    def password(self, uid: str) -> Secret:
        """See Note [The controller's own user]."""
        derived = hmac.new(self._secret.reveal.encode(), uid.encode(), hashlib.sha256)
        return Secret(derived.hexdigest())

    def look(self, node: Node, keys: AccessKeys) -> Server | None:
        """Ask on the kept connection, and try the keys on fresh ones."""
        kept = self._connected(node)
        ask = kept.client.pipeline(transaction=False)
        ask.acl_list()
        ask.config_get(*config.LIVE)
        try:
            listed, settings = ask.execute()
            users = {user.name: user for user in map(acl.parse_user, listed)}
            accepted = {
                key.digest
                for key in (keys.primary, keys.secondary)
                if _opens(kept.address, key, users)
            }
        except redis.RedisError as error:
            if isinstance(error, redis.BusyLoadingError) or _BUSY in str(error):
                raise TransientError(f"the server answers: {error}") from error
            return None
        return Server(
            users=users,
            settings=settings,
            accepted=frozenset(accepted),
            ceilings=kept.ceilings,
        )

    def apply_users(
        self, node: Node, users: tuple[AclUser, ...], drop: frozenset[str]
    ) -> None:
        """Send all in one write: a controller that dies after it leaves nothing half.

        Without ``ACL SAVE`` a restart of the server would revive a revoked key, so
        where it fails the server goes back to what it has saved.
        """
        client = self._connected(node).client

        def tell() -> None:
            lines = client.pipeline(transaction=False)  # a new one: each sends once
            for user in users:
                lines.execute_command("ACL SETUSER", *acl.setuser(user))
            if drop:
                lines.execute_command("ACL DELUSER", *sorted(drop))
            lines.execute_command("ACL SAVE")
            try:
                lines.execute()
            except redis.ResponseError:
                client.acl_load()
                raise

        _call(tell)

    def apply_settings(self, node: Node, settings: Mapping[str, str]) -> None:
        """Set one by one; what the machine cannot serve is set to its most."""
        kept = self._connected(node)
        for name, value in settings.items():
            try:
                _call(partial(kept.client.config_set, name, value))
            except TransientError as error:
                most = _CEILING.search(str(error))
                if most is None:
                    raise
                _call(partial(kept.client.config_set, name, most[1]))
                kept.ceilings[name] = most[1]

    def run_errand(self, node: Node, kind: ErrandKind) -> None:
        """Empty the server, or drop its users' connections; data is not moved yet."""
        client = self._connected(node).client
        match kind:
            case ErrandKind.FLUSH:
                _call(client.flushall)
            case ErrandKind.DISCONNECT:
                for type_ in ("normal", "pubsub"):
                    _call(partial(client.client_kill_filter, _type=type_, skipme=True))
            case ErrandKind.IMPORT | ErrandKind.EXPORT:
                pass  # accepted, and without effect yet
            case _:
                assert_never(kind)

    def judge(self, cache: CacheKey, permissions: str) -> str | None:
        """Take all."""
        del cache, permissions
        return None

    def forget(self, node: NodeKey) -> None:
        """Close the connection."""
        with self._lock:
            kept = self._kept.pop(node, None)
        if kept is not None:
            kept.client.close()

    def _connected(self, node: Node) -> _Kept:
        """Give the kept connection, or a new one when another server is there now."""
        place = (node.uid, _address(node))
        with self._lock:
            kept = self._kept.get(node.key)
        if kept is not None and (kept.uid, kept.address) == place:
            return kept
        self.forget(node.key)
        uid, address = place
        client = _connect(address, acl.ADMIN_USER, self.password(uid))
        with self._lock:
            self._kept[node.key] = _Kept(uid, address, client)
            return self._kept[node.key]


def _address(node: Node) -> Address:
    if node.address is None:
        raise TransientError(f"node {node.key} cannot be reached in its phase")
    return node.address


def _opens(address: Address, key: Secret, users: Mapping[str, AclUser]) -> bool:
    """Tell whether an access key is let in, as any client's would be.

    A server that is full of clients lets nobody try: its own list is believed then.
    """
    with _connect(address, "default", key) as client:
        try:
            return bool(client.ping())
        except (redis.AuthenticationError, redis.exceptions.NoPermissionError):
            return False
        except redis.ConnectionError as error:
            if _FULL not in str(error):
                raise
            return key.digest in users["default"].digests  # it cannot be deleted


def _connect(address: Address, user: str, password: Secret) -> redis.Redis:
    return redis.Redis(
        host=address.host,
        port=address.port,
        username=user,
        password=password.reveal,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),  # `_call` does it, and a look must not
        decode_responses=True,
        protocol=2,
        driver_info=None,
    )


def _call(command: Callable[[], _Answer]) -> _Answer:
    """Run one command, again while the connection is lost; translate errors."""
    again = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(_LOST),
        stop=tenacity.stop_after_delay(RETRY_SECONDS),
        wait=tenacity.wait_random_exponential(multiplier=0.05, max=0.5),
        reraise=True,
    )
    try:
        return again(command)
    except redis.RedisError as error:
        raise TransientError(f"the server refused or was lost: {error}") from error
