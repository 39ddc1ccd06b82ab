"""``import`` and ``export``: accepted and followed; no data is moved yet.

Source: ImportRDBParameters and ExportRDBParameters, api-version 2024-11-01.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import falcon
from pydantic import Field

from api import lro
from api.context import cause
from api.errors import Detail
from api.fields import Body, any_case
from api.mistakes import BAD_REQUEST
from api.parts import Parts
from api.redis import children
from controller.spec import CacheSpec, Errand, ErrandKind, Tier

Format = Literal["RDB"]
AuthMethod = Literal["SAS", "ManagedIdentity"]

Text = Annotated[str, Field(min_length=1)]


class TransferBody(Body):
    """What both have in common: the format, and how the storage lets the cache in."""

    format: Annotated[Format | None, any_case(Format)] = None
    auth_method: Annotated[
        AuthMethod | None,
        any_case(AuthMethod),
        Field(alias="preferred-data-archive-auth-method"),
    ] = None
    storage_subscription: Annotated[
        str | None, Field(alias="storage-subscription-id")
    ] = None


class ImportBody(TransferBody):
    """Body of ``import``; ``files`` are the URLs of blobs."""

    files: Annotated[list[Text], Field(min_length=1)]


class ExportBody(TransferBody):
    """Body of ``export``; ``container`` is a URL, and ``prefix`` begins each name."""

    container: Text
    prefix: Text


class Transfer:
    """``…/import`` and ``…/export``."""

    def __init__(
        self, parts: Parts, kind: ErrandKind, model: type[TransferBody]
    ) -> None:
        self._parts = parts
        self._kind = kind
        self._model = model

    def on_post(self, req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """Begin to move data, 202."""
        spec = children.parent(self._parts, path).spec
        children.read(req, self._model, *self._mistakes(spec))
        errand = Errand(self._kind, cause(req).request_id)
        children.write(
            self._parts,
            req,
            children.cache_key(path),
            lambda old: old.spec.with_errand(errand),
        )
        resp.status = falcon.HTTP_202
        lro.start_result(req, resp, spec.location)

    def _mistakes(self, spec: CacheSpec) -> Iterator[Detail]:
        """Find out whether the cache can do it; its tier may rise, and never fall."""
        if spec.sku.tier is not Tier.PREMIUM:
            yield Detail(
                BAD_REQUEST,
                f"{self._kind} is not allowed on '{spec.sku.tier}' cache instances. "
                "Scale the cache to Premium first.",
                "properties.sku.name",
            )
