"""One round for one cache: observe, plan, execute, report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from controller.actions import Again, Done, Outcome, Plan, Stuck
from controller.config import Limits
from controller.desired import Credentials, desired_node, node_key
from controller.errors import PortsExhaustedError
from controller.execute import World, execute
from controller.leaves import Leaves
from controller.logs import log_ready, log_round
from controller.model import CacheKey, CacheStatus, Condition, Moment, Record
from controller.nodes import Absent, NodeKey, NodeSpec, Sighting
from controller.observe import Observer
from controller.plan import plan, plan_orphan
from controller.shortfalls import shortfalls
from controller.status import status_of
from controller.store import Store

END_SECONDS = 0.1  # between two looks whether the errands of a deleted cache are over


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """The loop body, with the world it acts on."""

    store: Store
    world: World
    observe: Observer
    limits: Limits
    leaves: Leaves
    clock: Callable[[], Moment]

    def __call__(self, key: CacheKey) -> Outcome:
        """Bring one cache a step closer to its spec."""
        record = self.store.find(key)
        if record is None:
            return self._remove_orphan(key)
        started = self.clock()
        node, keys = node_key(record), record.spec.access_keys
        wanted = self._wanted(record, started)
        before = self.observe(node, keys)
        steps = plan(record, wanted, before, started.monotonic)
        if steps.acts:
            status = status_of(record, wanted, before, _so_far(record, steps), started)
            record = self._announce(record, status)
        alone = not record.deleting or self.world.errands.end(key)
        outcome = self._execute(record, steps, before.node)
        after = before
        if steps.acts:
            self.observe.forget(key)  # a list call may have begun before the work
            after = self.observe(node, keys)
        ended = self.clock()
        self._report(record, status_of(record, wanted, after, outcome, ended))
        if record.deleting and _all_gone(after.node, outcome):
            if not alone:
                return Again(after=END_SECONDS, cause="an errand's server is removed")
            self._forget(record)
        log_round(record, steps, outcome, ended.monotonic - started.monotonic)
        return self._until_a_token_ends(record, outcome, ended)

    def _report(self, record: Record, status: CacheStatus) -> None:
        self.store.report(record, status)
        if status.observed_generation != record.status.observed_generation:
            isolates = self.world.backend.isolates()
            found = shortfalls(record, self.limits, isolates=isolates)
            log_ready(record, found)

    def _forget(self, record: Record) -> None:
        self.store.drop(record)
        self.world.admin.forget(node_key(record))
        self.leaves.forget(record.uid)

    def _wanted(self, record: Record, moment: Moment) -> NodeSpec:
        credentials = Credentials(
            admin=self.world.admin.password(record.uid),
            leaf=self.leaves.of(record, moment.utc),
            tokens=self.store.tokens.valid(_principals(record)),
        )
        return desired_node(record, credentials, self.limits)

    def _until_a_token_ends(
        self, record: Record, outcome: Outcome, moment: Moment
    ) -> Outcome:
        """Come back to a cache that is in place when a token opens it no more."""
        ends = self.store.tokens.next_expiry(_principals(record))
        if ends is None or not isinstance(outcome, Done):
            return outcome
        return Done(after=max(0.0, ends - moment.unix))

    def _announce(self, record: Record, status: CacheStatus) -> Record:
        """Tell what was seen before work on it begins, which may take its time.

        Whoever is silent afterwards has been so since the work, not since before it.
        """
        told = replace(status, silent_since=None)
        self.store.report(record, told)
        return replace(record, status=told)

    def _execute(self, record: Record, steps: Plan, seen: Sighting) -> Outcome:
        """Run the plan; where a port is taken the cache gets others."""
        outcome = execute(steps, node_key(record), seen, self.world)
        match outcome:
            case Again(taken=int(port), cause=cause, deeds=deeds):
                try:
                    self.store.move_ports(record, port)
                except PortsExhaustedError as error:
                    why = f"{cause}; {error}"
                    return Stuck(reason="PortRangeExhausted", cause=why, deeds=deeds)
        return outcome

    def _remove_orphan(self, key: CacheKey) -> Outcome:
        """See Note [Keys without a record]; where there is no node, once is enough."""
        if self.world.errands.own(key):
            return Done()
        node = NodeKey(key)
        seen = self.observe.find(node)
        outcome = execute(plan_orphan(seen), node, seen, self.world)
        return Done() if _all_gone(seen, outcome) else outcome


def _principals(record: Record) -> Iterator[str]:
    """Name who may sign in on a cache with Entra, by object id."""
    for assignment in record.spec.access_policy_assignments.values():
        yield assignment.object_id


def _all_gone(node: Sighting, removal: Outcome) -> bool:
    """Tell whether nothing is left of a node, not even its data."""
    succeeded = isinstance(removal, Again) and removal.after is not None
    return isinstance(node, Absent) and succeeded


def _so_far(record: Record, steps: Plan) -> Outcome:
    """Say how it stands before the work: a failure stays one until it is overcome."""
    match record.failure:
        case Condition(reason=reason, message=message):
            return Stuck(reason=reason, cause=message)
        case None:
            return Again(after=0.0, cause=str(steps))
