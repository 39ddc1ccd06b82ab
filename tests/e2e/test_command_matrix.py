"""Every command of the server is refused, or let through, as on Azure.

Source: "How to configure Azure Cache for Redis", commands that are not supported.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import wire
from tests.e2e.endpoint import Endpoint
from tests.e2e.wire import ErrorReply, Wire

pytestmark = pytest.mark.docker

UNKNOWN = "ERR unknown command"  # as Azure says it
NOT_ALLOWED = "NOPERM"  # where the server needs the command by its name
REFUSED = {
    "ACL CAT": UNKNOWN,
    "ACL DELUSER eve": UNKNOWN,
    "ACL DRYRUN default GET k": UNKNOWN,
    "ACL GENPASS": UNKNOWN,
    "ACL GETUSER default": UNKNOWN,
    "ACL HELP": UNKNOWN,
    "ACL LIST": UNKNOWN,
    "ACL LOAD": UNKNOWN,
    "ACL LOG": UNKNOWN,
    "ACL SAVE": UNKNOWN,
    "ACL SETUSER eve on nopass +@all": UNKNOWN,
    "ACL USERS": UNKNOWN,
    "ACL WHOAMI": UNKNOWN,
    "BGREWRITEAOF": UNKNOWN,
    "BGSAVE": UNKNOWN,
    "CLUSTER ADDSLOTS 0": NOT_ALLOWED,
    "CLUSTER ADDSLOTSRANGE 0 1": NOT_ALLOWED,
    "CLUSTER BUMPEPOCH": NOT_ALLOWED,
    "CLUSTER DELSLOTS 0": NOT_ALLOWED,
    "CLUSTER DELSLOTSRANGE 0 1": NOT_ALLOWED,
    "CLUSTER FAILOVER": NOT_ALLOWED,
    "CLUSTER FLUSHSLOTS": NOT_ALLOWED,
    "CLUSTER FORGET 0": NOT_ALLOWED,
    "CLUSTER MEET 127.0.0.1 6379": NOT_ALLOWED,
    "CLUSTER MYSHARDID": NOT_ALLOWED,  # harmless, but no rule of 7.0 can name it
    "CLUSTER REPLICATE 0": NOT_ALLOWED,
    "CLUSTER RESET": NOT_ALLOWED,
    "CLUSTER SAVECONFIG": NOT_ALLOWED,
    "CLUSTER SET-CONFIG-EPOCH 1": NOT_ALLOWED,
    "CLUSTER SETSLOT 0 STABLE": NOT_ALLOWED,
    "CLUSTER SLOT-STATS SLOTSRANGE 0 1": NOT_ALLOWED,  # so is this one
    "CONFIG GET maxmemory": UNKNOWN,
    "CONFIG HELP": UNKNOWN,
    "CONFIG RESETSTAT": UNKNOWN,
    "CONFIG REWRITE": UNKNOWN,
    "CONFIG SET maxmemory 1": UNKNOWN,
    "DEBUG SLEEP 0": UNKNOWN,
    "FAILOVER": UNKNOWN,
    "MIGRATE 127.0.0.1 6379 k 0 10": UNKNOWN,
    "MODULE HELP": UNKNOWN,
    "MODULE LIST": UNKNOWN,
    "MODULE LOAD /tmp/module.so": UNKNOWN,
    "MODULE LOADEX /tmp/module.so": UNKNOWN,
    "MODULE UNLOAD module": UNKNOWN,
    "PSYNC ? -1": NOT_ALLOWED,
    "REPLCONF LISTENING-PORT 1": NOT_ALLOWED,
    "REPLICAOF NO ONE": UNKNOWN,
    "SAVE": UNKNOWN,
    "SHUTDOWN NOSAVE": UNKNOWN,
    "SLAVEOF NO ONE": UNKNOWN,
    "SYNC": UNKNOWN,
}
IN_SCRIPTS = (
    "ERR Unknown command called from script",
    "ERR ACL failure in script",
    "ERR This Redis command is not allowed from script",
)
PASS_ON = "return redis.call(unpack(ARGV))"
PAGE = Path(__file__).parent / "allowed_commands.txt"
ALLOWED = [
    line for line in PAGE.read_text().splitlines() if line and not line.startswith("# ")
]


def judged(line: str) -> str:
    """Pick the command that a line is about: the last."""
    return line.partition(" => ")[0].rpartition(" ; ")[2]


@pytest.fixture(params=["default", "data-owner"])
def user(request: pytest.FixtureRequest, cache_endpoint: Endpoint) -> Iterator[Wire]:
    """Log in with a key, or as an Entra user who may do most."""
    cache = cache_endpoint
    logins = {
        "default": ("default", cache.primary),
        "data-owner": (cache.object_id, cache.token),
    }
    with wire.opened(cache, *logins[request.param]) as connection:
        yield connection


@pytest.mark.parametrize(("command", "error"), REFUSED.items(), ids=REFUSED)
def test_a_command_is_refused(user: Wire, command: str, error: str) -> None:
    """Azure manages the server: nobody else may, and the answer says so."""
    reply = user.ask(*command.split())
    assert isinstance(reply, ErrorReply)
    assert reply.startswith(error)


@pytest.mark.parametrize("command", REFUSED)
def test_a_command_is_refused_in_scripts(user: Wire, command: str) -> None:
    """A script may not do what its author may not."""
    reply = user.ask("EVAL", PASS_ON, "0", *command.split())
    assert isinstance(reply, ErrorReply)
    assert reply.startswith(IN_SCRIPTS)


@pytest.mark.parametrize("line", ALLOWED, ids=lambda line: judged(line)[:40])
def test_a_command_is_let_through(user: Wire, line: str) -> None:
    """What Azure lets users do works."""
    commands, _, error = line.partition(" => ")
    reply: object = None
    for command in commands.split(" ; "):
        assert not isinstance(reply, ErrorReply), reply
        reply = user.ask(*words(command, reply))
    if error:
        assert isinstance(reply, ErrorReply)
        assert reply.startswith(error)
    else:
        assert not isinstance(reply, ErrorReply), reply


def test_no_command_is_left_out(user: Wire) -> None:
    """Whatever the server offers is in one of the two tables."""
    listed = user.ask("COMMAND", "LIST")
    assert isinstance(listed, list)
    offered = set(map(str, listed))
    groups = {name.partition("|")[0] for name in offered if "|" in name}
    callable_alone = {"command"}  # of the commands with subcommands
    named = {name_of(each, offered) for each in (*REFUSED, *map(judged, ALLOWED))}
    assert offered - (groups - callable_alone) - named == set()


def name_of(command: str, offered: set[str]) -> str:
    """Name a command as ``COMMAND LIST`` does: ``config|get``."""
    first, second, *_ = f"{command.lower()} - -".split()
    return f"{first}|{second}" if f"{first}|{second}" in offered else first


def words(command: str, reply: object) -> Iterator[str | bytes]:
    """Read a command; ``{}`` stands for the reply to the one before."""
    for word in shlex.split(command):
        if word == "{}":
            yield reply if isinstance(reply, bytes) else str(reply)
        else:
            yield word.replace("\\n", "\n")
