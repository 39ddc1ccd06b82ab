"""Paths as ARM reads them: without case, and with doubled slashes as one."""

from __future__ import annotations

from typing import Any

import falcon
from falcon.routing import CompiledRouter


class ArmRouter(CompiledRouter):
    """Falcon's router over lower-case templates; values keep the request's casing.

    A field takes a whole segment: ``/redis/{name}``, never ``/redis-{name}``.
    """

    __slots__ = ("_fields",)

    def __init__(self) -> None:
        super().__init__()
        self._fields: dict[str, dict[str, int]] = {}

    def add_route(self, uri_template: str, resource: object, **kwargs: Any) -> None:  # noqa: ANN401 (falcon's own signature)
        """Add a route; `ValueError` if its fixed segments are not lower-case."""
        segments = _segments(uri_template)
        fields = {
            segment[1:-1]: index
            for index, segment in enumerate(segments)
            if segment.startswith("{")
        }
        if any(s != s.lower() for s in segments if not s.startswith("{")):
            raise ValueError(f"{uri_template}: write what is fixed in lower case")
        super().add_route(uri_template, resource, **kwargs)
        self._fields[uri_template] = fields

    def find(
        self, uri: str, req: falcon.Request | None = None
    ) -> tuple[object, dict[str, Any], dict[str, Any], str | None] | None:
        """Find the resource of a path, with the values as the client wrote them."""
        given = _segments(uri)
        found = super().find("/" + "/".join(given).lower(), req)
        if found is None:
            return None
        resource, methods, _, template = found
        fields = self._fields[template or ""]
        return (
            resource,
            methods,
            {name: given[index] for name, index in fields.items()},
            template,
        )


def _segments(path: str) -> list[str]:
    """Split a path; a doubled or trailing slash adds nothing."""
    return [segment for segment in path.split("/") if segment]
