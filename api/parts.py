"""What the API is built from; the composition root fills it in."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry

from api.errors import ArmError
from controller.model import CacheKey, Endpoint, Ports, Record
from controller.shortfalls import Shortfall
from controller.store import Store

# Of the server's eight threads; the rest goes on answering reads meanwhile.
MOST_WAITERS = 4
MOST_SIGN_INS = 6  # for a second at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything a responder may use.

    ``ready`` gives the reasons why the emulator cannot serve yet; none means that it
    can. ``hostname`` is the configured name of this machine, or empty. ``describe``
    is shown by ``/_emulator/status`` and holds no secret. ``judge`` asks the server
    of a cache about the permissions of an access policy: ``None``, it takes them, or
    why not, in its words; raises `TransientError` when it cannot be asked.
    """

    store: Store
    endpoint: Callable[[CacheKey, Ports], Endpoint]
    patience_seconds: float  # how long a request may wait for the loop
    mocked: bool
    ready: Callable[[], tuple[str, ...]]
    enabled: bool
    hostname: str
    token_lifetime_seconds: int
    judge: Callable[[CacheKey, str], str | None]
    registry: CollectorRegistry
    describe: Mapping[str, Any]
    loses_data_as_azure: bool = False  # when a Basic cache is resized
    shortfalls: Callable[[Record], Sequence[Shortfall]] = lambda _record: ()
    sign_ins: threading.BoundedSemaphore = field(  # that may wait at once
        init=False,
        repr=False,
        default_factory=lambda: threading.BoundedSemaphore(MOST_SIGN_INS),
    )
    _seats: threading.BoundedSemaphore = field(
        init=False,
        repr=False,
        default_factory=lambda: threading.BoundedSemaphore(MOST_WAITERS),
    )

    def caches(self, subscription: str, group: str | None) -> list[Record]:
        """List those of a group, `None`: of the whole subscription; oldest first."""
        return [
            each
            for each in self.store.records()
            if each.key.subscription.lower() == subscription.lower()
            and (group is None or each.key.group.lower() == group.lower())
        ]

    def wait_settled(
        self, key: CacheKey, generation: int, most_seconds: float = math.inf
    ) -> Record | None:
        """Wait until ``generation`` is in place, has failed, or was overtaken.

        Gives the record as it then is, `None` if it is gone; after
        ``patience_seconds`` or ``most_seconds``, or when too many requests wait
        already, as it is by then.
        """
        if not self._take_seat():
            return self.store.find(key)
        try:
            return self.wait_seated(key, generation, most_seconds)
        finally:
            self._leave_seat()

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Have a place for `wait_seated`, or raise `ArmError` before any change.

        For requests that may not be answered before they have waited.
        """
        if not self._take_seat():
            raise ArmError(
                429,
                "TooManyRequests",
                "Too many requests wait for a cache at the moment; nothing was "
                "changed. Send this one again in a second.",
                gateway=True,
            )
        try:
            yield
        finally:
            self._leave_seat()

    def wait_seated(
        self, key: CacheKey, generation: int, most_seconds: float = math.inf
    ) -> Record | None:
        """Wait as `wait_settled` does, in a `seat`."""

        def decided(record: Record | None) -> bool:
            return (
                record is None
                or record.generation != generation
                or record.settled
                or record.deleting
                or record.failure is not None
            )

        seconds = min(self.patience_seconds, most_seconds)
        return self.store.wait(key, decided, seconds)

    def _take_seat(self) -> bool:
        """Tell whether one may wait: with mocked caches all may, it is never long."""
        return self.mocked or self._seats.acquire(blocking=False)

    def _leave_seat(self) -> None:
        if not self.mocked:
            self._seats.release()
