"""Medians, and how they are printed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence


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


def paired(what: str, ours: Sequence[float], baseline: Sequence[float]) -> float:
    """Print median and quartiles of the rounds' own ratios; gives the median.

    What slows the machine for a while slows both sides of a round.
    """
    ratios = [each / base for each, base in zip(ours, baseline, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    print(f"{what:<58} {middle:9.3f} x  [{low:.3f}-{high:.3f}]")  # noqa: T201
    return middle


def compare(
    ours: Mapping[str, Sequence[float]], by_hand: Mapping[str, Sequence[float]]
) -> None:
    """Print milliseconds of both sides, and their ratio, by what was timed."""
    for what, taken in ours.items():
        show(f"by hand: {what}", by_hand[what])
        show(f"by request: {what}", taken)
        paired(what, taken, by_hand[what])
