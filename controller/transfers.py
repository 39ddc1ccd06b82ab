"""Imports and exports under way: each has a thread, and nobody waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from controller.errors import ControllerError, ErrandError
from controller.loaders import GONE, Loaders
from controller.model import CacheKey
from controller.nodes import Node, NodeSpec, Pause
from controller.spec import Errand

MOST_AT_ONCE = 4
SECONDS = 100.0  # for one, its turn waited for; well below `status.DEADLINE_SECONDS`
GRACE_SECONDS = 5.0  # for one that is late to notice by itself

log = structlog.get_logger(__name__)


class Carries(Protocol):
    """Carries data out and in."""

    def __call__(
        self, node: Node, spec: NodeSpec, errand: Errand, pause: Pause
    ) -> None:
        """Carry out an import or an export of the node, for which ``spec`` is asked.

        Raises any `ControllerError`, a final `ErrandError` among them.
        """
        ...

    def close(self) -> None:
        """Let go of all that is under way."""
        ...


@dataclass(slots=True, kw_only=True, eq=False)
class _Job:
    """One transfer; ``over`` says that nobody wants it any more."""

    node: Node
    spec: NodeSpec
    errand: Errand
    deadline: float
    earlier: tuple[_Job, ...]  # of the same cache
    over: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    error: ErrandError | None = None

    @property
    def left(self) -> float:
        """Seconds until it has to be done."""
        return self.deadline - time.monotonic()

    def pause(self, seconds: float) -> None:
        """Fulfil `Pause`."""
        if self.over.wait(seconds):
            raise GONE
        if self.left < 0:
            raise _late()


class Transfers:
    """Runs them, and remembers how each ended until it was told.

    ``wake`` is called with a cache's key when one of its transfers has ended.
    """

    def __init__(
        self, carry: Carries, loaders: Loaders, wake: Callable[[CacheKey], None]
    ) -> None:
        self._carry = carry
        self._loaders = loaders
        self._wake = wake
        self._lock = threading.Lock()
        self._turns = threading.Semaphore(MOST_AT_ONCE)
        self._jobs: dict[Errand, _Job] = {}
        self._closed = False

    def done(self, node: Node, spec: NodeSpec, errand: Errand) -> bool:
        """Begin a transfer, or ask how it is; true once it has ended well.

        Raises `ErrandError` if it ended otherwise. Either end is told once, and asking
        again begins anew.
        """
        with self._lock:
            job = self._jobs.get(errand)
            if job is None:
                self._begin(node, spec, errand)
                return False
            if not job.ended.is_set():
                if job.left > -GRACE_SECONDS:
                    return False
                job.over.set()
            del self._jobs[errand]
        if not job.ended.is_set():
            raise _late()
        if job.error is not None:
            raise job.error
        return True

    def owns(self, key: CacheKey) -> bool:
        """Tell whether a key without a record is that of a transfer's own server."""
        return self._loaders.owns(key)

    def end(self, cache: CacheKey) -> bool:
        """End those of a cache that is deleted; true once no server of theirs is left.

        Their threads may take a moment longer.
        """
        with self._lock:
            for job in [each for each in self._jobs.values() if _of(each) == cache]:
                job.over.set()
                del self._jobs[job.errand]
        return not self._loaders.serve(cache)

    def close(self, seconds: float) -> None:
        """End all, and start no server any more; waits so long at most."""
        with self._lock:
            self._closed = True
            for job in self._jobs.values():
                job.over.set()
        self._loaders.close(seconds)
        self._carry.close()

    def _begin(self, node: Node, spec: NodeSpec, errand: Errand) -> None:
        if self._closed:
            return
        cache = node.key.cache
        earlier = [each for each in self._jobs.values() if _of(each) == cache]
        if any(each.errand.kind is not errand.kind for each in earlier):
            return  # one after the other: its end has the loop ask again
        for each in earlier:  # one that nobody asks for any more
            each.over.set()
            del self._jobs[each.errand]
        job = _Job(
            node=node,
            spec=spec,
            errand=errand,
            deadline=time.monotonic() + SECONDS,
            earlier=tuple(earlier),
        )
        self._jobs[errand] = job
        threading.Thread(
            target=self._run, args=(job,), name=f"transfer {node.key}", daemon=True
        ).start()

    def _run(self, job: _Job) -> None:
        try:
            self._carry_out(job)
        except ErrandError as error:
            job.error = error
        except (ControllerError, OSError) as error:
            job.error = ErrandError("TransferFailed", f"{error}. Ask again")
        except Exception:  # a defect must not leave the operation without an end
            log.exception("transfer.crashed", key=str(_of(job)))
            job.error = ErrandError(
                "TransferFailed",
                "A mistake of the emulator's own, which its log shows. Ask again",
            )
        if job.error is not None and not job.over.is_set():
            log.warning(
                "transfer.failed",
                key=str(_of(job)),
                reason=job.error.reason,
                cause=str(job.error),
                request_id=job.errand.request_id,
            )
        job.ended.set()
        self._wake(_of(job))

    def _carry_out(self, job: _Job) -> None:
        """Wait for one's turn, and go."""
        for each in job.earlier:
            each.ended.wait(max(0.0, job.left))
        if not self._turns.acquire(timeout=max(0.0, job.left)):
            raise _late()
        try:
            job.pause(0.0)
            self._carry(job.node, job.spec, job.errand, job.pause)
        finally:
            self._turns.release()


def _of(job: _Job) -> CacheKey:
    return job.node.key.cache


def _late() -> ErrandError:
    return ErrandError(
        "TransferTimeout",
        f"The data were not through after {SECONDS:.0f} s. Use a nearer storage, or "
        "less data",
    )
