"""The WSGI application: every route in one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import falcon

from api import faults
from api.guard import Gate, Guard, Surface
from api.health import Alive, Metrics, Ready, Status
from api.metrics import CacheStates, RequestMetrics
from api.middleware import ArmHeaders, Journal
from api.openapi.document import OpenApi
from api.operations import AsyncOperation, OperationResult
from api.parts import Parts
from api.redis.caches import CacheCollection, CacheResource
from api.redis.keys import ListKeys, RegenerateKey
from api.redis.routes import routes as routes_of_children
from api.router import ArmRouter

SUBSCRIPTION = "/subscriptions/{subscription}"
CACHES = "/resourcegroups/{group}/providers/microsoft.cache/redis"
OF_GROUP = SUBSCRIPTION + CACHES
CACHE = OF_GROUP + "/{name}"
POLLED = SUBSCRIPTION + "/providers/microsoft.cache/locations/{location}"

Routes = Mapping[Surface, Mapping[str, object]]
NONE: Routes = {}


def create_app(
    parts: Parts, *, around: Routes = NONE, gates: Iterable[Gate] = ()
) -> falcon.App[falcon.Request, falcon.Response]:
    """Build the application; it starts nothing.

    ``around`` are the routes of ARM beside the cache's own, and ``gates`` the
    middleware that comes with them: it sees what `Guard` lets pass.
    """
    own = _routes(parts)
    routes = {each: {**own[each], **around.get(each, {})} for each in Surface}
    described = {**routes[Surface.CACHE], **routes[Surface.ARM]}
    routes[Surface.OPEN]["/openapi.json"] = OpenApi(described)
    surfaces = {path: each for each, paths in routes.items() for path in paths}
    parts.registry.register(CacheStates(parts.store))
    app: falcon.App[falcon.Request, falcon.Response] = falcon.App(
        media_type=faults.JSON,
        router=ArmRouter(),
        middleware=[
            Journal(RequestMetrics(parts.registry)),
            ArmHeaders(),
            Guard(parts, surfaces),
            *gates,
        ],
    )
    faults.install(app)
    for path in surfaces:
        app.add_route(path, routes[surfaces[path]][path])
    return app


def _routes(parts: Parts) -> Routes:
    return {
        Surface.CACHE: {
            SUBSCRIPTION + "/providers/microsoft.cache/redis": CacheCollection(parts),
            OF_GROUP: CacheCollection(parts),
            CACHE: CacheResource(parts),
            CACHE + "/listkeys": ListKeys(parts),
            CACHE + "/regeneratekey": RegenerateKey(parts),
            **routes_of_children(parts),
            POLLED + "/asyncoperations/{operation}": AsyncOperation(parts),
            POLLED + "/operationresults/{operation}": OperationResult(parts),
        },
        Surface.ARM: {},
        Surface.OPEN: {
            "/healthz": Alive(),
            "/readyz": Ready(parts),
            "/metrics": Metrics(parts),
            "/_emulator/status": Status(parts),
        },
    }
