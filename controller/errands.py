"""Errands: what is done to a running server once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from controller.admin import Admin
from controller.model import CacheKey
from controller.nodes import Node, NodeSpec
from controller.spec import Errand, ErrandKind
from controller.transfers import Transfers


@dataclass(frozen=True, slots=True, kw_only=True)
class Errands:
    """Runs them."""

    admin: Admin
    transfers: Transfers

    def __call__(self, node: Node, spec: NodeSpec, errand: Errand) -> bool:
        """Do an errand, or begin it; true once it is done. Raises `ErrandError`.

        ``spec`` is what is asked of the node.
        """
        match errand.kind:
            case ErrandKind.FLUSH:
                self.admin.flush(node)
            case ErrandKind.DISCONNECT:
                self.admin.disconnect(node)
            case ErrandKind.IMPORT | ErrandKind.EXPORT:
                return self.transfers.done(node, spec, errand)
            case _:
                assert_never(errand.kind)
        return True

    def own(self, key: CacheKey) -> bool:
        """Tell whether a key without a record is that of an errand's own server."""
        return self.transfers.owns(key)

    def end(self, cache: CacheKey) -> bool:
        """End what is under way for a deleted cache; true once no server is left."""
        return self.transfers.end(cache)
