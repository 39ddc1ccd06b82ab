"""The certificates that caches show: one each, renewed at two thirds of its life."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from controller.certificates import Authority, Leaf
from controller.model import CacheKey, Record


class Leaves:
    """Signs them when they are asked for; ``names`` says under which caches answer."""

    def __init__(
        self, authority: Authority, names: Callable[[CacheKey], tuple[str, ...]]
    ) -> None:
        self._authority = authority
        self._names = names
        self._lock = threading.Lock()
        self._leaves: dict[str, Leaf] = {}  # by the uid of the cache

    def of(self, record: Record, now: datetime) -> Leaf:
        """Give the certificate of a cache, a new one if it is time."""
        with self._lock:
            leaf = self._leaves.get(record.uid)
            if leaf is None or now >= leaf.renew_at:
                leaf = self._authority.issue(self._names(record.key), now)
                self._leaves[record.uid] = leaf
            return leaf

    def forget(self, uid: str) -> None:
        """Let go of the certificate of a cache that is gone."""
        with self._lock:
            self._leaves.pop(uid, None)
