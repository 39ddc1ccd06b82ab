"""Look at the world once, before planning."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping

from controller.admin import Admin
from controller.backends.base import Backend
from controller.errors import TerminalError, TransientError
from controller.model import CacheKey
from controller.nodes import Absent, Node, NodeKey, Observed, Phase, Sighting, Unknown
from controller.spec import AccessKeys

FRESH_SECONDS = 1.0  # for so long a list call's answer is as good as a look


class Observer:
    """Looks at nodes; what the last list call saw is not asked for again.

    Each sighting of a `list` serves one round, unless it grew old. What happens to a
    cache after the call began may be missing in its answer, so whoever knows of it
    says so to `forget`.
    """

    def __init__(
        self, backend: Backend, admin: Admin, monotonic: Callable[[], float]
    ) -> None:
        self._backend = backend
        self._admin = admin
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._listed: Mapping[NodeKey, Node] = {}
        self._fresh_until = -math.inf
        self._touched: set[CacheKey] = set()  # since the list call began

    def list(self) -> Mapping[NodeKey, Node]:
        """Find every node in one call; one caller at a time. Raises as a backend does.

        The answer is complete: a node that is not in it is absent.
        """
        with self._lock:
            self._fresh_until = -math.inf
            self._touched = set()
        nodes = self._backend.list()
        with self._lock:
            self._listed = nodes
            self._fresh_until = self._monotonic() + FRESH_SECONDS
        return nodes

    def forget(self, cache: CacheKey) -> None:
        """Have the cache looked at anew, also if a list call is under way."""
        with self._lock:
            self._touched.add(cache)

    def __call__(self, key: NodeKey, keys: AccessKeys) -> Observed:
        """Gather all that a plan may depend on; a silent server is no error.

        One that answers, but has no time, is not judged: it may hold data.
        """
        node = self._recall(key) or self.find(key)
        match node:
            case Node(phase=Phase.RUNNING, address=address) if address is not None:
                try:
                    return Observed(node=node, server=self._admin.look(node, keys))
                except TransientError as error:
                    return Observed(node=Unknown(str(error)))
            case _:
                return Observed(node=node)

    def _recall(self, key: NodeKey) -> Sighting | None:
        with self._lock:
            known = key.cache not in self._touched
            self._touched.add(key.cache)
            if known and self._monotonic() < self._fresh_until:
                return self._listed.get(key, Absent())
        return None

    def find(self, key: NodeKey) -> Sighting:
        """Look at the node alone, not at what is inside."""
        try:
            return self._backend.find(key) or Absent()
        except (TransientError, TerminalError) as error:
            return Unknown(str(error))
