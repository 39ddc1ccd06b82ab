"""What happens to every request: its ids, its headers, its line in the log."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime

import falcon
import structlog

from api.context import cause
from api.metrics import RequestMetrics

log = structlog.get_logger(__name__)

PROBES = ("/healthz", "/readyz", "/metrics")  # asked so often that they fill a log
SERVER_VERSION = str(uuid.uuid4())  # names the running program, as the service does

# The emulator throttles nobody; the service starts its counters here.
REMAINING = {
    "GET": ("reads", "11999"),
    "HEAD": ("reads", "11999"),
    "PUT": ("writes", "1199"),
    "PATCH": ("writes", "1199"),
    "POST": ("writes", "1199"),
    "DELETE": ("deletes", "14999"),
}


class Journal:
    """Middleware: the ids go into every log line, and the request gets one itself."""

    def __init__(self, metrics: RequestMetrics) -> None:
        self._metrics = metrics

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """Start the clock, and bind the ids for whatever is logged from here on."""
        ids = cause(req)
        req.context.started = time.perf_counter()
        structlog.contextvars.bind_contextvars(
            request_id=ids.request_id,
            correlation_id=ids.correlation_id,
            client_request_id=ids.client_request_id,
        )

    def process_response(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        _resource: object,
        _succeeded: bool,  # noqa: FBT001 (falcon's signature)
    ) -> None:
        """Write the one line of this request, and count it."""
        now = time.perf_counter()
        # Falcon answers some methods without asking any middleware first.
        started: float = getattr(req.context, "started", now)
        seconds = now - started
        tell = log.debug if req.uri_template in PROBES else log.info
        tell(
            "request.done",
            method=req.method,
            path=req.path,
            status=resp.status_code,
            took_ms=round(seconds * 1000, 1),
        )
        self._metrics.count(req, resp.status_code, seconds)
        structlog.contextvars.clear_contextvars()


class ArmHeaders:
    """Middleware: the headers of every answer of ARM, as recorded."""

    def process_response(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        _resource: object,
        _succeeded: bool,  # noqa: FBT001 (falcon's signature)
    ) -> None:
        """Add them, to errors too."""
        ids = cause(req)
        now = datetime.now(UTC)
        resp.set_headers(
            {
                "Cache-Control": "no-cache",
                "Pragma": "no-cache",
                "Expires": "-1",
                "X-Content-Type-Options": "nosniff",
                "x-ms-request-id": ids.request_id,
                "x-ms-correlation-request-id": ids.correlation_id,
                "x-ms-routing-request-id": (
                    f"LOCALHOST:{now:%Y%m%dT%H%M%SZ}:{ids.correlation_id}"
                ),
                "x-rp-server-mvid": SERVER_VERSION,
                # Terraform's own pollers, of resource groups too, then do not idle.
                "X-Go-Azure-Sdk-Skip-Polling-Delay": "true",
            }
        )
        if req.method in REMAINING:
            what, left = REMAINING[req.method]
            resp.set_header(f"x-ms-ratelimit-remaining-subscription-{what}", left)
        if ids.client_request_id and _wants_echo(req):
            resp.set_header("client-request-id", ids.client_request_id)
        if "Mozilla/" not in (req.user_agent or ""):
            # A browser would hold every other server on localhost to it.
            resp.set_header(
                "Strict-Transport-Security", "max-age=31536000; includeSubDomains"
            )


def _wants_echo(req: falcon.Request) -> bool:
    return (req.get_header("x-ms-return-client-request-id") or "").lower() == "true"
