"""What the API counts, for Prometheus."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable

import falcon
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from controller.store import Store

METHODS = frozenset({"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS"})
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0)


class RequestMetrics:
    """Requests by method, route and status; labels come from us, not from clients."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "http_request_seconds",
            "Time from a request's headers to its answer.",
            ("method", "route"),
            buckets=SECONDS,
            registry=registry,
        )

    def count(self, req: falcon.Request, status: int, seconds: float) -> None:
        """Count one request that was answered."""
        method = req.method if req.method in METHODS else "other"
        route = req.uri_template or "none"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)


class CacheStates(Collector):
    """Caches by ``provisioningState``, read from the store when asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Give the numbers of this moment."""
        family = GaugeMetricFamily("caches", "Caches in the store.", labels=["state"])
        states = Tally(each.provisioning_state for each in self._store.records())
        for state, number in states.items():
            family.add_metric([state], number)
        yield family
