"""Users of a server, from the spec and from the server's own listing; pure.

Note [One command per user]
~~~~~~~~~~~~~~~~~~~~~~~~~~~
A user is always set by one ``ACL SETUSER name reset …`` that carries the whole
rule. The server applies it at once or not at all, so that no login can fall between
a revoked and a granted key, and applying it twice changes nothing. ``CONFIG SET
requirepass`` is never used: it wipes the other access key.

Note [Hidden commands]
~~~~~~~~~~~~~~~~~~~~~~
Azure does not know the commands that it refuses: "unknown command", it says. With a
rule of the ACL alone a server says "no permissions", so that they are renamed, too:
to a name that follows from the controller's password, or to none where it needs
none. The rules go on naming them as they were.

Note [Ended connections]
~~~~~~~~~~~~~~~~~~~~~~~~
A server lets a connection live that was opened with a password which has been
revoked since, and does not remember with which of two it was. Azure's clients see
their connections end when a key is regenerated, when a token's life is over, and,
whoever they are, when access keys are allowed or forbidden. Somebody with a token
that is still good may have renewed it on the same connection, which then stays.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from controller.acl_rules import BUILT_IN
from controller.children import spelled
from controller.nodes import AclUser
from controller.spec import AAD_ENABLED, NOTHING, CacheSpec, KeyDigest, Secret, enabled

ADMIN_USER = "azure-redis-emulator"  # the controller's own; no access key opens it
DEFAULT_USER = "default"  # what a client is that names no user; it has the access keys
EVERYTHING = "~* &* +@all"  # as ACL LIST spells it

# Source: "Redis commands not supported in Azure Cache for Redis". Each is refused by
# the rules, and all that replication and CLUSTER's readers do not need is hidden, too.
_HIDDEN = (
    "acl", "bgrewriteaof", "bgsave", "config", "debug", "failover", "migrate", "module",
    "replicaof", "save", "shutdown", "slaveof", "sync",
)  # fmt: skip
USED = frozenset({"acl", "bgsave", "config", "migrate", "replicaof", "save"})
_REFUSED = (*_HIDDEN, "psync", "replconf", "cluster")
# Those that version 7.0 knows: for one that it does not, it refuses the whole user.
_CLUSTER_READERS = (
    "info", "nodes", "slots", "shards", "keyslot", "countkeysinslot", "getkeysinslot",
    "myid", "replicas", "slaves", "links", "count-failure-reports", "help",
)  # fmt: skip
_REFUSALS = tuple(f"-{command}" for command in _REFUSED)
_READERS = tuple(f"+cluster|{reader}" for reader in _CLUSTER_READERS)
RESTRICTIONS = " ".join((*_REFUSALS, *_READERS))

Tokens = Mapping[str, frozenset[KeyDigest]]  # by object id, in lower case


def wanted_users(
    spec: CacheSpec, admin: Secret, tokens: Tokens, *, restricted: bool
) -> tuple[AclUser, ...]:
    """Name every user that the server must have, and no other.

    ``restricted`` refuses users what Azure refuses them.
    """
    limits = f" {RESTRICTIONS}" if restricted else ""
    return (
        AclUser(
            name=DEFAULT_USER,
            enabled=not spec.disable_access_key_authentication,
            digests=spec.access_keys.digests,
            rules=EVERYTHING + limits,
            nopass=spec.redis_configuration.get("authnotrequired") == "yes",
        ),
        AclUser(
            name=ADMIN_USER,
            enabled=True,
            digests=frozenset({admin.digest}),
            rules=EVERYTHING,
        ),
        *_entra_users(spec, tokens, restricted=restricted),
    )


def _entra_users(
    spec: CacheSpec, tokens: Tokens, *, restricted: bool
) -> Iterable[AclUser]:
    """Name whom assignments let in: an object id, whose passwords are its tokens.

    The restrictions come last, because of two rules for a command the last one counts.
    """
    if not enabled(spec.redis_configuration, AAD_ENABLED):
        return
    policies = {**BUILT_IN, **spec.access_policies}
    for assignment in spec.access_policy_assignments.values():
        name = assignment.object_id.lower()
        permissions = policies[spelled(policies, assignment.policy)].permissions
        yield AclUser(
            name=name,
            enabled=True,
            digests=tokens.get(name, frozenset()),
            rules=f"&* {permissions}{_kept_within(permissions) if restricted else ''}",
        )


def _kept_within(permissions: str) -> str:
    """Refuse what Azure refuses, and give back no more than was permitted of it."""
    words = permissions.lower().split()
    if {"+@all", "allcommands", "+cluster"} & {*words}:
        return f" {RESTRICTIONS}"
    named = [word for word in words if word in _READERS]
    return " ".join(("", *_REFUSALS, *named))


def renames(admin: Secret, *, restricted: bool) -> Mapping[str, str]:
    """Give hidden commands their new names; see Note [Hidden commands]."""
    if not restricted:
        return NOTHING
    return MappingProxyType(
        {each: verb(each, admin) if each in USED else "" for each in _HIDDEN}
    )


def verb(command: str, admin: Secret) -> str:
    """Give the name by which the controller alone knows a hidden command."""
    digest = hmac.new(admin.reveal.encode(), command.encode(), hashlib.sha256)
    return f"{command}-{digest.hexdigest()[:24]}"


def setuser(user: AclUser) -> tuple[str, ...]:
    """Arguments behind ``ACL SETUSER``; see Note [One command per user]."""
    passwords = [f"#{digest}" for digest in sorted(user.digests)]
    if user.nopass:
        passwords = ["nopass"]
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
    known = {"on", "off", "nopass", "sanitize-payload"}
    rules = [f for f in flags if not f.startswith("#") and f not in known]
    return AclUser(
        name=name,
        enabled="on" in flags,
        digests=frozenset(digests),
        rules=" ".join(rules),
        nopass="nopass" in flags,
    )


def users_to_set(
    wanted: Iterable[AclUser], seen: Mapping[str, AclUser]
) -> tuple[AclUser, ...]:
    """Pick the users that are missing or differ."""
    return tuple(
        user
        for user in wanted
        if user.name not in seen or setuser(seen[user.name]) != setuser(user)
    )


def users_to_drop(
    wanted: Iterable[AclUser], seen: Mapping[str, AclUser]
) -> frozenset[str]:
    """Name the users that nobody asked for."""
    return frozenset(seen) - {user.name for user in wanted}


def in_place(wanted: Iterable[AclUser], seen: Mapping[str, AclUser]) -> bool:
    """Tell whether users are as they should be, but for tokens, which come and go."""
    kept = {DEFAULT_USER, ADMIN_USER}
    missing = (
        user
        for user in users_to_set(wanted, seen)
        if user.name in kept
        or user.name not in seen
        or users_to_set([replace(user, digests=seen[user.name].digests)], seen)
    )
    return not any(missing) and not users_to_drop(wanted, seen)


def users_to_disconnect(
    wanted: Iterable[AclUser], seen: Mapping[str, AclUser]
) -> frozenset[str]:
    """Name the users whose connections have to end; see Note [Ended connections]."""
    pairs = [(user, seen[user.name]) for user in wanted if user.name in seen]
    if any(new.enabled != old.enabled for new, old in pairs if new.name != ADMIN_USER):
        return frozenset(seen) - {ADMIN_USER}
    return frozenset(
        new.name
        for new, old in pairs
        if old.digests - new.digests
        and (new.name == DEFAULT_USER or not new.digests)
        and new.name != ADMIN_USER
    )
