"""All data of a server at once: written to a dump, merged, and replaced.

Note [Replaced by replication]
~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
A server reads a dump file only when it starts, and a start ends all connections and
would lose what the server holds if the file were bad. So another server, a loader,
reads it, and the cache's own becomes its replica for a moment: clients stay, users and
settings are untouched, and what cannot be read never gets near the cache. With
``repl-diskless-load swapdb`` the old data are let go only when the new ones are
complete; for that there has to be room for both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Protocol, cast

import redis

from controller import acl
from controller.admin.connections import ANSWER_SECONDS, call
from controller.errors import ErrandError, TransientError
from controller.nodes import Address, Loaded, Node, Pause
from controller.spec import Secret

POLL_SECONDS = 0.03
MERGE_SECONDS = 30.0  # for a batch of keys to be copied
BATCH = 500  # keys

_IN_TURN = re.compile(r"in progress|child process")  # BGSAVE, which has to wait


_Command = tuple[str, ...]


class _Run(Protocol):
    def __call__(self, node: Node, command: str, *words: str) -> Any: ...  # noqa: ANN401 (of any shape)


class RedisData:
    """Fulfils the contract of `controller.admin.Data`.

    ``run`` runs a command on a cache's server without being seen, ``enter`` opens a
    connection as the controller's own user, whose ``password`` it is, and ``verb``
    names a command, each for the uid of a server.
    """

    def __init__(
        self,
        run: _Run,
        enter: Callable[[Node, float], redis.Redis],
        verb: Callable[[str, str], str],
        password: Callable[[str], Secret],
    ) -> None:
        self._run = run
        self._enter = enter
        self._verb = verb
        self._password = password

    def dump(self, node: Node, pause: Pause) -> None:
        """``BGSAVE``, begun after the call: one under way may lack the newest data."""
        while not self._begins_to_save(node):
            pause(POLL_SECONDS)
        while (seen := self._info(node, "persistence"))["rdb_bgsave_in_progress"]:
            pause(POLL_SECONDS)
        if seen["rdb_last_bgsave_status"] != "ok":
            raise ErrandError(
                "DumpFailed",
                "The cache's server could not save its data; its log says why. Make "
                "room on its disk or in this machine's memory, and ask again",
            )

    def loaded(self, node: Node) -> Loaded | None:
        """Ask on a connection of its own: nobody else sees a loader."""
        try:
            with self._enter(node, ANSWER_SECONDS) as client:
                seen = client.info("memory", "persistence")
        except redis.RedisError:
            return None
        return Loaded(done=not seen["loading"], used_bytes=seen["used_memory"])

    def add(self, node: Node, source: Node, pause: Pause) -> None:
        """``MIGRATE`` a batch of keys at a time, from server to server.

        It says how long a key has to live, and not until when, so that is said after.
        """
        to = _address(node)
        target = (to.peer, str(to.listens.plain), "")
        login = ("AUTH2", acl.ADMIN_USER, self._password(node.uid).reveal)
        name = self._verb(source.uid, "migrate")
        timeout = str(int(MERGE_SECONDS * 1000))
        with (
            self._enter(source, MERGE_SECONDS) as client,
            self._enter(node, MERGE_SECONDS) as other,
        ):
            for database, keys in _batches(client):
                pause(0.0)
                options = (str(database), timeout, "COPY", "REPLACE", *login, "KEYS")
                command = (name, *target, *options, *keys)
                call(partial(_in, client, database, command))
                ends = call(partial(_ends, client, database, keys))
                call(partial(_in, other, database, *ends))

    def replace(
        self, node: Node, source: Node, memory_bytes: int, pause: Pause
    ) -> None:
        """Follow for a moment; see Note [Replaced by replication]."""
        used = self._info(node, "memory")["used_memory"]
        with self._enter(source, ANSWER_SECONDS) as client:
            more = call(client.info)["used_memory"]
        try:
            self._follow(node, source, keep=used + more < memory_bytes)
            self._catch_up(node, source, pause)
            self._write_down(node, pause)
        finally:
            self.lead(node)

    def lead(self, node: Node) -> None:
        """``REPLICAOF NO ONE``, and forget whom it followed."""
        self._run(node, "replicaof", "NO", "ONE")
        self._set(node, "masteruser", "", "masterauth", "")
        self._set(node, "repl-diskless-load", "disabled")

    def _begins_to_save(self, node: Node) -> bool:
        seen = self._info(node, "persistence")
        if seen["rdb_bgsave_in_progress"] or seen["aof_rewrite_in_progress"]:
            return False
        try:
            self._run(node, "bgsave")
        except TransientError as error:
            if _IN_TURN.search(str(error)):
                return False
            raise
        return True

    def _follow(self, node: Node, source: Node, *, keep: bool) -> None:
        leader = _address(source)
        password = self._password(source.uid).reveal
        self._set(node, "masteruser", acl.ADMIN_USER, "masterauth", password)
        self._set(node, "repl-diskless-load", "swapdb" if keep else "disabled")
        self._run(node, "replicaof", leader.peer, str(leader.listens.plain))

    def _catch_up(self, node: Node, source: Node, pause: Pause) -> None:
        """Wait until a server has all that the other one holds."""
        while not self._has_all(node, source):
            pause(POLL_SECONDS)

    def _has_all(self, node: Node, source: Node) -> bool:
        try:
            seen = self._info(node, "replication")
        except TransientError:  # it has no time while it loads
            return False
        if seen["role"] != "slave":
            raise ErrandError(
                "TransferInterrupted",
                "The cache's server was started anew during the import. Ask again",
            )
        if seen["master_link_status"] != "up" or seen["master_sync_in_progress"]:
            return False
        with self._enter(source, ANSWER_SECONDS) as client:
            there = call(partial(client.info, "replication"))["master_repl_offset"]
        return bool(seen["slave_repl_offset"] >= there)

    def _write_down(self, node: Node, pause: Pause) -> None:
        """Wait until a server that keeps an append-only file has begun a new one."""
        _, keeps = self._run(node, "config", "GET", "appendonly")
        while keeps == "yes" and not _written(self._info(node, "persistence")):
            pause(POLL_SECONDS)

    def _set(self, node: Node, *pairs: str) -> None:
        self._run(node, "config", "SET", *pairs)

    def _info(self, node: Node, section: str) -> dict[str, Any]:
        return cast(dict[str, Any], self._run(node, "INFO", section))


def _batches(client: redis.Redis) -> Iterator[tuple[int, list[str]]]:
    """Give all keys of all databases, some at a time."""
    for name in call(partial(client.info, "keyspace")):
        database, cursor = int(name.removeprefix("db")), "0"
        while True:
            scan = ("SCAN", cursor, "COUNT", str(BATCH))
            [(after, keys)] = call(partial(_in, client, database, scan))
            if keys:
                yield database, keys
            cursor = str(after)
            if cursor == "0":
                break


def _ends(client: redis.Redis, database: int, keys: list[str]) -> list[_Command]:
    """Give commands that have these keys expire when they are to, if ever."""
    asked = [("PEXPIRETIME", key) for key in keys]
    answers = zip(keys, _in(client, database, *asked), strict=True)
    return [("PEXPIREAT", key, str(at)) for key, at in answers if at >= 0]


def _in(client: redis.Redis, database: int, *commands: _Command) -> list[Any]:
    """Run commands in a database."""
    lines = client.pipeline(transaction=False)
    lines.execute_command("SELECT", str(database))
    for command in commands:
        lines.execute_command(*command)
    answers = lines.execute(raise_on_error=False)[1:]
    for answer in answers:  # redis-py would add the command, which may hold a password
        if isinstance(answer, Exception):
            raise answer
    return answers


def _written(seen: dict[str, Any]) -> bool:
    under_way = seen["aof_rewrite_in_progress"] or seen["aof_rewrite_scheduled"]
    fine = seen["aof_last_bgrewrite_status"] == "ok"
    return bool(seen["aof_enabled"] and not under_way and fine)


def _address(node: Node) -> Address:
    if node.address is None:
        raise TransientError(f"node {node.key} cannot be reached in its phase")
    return node.address
