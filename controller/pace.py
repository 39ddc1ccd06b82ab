"""How long operations take, where they shall not be as fast as the server; pure.

What the service does before it answers (tags, keys, firewall rules, settings of a
running server) is no operation, and never takes longer than it has to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Literal

from controller.model import Change, Work
from controller.spec import CacheSpec, ErrandKind, Tier

Speed = Literal["fast", "realistic"]

# The seconds that a change of this spec takes at least; `None`: there was no cache.
Pace = Callable[[CacheSpec | None, Change], float]

# Medians, recorded from the service in 2025 with api-version 2024-11-01 by clients that
# asked every 30 s; of C0 and P1 in West Europe and East US.
_CREATING: Mapping[Tier, float] = {
    Tier.BASIC: 1040.0,
    Tier.STANDARD: 1040.0,  # not recorded: it has the sizes of Basic
    Tier.PREMIUM: 628.0,
}
_BY_WORD: Mapping[Work, float] = {
    Work.SCALING: 749.0,
    Work.CONFIGURING_AAD: 976.0,
    Work.UPDATING_IDENTITY: 30.0,  # not recorded: as public network access
    Work.LINKING: 337.0,
    Work.UNLINKING: 91.0,
    Work.DELETING: 262.0,
}
_BY_FIELD: Mapping[str, float] = {
    "public_network_access": 30.0,
    "access_policies": 31.0,
    "access_policy_assignments": 92.0,
    "boot": 120.0,  # for so long recorded clients wait between two reboots
}
_BY_ERRAND: Mapping[ErrandKind, float] = {
    ErrandKind.FLUSH: 30.0,
    ErrandKind.DISCONNECT: 120.0,  # a reboot too
    ErrandKind.IMPORT: 60.0,  # not recorded: as export
    ErrandKind.EXPORT: 60.0,
}


def pace_of(setting: Speed | float) -> Pace:
    """Give the pace that was chosen; a number is the seconds of every operation."""
    match setting:
        case "fast":
            return fast
        case "realistic":
            return realistic
        case seconds:
            return lambda old, change: seconds if realistic(old, change) else 0.0


def fast(_old: CacheSpec | None, _change: Change) -> float:
    """Let everything take as long as the server needs."""
    return 0.0


def realistic(old: CacheSpec | None, change: Change) -> float:
    """Let operations take as long as they were recorded to take."""
    if old is None:
        return _CREATING[change.spec.sku.tier]
    if change.work in _BY_WORD:
        return _BY_WORD[change.work]
    changed = {
        each.name
        for each in fields(CacheSpec)
        if getattr(old, each.name) != getattr(change.spec, each.name)
    }
    errands = set(change.spec.errands) - set(old.errands)
    slow = [
        *(seconds for name, seconds in _BY_FIELD.items() if name in changed),
        *(_BY_ERRAND[errand.kind] for errand in errands),
    ]
    return max(slow, default=0.0)
