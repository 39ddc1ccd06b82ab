"""Which subscriptions and resource groups there are, in memory, one lock.

Note [Scopes]
~~~~~~~~~~~~~
By default nobody has to create anything: a subscription is there when it is named,
and a group as long as there is a cache in it. A group that somebody created is there
until it is deleted. In strict mode whatever lies below a subscription or a group
wants that to have been created, as in Azure.
"""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from api.errors import ArmError
from api.locations import Location
from controller.model import CacheKey, Cause, Record
from controller.spec import NOTHING
from controller.store import Store

HOME_SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
DELETIONS_KEPT = 1_000  # the newest; older ones are long over

_Key = tuple[str, str]  # subscription and group, lower case


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A resource group; ``location`` is in the spelling of identifiers."""

    subscription: str
    name: str
    location: str
    tags: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    managed_by: str | None = None
    deleting: bool = False

    @property
    def arm_id(self) -> str:
        """The resource id, in the casing of the real service."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.name}"


@dataclass(frozen=True, slots=True)
class Deletion:
    """Of a group, with the caches that were in it; over when they are gone."""

    group: Group
    uids: frozenset[str]


class Scopes:
    """Subscriptions and groups; caches are the store's, and are only looked up."""

    def __init__(self, store: Store, *, strict: bool) -> None:
        self.strict = strict
        self._store = store
        self._lock = threading.Lock()
        self._subscriptions = {HOME_SUBSCRIPTION: HOME_SUBSCRIPTION}
        self._created: dict[_Key, Group] = {}
        self._deletions: OrderedDict[str, Deletion] = OrderedDict()

    # --- subscriptions ---------------------------------------------------------------

    def subscriptions(self) -> tuple[str, ...]:
        """List the subscriptions that were created or have a group in them."""
        with self._lock:
            found = dict(self._subscriptions)
            for group in self._groups().values():
                found.setdefault(group.subscription.lower(), group.subscription)
        return tuple(found.values())

    def add_subscription(self, subscription: str) -> None:
        """Create a subscription; once more is no change."""
        with self._lock:
            self._subscriptions.setdefault(subscription.lower(), subscription)

    def require_subscription(self, subscription: str) -> None:
        """Raise `ArmError` if strict mode does not know the subscription."""
        if not self.strict:
            return
        known = {each.lower() for each in self.subscriptions()}
        if subscription.lower() not in known:
            raise ArmError(
                404,
                "SubscriptionNotFound",
                f"The subscription '{subscription}' could not be found.",
                gateway=True,
            )

    # --- groups ----------------------------------------------------------------------

    def groups(self, subscription: str) -> tuple[Group, ...]:
        """List the groups of a subscription, those that are being deleted too."""
        wanted = subscription.lower()
        with self._lock:
            found = self._groups()
        return tuple(each for key, each in found.items() if key[0] == wanted)

    def group(self, subscription: str, name: str) -> Group:
        """Read one group, or raise `ArmError`."""
        with self._lock:
            return self._group(subscription, name)

    def put_group(self, group: Group) -> bool:
        """Create or replace a group; tell whether nobody had created it before.

        A replaced one keeps its location, and the casing of its name.
        """
        key = _key(group.subscription, group.name)
        with self._lock:
            self._refuse_deleting(group.subscription, group.name)
            old = self._created.get(key)
            if old is None:
                self._created[key] = group
                return True
            if old.location != group.location:
                raise _moved(old, group)
            self._created[key] = replace(
                group, subscription=old.subscription, name=old.name
            )
            return False

    def tag_group(self, subscription: str, name: str, tags: Mapping[str, str]) -> Group:
        """Give a group other tags; it counts as created from then on."""
        key = _key(subscription, name)
        with self._lock:
            self._refuse_deleting(subscription, name)
            self._created[key] = replace(self._group(subscription, name), tags=tags)
            return self._created[key]

    def delete_group(self, subscription: str, name: str, cause: Cause) -> None:
        """Begin to delete a group with its caches, as the operation of the request."""
        key = _key(subscription, name)
        with self._lock:
            group = replace(self._group(subscription, name), deleting=True)
            caches = [r for r in self._store.records() if _key_of(r.key) == key]
            uids = frozenset(each.uid for each in caches)
            self._created.pop(key, None)
            self._deletions[cause.request_id] = Deletion(group, uids)
            if len(self._deletions) > DELETIONS_KEPT:
                self._deletions.popitem(last=False)
        for each in caches:
            # An operation of its own for each: an id stands for one cache.
            self._store.delete(each.key, replace(cause, request_id=str(uuid.uuid4())))

    def deleted(self, operation: str) -> bool | None:
        """Tell whether a deletion is over; ``None``: there never was one."""
        with self._lock:
            self._settle()
            found = self._deletions.get(operation)
            return None if found is None else not found.uids

    def require_group(self, subscription: str, name: str, *, writes: bool) -> None:
        """Raise `ArmError` if nothing can be below this group, or be written there."""
        with self._lock:
            if writes:
                self._refuse_deleting(subscription, name)
            if self.strict:
                self._group(subscription, name)

    # --- under the lock --------------------------------------------------------------

    def _groups(self) -> dict[_Key, Group]:
        """Give the created ones, and those which a cache or a deletion tells of."""
        found = dict(self._created) | self._leaving()
        for record in self._store.records():
            found.setdefault(_key_of(record.key), _implied(record))
        return found

    def _group(self, subscription: str, name: str) -> Group:
        key = _key(subscription, name)
        found = self._created.get(key) or self._groups().get(key)
        if found is None:
            raise _group_not_found(name)
        return found

    def _leaving(self) -> dict[_Key, Group]:
        self._settle()
        groups = [each.group for each in self._deletions.values() if each.uids]
        return {_key(each.subscription, each.name): each for each in groups}

    def _settle(self) -> None:
        """End the deletions of which nothing is left."""
        pending = {op: each for op, each in self._deletions.items() if each.uids}
        if not pending:
            return
        alive = {record.uid for record in self._store.records()}
        for operation, deletion in pending.items():
            self._deletions[operation] = replace(deletion, uids=deletion.uids & alive)

    def _refuse_deleting(self, subscription: str, name: str) -> None:
        if _key(subscription, name) in self._leaving():
            raise ArmError(
                409,
                "ResourceGroupBeingDeleted",
                f"The resource group '{name}' is in deprovisioning state and cannot "
                "perform this operation.",
                gateway=True,
            )


def _group_not_found(name: str) -> ArmError:
    return ArmError(
        404,
        "ResourceGroupNotFound",
        f"Resource group '{name}' could not be found.",
        gateway=True,
    )


def _moved(old: Group, new: Group) -> ArmError:
    return ArmError(
        409,
        "InvalidResourceGroupLocation",
        f"Invalid resource group location '{new.location}'. The Resource group already "
        f"exists in location '{old.location}'.",
        gateway=True,
    )


def _key(subscription: str, group: str) -> _Key:
    return subscription.lower(), group.lower()


def _key_of(cache: CacheKey) -> _Key:
    return _key(cache.subscription, cache.group)


def _implied(record: Record) -> Group:
    """Give the group that a cache lies in, although nobody created it."""
    return Group(
        subscription=record.key.subscription,
        name=record.key.group,
        location=Location(record.spec.location).name,
    )
