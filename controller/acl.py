"""Users of a server, from the spec and from the server's own listing; pure.

Note [One command per user]
~~~~~~~~~~~~~~~~~~~~~~~~~~~
A user is always set by one ``ACL SETUSER name reset …`` that carries the whole
rule. The server applies it at once or not at all, so that no login can fall between
a revoked and a granted key, and applying it twice changes nothing. ``CONFIG SET
requirepass`` is never used: it wipes the other access key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from controller.nodes import AclUser
from controller.spec import AccessKeys, KeyDigest, Secret

ADMIN_USER = "azure-redis-emulator"  # the controller's own; no access key opens it
EVERYTHING = "~* &* +@all"  # as ACL LIST spells it


def wanted_users(keys: AccessKeys, admin: Secret) -> tuple[AclUser, ...]:
    """Name every user that the server must have, and no other."""
    return (
        AclUser(name="default", enabled=True, digests=keys.digests, rules=EVERYTHING),
        AclUser(
            name=ADMIN_USER,
            enabled=True,
            digests=frozenset({admin.digest}),
            rules=EVERYTHING,
        ),
    )


def setuser(user: AclUser) -> tuple[str, ...]:
    """Arguments behind ``ACL SETUSER``; see Note [One command per user]."""
    passwords = [f"#{digest}" for digest in sorted(user.digests)]
    state = "on" if user.enabled else "off"
    return (user.name, "reset", state, *passwords, *user.rules.split())


def aclfile(users: Iterable[AclUser]) -> str:
    """Write the file from which a server starts; it holds digests only."""
    lines = (" ".join(("user", *setuser(user))) for user in users)
    return "\n".join(lines) + "\n"


def parse_user(line: str) -> AclUser:
    """Read a line of ``ACL LIST``, such as ``user eve on #1f… ~* &* +@all``."""
    _, name, *flags = line.split()
    digests = {KeyDigest(flag[1:]) for flag in flags if flag.startswith("#")}
    known = {"on", "off", "sanitize-payload"}
    rules = [f for f in flags if not f.startswith("#") and f not in known]
    return AclUser(
        name=name,
        enabled="on" in flags,
        digests=frozenset(digests),
        rules=" ".join(rules),
    )


def users_to_set(
    wanted: Iterable[AclUser], seen: Mapping[str, AclUser]
) -> tuple[AclUser, ...]:
    """Pick the users that are missing or differ."""
    return tuple(user for user in wanted if seen.get(user.name) != user)


def users_to_drop(
    wanted: Iterable[AclUser], seen: Mapping[str, AclUser]
) -> frozenset[str]:
    """Name the users that nobody asked for."""
    return frozenset(seen) - {user.name for user in wanted}
