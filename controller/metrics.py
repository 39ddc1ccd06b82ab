"""What the loop counts, for ``/metrics``."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from controller.actions import Again, Outcome


class LoopMetrics:
    """Counters of one loop, in a registry that the composition root made."""

    def __init__(self, registry: CollectorRegistry, depth: Callable[[], int]) -> None:
        self._rounds = Counter(
            "reconcile_rounds", "Rounds by outcome.", ["outcome"], registry=registry
        )
        self._seconds = Histogram(
            "reconcile_round_seconds", "Duration of a round.", registry=registry
        )
        self._retries = Counter(
            "reconcile_retries", "Rounds put off by back-off.", registry=registry
        )
        Gauge(
            "reconcile_queue_depth", "Keys that are due.", registry=registry
        ).set_function(depth)

    def round(self, outcome: Outcome, seconds: float) -> None:
        """Count one round."""
        self._rounds.labels(type(outcome).__name__).inc()
        self._seconds.observe(seconds)
        if isinstance(outcome, Again) and outcome.after is None:
            self._retries.inc()
