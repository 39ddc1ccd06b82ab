"""What somebody changed on a server is put back by the next resync."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
import redis

from controller.acl import ADMIN_USER
from tests.emulator import Door, basic, eventually
from tests.faults.rig import Administrator, Rig, admits
from tests.faults.servers import Servers

INTRUDER = "intruder"
Tamper = Callable[[Administrator], object]


def command(*words: str) -> Tamper:
    """Make a change of one command."""
    return lambda server: server.run(*words)


def add_a_user_for_good(server: Administrator) -> None:
    """Write the user into the file from which the server starts, too."""
    server.run("ACL", "SETUSER", INTRUDER, "on", f">{INTRUDER}", "~*", "+@all")
    server.run("ACL", "SAVE")


def revoke_a_key(server: Administrator) -> None:
    """Take away one of the two access keys."""
    lines: list[str] = server.run("ACL", "LIST")
    words = next(line for line in lines if line.startswith("user default ")).split()
    digest = next(word for word in words if word.startswith("#"))
    server.run("ACL", "SETUSER", "default", digest.replace("#", "!"))


DRIFTS: Mapping[str, Tamper] = {
    "user-added": add_a_user_for_good,
    "password-added": command("ACL", "SETUSER", "default", f">{INTRUDER}"),
    "no-password": command("ACL", "SETUSER", "default", "nopass"),
    "requirepass": command("CONFIG", "SET", "requirepass", INTRUDER),
    "key-revoked": revoke_a_key,
    "default-off": command("ACL", "SETUSER", "default", "off"),
    "default-weak": command("ACL", "SETUSER", "default", "-@all"),
    "settings": command("CONFIG", "SET", "maxmemory", "1mb"),
    "ports-closed": command("CONFIG", "SET", "port", "0", "tls-port", "0"),
}
LOCKOUTS: Mapping[str, Tamper] = {
    "admin-gone": command("ACL", "DELUSER", ADMIN_USER),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a server says of itself."""

    users: list[str]
    settings: dict[str, str]


@dataclass(frozen=True, slots=True)
class Before:
    """A cache as it was until somebody changed it."""

    seen: Seen
    door: Door
    runs: set[str]


def look(rig: Rig[Servers], cache: str) -> Seen | None:
    """Ask a cache's server; ``None``: it does not answer."""
    with rig.admin(cache) as server:
        try:
            settings = server.settings("max*", "notify*")
            listed: list[str] = server.run("ACL", "LIST")
            # the same rules may be listed in another order after a start
            return Seen(sorted(" ".join(sorted(x.split())) for x in listed), settings)
        except redis.RedisError:
            return None


def remember(rig: Rig[Servers], cache: str) -> Before:
    """Look at a cache that is as it should be."""
    seen = look(rig, cache)
    assert seen is not None
    return Before(seen, rig.door(cache), rig.servers.runs(cache))


@pytest.fixture(scope="module")
def before(rig: Rig[Servers]) -> Mapping[str, Before]:
    """Change all caches at once, so that one resync finds them all."""
    tampers = {**DRIFTS, **LOCKOUTS}
    for cache in tampers:
        assert rig.emulator.call("PUT", cache, basic()).status_code == 201
    for cache in tampers:
        rig.settle(cache)
    found = {cache: remember(rig, cache) for cache in tampers}
    for cache, tamper in tampers.items():
        with rig.admin(cache) as server:
            tamper(server)
    return found


@pytest.mark.parametrize("cache", DRIFTS)
def test_what_was_changed_is_put_back(
    rig: Rig[Servers], before: Mapping[str, Before], cache: str
) -> None:
    """Users and settings become what they were, on the running server."""
    was = before[cache]

    eventually(lambda: look(rig, cache) == was.seen)

    rig.settle(cache)
    assert not admits(was.door, INTRUDER)
    assert rig.servers.runs(cache) == was.runs


@pytest.mark.parametrize("cache", LOCKOUTS)
def test_a_server_that_locks_us_out_is_replaced(
    rig: Rig[Servers], before: Mapping[str, Before], cache: str
) -> None:
    """What cannot be put right from inside is made anew, in the same place."""
    was = before[cache]

    eventually(lambda: look(rig, cache) == was.seen)

    rig.settle(cache)
    assert rig.door(cache) == was.door
    assert rig.servers.runs(cache) != was.runs


def test_a_restart_revives_no_intruder(
    rig: Rig[Servers], before: Mapping[str, Before]
) -> None:
    """What was written into the server's own file is put back there, too."""
    was = before["user-added"]
    eventually(lambda: look(rig, "user-added") == was.seen)

    rig.servers.restart("user-added")

    eventually(lambda: look(rig, "user-added"))
    assert look(rig, "user-added") == was.seen
