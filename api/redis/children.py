"""What children of a cache have in common: their path, their body, their writes.

Responders below a cache take the segments of their path as ``path``: those of the
cache, and ``child`` for the name of one child.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import falcon

from api import mistakes, names
from api.body import read_object
from api.context import cause
from api.errors import ArmError, Detail
from api.forms import Form
from api.mistakes import AnyBody
from api.parts import Parts
from api.redis import changes
from controller.children import spelled, with_child, without
from controller.model import CacheKey, Change, Record, Work
from controller.spec import CacheSpec

GONE_SECONDS = 1.0  # a server forgets a user in a fraction of it, unless it hangs

Path = Mapping[str, str]
Child = TypeVar("Child")


@dataclass(frozen=True, slots=True)
class Kind(Generic[Child]):
    """One kind of children: the field of a spec that holds them, and their segment.

    ``segment`` is that of their path, in the casing of the service. Their names have
    the form ``name``, and stand for the ``parameter`` of the path.
    """

    field: str
    segment: str
    name: Form
    parameter: str

    def of(self, record: Record) -> Mapping[str, Child]:
        """Give all of a cache, by name."""
        found: Mapping[str, Child] = getattr(record.spec, self.field)
        return found

    def there(self, record: Record, name: str) -> bool:
        """Tell whether there is one of this name, in any casing."""
        return spelled(self.of(record), name) in self.of(record)

    def mistakes(self, path: Path) -> Iterator[Detail]:
        """Find out if the name in a path can be the name of one."""
        if not self.name.fits(path["child"]):
            yield mistakes.invalid(self.parameter, f"{self.name.hint}.")

    def replaced(self, record: Record, them: Mapping[str, Child]) -> CacheSpec:
        """Give the spec of a cache with these instead of all it has of the kind."""
        new: dict[str, Any] = {self.field: them}
        return replace(record.spec, **new)

    def shown(
        self, parent: CacheKey, name: str, properties: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Render one."""
        return {
            "id": f"{parent.arm_id}/{self.segment}/{name}",
            "name": name,
            "type": f"Microsoft.Cache/Redis/{self.segment}",
            "properties": dict(properties),
        }


def cache_key(path: Path) -> CacheKey:
    """Make the key of the cache that a path below it names, or raise `ArmError`."""
    return names.cache_key(path["subscription"], path["group"], path["name"])


def read(req: falcon.Request, model: type[AnyBody], *found: Detail) -> AnyBody:
    """Read the body as ``model``, or refuse: see `mistakes.judged`."""
    return mistakes.judged(read_object(req), model, *found)


def parent(parts: Parts, path: Path) -> Record:
    """Read the cache of a path below it."""
    return parts.store.get(cache_key(path))


def find(parts: Parts, path: Path, kind: Kind[Child]) -> tuple[Record, str, Child]:
    """Read a child, with its cache and its name, or raise the error for none."""
    record = parent(parts, path)
    name = spelled(kind.of(record), path["child"])
    if name not in kind.of(record):
        raise missing()
    return record, name, kind.of(record)[name]


def put(
    parts: Parts, req: falcon.Request, path: Path, kind: Kind[Child], child: Child
) -> Record:
    """Write a child, and give its cache as it then is."""

    def change(old: Record) -> CacheSpec:
        return kind.replaced(old, with_child(kind.of(old), path["child"], child))

    return write(parts, req, cache_key(path), change)


def check_name(path: Path, kind: Kind[Child]) -> None:
    """Raise `ArmError` if nothing of the kind can have the name in a path."""
    found = tuple(kind.mistakes(path))
    if found:
        raise mistakes.refusal(found)


def drop(
    parts: Parts, req: falcon.Request, path: Path, kind: Kind[Child]
) -> Record | None:
    """Remove a child, and give its cache as it then is; `None`: there is no child."""
    check_name(path, kind)
    if not kind.there(parent(parts, path), path["child"]):
        return None

    def change(old: Record) -> CacheSpec:
        return kind.replaced(old, without(kind.of(old), path["child"]))

    return gone(parts, write(parts, req, cache_key(path), change))


def gone(parts: Parts, record: Record) -> Record:
    """Give a cache once its server is without the child that was removed from it.

    Some clients, such as azurerm, do not follow the operation of a DELETE. They read
    the child until it is not there, and send the next write then, for which the cache
    may not be busy any more. A server that takes longer is not waited for.
    """
    settled = parts.wait_settled(record.key, record.generation, GONE_SECONDS)
    return settled or record


def write(
    parts: Parts,
    req: falcon.Request,
    key: CacheKey,
    change: Callable[[Record], CacheSpec],
    work: Work = Work.UPDATING,
) -> Record:
    """Change what is below a cache that is there, and give it as it then is.

    ``change`` is called as `Store.put` says. The operation of this request can be
    asked for afterwards, also if nothing had to be changed.
    """

    def changed(old: Record) -> Change:
        return Change(change(old), work)

    existing = changes.existing(key, changed)
    return parts.store.put(key, existing, cause(req), followed=True).record


def state(record: Record) -> str:
    """Name the ``provisioningState`` of a child, which follows its cache.

    Source of the words: AccessPolicyProvisioningState, api-version 2024-11-01.
    """
    if record.deleting:
        return Work.DELETING
    if record.busy:
        return Work.UPDATING
    return "Succeeded" if record.failure is None else "Failed"


def missing() -> ArmError:
    """Make the error for a child that is not there, in the service's words."""
    return ArmError(
        404,
        "ResourceNotFound",
        "A requested resource could not be found. It may already have been deleted.",
    )
