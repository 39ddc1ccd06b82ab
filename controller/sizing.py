"""What each SKU is worth, and from which to which a cache may be scaled.

Source: "Azure Cache for Redis planning and pricing", and recorded answers of the
service for the rows marked [R]. "MB" and "GB" are read as MiB and GiB.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from controller.spec import Sku, Tier

MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30


@dataclass(frozen=True, slots=True)
class Size:
    """One row: what a server of this size offers.

    ``reserve_mebibytes`` is the default of the three ``maxmemory-*`` reservations
    and, for them, the smallest value that is not raised.
    """

    memory_bytes: int
    max_clients: int
    databases: int
    reserve_mebibytes: int


SIZES: Mapping[str, Size] = {
    "C0": Size(250 * MEBIBYTE, 256, 16, 30),  # [R]
    "C1": Size(1 * GIBIBYTE, 1_000, 16, 125),  # [R]
    "C2": Size(5 * GIBIBYTE // 2, 2_000, 16, 299),
    "C3": Size(6 * GIBIBYTE, 5_000, 16, 642),
    "C4": Size(13 * GIBIBYTE, 10_000, 32, 1_330),
    "C5": Size(26 * GIBIBYTE, 15_000, 48, 2_660),
    "C6": Size(53 * GIBIBYTE, 20_000, 64, 5_430),
    "P1": Size(6 * GIBIBYTE, 7_500, 16, 642),  # [R]
    "P2": Size(13 * GIBIBYTE, 15_000, 32, 1_330),  # [R]
    "P3": Size(26 * GIBIBYTE, 30_000, 48, 2_660),
    "P4": Size(53 * GIBIBYTE, 40_000, 64, 5_430),
    "P5": Size(120 * GIBIBYTE, 40_000, 64, 12_290),
}


def size_of(sku: Sku) -> Size | None:
    """Look the row up; ``None`` means that no such size is sold."""
    return SIZES.get(sku.size)


class ScaleFault(enum.Enum):
    """Why a cache cannot be scaled from one SKU to another."""

    TIER_DOWN = enum.auto()  # Premium or Standard to a lower tier
    TIER_SKIPPED = enum.auto()  # Basic to Premium in one step
    TIER_AND_SIZE = enum.auto()  # Basic to Standard with another size
    DOWN_TO_C0 = enum.auto()


_RANK = {Tier.BASIC: 0, Tier.STANDARD: 1, Tier.PREMIUM: 2}


def scale_fault(old: Sku, new: Sku) -> ScaleFault | None:
    """Find what forbids the step; ``None`` means that it is legal.

    Source: "How to scale an Azure Cache for Redis instance", section "Can I scale
    to, from, or within …".
    """
    if _RANK[new.tier] < _RANK[old.tier]:
        return ScaleFault.TIER_DOWN
    if old.tier is Tier.BASIC and new.tier is Tier.PREMIUM:
        return ScaleFault.TIER_SKIPPED
    if old.tier is Tier.BASIC and new.tier is Tier.STANDARD and old.size != new.size:
        return ScaleFault.TIER_AND_SIZE
    if new.size == "C0" and old.size != "C0":
        return ScaleFault.DOWN_TO_C0
    return None
