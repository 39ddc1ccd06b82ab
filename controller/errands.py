"""Errands: what is done to a running server once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from controller.admin import Admin
from controller.nodes import Node
from controller.spec import Errand, ErrandKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Errands:
    """Runs them."""

    admin: Admin

    def __call__(self, node: Node, errand: Errand) -> bool:
        """Do an errand, or begin it; true once it is done."""
        match errand.kind:
            case ErrandKind.FLUSH:
                self.admin.flush(node)
            case ErrandKind.DISCONNECT:
                self.admin.disconnect(node, None)
            case ErrandKind.IMPORT | ErrandKind.EXPORT:
                pass
            case _:
                assert_never(errand.kind)
        return True
