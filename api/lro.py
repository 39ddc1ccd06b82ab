"""Where a client is sent to watch a long-running operation, and how soon it asks.

Source of the headers per call: recorded from the service, api-version 2024-11-01.

Note [Client speed]
~~~~~~~~~~~~~~~~~~~
The service says nothing about when to poll, and its clients then wait 2, 10 or 30
seconds, which is long for a server that starts in one. They disagree on what would
make them quicker, so each is told in its own words; see `SPEEDS`.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote

import falcon

from api.context import api_version, base_url, cause, subscription

POLL_MILLISECONDS = 50
JS_MILLISECONDS = 100  # the answer has to arrive before the moment it names


class Target(enum.StrEnum):
    """What a header of the first answer leads to."""

    OPERATION = "asyncOperations"
    RESULT = "operationresults"
    RESOURCE = "resource"  # the URL that was asked


def _no_retry_after() -> str:
    return ""


def _at_once() -> str:
    return "0"


def _one_second() -> str:
    return "1"


def _moment() -> str:
    """Name a moment in milliseconds, which no HTTP date has and JavaScript reads."""
    soon = datetime.now(UTC) + timedelta(milliseconds=JS_MILLISECONDS)
    text = format_datetime(soon, usegmt=True)
    return text.replace(" GMT", f".{soon.microsecond // 1000:03d} GMT")


# User-Agent → Retry-After; the first row that matches counts. All are told
# `x-ms-retry-after-ms` besides, which Go's and Java's own core libraries read too.
SPEEDS: tuple[tuple[re.Pattern[str], Callable[[], str]], ...] = (
    # azure-core, and az on top of it: a Retry-After would win over milliseconds, and
    # 0 counts as absent, which means 30 s. Source: azure-core 1.41, observed.
    (re.compile(r"azsdk-python-"), _no_retry_after),
    # go-azure-sdk reads whole seconds, 0 included; 10 s without. Newer ones look at
    # X-Go-Azure-Sdk-Skip-Polling-Delay first. Source: azurerm 3.117 to 5.2, observed.
    (re.compile(r"HashiCorp"), _at_once),
    # @azure/core-lro reads whole seconds above 0, or a moment; 2 s without. Source:
    # core-lro 3.3, observed.
    (re.compile(r"azsdk-js-"), _moment),
    # azure-core-management of Java and older azcore of Go read whole seconds above 0;
    # 30 s without. Source: their code. So for everybody else.
    (re.compile(r""), _one_second),
)


def start_operation(
    req: falcon.Request,
    resp: falcon.Response,
    location: str,
    *,
    leads_to: Target | None = None,
) -> None:
    """Send the client to the operation's state with ``Azure-AsyncOperation``.

    ``location`` is a region's display name; ``leads_to`` says where the ``Location``
    header points, `None` that there is none. Recorded: creation of a cache,
    ``RESOURCE``; PATCH, access policies, deletion of a linked server, ``OPERATION``;
    creation of a linked server, none.
    """
    operation = cause(req).request_id
    resp.set_header(
        "Azure-AsyncOperation", poll_url(req, location, Target.OPERATION, operation)
    )
    if leads_to is Target.RESOURCE:
        version = quote(api_version(req))
        resp.location = f"{base_url(req)}{quote(req.path)}?api-version={version}"
    elif leads_to is not None:
        resp.location = poll_url(req, location, leads_to, operation)
    hurry(req, resp)


def start_result(
    req: falcon.Request, resp: falcon.Response, location: str, *, twice: bool = False
) -> None:
    """Send the client to the operation's result with ``Location``.

    ``twice`` puts the same URL in ``Azure-AsyncOperation``. Recorded: deletion of a
    cache, import and export, once; flush, twice.
    """
    url = poll_url(req, location, Target.RESULT, cause(req).request_id)
    resp.location = url
    if twice:
        resp.set_header("Azure-AsyncOperation", url)
    hurry(req, resp)


def poll_url(
    req: falcon.Request, location: str, target: Target, operation_id: str
) -> str:
    """Give the URL of an operation, on the host and scheme that the client used."""
    return (
        f"{base_url(req)}/subscriptions/{quote(subscription(req))}/providers"
        f"/Microsoft.Cache/locations/{quote(location)}/{target}/{operation_id}"
        f"?api-version={quote(api_version(req))}"
    )


def hurry(req: falcon.Request, resp: falcon.Response) -> None:
    """Ask the client to poll soon; see Note [Client speed]."""
    resp.set_header("x-ms-retry-after-ms", str(POLL_MILLISECONDS))
    agent = req.user_agent or ""
    retry_after = next(say for pattern, say in SPEEDS if pattern.search(agent))()
    if retry_after:
        resp.set_header("Retry-After", retry_after)
