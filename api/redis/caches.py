"""``Microsoft.Cache/redis``: one cache, and lists of them."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import falcon

from api import lro, names, versions
from api.body import read_object
from api.context import api_version, cause
from api.parts import Parts
from api.redis import changes, links, render, schema
from api.redis.access_keys import new_pair
from api.redis.changes import Minted
from controller.model import Change, Record, Work, Written

# A PUT is answered at once, whatever the engine does: most changes need no longer.
GLIMPSE_SECONDS = 0.03


class CacheResource:
    """``…/providers/Microsoft.Cache/redis/{name}``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(self, req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """Read it, in whatever state it is."""
        record = self._parts.store.get(names.cache_key(**path))
        resp.media = _shown(self._parts, req, record)

    def on_put(self, req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """Create it, 201; or give it other settings, 200."""
        key = names.cache_key(**path)
        asked = schema.read(read_object(req), schema.CreateBody)
        minted = self._mint(req)
        before = self._parts.store.find(key)
        written = self._parts.store.put(
            key, self._unlinked(lambda old: changes.put(old, asked, minted)), cause(req)
        )
        if written.created or before is None:
            self._created(req, resp, written)
            return
        record, done = self._awaited(before, written, GLIMPSE_SECONDS)
        if done:
            resp.media = _shown(self._parts, req, record, with_keys=True)
            return
        lro.start_operation(req, resp, record.spec.location)
        state = _word(before, written)
        resp.media = _shown(self._parts, req, record, state=state, with_keys=True)

    def on_patch(self, req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """Change it: 200 once that is done; 202, with what it was, if it is much."""
        key = names.cache_key(**path)
        asked = schema.read(read_object(req), schema.CacheBody)
        minted = self._mint(req)
        before = self._parts.store.get(key)
        change = changes.existing(key, lambda old: changes.merge(old, asked, minted))
        written = self._parts.store.put(key, self._unlinked(change), cause(req))
        record, done = self._awaited(before, written)
        if done:
            resp.media = _shown(self._parts, req, record)
            return
        resp.status = versions.patch_status(api_version(req))
        lro.start_operation(
            req, resp, record.spec.location, leads_to=lro.Target.OPERATION
        )
        # Recorded: the old values until the operation ends, except the identity.
        old = replace(before.spec, identity=written.record.spec.identity)
        state = _word(before, written)
        resp.media = _shown(self._parts, req, replace(before, spec=old), state=state)

    def on_delete(
        self, req: falcon.Request, resp: falcon.Response, **path: str
    ) -> None:
        """Begin to delete it, 202; 204 if there is none."""
        key = names.cache_key(**path)
        links.check_deletion(key, links.links_of(self._parts.store.records()))
        record = self._parts.store.delete(key, cause(req))
        if record is None:
            resp.status = falcon.HTTP_204
            return
        resp.status = falcon.HTTP_202
        lro.start_result(req, resp, record.spec.location)

    def _mint(self, req: falcon.Request) -> Minted:
        return Minted(
            access_keys=new_pair(),
            principal_id=str(uuid.uuid4()),
            boot=cause(req).request_id if self._parts.loses_data_as_azure else "",
        )

    def _created(
        self, req: falcon.Request, resp: falcon.Response, written: Written
    ) -> None:
        """Answer at once, unless nothing has to be waited for."""
        record = written.record
        if self._parts.mocked and not written.paced:
            settled = self._parts.wait_settled(record.key, record.generation)
            record = settled or record
        resp.status = falcon.HTTP_201
        lro.start_operation(
            req, resp, record.spec.location, leads_to=lro.Target.RESOURCE
        )
        resp.media = _shown(self._parts, req, record, with_keys=True)

    def _unlinked(
        self, change: Callable[[Record | None], Change]
    ) -> Callable[[Record | None], Change]:
        """Refuse a change of size while the cache is linked to another."""

        def changed(old: Record | None) -> Change:
            made = change(old)
            if old is not None:
                known = links.links_of(self._parts.store.records())
                links.check_scaling(old, made.spec, known)
            return made

        return changed

    def _awaited(
        self, before: Record, written: Written, most_seconds: float = math.inf
    ) -> tuple[Record, bool]:
        """Wait until a change is in place, and tell if no operation need be followed.

        A change that the service takes its time for has one all the same; but when
        it is answered it is over, and clients which read the cache do not wait.
        """
        record = written.record
        if written.paced or not written.changed:
            return record, not written.changed
        settled = (
            self._parts.wait_settled(record.key, record.generation, most_seconds)
            or record
        )
        quick = changes.work_of(before.spec, record.spec) is None
        return settled, quick and settled.settled


class CacheCollection:
    """``…/providers/Microsoft.Cache/redis`` of a group, or of a subscription."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        *,
        subscription: str,
        group: str | None = None,
    ) -> None:
        """List them all at once, in the order in which they were created."""
        known = links.links_of(self._parts.store.records())
        resp.media = {
            "value": [
                _rendered(self._parts, req, record, known)
                for record in self._parts.caches(subscription, group)
            ]
        }


def _word(before: Record, written: Written) -> str:
    """Name the work that a write made of a cache which was there already."""
    provisioned = before.status.observed_generation > 0
    return written.record.work if provisioned else Work.CREATING


def _shown(
    parts: Parts,
    req: falcon.Request,
    record: Record,
    *,
    state: str | None = None,
    with_keys: bool = False,
) -> dict[str, Any]:
    known = links.links_of(parts.store.records())
    return _rendered(parts, req, record, known, state=state, with_keys=with_keys)


def _rendered(  # noqa: PLR0913 (what a body depends on)
    parts: Parts,
    req: falcon.Request,
    record: Record,
    known: links.Links,
    *,
    state: str | None = None,
    with_keys: bool = False,
) -> dict[str, Any]:
    body = render.cache(
        record,
        parts.endpoint(record.key, record.ports),
        linked=links.ids(record.key, known),
        state=state,
        with_keys=with_keys,
    )
    return versions.shape(body, api_version(req))
