"""Access keys in the service's own shape, which open nothing but this emulator.

Note [Key shape]
~~~~~~~~~~~~~~~~
A key is 32 bytes in standard base64: 33 random characters, the mark ``AzCa`` that
secret scanners look for, and a checksum in the last six. Real keys of Azure have a
checksum that fits the rest; ours always ends in the same text, so that a scanner
which checks it does not take a key of the emulator for a live credential, and a
person sees where it comes from.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import replace
from typing import Literal

from controller.spec import AccessKeys, Secret

KeyType = Literal["Primary", "Secondary"]  # as ARM spells it

RANDOM_CHARACTERS = 33
MARK = "AzCaLOCAL0="  # see Note [Key shape]

_ENOUGH_BYTES = 27  # 36 characters; a multiple of three needs no padding


def new_key() -> Secret:
    """Make one key of 44 characters, 198 bits of them random."""
    random = base64.b64encode(secrets.token_bytes(_ENOUGH_BYTES)).decode()
    return Secret(random[:RANDOM_CHARACTERS] + MARK)


def new_pair() -> AccessKeys:
    """Make the two keys of a new cache."""
    return AccessKeys(primary=new_key(), secondary=new_key())


def rotated(keys: AccessKeys, which: KeyType, key: Secret) -> AccessKeys:
    """Put ``key`` in the place of one of the two; the other one stays."""
    if which == "Primary":
        return replace(keys, primary=key)
    return replace(keys, secondary=key)
