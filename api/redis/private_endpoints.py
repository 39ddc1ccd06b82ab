"""Private endpoints of a cache: stored and shown; no network is made for them.

Source: PrivateEndpointConnection and PrivateLinkResource, api-version 2024-11-01.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import falcon

from api import lro
from api.fields import Body, any_case
from api.forms import Form
from api.parts import Parts
from api.redis import children
from api.redis.children import Kind
from controller.children import PrivateEndpointConnection, spelled
from controller.model import Record

NAME = Form(
    pattern="[A-Za-z0-9_][A-Za-z0-9_.-]*",
    least=1,
    most=128,
    hint="It has 1 to 128 letters, digits, '_', '.' and '-', and does not begin with "
    "one of the last two",
)
KIND: Kind[PrivateEndpointConnection] = Kind(
    "private_endpoint_connections",
    "privateEndpointConnections",
    NAME,
    "privateEndpointConnectionName",
)
LINKABLE = "redisCache"  # the one part of a cache that an endpoint can be made for

Status = Literal["Pending", "Approved", "Rejected"]

ENDPOINT_ID = Form(
    pattern="/subscriptions/[^/]+/resourceGroups/[^/]+/providers"
    r"/Microsoft\.Network/privateEndpoints/[^/]+",
    any_case=True,
    hint="It is the resource id of a private endpoint: /subscriptions/{id}/"
    "resourceGroups/{name}/providers/Microsoft.Network/privateEndpoints/{name}",
)


class EndpointBody(Body):
    """The other end of a connection; the service knows it without being told."""

    id: Annotated[str, ENDPOINT_ID]


class StateBody(Body):
    """What the owner of the cache decided."""

    status: Annotated[Status, any_case(Status)]
    description: str | None = None
    actions_required: str | None = None


class ConnectionProperties(Body):
    """Properties of a connection."""

    private_endpoint: EndpointBody | None = None
    private_link_service_connection_state: StateBody


class ConnectionBody(Body):
    """Body of a PUT."""

    properties: ConnectionProperties


class PrivateEndpointConnectionCollection:
    """``…/privateEndpointConnections``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(self, _req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """List them, in the order in which they were created."""
        resp.media = {"value": connections(children.parent(self._parts, path))}


class PrivateEndpointConnectionResource:
    """``…/privateEndpointConnections/{child}``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(self, _req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """Read it."""
        resp.media = _shown(*children.find(self._parts, path, KIND))

    def on_put(self, req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """Approve or reject it, 201; the emulator hears of new ones here too."""
        before = children.parent(self._parts, path)
        body = children.read(req, ConnectionBody, *KIND.mistakes(path))
        name = spelled(KIND.of(before), path["child"])
        connection = _connection(before, name, body.properties)
        record = children.put(self._parts, req, path, KIND, connection)
        resp.status = falcon.HTTP_201
        lro.start_operation(
            req, resp, record.spec.location, leads_to=lro.Target.OPERATION
        )
        resp.media = _shown(record, name, connection)

    def on_delete(
        self, req: falcon.Request, resp: falcon.Response, **path: str
    ) -> None:
        """Remove it, 200; 204 if there is none."""
        if children.drop(self._parts, req, path, KIND) is None:
            resp.status = falcon.HTTP_204


class PrivateLinkResourceCollection:
    """``…/privateLinkResources``: what a private endpoint can be made for."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(self, _req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """List the one."""
        record = children.parent(self._parts, path)
        resp.media = {
            "value": [
                {
                    "id": f"{record.key.arm_id}/privateLinkResources/{LINKABLE}",
                    "name": LINKABLE,
                    "type": "Microsoft.Cache/Redis/privateLinkResources",
                    "properties": {
                        "groupId": LINKABLE,
                        "requiredMembers": [LINKABLE],
                        "requiredZoneNames": ["privatelink.redis.cache.windows.net"],
                    },
                }
            ]
        }


def connections(record: Record) -> list[dict[str, Any]]:
    """Render all connections of a cache, as its own body shows them too."""
    return [_shown(record, *each) for each in KIND.of(record).items()]


def _connection(
    before: Record, name: str, asked: ConnectionProperties
) -> PrivateEndpointConnection:
    """Keep the endpoint that the connection has; one that nobody named is made up."""
    key, old = before.key, KIND.of(before).get(name)
    endpoint = (
        f"/subscriptions/{key.subscription}/resourceGroups/{key.group}/providers"
        f"/Microsoft.Network/privateEndpoints/{name}"
    )
    if asked.private_endpoint is not None:
        endpoint = asked.private_endpoint.id
    elif old is not None:
        endpoint = old.endpoint_id
    decided = asked.private_link_service_connection_state
    return PrivateEndpointConnection(
        endpoint_id=endpoint,
        status=decided.status,
        description=decided.description or "",
        actions_required=decided.actions_required or "None",
    )


def _shown(
    record: Record, name: str, connection: PrivateEndpointConnection
) -> dict[str, Any]:
    return KIND.shown(
        record.key,
        name,
        {
            "provisioningState": "Succeeded",  # nothing has to be done for it
            "privateEndpoint": {"id": connection.endpoint_id},
            "privateLinkServiceConnectionState": {
                "status": connection.status,
                "description": connection.description,
                "actionsRequired": connection.actions_required,
            },
        },
    )
