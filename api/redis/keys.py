"""``listKeys`` and ``regenerateKey`` of a cache."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import falcon

from api import mistakes, names
from api.body import read_object
from api.context import cause
from api.errors import ArmError
from api.fields import Body, any_case
from api.parts import Parts
from api.redis import changes, render
from api.redis.access_keys import KeyType, new_key, rotated
from controller.errors import CacheNotFoundError
from controller.model import Change, Record, Work


class RegenerateBody(Body):
    """Body of ``regenerateKey``."""

    key_type: Annotated[KeyType, any_case(KeyType)]


class ListKeys:
    """``…/redis/{name}/listKeys``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_post(self, _req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """Give both keys, also while they are disabled; a body is not looked at."""
        record = self._parts.store.get(names.cache_key(**path))
        resp.media = render.access_keys(record.spec.access_keys)


class RegenerateKey:
    """``…/redis/{name}/regenerateKey``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_post(self, req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """Replace one key; the answer is out when the old one opens nothing more."""
        key = names.cache_key(**path)
        which = mistakes.judged(read_object(req), RegenerateBody).key_type
        fresh = new_key()

        def change(old: Record) -> Change:
            keys = rotated(old.spec.access_keys, which, fresh)
            return Change(replace(old.spec, access_keys=keys), Work.UPDATING)

        with self._parts.seat():
            change_it = changes.existing(key, change)
            written = self._parts.store.put(key, change_it, cause(req))
            record = self._parts.wait_seated(key, written.record.generation)
        if record is None:
            raise CacheNotFoundError(key)
        if not record.settled:
            raise _too_slow(record)
        resp.media = render.access_keys(record.spec.access_keys)


def _too_slow(record: Record) -> ArmError:
    """Say that the key is stored, and what keeps it from being applied."""
    failure = record.failure
    why = f" What keeps it: {failure.message}" if failure is not None else ""
    return ArmError(
        504,
        "GatewayTimeout",
        "The gateway did not receive a response from 'Microsoft.Cache' within the "
        "specified time period. The new key is stored, listKeys shows it, and it will "
        f"be applied as soon as the cache's server can be reached.{why}",
        gateway=True,
    )
