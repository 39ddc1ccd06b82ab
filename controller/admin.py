"""Talk to a server as the controller's own user. Only this module imports redis.

Note [The controller's own user]
~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
After a rotation the controller must not depend on an access key, so every server has
a user of the controller's own. Its password is derived from the instance's secret
and the cache's uid: a restarted controller knows it again, and nobody can read it.

Note [The controller's seat]
~~~~~~~~~~~~~~~~~~~~~~~~~~~~
Users may list all connections of a server, and are not to see the controller's user.
But a server that is full of clients lets nobody in, and then no key could be rotated.
So there is one connection that stays, on which the controller signs in each time, and
out again with ``RESET``: meanwhile it is one of nobody's.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, TypeVar

import redis
import tenacity
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.retry import Retry

from controller import acl, config
from controller.errors import PortTakenError, TransientError
from controller.model import CacheKey
from controller.nodes import AclUser, Address, Node, NodeKey, Server
from controller.spec import AccessKeys, KeyDigest, Secret

ANSWER_SECONDS = 1.0  # a server that needs longer for a PING counts as silent
RETRY_SECONDS = 2.0  # in all, around one call
SAVE_SECONDS = 60.0  # for all data to be written down

_CEILING = re.compile(r"try with (\d+)")  # CONFIG SET maxclients beyond the file limit
_PORT_TAKEN = "Unable to listen on this port"  # CONFIG SET port
_BUSY = "BUSY "  # a script runs; it is killed by its author, not by us
_FULL = "max number of clients reached"
_LOST = (redis.ConnectionError, redis.TimeoutError)
_PROBE_USER = "azure-redis-emulator-probe"  # lives within one transaction
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL
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

    def disconnect(self, node: Node, users: frozenset[str] | None) -> None:
        """End the connections of users by name, ``None``: of everybody else.

        Raises `TransientError`.
        """
        ...

    def apply_settings(self, node: Node, settings: Mapping[str, str]) -> None:
        """``CONFIG SET`` each of them. Raises `TransientError`, `PortTakenError`."""
        ...

    def flush(self, node: Node) -> None:
        """Empty all databases. Raises `TransientError`."""
        ...

    def save(self, node: Node) -> None:
        """Have all data written to the dump file; takes its time.

        Writes are put off meanwhile, and for a moment after. Raises `TransientError`.
        """
        ...

    def judge(self, cache: CacheKey, permissions: str) -> str | None:
        """Ask a cache's server what is wrong with rules for a user; ``None``: nothing.

        Raises `TransientError` when it cannot be asked.
        """
        ...

    def forget(self, node: NodeKey) -> None:
        """Let go of what is kept for a node, which is gone for good."""
        ...


@dataclass(slots=True)
class _Known:
    """What was learnt of one server, which it does not tell.

    ``ceilings`` are the most that its machine gave of a setting. ``spellings`` has, by
    user, the rules as they were set, and as the server lists them. ``trial`` is what
    ``accepted`` was found for; it need not be found out again while that is the same.
    """

    uid: str
    address: Address
    client: redis.Redis
    ceilings: dict[str, str] = field(default_factory=dict)
    spellings: dict[str, tuple[str, str]] = field(default_factory=dict)
    trial: tuple[object, ...] = ()
    accepted: frozenset[KeyDigest] = frozenset()


@dataclass(frozen=True, slots=True)
class _Told:
    """What a server said of itself; ``run_id`` is another one after each start."""

    users: dict[str, AclUser]
    settings: dict[str, str]
    run_id: str


class _TlsConnection(redis.Connection):
    """One that shares its context: redis-py's own loads all public roots each time."""

    def __init__(self, *, context: ssl.SSLContext, **settings: Any) -> None:  # noqa: ANN401 (redis-py's)
        super().__init__(**settings)  # type: ignore[no-untyped-call]  # redis-py's typing is unfinished
        self._context = context

    def _connect(self) -> ssl.SSLSocket:
        return self._context.wrap_socket(super()._connect())  # type: ignore[no-untyped-call]  # as above


class RedisAdmin:
    """The real one; ``authority`` signed what servers show, in PEM.

    With ``restricted`` servers the controller's commands have names of their own: see
    `acl.renames`.
    """

    def __init__(self, secret: Secret, authority: bytes, *, restricted: bool) -> None:
        self._secret = secret
        self._context = _trusting(authority)
        self._restricted = restricted
        self._lock = threading.Lock()
        self._known: dict[NodeKey, _Known] = {}

    def password(self, uid: str) -> Secret:
        """See Note [The controller's own user]."""
        derived = hmac.new(self._secret.reveal.encode(), uid.encode(), hashlib.sha256)
        return Secret(derived.hexdigest())

    def look(self, node: Node, keys: AccessKeys) -> Server | None:
        """Ask on the controller's connection, and try the keys on fresh ones."""
        known = self._knowledge(node)
        try:
            told = self._ask(known)
            self._try_keys(known, keys, told)
        except redis.RedisError as error:
            if isinstance(error, redis.BusyLoadingError) or any(
                words in str(error) for words in (_BUSY, _FULL)
            ):
                raise TransientError(f"the server answers: {error}") from error
            return None
        return Server(
            users={name: _respelled(known, it) for name, it in told.users.items()},
            settings=told.settings,
            accepted=known.accepted,
            ceilings=known.ceilings,
        )

    def apply_users(
        self, node: Node, users: tuple[AclUser, ...], drop: frozenset[str]
    ) -> None:
        """Send all in one write: a controller that dies after it leaves nothing half.

        Without ``ACL SAVE`` a restart of the server would revive a revoked key, so
        where it fails the server goes back to what it has saved.
        """
        known = self._knowledge(node)
        manage = self._verb(node.uid, "acl")

        def tell() -> list[str]:
            lines = self._lines(known)
            for user in users:
                lines.execute_command(f"{manage} SETUSER", *acl.setuser(user))
            if drop:
                lines.execute_command(f"{manage} DELUSER", *sorted(drop))
            lines.execute_command(f"{manage} SAVE")
            lines.execute_command(f"{manage} LIST")
            lines.execute_command("RESET")
            try:
                *_, listed, _ = lines.execute()
            except redis.ResponseError:
                self._tell(known, f"{manage} LOAD")
                raise
            return list(listed)

        found = {each.name: each for each in map(acl.parse_user, _call(tell))}
        known.spellings |= {
            user.name: (user.rules, found[user.name].rules)
            for user in users
            if user.name in found
        }

    def disconnect(self, node: Node, users: frozenset[str] | None) -> None:
        """Kill them one user at a time, or all but this connection."""
        known = self._knowledge(node)
        kinds = ("normal", "pubsub") if users is None else ()
        for filters in (
            *(("TYPE", kind, "SKIPME", "yes") for kind in kinds),
            *(("USER", user) for user in users or ()),
        ):
            _call(partial(self._tell, known, "CLIENT KILL", *filters))

    def apply_settings(self, node: Node, settings: Mapping[str, str]) -> None:
        """Set one by one; what the machine cannot serve is set to its most."""
        known = self._knowledge(node)
        put = partial(self._tell, known, f"{self._verb(node.uid, 'config')} SET")
        for group in _groups(settings):
            try:
                _call(partial(put, *(word for pair in group.items() for word in pair)))
            except TransientError as error:
                if _PORT_TAKEN in str(error):
                    [port] = group.values()
                    raise PortTakenError(int(port), str(error)) from error
                most = _CEILING.search(str(error))
                if most is None:
                    raise
                [name] = group
                _call(partial(put, name, most[1]))
                known.ceilings[name] = most[1]

    def flush(self, node: Node) -> None:
        """``FLUSHALL``."""
        _call(partial(self._tell, self._knowledge(node), "FLUSHALL"))

    def save(self, node: Node) -> None:
        """Pause writes, then ``SAVE``."""
        uid, address = node.uid, _address(node)
        login = (acl.ADMIN_USER, self.password(uid))
        with self._connect(address, login, seconds=SAVE_SECONDS) as client:
            _call(partial(client.client_pause, int(SAVE_SECONDS * 1000), all=False))
            try:
                _call(partial(client.execute_command, self._verb(uid, "save")))
            except TransientError:
                _call(client.client_unpause)
                raise

    def judge(self, cache: CacheKey, permissions: str) -> str | None:
        """Have a user made and unmade in one transaction, whom nobody ever sees."""
        with self._lock:
            known = self._known.get(NodeKey(cache))
        if known is None:
            raise TransientError("the cache has no server yet that could be asked")
        manage = self._verb(known.uid, "acl")

        def ask() -> list[object]:
            lines = self._lines(known)
            lines.execute_command("MULTI")
            words = (_PROBE_USER, "reset", *permissions.split())
            lines.execute_command(f"{manage} SETUSER", *words)
            lines.execute_command(f"{manage} DELUSER", _PROBE_USER)
            lines.execute_command("EXEC")
            lines.execute_command("RESET")
            answers: list[object] = lines.execute(raise_on_error=False)
            return answers

        return _objection(_call(ask))

    def forget(self, node: NodeKey) -> None:
        """Close the connection."""
        with self._lock:
            known = self._known.pop(node, None)
        if known is not None:
            known.client.close()

    def _ask(self, known: _Known) -> _Told:
        """Ask for users, settings, and who the server is, all at once."""
        lines = self._lines(known)
        lines.execute_command(f"{self._verb(known.uid, 'acl')} LIST")
        lines.execute_command(f"{self._verb(known.uid, 'config')} GET", *config.LIVE)
        lines.info("server")
        lines.execute_command("RESET")
        _, listed, settings, info, _ = lines.execute()
        users = {user.name: user for user in map(acl.parse_user, listed)}
        return _Told(users, settings, info["run_id"])

    def _lines(self, known: _Known) -> Pipeline:
        """Begin to write; what is written ends with ``RESET``.

        See Note [The controller's seat].
        """
        lines = known.client.pipeline(transaction=False)
        password = self.password(known.uid)
        lines.execute_command("AUTH", acl.ADMIN_USER, password.reveal)
        return lines

    def _tell(self, known: _Known, *command: str) -> object:
        """Run one command, and give its answer."""
        lines = self._lines(known)
        lines.execute_command(*command)
        lines.execute_command("RESET")
        _, answer, _ = lines.execute()
        return answer

    def _try_keys(self, known: _Known, keys: AccessKeys, told: _Told) -> None:
        """Find out which keys open every open port, unless nothing has changed."""
        trial = (told.run_id, keys, told.users, told.settings)
        if trial == known.trial:
            return
        doors = ((True, "tls-port"), (False, "port"))
        known.accepted = frozenset(
            key.digest
            for key in (keys.primary, keys.secondary)
            if all(
                self._opens(known.address, key, told.users, tls=tls)
                for tls, port in doors
                if told.settings.get(port, "0") != "0"
            )
        )
        known.trial = trial

    def _opens(
        self, address: Address, key: Secret, users: Mapping[str, AclUser], *, tls: bool
    ) -> bool:
        """Tell whether an access key is let in, as any client's would be.

        A server that is full of clients lets nobody try: its own list is believed then.
        """
        with self._connect(address, (acl.DEFAULT_USER, key), tls=tls) as client:
            try:
                return bool(client.ping())
            except (redis.AuthenticationError, redis.exceptions.NoPermissionError):
                return False
            except redis.ConnectionError as error:
                if _FULL not in str(error):
                    raise
                return key.digest in users[acl.DEFAULT_USER].digests

    def _verb(self, uid: str, command: str) -> str:
        return acl.verb(command, self.password(uid)) if self._restricted else command

    def _knowledge(self, node: Node) -> _Known:
        """Give what is known, or begin anew when another server is there now."""
        place = (node.uid, _address(node))
        with self._lock:
            known = self._known.get(node.key)
        if known is not None and (known.uid, known.address) == place:
            return known
        self.forget(node.key)
        uid, address = place
        client = self._connect(address)
        client.set_response_callback(f"{self._verb(uid, 'config')} GET", _pairs)
        with self._lock:
            self._known[node.key] = _Known(uid, address, client)
            return self._known[node.key]

    def _connect(
        self,
        address: Address,
        login: tuple[str, Secret] | None = None,
        *,
        tls: bool | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> redis.Redis:
        """Connect by TLS where there is any: the other port may be closed.

        An expired certificate is taken, or nobody could replace it any more.
        """
        secure = address.speaks_tls if tls is None else tls
        settings: dict[str, Any] = {
            "host": address.host,
            "port": address.ports.tls if secure else address.ports.plain,
            "socket_timeout": seconds,
            "socket_connect_timeout": ANSWER_SECONDS,
            "retry": Retry(NoBackoff(), 0),  # `_call` does it, and a look must not
            "decode_responses": True,
            "protocol": 2,
            "driver_info": None,
        }
        if login is not None:
            user, password = login
            settings |= {"username": user, "password": password.reveal}
        if secure:
            settings |= {"connection_class": _TlsConnection, "context": self._context}
        return redis.Redis.from_pool(redis.ConnectionPool(**settings))


def _trusting(authority: bytes) -> ssl.SSLContext:
    """Trust what an authority signed, for whatever name: all of it is the emulator's.

    Containers are reached at addresses, and those are in no certificate.
    """
    context = ssl.create_default_context(cadata=authority.decode())
    context.check_hostname = False
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    return context


def _objection(answers: list[object]) -> str | None:
    """Read what a server has against a user that it was asked to make.

    What is no rule at all is an error among the answers of the transaction.
    """
    for answer in answers:
        for each in answer if isinstance(answer, list) else (answer,):
            if isinstance(each, redis.ResponseError):
                return str(each)
    return None


def _pairs(answer: list[str], **_: object) -> dict[str, str]:
    """Read names and values in turn; redis-py knows no command by another name."""
    return dict(zip(answer[::2], answer[1::2], strict=True))


def _respelled(known: _Known, user: AclUser) -> AclUser:
    """Give the rules as they were set, where the server lists them in other words."""
    wanted, listed = known.spellings.get(user.name, ("", ""))
    return replace(user, rules=wanted) if user.rules == listed else user


def _groups(settings: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """Give each setting alone, but a certificate with its key: only both fit."""
    pair = (config.CERTIFICATE, config.CERTIFICATE_KEY)
    if any(name in settings for name in pair):
        yield {name: settings[name] for name in pair if name in settings}
    for name, value in settings.items():
        if name not in pair:
            yield {name: value}


def _address(node: Node) -> Address:
    if node.address is None:
        raise TransientError(f"node {node.key} cannot be reached in its phase")
    return node.address


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
