"""Probes, metrics and the status page."""

from __future__ import annotations

from controller.shortfalls import Shortfall
from tests.wire.rig import CACHE, Wire


def test_a_living_process_is_healthy_before_it_is_ready() -> None:
    """Health asks nothing of the engine, so that nobody restarts us for its sake."""
    wire = Wire(reasons=("no Docker daemon answers",))
    alive = wire.call("GET", "/healthz", params={})
    assert (alive.status_code, alive.json) == (200, {"status": "ok"})
    unready = wire.call("GET", "/readyz", params={})
    assert unready.status_code == 503
    assert unready.json == {"ready": False, "reasons": ["no Docker daemon answers"]}
    wire.reasons = ()
    ready = wire.call("GET", "/readyz", params={})
    assert (ready.status_code, ready.json) == (200, {"ready": True, "reasons": []})


def test_metrics_count_requests_by_route_and_caches_by_state(wire: Wire) -> None:
    """Labels hold templates, never names of users, so their number is bounded."""
    wire.create()
    wire.call("GET", "/no/such/path")
    shown = wire.call("GET", "/metrics", params={})
    assert shown.headers["content-type"].startswith("text/plain; version=")
    route = (
        "/subscriptions/{subscription}/resourcegroups/{group}"
        "/providers/microsoft.cache/redis/{name}"
    )
    counted = "http_requests_total{method="
    lines = shown.text.splitlines()
    assert f'{counted}"PUT",route="{route}",status="201"}} 1.0' in lines
    assert f'{counted}"GET",route="none",status="404"}} 1.0' in lines
    assert 'caches{state="Creating"} 1.0' in lines
    assert "Cache1" not in shown.text
    wire.settle()
    shown = wire.call("GET", "/metrics", params={})
    assert 'caches{state="Succeeded"} 1.0' in shown.text.splitlines()
    assert 'state="Creating"' not in shown.text


def test_status_shows_each_cache_with_its_conditions_and_no_key(wire: Wire) -> None:
    """One page tells what runs here, and why something does not."""
    created = wire.create()
    wire.fail("ImageMissing", "run `docker pull x`")
    shown = wire.call("GET", "/_emulator/status", params={})
    assert shown.json == {
        "backend": "none",
        "caches": [
            {
                "id": CACHE.replace("/redis/", "/Redis/"),
                "provisioningState": "Failed",
                "host": "cache1",
                "port": 6379,
                "sslPort": 6380,
                "generation": 1,
                "observedGeneration": 0,
                "requestId": created.headers["x-ms-request-id"],
                "notEnforced": {},
                "conditions": [
                    {
                        "type": "Progressing",
                        "holds": False,
                        "reason": "ImageMissing",
                        "message": "run `docker pull x`",
                        "since": "2026-01-01T00:00:00+00:00",
                    }
                ],
            }
        ],
    }
    keys = wire.store.records()[0].spec.access_keys
    assert keys.primary.reveal not in shown.text
    assert keys.secondary.reveal not in shown.text


def test_status_says_what_of_a_cache_is_only_stored(wire: Wire) -> None:
    """Each property with its reason, in words."""
    wire.shortfalls = (Shortfall("zones", "They are stored."),)
    wire.create()
    shown = wire.call("GET", "/_emulator/status", params={})
    assert shown.json["caches"][0]["notEnforced"] == {"zones": "They are stored."}
