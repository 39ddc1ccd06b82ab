"""Turn what was seen into status; pure."""

from __future__ import annotations

from dataclasses import replace

from controller import acl, config
from controller.actions import Again, Deeds, Done, Outcome, Stuck
from controller.model import (
    PROGRESSING,
    CacheStatus,
    Condition,
    Moment,
    Record,
    Starts,
)
from controller.nodes import Node, NodeSpec, Observed, Phase, Server, Unknown
from controller.spec import KeyDigest

_OBSERVED = ("Running", "Serving", "KeysApplied", "Configured")
_NO_TLS = Condition(
    "TlsServed",
    holds=False,
    reason="ServerWithoutTls",
    message="The server program here knows no TLS: nothing listens on sslPort, and the "
    "plain port is open whatever enableNonSslPort says. Install a valkey-server or "
    "redis-server that has TLS, or use Docker, and restart the emulator.",
    essential=False,
)
DEADLINE_SECONDS = 120.0  # a write that is not in place by then has failed


def status_of(
    record: Record,
    wanted: NodeSpec,
    observed: Observed,
    outcome: Outcome,
    moment: Moment,
) -> CacheStatus:
    """Describe ``observed``, and how the round ended, as conditions on ``record``.

    An engine that could not be asked leaves the older observation standing. After
    `DEADLINE_SECONDS` the cache counts as failed; the rounds go on all the same, and
    the first that succeeds ends the failure. Nothing is settled before
    `Record.not_before`, and the deadline counts from there.
    """
    old = record.status
    deeds = _deeds(outcome)
    run = (old.errands_run | deeds.ran) & frozenset(record.spec.errands)
    seen = (
        *_seen(record, wanted, observed, moment),
        _since(record, _claim("ErrandsRun", run >= {*record.spec.errands}), moment),
    )
    essential = (each for each in seen if each.essential)
    in_place = all(each.holds for each in essential) and not record.deleting
    known = not isinstance(observed.node, Unknown)
    settled = (
        in_place
        and moment.monotonic >= record.not_before
        and (known or old.observed_generation == record.generation)
    )
    since = None if settled else (old.unsettled_since or moment.monotonic)
    late_since = since and max(since, record.not_before)
    progress = _since(record, _progress(outcome, late_since, moment), moment)
    return CacheStatus(
        observed_generation=record.generation if settled else old.observed_generation,
        conditions=(*seen, progress),
        errands_run=run,
        errand_failures=tuple(
            each for each in (*old.errand_failures, *deeds.failed) if each.errand in run
        ),
        tokens=_tokens(record, wanted, observed),
        saved=(old.saved or deeds.saved) and not deeds.taken_over,
        unsettled_since=since,
        silent_since=_silent_since(record, observed, moment),
        starts=_starts(record, observed, outcome, moment),
    )


def _seen(
    record: Record, wanted: NodeSpec, observed: Observed, moment: Moment
) -> tuple[Condition, ...]:
    node, server = observed.node, observed.server
    if isinstance(node, Unknown):
        known = {*_OBSERVED, _NO_TLS.type}
        return tuple(c for c in record.status.conditions if c.type in known)
    running = (
        isinstance(node, Node)
        and node.phase is Phase.RUNNING
        and node.fingerprint == wanted.fingerprint
    )
    applied = configured = None
    if server is not None and isinstance(node, Node):
        applied = server.accepted == _opening(wanted) and acl.in_place(
            wanted.users, server.users
        )
        drifted = config.drift_of(wanted, node, server)
        configured = not drifted and not server.follows
    claims = (running, server is not None, applied, configured)
    conditions = [
        _since(record, _claim(kind, holds), moment)
        for kind, holds in zip(_OBSERVED, claims, strict=True)
    ]
    if configured and server is not None:
        conditions[-1] = replace(conditions[-1], message=_capped(wanted, server))
    if isinstance(node, Node) and node.address and not node.address.speaks_tls:
        conditions.append(_since(record, _NO_TLS, moment))
    return tuple(conditions)


def _capped(wanted: NodeSpec, server: Server) -> str:
    """Say what the machine does not give; empty if it gives all."""
    less = [
        f"{name} {most}"
        for name, most in server.ceilings.items()
        if int(most) < int(wanted.settings[name])
    ]
    return f"This machine gives no more than {', '.join(less)}." if less else ""


def _opening(wanted: NodeSpec) -> frozenset[KeyDigest]:
    """Give the access keys that have to open the server."""
    [default] = (user for user in wanted.users if user.name == acl.DEFAULT_USER)
    return default.digests if default.enabled else frozenset()


def _tokens(
    record: Record, wanted: NodeSpec, observed: Observed
) -> frozenset[KeyDigest]:
    """Give the passwords of those who sign in with Entra, as far as they are in place.

    Where the server could not be asked, what was seen before stands.
    """
    server = observed.server
    if server is None:
        return record.status.tokens
    own = {acl.DEFAULT_USER, acl.ADMIN_USER}
    names = {user.name for user in wanted.users} - own
    seen = (server.users[name] for name in names if name in server.users)
    return frozenset(digest for user in seen for digest in user.digests)


def _deeds(outcome: Outcome) -> Deeds:
    match outcome:
        case Again(deeds=deeds) | Stuck(deeds=deeds):
            return deeds
        case Done():
            return Deeds()


def _starts(
    record: Record, observed: Observed, outcome: Outcome, moment: Moment
) -> Starts:
    if observed.server is not None:
        return Starts()
    old = record.status.starts
    started = _deeds(outcome).started
    return Starts(old.count + 1, moment.monotonic) if started else old


def _progress(outcome: Outcome, since: float | None, moment: Moment) -> Condition:
    """Say whether the controller still gets on; see `CacheStatus.failure`."""
    match outcome:
        case Stuck(reason=reason, cause=cause):
            return Condition(PROGRESSING, holds=False, reason=reason, message=cause)
        case Again(cause=cause):
            last = cause
        case Done():
            last = "the cache is not what its spec asks for"
    if since is None:
        return Condition(PROGRESSING, holds=True, reason="Settled")
    if moment.monotonic - since > DEADLINE_SECONDS:
        last = f"not done after {DEADLINE_SECONDS:.0f} s, still trying; last: {last}"
        return Condition(
            PROGRESSING, holds=False, reason="DeadlineExceeded", message=last
        )
    return Condition(PROGRESSING, holds=True, reason="Working", message=last)


def _claim(kind: str, holds: bool | None) -> Condition:  # noqa: FBT001 (a value)
    return Condition(kind, holds=holds, reason="Observed")


def _since(record: Record, claim: Condition, moment: Moment) -> Condition:
    """Date a claim: from when it last changed, or from now."""
    for before in record.status.conditions:
        if (before.type, before.holds) == (claim.type, claim.holds):
            return replace(claim, since=before.since)
    return replace(claim, since=moment.utc)


def _silent_since(record: Record, observed: Observed, moment: Moment) -> float | None:
    match observed.node:
        case Node(phase=Phase.RUNNING) if observed.server is None:
            return record.status.silent_since or moment.monotonic
        case Unknown():
            return record.status.silent_since
        case _:
            return None
