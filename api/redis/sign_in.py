"""Signing in at caches with tokens of Entra."""

from __future__ import annotations

import time

from api.parts import Parts
from controller.model import Record
from controller.spec import AAD_ENABLED, KeyDigest, enabled

# For all caches of one sign-in together; it is over in milliseconds unless a server
# hangs. No more than `Parts.sign_ins` wait at once: others are answered meanwhile.
PATIENCE_SECONDS = 1.0


def let_in(parts: Parts, object_id: str, digest: KeyDigest, expires_at: float) -> None:
    """Grant a token, and wait until it opens the caches that its principal may use.

    ``expires_at`` is in seconds of Unix time. Caches that are not up are not waited
    for: they know the token when they are.
    """
    assigned = parts.store.grant(object_id, digest, expires_at)
    if parts.mocked:
        return  # there is nothing that a token opens

    def known(record: Record | None) -> bool:
        return (
            record is None
            or record.deleting
            or record.failure is not None
            or digest in record.status.tokens
        )

    if not parts.sign_ins.acquire(blocking=False):
        return
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        for each in filter(_open, assigned):
            parts.store.wait(each.key, known, max(0.0, until - time.monotonic()))
    finally:
        parts.sign_ins.release()


def _open(record: Record) -> bool:
    """Tell whether a cache is up, and lets principals of Entra in."""
    settings = record.spec.redis_configuration
    return record.settled and enabled(settings, AAD_ENABLED)
