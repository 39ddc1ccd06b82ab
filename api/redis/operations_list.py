"""``/providers/Microsoft.Cache/operations``: what permissions can be granted for.

Source: OperationListResult, api-version 2024-11-01, and its example. The table beside
this module has a line per operation: path, resource, description, operation.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import falcon


class OperationCollection:
    """``/providers/Microsoft.Cache/operations``."""

    def __init__(self) -> None:
        table = (files("api.redis") / "operations.tsv").read_text(encoding="utf-8")
        self._operations = [_operation(*row.split("\t")) for row in table.splitlines()]

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """List them, those of Redis Enterprise too, which is not served here."""
        resp.media = {"value": self._operations}


def _operation(
    path: str, resource: str, description: str, operation: str
) -> dict[str, Any]:
    return {
        "name": f"Microsoft.Cache/{path}",
        "display": {
            "provider": "Microsoft Cache",
            "resource": resource or None,
            "operation": operation,
            "description": description,
        },
    }
