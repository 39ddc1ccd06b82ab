"""What a request says about itself: its ids, its api-version, how it was reached."""

from __future__ import annotations

import re
import uuid

import falcon

from api.errors import ArmError
from controller.model import Cause

# Ids come back in headers and go into log lines, so only plain ones are taken over.
_PLAUSIBLE_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,127}")


def cause(req: falcon.Request) -> Cause:
    """Give the ids of this request; the same ones each time it is asked.

    The request id is always a fresh one, and is also the id of the operation that
    the request starts. The two others are the caller's, if they look like ids.
    """
    found: Cause | None = req.context.get("cause")
    if found is None:
        found = Cause(
            request_id=str(uuid.uuid4()),
            correlation_id=_id(req, "x-ms-correlation-request-id") or str(uuid.uuid4()),
            client_request_id=_id(req, "x-ms-client-request-id"),
        )
        req.context["cause"] = found
    return found


def query(req: falcon.Request, name: str) -> str:
    """Read a query parameter, whose name has no case; empty if it is absent."""
    for given, value in req.params.items():
        if given.lower() == name.lower():
            return value[0] if isinstance(value, list) else str(value)
    return ""


def api_version(req: falcon.Request) -> str:
    """Read ``api-version``; whether it is a known one, `api.versions` decides."""
    found = query(req, "api-version").lower()
    if not found:
        raise ArmError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all "
            "requests.",
            gateway=True,
        )
    return found


def base_url(req: falcon.Request) -> str:
    """Give scheme and host as the client used them, without a slash at the end."""
    return f"{req.scheme}://{req.netloc}"


def subscription(req: falcon.Request) -> str:
    """Give the subscription of a path under ``/subscriptions/{subscription}``."""
    return [segment for segment in req.path.split("/") if segment][1]


def _id(req: falcon.Request, header: str) -> str:
    given = req.get_header(header) or ""
    return given if _PLAUSIBLE_ID.fullmatch(given) else ""
