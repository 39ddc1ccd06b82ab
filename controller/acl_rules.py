"""Permissions of access policies: rules of a server's ACL, as users write them.

Note [Permissions are not trusted]
~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
``ACL SETUSER`` takes passwords, ``nopass``, ``on``, ``reset`` and whole selectors in
the same place as rules. A policy that could hold them would open a server, so each
word has to be one of those that name commands and keys. Whether there is such a
command, the server says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from controller.children import AccessPolicy

ALL_KEYS = "allkeys"

# In the order of the service; recorded from it, api-version 2024-11-01.
BUILT_IN: Mapping[str, AccessPolicy] = MappingProxyType(
    {
        "Data Owner": AccessPolicy(permissions="+@all allkeys"),
        "Data Contributor": AccessPolicy(
            permissions="+@all -@dangerous +cluster|info +cluster|nodes "
            "+cluster|slots allkeys"
        ),
        "Data Reader": AccessPolicy(
            permissions="+@read +@connection +cluster|info +cluster|nodes "
            "+cluster|slots allkeys"
        ),
    }
)

# Source: ACL CAT of Redis 6, the version that Azure has.
CATEGORIES = (
    "admin|all|bitmap|blocking|connection|dangerous|fast|geo|hash|hyperloglog|keyspace|"
    "list|pubsub|read|scripting|set|slow|sortedset|stream|string|transaction|write"
)
_COMMAND = re.compile(r"[+-][\w-]+(\|[\w-]+)?", re.ASCII)
_CATEGORY = re.compile(r"[+-]@([a-z]+)", re.IGNORECASE)
_KEYS = re.compile(r"(~|%(R|W|RW)~)\S+", re.IGNORECASE)
_COMMAND_FLAGS = frozenset({"allcommands", "nocommands"})
_KEY_FLAGS = frozenset({ALL_KEYS, "resetkeys"})
_OPENING = "><#!"  # what passwords begin with


def complete(permissions: str) -> str:
    """Add all keys to permissions that name none; others stay as they were written.

    Recorded: ``+get`` becomes ``+get allkeys``.
    """
    named = any(_names_keys(word) for word in permissions.split())
    return permissions if named else f"{permissions} {ALL_KEYS}"


def mistakes(permissions: str) -> Iterator[str]:
    """Find all that is wrong, a sentence each; see Note [Permissions are not trusted].

    A word that may hold a password is not repeated.
    """
    if not permissions.strip():
        yield "They name at least one command, such as '+get'"
    all_keys = False
    for word in permissions.split():
        match word.lower():
            case "allkeys" | "~*":
                all_keys = True
            case "resetkeys":
                all_keys = False
            case _ if all_keys and _KEYS.fullmatch(word):
                yield f"{word[:64]!r} adds nothing behind 'allkeys'"
            case _:
                yield from _unknown(word)


def _unknown(word: str) -> Iterator[str]:
    category = _CATEGORY.fullmatch(word)
    if category is not None:
        if category[1].lower() not in CATEGORIES.split("|"):
            yield f"{word[:64]!r} is no category of commands"
        return
    known = _COMMAND.fullmatch(word) or _names_keys(word)
    if not known and word.lower() not in _COMMAND_FLAGS:
        shown = f"{word[0]}..." if word[0] in _OPENING else word[:64]
        yield f"{shown!a} is no rule for commands or keys"


def _names_keys(word: str) -> bool:
    return word.lower() in _KEY_FLAGS or _KEYS.fullmatch(word) is not None
