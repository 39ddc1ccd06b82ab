"""``…/redis/{name}/linkedServers``: geo-replication, stored and shown.

Nothing is replicated. Source: RedisLinkedServerWithProperties, api-version
2024-11-01, and recorded answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import falcon

from api import locations, lro, names
from api.errors import Detail
from api.fields import Body, any_case
from api.forms import Form
from api.mistakes import invalid, refusal
from api.parts import Parts
from api.redis import children, links
from api.redis.children import Kind
from api.redis.links import Link, Role
from controller.children import LinkedServer, with_child, without
from controller.errors import BusyError
from controller.model import CacheKey, Record, Work
from controller.spec import CacheSpec

KIND: Kind[LinkedServer] = Kind(
    "linked_servers", links.SEGMENT, names.CACHE, "linkedServerName"
)

ServerRole = Literal["Primary", "Secondary"]

CACHE_ID = Form(
    pattern="/subscriptions/[^/]+/resourceGroups/[^/]+/providers"
    r"/Microsoft\.Cache/Redis/[^/]+",
    any_case=True,
    hint="It is the resource id of a cache: /subscriptions/{id}/resourceGroups/"
    "{name}/providers/Microsoft.Cache/Redis/{name}",
)


class LinkProperties(Body):
    """Properties of a link."""

    linked_redis_cache_id: Annotated[str, CACHE_ID]
    linked_redis_cache_location: str
    server_role: Annotated[ServerRole, any_case(ServerRole)]

    @property
    def other(self) -> CacheKey:
        """The cache at the other end."""
        return CacheKey.parse(self.linked_redis_cache_id)


class LinkBody(Body):
    """Body of a PUT."""

    properties: LinkProperties


class LinkedServerCollection:
    """``…/linkedServers``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(self, _req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """List the links of a cache, whichever end it is."""
        key = children.parent(self._parts, path).key
        found = links.links_of(self._parts.store.records()).get(key, ())
        resp.media = {"value": [_shown(self._parts, link) for link in found]}


class LinkedServerResource:
    """``…/linkedServers/{child}``: the link to the cache of that name."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(self, _req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """Read it."""
        link = self._find(path)
        if link is None:
            raise children.missing()
        resp.media = _shown(self._parts, link)

    def on_put(self, req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """Link a secondary to this cache, 201; 200 if it is linked so already."""
        there = self._find(path)
        asked = children.read(req, LinkBody).properties
        if there is not None and _same(there, asked):
            resp.media = _shown(self._parts, there)
            return

        def change(old: Record) -> CacheSpec:
            return self._linked(old, path["child"], asked)

        key = children.cache_key(path)
        record = children.write(self._parts, req, key, change, Work.LINKING)
        secondary = self._parts.store.get(asked.other)
        link = Link(record, secondary, Role.SECONDARY)
        resp.status = falcon.HTTP_201
        lro.start_operation(req, resp, record.spec.location)
        resp.media = _shown(self._parts, link, state=Work.CREATING)

    def on_delete(
        self, req: falcon.Request, resp: falcon.Response, **path: str
    ) -> None:
        """Unlink the two, 202; 200 if they are not linked: clients know no 204."""
        children.check_name(path, KIND)
        link = self._find(path)
        if link is None:
            return

        def change(old: Record) -> CacheSpec:
            return KIND.replaced(old, without(KIND.of(old), link.secondary.key.name))

        key = link.primary.key
        children.write(self._parts, req, key, change, Work.UNLINKING)
        resp.status = falcon.HTTP_202
        lro.start_operation(
            req, resp, link.owner.spec.location, leads_to=lro.Target.OPERATION
        )

    def _find(self, path: children.Path) -> Link | None:
        key = children.parent(self._parts, path).key
        for link in links.links_of(self._parts.store.records()).get(key, ()):
            if link.other.key.name.lower() == path["child"].lower():
                return link
        return None

    def _linked(self, primary: Record, name: str, asked: LinkProperties) -> CacheSpec:
        """Give the spec with the link, or refuse; the store stands still meanwhile."""
        store = self._parts.store
        secondary = store.find(asked.other)
        found = list(_mistakes(primary, name, asked, secondary))
        if secondary is not None:
            there = links.links_of(store.records())
            found += links.mistakes(primary, secondary, there)
        if found or secondary is None:
            raise refusal(found)
        if secondary.busy:
            raise BusyError(secondary.key)
        linked = LinkedServer(uid=secondary.uid)
        others = with_child(KIND.of(primary), secondary.key.name, linked)
        return KIND.replaced(primary, others)


def _same(link: Link, asked: LinkProperties) -> bool:
    return (link.other.key, link.role) == (asked.other, asked.server_role)


def _mistakes(
    primary: Record, name: str, asked: LinkProperties, secondary: Record | None
) -> Iterator[Detail]:
    """Find what is wrong with the request, whatever the two caches are."""
    if name.lower() != asked.other.name.lower():
        why = f"It is the name of the linked cache, '{asked.other.name}'."
        yield invalid("linkedServerName", why)
    if secondary is None:
        yield invalid("properties.linkedRedisCacheId", "There is no such cache.")
    else:
        location = locations.find(asked.linked_redis_cache_location)
        if location is None or location.display_name != secondary.spec.location:
            yield invalid(
                "properties.linkedRedisCacheLocation",
                f"The linked cache is in {secondary.spec.location}.",
            )
    if Role(asked.server_role) is Role.PRIMARY:
        yield invalid(
            "properties.serverRole",
            "A link is made at its primary, with 'Secondary': PUT "
            f"{asked.other.arm_id}/{links.SEGMENT}/{primary.key.name}.",
        )


def _shown(parts: Parts, link: Link, *, state: str | None = None) -> dict[str, Any]:
    primary, other = link.primary, link.other
    return KIND.shown(
        link.owner.key,
        other.key.name,
        {
            "linkedRedisCacheId": other.key.arm_id,
            "linkedRedisCacheLocation": other.spec.location,
            "serverRole": link.role,
            # Nothing answers there; recorded: the name is the linked cache's.
            "geoReplicatedPrimaryHostName": (
                f"{other.key.name}.geo.redis.cache.windows.net"
            ),
            "primaryHostName": parts.endpoint(primary.key, primary.ports).host,
            "provisioningState": state or children.state(primary),
        },
    )
