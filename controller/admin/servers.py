"""Talk to a server as the controller's own user. Only this package imports redis.

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
from collections.abc import Mapping
from functools import partial
from typing import Any

import redis

from controller import acl, config
from controller.admin.answers import groups, objection, open_doors, pairs, writing
from controller.admin.connections import (
    SAVE_SECONDS,
    Connections,
    await_end,
    call,
    trusting,
)
from controller.admin.data import RedisData
from controller.admin.known import Known, Told
from controller.admin.seat import Seat
from controller.errors import PortTakenError, TransientError
from controller.model import CacheKey
from controller.nodes import AclUser, Address, Node, NodeKey, Server
from controller.spec import AccessKeys, Secret

_CEILING = re.compile(r"try with (\d+)")  # CONFIG SET maxclients beyond the file limit
_PORT_TAKEN = "Unable to listen on this port"  # CONFIG SET port
_BUSY = "BUSY "  # a script runs; it is killed by its author, not by us
_FULL = "max number of clients reached"
PAUSE_MILLISECONDS = 10_000  # of writes, for a server that is removed meanwhile
UNFINISHED = "unfinished"  # an append-only file that a crash would leave in part
_PROBE_USER = "azure-redis-emulator-probe"  # lives within one transaction


class RedisAdmin:
    """The real one; ``authority`` signed what servers show, in PEM.

    With ``restricted`` servers the controller's commands have names of their own: see
    `acl.renames`.
    """

    def __init__(self, secret: Secret, authority: bytes, *, restricted: bool) -> None:
        self._secret = secret
        self._connections = Connections(trusting(authority))
        self._restricted = restricted
        self._lock = threading.Lock()
        self._known: dict[NodeKey, Known] = {}
        self.data = RedisData(self._run, self._enter, self._verb, self.password)

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
            users={name: known.respelled(it) for name, it in told.users.items()},
            settings=told.settings,
            accepted=known.accepted,
            ceilings=known.ceilings,
            follows=told.follows,
        )

    def apply_users(
        self,
        node: Node,
        users: tuple[AclUser, ...],
        drop: frozenset[str],
        disconnect: frozenset[str] = frozenset(),
    ) -> None:
        """Send all in one write: a controller that dies after it leaves nothing half.

        Without ``ACL SAVE`` a restart of the server would revive a revoked key, so
        where it fails the server goes back to what it has saved.
        """
        known = self._knowledge(node)
        manage = self._verb(node.uid, "acl")

        def tell() -> list[str]:
            lines = known.seat.lines()
            for user in users:
                lines.execute_command(f"{manage} SETUSER", *acl.setuser(user))
            if drop:
                lines.execute_command(f"{manage} DELUSER", *sorted(drop))
            for name in sorted(disconnect):
                lines.execute_command("CLIENT KILL", "USER", name)
            lines.execute_command(f"{manage} SAVE")
            lines.execute_command(f"{manage} LIST")
            try:
                *_, listed = known.seat.run(lines)
            except redis.ResponseError:
                known.seat.tell(f"{manage} LOAD")
                raise
            return list(listed)

        found = {each.name: each for each in map(acl.parse_user, call(tell))}
        known.spellings |= {
            user.name: (user.rules, found[user.name].rules)
            for user in users
            if user.name in found
        }

    def disconnect(self, node: Node) -> None:
        """Kill all but this connection."""
        tell = self._knowledge(node).seat.tell
        for kind in ("normal", "pubsub"):
            call(partial(tell, "CLIENT KILL", "TYPE", kind, "SKIPME", "yes"))

    def apply_settings(self, node: Node, settings: Mapping[str, str]) -> None:
        """Set one by one; what the machine cannot serve is set to its most.

        A file of all changes is whole afterwards: until then a crash would lose all.
        """
        known = self._knowledge(node)
        put = partial(known.seat.tell, f"{self._verb(node.uid, 'config')} SET")
        for group in groups(settings):
            try:
                call(partial(put, *(word for pair in group.items() for word in pair)))
            except TransientError as error:
                if _PORT_TAKEN in str(error):
                    [port] = group.values()
                    raise PortTakenError(int(port), str(error)) from error
                most = _CEILING.search(str(error))
                if most is None:
                    raise
                [name] = group
                call(partial(put, name, most[1]))
                known.ceilings[name] = most[1]
        if settings.get(config.APPENDING) == "yes":
            await_end(lambda: writing(known.seat.info("persistence")))

    def flush(self, node: Node) -> None:
        """``FLUSHALL``."""
        call(partial(self._knowledge(node).seat.tell, "FLUSHALL"))

    def save(self, node: Node) -> None:
        """Pause writes, then ``SAVE``."""
        with self._enter(node, SAVE_SECONDS) as client:
            call(partial(client.client_pause, PAUSE_MILLISECONDS, all=False))
            try:
                call(partial(client.execute_command, self._verb(node.uid, "save")))
            except TransientError:
                call(client.client_unpause)
                raise

    def judge(self, cache: CacheKey, permissions: str) -> str | None:
        """Have a user made and unmade in one transaction, whom nobody ever sees."""
        with self._lock:
            known = self._known.get(NodeKey(cache))
        if known is None:
            raise TransientError("the cache has no server yet that could be asked")
        manage = self._verb(known.uid, "acl")

        def ask() -> list[object]:
            lines = known.seat.lines()
            lines.execute_command("MULTI")
            words = (_PROBE_USER, "reset", *permissions.split())
            lines.execute_command(f"{manage} SETUSER", *words)
            lines.execute_command(f"{manage} DELUSER", _PROBE_USER)
            lines.execute_command("EXEC")
            lines.execute_command("RESET")  # errors are answers here: not `Seat.run`
            answers: list[object] = lines.execute(raise_on_error=False)
            return answers

        return objection(call(ask))

    def forget(self, node: NodeKey) -> None:
        """Close the connection."""
        with self._lock:
            known = self._known.pop(node, None)
        if known is not None:
            known.seat.client.close()

    def _ask(self, known: Known) -> Told:
        """Ask for users, settings, and who the server is, all at once."""
        lines = known.seat.lines()
        lines.execute_command(f"{self._verb(known.uid, 'acl')} LIST")
        lines.execute_command(f"{self._verb(known.uid, 'config')} GET", *config.LIVE)
        lines.info("server")
        lines.info("replication")
        lines.info("persistence")
        _, listed, settings, info, replication, persistence = known.seat.run(lines)
        if writing(persistence):
            settings[config.APPENDING] = UNFINISHED
        users = {user.name: user for user in map(acl.parse_user, listed)}
        follows = replication["role"] == "slave"
        return Told(users, settings, info["run_id"], follows)

    def _try_keys(self, known: Known, keys: AccessKeys, told: Told) -> None:
        """Find out which keys open every open port, unless nothing has changed.

        One that the server does not know is not tried: it opens nothing.
        """
        user, doors = told.users[acl.DEFAULT_USER], open_doors(told.settings)
        trial = (told.run_id, keys, user, doors)
        if trial == known.trial:
            return
        known.accepted = frozenset(
            key.digest
            for key in (keys.primary, keys.secondary)
            if user.nopass or key.digest in user.digests
            if all(
                self._opens(known, key, tls=name == "tls-port")
                for name in ("tls-port", "port")
                if doors.get(name, "0") != "0"
            )
        )
        full = known.accepted and known.seat.is_last()  # and believed, not tried
        known.trial = () if full else trial

    def _opens(self, known: Known, key: Secret, *, tls: bool) -> bool:
        """Tell whether a key that the server knows is let in, as any client's would be.

        A server that is full of clients lets nobody try: it is believed then.
        """
        login = (acl.DEFAULT_USER, key)
        with self._connections.open(known.address, login, tls=tls) as client:
            try:
                return bool(client.ping())
            except (redis.AuthenticationError, redis.exceptions.NoPermissionError):
                return False
            except redis.ConnectionError:
                if not known.seat.is_last():
                    raise
                return True

    def _run(self, node: Node, command: str, *words: str) -> Any:  # noqa: ANN401 (of any shape)
        """Run a command that has a name of its own here, maybe, and give its answer."""
        known, name = self._knowledge(node), self._verb(node.uid, command)
        return call(partial(known.seat.tell, name, *words))

    def _enter(self, node: Node, seconds: float) -> redis.Redis:
        """Connect as the controller's own user, seen by all, to wait for answers."""
        login = (acl.ADMIN_USER, self.password(node.uid))
        return self._connections.open(_address(node), login, seconds=seconds)

    def _verb(self, uid: str, command: str) -> str:
        hidden = self._restricted and command in acl.USED
        return acl.verb(command, self.password(uid)) if hidden else command

    def _knowledge(self, node: Node) -> Known:
        """Give what is known, or begin anew when another server is there now."""
        place = (node.uid, _address(node))
        with self._lock:
            known = self._known.get(node.key)
        if known is not None and (known.uid, known.address) == place:
            return known
        self.forget(node.key)
        uid, address = place
        client = self._connections.open(address)
        client.set_response_callback(f"{self._verb(uid, 'config')} GET", pairs)
        with self._lock:
            seat = Seat(client, self.password(uid))
            self._known[node.key] = Known(uid, address, seat)
            return self._known[node.key]


def _address(node: Node) -> Address:
    if node.address is None:
        raise TransientError(f"node {node.key} cannot be reached in its phase")
    return node.address
