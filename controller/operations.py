"""Long-running operations, as ARM has them: how a write went, for those who poll."""

from __future__ import annotations

import enum
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, replace

from controller.model import CacheKey, Cause, Record

OPERATIONS_KEPT = 10_000  # the newest; older ones are long over


class OperationState(enum.StrEnum):
    """State of a long-running operation, as ARM spells it."""

    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A write that takes its time; ``id`` is that of the request.

    It follows its record until it ends, and then stays as it ended, while the
    cache may recover.
    """

    id: str
    key: CacheKey
    uid: str
    generation: int
    deletes: bool
    state: OperationState = OperationState.IN_PROGRESS
    code: str = ""
    message: str = ""

    @property
    def ended(self) -> bool:
        """Nothing will change it any more."""
        return self.state is not OperationState.IN_PROGRESS

    def follow(self, record: Record | None) -> Operation:
        """Settle by what became of the record; ``None``: it is gone."""
        if self.ended:
            return self
        if record is None or record.uid != self.uid:
            gone = OperationState.SUCCEEDED if self.deletes else OperationState.CANCELED
            return self._end(gone)
        if record.deleting and not self.deletes:
            return self._end(OperationState.CANCELED)
        failure = self._failure(record)
        if failure is not None:
            code, message = failure
            failed = OperationState.FAILED
            return replace(self, state=failed, code=code, message=message)
        if not self.deletes and record.settled and record.generation >= self.generation:
            return self._end(OperationState.SUCCEEDED)
        return self

    def _failure(self, record: Record) -> tuple[str, str] | None:
        """Give code and message: of the whole cache, or of this request's errand."""
        if record.failure is not None:
            return record.failure.reason, record.failure.message
        for each in record.status.errand_failures:
            if each.errand.request_id == self.id:
                return each.reason, each.message
        return None

    def _end(self, state: OperationState) -> Operation:
        return replace(self, state=state)


class Operations:
    """The newest operations by id. Called under the store's lock, so it has none."""

    def __init__(self) -> None:
        self._all: OrderedDict[str, Operation] = OrderedDict()
        self._open: defaultdict[CacheKey, set[str]] = defaultdict(set)

    def find(self, operation_id: str) -> Operation | None:
        """Read one as it stands; ``None`` if unknown."""
        return self._all.get(operation_id)

    def begin(self, record: Record, cause: Cause, *, deletes: bool) -> None:
        """Follow what was written from here on."""
        self._all[cause.request_id] = Operation(
            id=cause.request_id,
            key=record.key,
            uid=record.uid,
            generation=record.generation,
            deletes=deletes,
        )
        self._open[record.key].add(cause.request_id)
        if len(self._all) > OPERATIONS_KEPT:
            forgotten, old = self._all.popitem(last=False)
            self._open.get(old.key, set()).discard(forgotten)

    def follow(self, key: CacheKey, record: Record | None) -> None:
        """Settle those of a cache by what became of it; ``None``: it is gone."""
        for each in tuple(self._open[key]):
            self._all[each] = self._all[each].follow(record)
            if self._all[each].ended:
                self._open[key].discard(each)
        if not self._open[key]:
            del self._open[key]
