"""Errors to ARM's envelope: ``{"error": {"code": …, "message": …}}``.

Texts are the service's own where it was heard; source: recorded traffic, and the
error pages of the ARM documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import falcon
import structlog

from api.context import cause
from api.errors import ArmError
from controller.errors import (
    BusyError,
    CacheNotFoundError,
    ControllerError,
    NameTakenError,
    PortsExhaustedError,
    StorageError,
)

log = structlog.get_logger(__name__)

JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Row:
    """How one class of error is told to a client; see `ArmError` for ``gateway``."""

    status: int
    code: str
    message: Callable[[Any], str]
    gateway: bool = False


def _not_found(error: CacheNotFoundError) -> str:
    return (
        f"The Resource 'Microsoft.Cache/Redis/{error.key.name}' under resource group "
        f"'{error.key.group}' was not found. For more details please go to "
        "https://aka.ms/ARMResourceNotFoundFix"
    )


def _name_taken(_error: NameTakenError) -> str:
    return (
        "An error occured when trying to reserve the DNS name for the cache instance. "
        "This may be a temporary issue if a cache instance of this name was recently "
        "deleted. Please choose a different name or try again later."
    )


def _busy(error: BusyError) -> str:
    return (
        f"The resource '{error.key.arm_id}' is busy processing a previous update "
        "request or is undergoing system maintenance.  As such, it is currently "
        "unable to accept the update request.  Please try again later."
    )


# The errors of the store; those of engines never leave the loop.
TABLE: Mapping[type[ControllerError], Row] = {
    CacheNotFoundError: Row(404, "ResourceNotFound", _not_found, gateway=True),
    NameTakenError: Row(409, "NameNotAvailable", _name_taken),
    BusyError: Row(409, "Conflict", _busy),
    PortsExhaustedError: Row(409, "QuotaExceeded", str),
    StorageError: Row(503, "ServiceUnavailable", str),
}


def install(app: falcon.App[falcon.Request, falcon.Response]) -> None:
    """Make ``app`` answer every error in ARM's envelope."""
    app.add_error_handler(ArmError, _on_arm)
    app.add_error_handler(ControllerError, _on_controller)
    app.add_error_handler(falcon.HTTPError, _on_http)
    app.add_error_handler(Exception, _on_surprise)


def _on_arm(
    req: falcon.Request, resp: falcon.Response, error: ArmError, _params: object
) -> None:
    request_id = cause(req).request_id
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.gateway:
        resp.set_header("x-ms-failure-cause", "gateway")
    else:
        body["message"] += f"\r\nRequestID={request_id}"
        body["target"] = error.target
    if error.details:
        body["details"] = [
            {"code": each.code, "message": each.message, "target": each.target}
            for each in error.details
        ]
    resp.status = error.status
    resp.media = {"error": body}
    resp.content_type = JSON  # whatever the responder had in mind


def _on_controller(
    req: falcon.Request, resp: falcon.Response, error: ControllerError, params: object
) -> None:
    row = TABLE.get(type(error))
    if row is None:
        _on_surprise(req, resp, error, params)
        return
    told = ArmError(row.status, row.code, row.message(error), gateway=row.gateway)
    _on_arm(req, resp, told, params)


def _on_http(
    req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, params: object
) -> None:
    """Answer what falcon itself refuses: unknown paths and methods, broken headers."""
    status = HTTPStatus(error.status_code)
    headers = dict(error.headers or {})
    match status:
        case HTTPStatus.NOT_FOUND:
            code, message = _unknown_path(req.path)
        case HTTPStatus.METHOD_NOT_ALLOWED:
            code = "MethodNotAllowed"
            message = (
                f"The requested resource does not support http method '{req.method}'. "
                f"It supports: {headers['Allow']}."
            )
        case _:
            code = status.phrase.title().replace(" ", "")
            message = error.description or f"The request was refused: {status.phrase}."
    resp.set_headers(headers)
    _on_arm(req, resp, ArmError(status, code, message, gateway=True), params)


def _unknown_path(path: str) -> tuple[str, str]:
    """Say as ARM does what of a path is unknown; gives the code and the message."""
    _, is_provider, below = path.rpartition("/providers/")
    namespace = below.partition("/")[0]
    if not is_provider:
        code, what = "NotFound", f"Nothing is served at '{path}'."
    elif namespace.lower() == "microsoft.cache":
        code = "InvalidResourceType"
        what = f"The resource type or action in '{below}' could not be found."
    else:
        code = "InvalidResourceNamespace"
        what = f"The resource namespace '{namespace}' is invalid."
    return code, f"{what} This emulator has Microsoft.Cache/redis; check the path."


def _on_surprise(
    req: falcon.Request, resp: falcon.Response, error: Exception, params: object
) -> None:
    """Answer a mistake of our own; the log has the story, the client its number."""
    log.error("request.failed", method=req.method, path=req.path, exc_info=error)
    surprise = ArmError(
        500,
        "InternalServerError",
        "The emulator made a mistake while it answered this request. Its log tells "
        "more under the request id; please report it.",
    )
    _on_arm(req, resp, surprise, params)
