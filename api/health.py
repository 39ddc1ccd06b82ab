"""What the emulator says of itself: probes, metrics, and the state of each cache."""

from __future__ import annotations

from typing import Any

import falcon
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.parts import Parts
from controller.model import Record


class Alive:
    """``/healthz``: the process answers."""

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Answer; more is not claimed."""
        resp.media = {"status": "ok"}


class Ready:
    """``/readyz``: caches can be created; 503 with the reasons while they cannot."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Ask, and tell what is in the way."""
        reasons = self._parts.ready()
        resp.status = falcon.HTTP_503 if reasons else falcon.HTTP_200
        resp.media = {"ready": not reasons, "reasons": list(reasons)}


class Metrics:
    """``/metrics``: everything in the registry, as Prometheus reads it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Give the numbers of this moment."""
        resp.content_type = CONTENT_TYPE_LATEST
        resp.data = generate_latest(self._parts.registry)


class Status:
    """``/_emulator/status``: what runs here, and what is known of each cache."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Show it; no access key is in it."""
        resp.media = {
            **self._parts.describe,
            "caches": [self._cache(each) for each in self._parts.store.records()],
        }

    def _cache(self, record: Record) -> dict[str, Any]:
        endpoint = self._parts.endpoint(record.key, record.ports)
        return {
            "id": record.key.arm_id,
            "provisioningState": record.provisioning_state,
            "host": endpoint.host,
            "port": endpoint.port,
            "sslPort": endpoint.ssl_port,
            "generation": record.generation,
            "observedGeneration": record.status.observed_generation,
            "requestId": record.cause.request_id,
            "notEnforced": {
                each.property: each.why for each in self._parts.shortfalls(record)
            },
            "conditions": [
                {
                    "type": each.type,
                    "holds": each.holds,
                    "reason": each.reason,
                    "message": each.message,
                    "since": each.since.isoformat(),
                }
                for each in record.status.conditions
            ],
        }
