"""Requests that are turned away before a responder sees them.

Note [Browsers]
~~~~~~~~~~~~~~~
Any web page can make a browser send requests to localhost, and this process may hold
the Docker socket. A page is told by what it cannot forge: a name of its own in
``Host`` (DNS rebinding), its ``Origin``, ``Sec-Fetch-Site``, and a content type that
needs no permission to be sent elsewhere. No CORS header is ever sent.
"""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Protocol

import falcon

from api import versions
from api.errors import ArmError
from api.parts import Parts

LOCAL_SUFFIXES = (".localhost", ".local", ".internal", ".test", ".svc", ".lan")
# What an HTML form or a script without permission may send to another site.
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
WRITES = ("PUT", "PATCH", "POST", "DELETE")

_HOST = re.compile(r"(\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[\w.-]*))(:\d*)?", re.ASCII)
_PLAIN = re.compile(r"[\w-]+", re.ASCII)


class Surface(enum.Enum):
    """Whose api-versions a path has, and with them its other rules."""

    CACHE = enum.auto()  # Microsoft.Cache: the known ones
    ARM = enum.auto()  # ARM itself: every date
    OPEN = enum.auto()  # none is asked for, and forms are welcome: sign-in, probes


class Gate(Protocol):
    """Middleware that turns requests away once their route is known."""

    def process_resource(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        resource: object,
        params: dict[str, Any],
        /,
    ) -> None:
        """Raise `ArmError`, or let the request pass."""
        ...


class Guard:
    """Middleware: host, origin, content type, api-version, and what is turned off."""

    def __init__(self, parts: Parts, surfaces: Mapping[str, Surface]) -> None:
        self._hostname = parts.hostname.lower()
        self._enabled = parts.enabled
        self._surfaces = surfaces

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """Refuse foreign hosts and pages, and broken paths, whatever they ask for."""
        self._check_host(req)
        _check_origin(req)
        _check_path(req)

    def process_resource(
        self,
        req: falcon.Request,
        _resp: falcon.Response,
        _resource: object,
        _params: object,
    ) -> None:
        """Refuse what the surface of the route does not take."""
        match self._surfaces[req.uri_template or ""]:
            case Surface.CACHE:
                self._check_enabled()
                _check_content_type(req)
                versions.check_cache(req)
            case Surface.ARM:
                _check_content_type(req)
                versions.check_form(req)
            case Surface.OPEN:
                pass

    def _check_host(self, req: falcon.Request) -> None:
        host = _host(req.get_header("Host") or "")
        if host in ("", self._hostname) or _is_local(host):
            return
        raise ArmError(
            421,
            "MisdirectedRequest",
            f"The host name '{host}' is not one of this emulator's. Use localhost, or "
            "start the emulator with FLOCI_AZ_HOSTNAME set to that name.",
            gateway=True,
        )

    def _check_enabled(self) -> None:
        if not self._enabled:
            raise ArmError(
                403,
                "ResourceProviderDisabled",
                "Microsoft.Cache is turned off here. Start the emulator with "
                "FLOCI_AZ_SERVICES_REDIS_ENABLED=true to use it.",
                gateway=True,
            )


def _host(header: str) -> str:
    """Give the name in a ``Host`` header, without port, brackets or final dot."""
    found = _HOST.fullmatch(header)
    if found is None:
        return header
    return (found["v6"] or found["name"]).removesuffix(".").lower()


def _is_local(host: str) -> bool:
    """Tell names that no public DNS server can answer for."""
    if _PLAIN.fullmatch(host):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.endswith(LOCAL_SUFFIXES)
    return True


def _check_origin(req: falcon.Request) -> None:
    origin = req.get_header("Origin")
    foreign = origin is not None and origin.partition("://")[2] != req.netloc
    if foreign or req.get_header("Sec-Fetch-Site") == "cross-site":
        raise ArmError(
            403,
            "CrossSiteRequest",
            f"A web page of another site ('{origin or 'unknown'}') sent this request, "
            "and pages may not use this emulator. Use a client outside the browser.",
            gateway=True,
        )


def _check_path(req: falcon.Request) -> None:
    """Refuse a slash within a name: decoded, it would lead to another resource."""
    path = req.env.get("REQUEST_URI", "").partition("?")[0]
    if "%2f" in path.lower():
        raise ArmError(
            400,
            "BadRequest",
            f"The path '{path}' has an encoded slash, '%2F'. No name has a slash in "
            "it; write '/' between the segments of a path.",
            gateway=True,
        )


def _check_content_type(req: falcon.Request) -> None:
    kind = (req.content_type or "").partition(";")[0].strip().lower()
    if req.method not in WRITES or kind not in FORM_TYPES:
        return
    if req.get_header("Authorization") is None:
        raise ArmError(
            415,
            "UnsupportedMediaType",
            f"The content type '{kind}' is not supported. Send the request with "
            "'Content-Type: application/json'.",
            gateway=True,
        )
