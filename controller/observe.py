"""Look at the world once, before planning."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from controller.admin import Admin
from controller.backends.base import Backend
from controller.errors import TransientError
from controller.model import (
    Absent,
    AccessKeys,
    CacheKey,
    Node,
    NodeKey,
    Observed,
    Phase,
    Sighting,
    Unknown,
)

FRESH_SECONDS = 1.0  # for so long a list call's answer is as good as a look


class Observer:
    """Looks at nodes; what the last list call saw is not asked for again.

    A resync lists all nodes in one call and hands them to `remember`. Each sighting
    serves one round, unless it grew old or an event said that it is out of date.
    """

    def __init__(
        self, backend: Backend, admin: Admin, monotonic: Callable[[], float]
    ) -> None:
        self._backend = backend
        self._admin = admin
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._listed: dict[NodeKey, tuple[float, Sighting]] = {}

    def remember(self, nodes: Mapping[NodeKey, Node], asked: list[NodeKey]) -> None:
        """Keep what a complete list call says about the nodes ``asked`` for."""
        now = self._monotonic()
        with self._lock:
            self._listed = {key: (now, nodes.get(key, Absent())) for key in asked}

    def forget(self, cache: CacheKey) -> None:
        """Drop what was listed of a cache: something has happened to it since."""
        with self._lock:
            for key in [key for key in self._listed if key.cache == cache]:
                del self._listed[key]

    def __call__(self, key: NodeKey, keys: AccessKeys) -> Observed:
        """Gather all that a plan may depend on; a silent server is no error."""
        node = self._recall(key) or self.find(key)
        match node:
            case Node(phase=Phase.RUNNING, address=address) if address is not None:
                return Observed(node=node, server=self._admin.look(node, keys))
            case _:
                return Observed(node=node)

    def _recall(self, key: NodeKey) -> Sighting | None:
        with self._lock:
            seen, node = self._listed.pop(key, (float("-inf"), Absent()))
        return node if self._monotonic() - seen < FRESH_SECONDS else None

    def find(self, key: NodeKey) -> Sighting:
        """Look at the node alone, not at what is inside."""
        try:
            return self._backend.find(key) or Absent()
        except TransientError as error:
            return Unknown(str(error))
