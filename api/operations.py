"""Polling of long-running operations, in the two styles of the service.

Source: recorded from the service, api-version 2024-11-01.
"""

from __future__ import annotations

from collections.abc import Mapping

import falcon

from api import locations, lro, versions
from api.context import api_version
from api.errors import ArmError
from api.parts import Parts
from controller.operations import Operation, OperationState

CANCELED = {
    "code": "OperationCanceled",
    "message": "The operation was canceled, because the cache was deleted meanwhile.",
}


class AsyncOperation:
    """``…/locations/{location}/asyncOperations/{operation}``: always 200."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        *,
        subscription: str,
        location: str,
        operation: str,
    ) -> None:
        """Tell how far the operation is; its failure is in ``error``."""
        found = _find(self._parts, subscription, operation)
        region = _display_name(location)
        url = lro.poll_url(req, region, lro.Target.OPERATION, found.id)
        resp.set_header("Azure-AsyncOperation", url)
        if not found.ended:
            lro.hurry(req, resp)
        resp.content_type = falcon.MEDIA_JSON
        resp.media = {
            **_summary(found, subscription, region, lro.Target.OPERATION),
            "startTime": None,
            "endTime": None,
            "percentComplete": None,
            "properties": None,
            "error": _error(found),
        }


class OperationResult:
    """``…/locations/{location}/operationresults/{operation}``: 202 until it ended."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        *,
        subscription: str,
        location: str,
        operation: str,
    ) -> None:
        """Answer 202 while it runs, 200 once it succeeded; 409 tells of a failure."""
        found = _find(self._parts, subscription, operation)
        region = _display_name(location)
        error = _error(found)
        if error is not None:
            raise ArmError(409, error["code"], error["message"])
        detailed = versions.results_have_bodies(api_version(req))
        if not found.ended:
            resp.status = falcon.HTTP_202
            url = lro.poll_url(req, region, lro.Target.RESULT, found.id)
            resp.location = url
            if detailed:
                resp.set_header("Azure-AsyncOperation", url)
            lro.hurry(req, resp)
        if detailed:
            resp.media = _summary(found, subscription, region, lro.Target.RESULT)


def _find(parts: Parts, subscription: str, operation_id: str) -> Operation:
    found = parts.store.operation(operation_id.lower())
    if found is None or found.key.subscription.lower() != subscription.lower():
        raise ArmError(
            404,
            "ResourceNotFound",
            f"The operation '{operation_id}' was not found. It belongs to another "
            "subscription, ended long ago, or the emulator was restarted since.",
        )
    return found


def _display_name(location: str) -> str:
    region = locations.find(location)
    return region.display_name if region is not None else location


def _summary(
    operation: Operation, subscription: str, region: str, target: lro.Target
) -> dict[str, object]:
    return {
        "id": (
            f"/subscriptions/{subscription}/providers/Microsoft.Cache"
            f"/locations/{region}/{target}/{operation.id}"
        ),
        "name": operation.id,
        "status": operation.state,
    }


def _error(operation: Operation) -> Mapping[str, str] | None:
    match operation.state:
        case OperationState.FAILED:
            return {"code": operation.code, "message": operation.message}
        case OperationState.CANCELED:
            return CANCELED
        case _:
            return None
