"""Medians, and how they are printed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence


def milliseconds(act: Callable[[], object]) -> float:
    """Time one act."""
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


def show(what: str, taken: Sequence[float], unit: str = "ms") -> float:
    """Print median and quartiles of one measure; gives the median."""
    low, middle, high = statistics.quantiles(taken, n=4)
    print(f"{what:<58} {middle:9.1f} {unit}  [{low:.1f}-{high:.1f}]")  # noqa: T201
    return middle


def ratio(what: str, ours: float, baseline: float) -> None:
    """Print how many times the baseline a figure is."""
    print(f"{what:<58} {ours / baseline:9.2f} x")  # noqa: T201
