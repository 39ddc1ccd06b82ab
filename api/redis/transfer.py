"""``import`` and ``export``: what a request asks for, and how it is followed.

Source: ImportRDBParameters and ExportRDBParameters, api-version 2024-11-01.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, assert_never

import falcon
from pydantic import AfterValidator, ConfigDict, Field

from api import lro
from api.context import cause
from api.errors import Detail
from api.fields import Body, any_case
from api.mistakes import BAD_REQUEST
from api.parts import Parts
from api.redis import children
from controller.places import read_name, read_place
from controller.spec import CacheSpec, Errand, ErrandKind, Tier

Format = Literal["RDB"]
AuthMethod = Literal["SAS", "ManagedIdentity"]


def _place(text: str) -> str:
    read_place(text)
    return text


Text = Annotated[str, Field(min_length=1)]
PlaceText = Annotated[Text, AfterValidator(_place)]
NameText = Annotated[Text, AfterValidator(read_name)]


class TransferBody(Body):
    """What both have in common: the format, and how the storage lets the cache in.

    A wrong body is quoted nowhere: it may hold what opens the storage.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

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
    """Body of ``import``; ``files`` are the places of dumps: see Note [Places]."""

    files: Annotated[list[PlaceText], Field(min_length=1, repr=False)]


class ExportBody(TransferBody):
    """Body of ``export``; ``container`` is a place, and ``prefix`` begins each name."""

    container: Annotated[PlaceText, Field(repr=False)]
    prefix: NameText


class Transfer:
    """``…/import`` and ``…/export``."""

    def __init__(
        self, parts: Parts, kind: ErrandKind, model: type[ImportBody | ExportBody]
    ) -> None:
        self._parts = parts
        self._kind = kind
        self._model = model

    def on_post(self, req: falcon.Request, resp: falcon.Response, **path: str) -> None:
        """Begin to move data, 202."""
        spec = children.parent(self._parts, path).spec
        body = children.read(req, self._model, *self._mistakes(spec))
        errand = _errand(body, cause(req).request_id)
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


def _errand(body: ImportBody | ExportBody, request_id: str) -> Errand:
    match body:
        case ImportBody(files=files):
            places = tuple(map(read_place, files))
            return Errand(ErrandKind.IMPORT, request_id, places)
        case ExportBody(container=container, prefix=prefix):
            place = read_place(container)
            return Errand(ErrandKind.EXPORT, request_id, (place,), prefix)
        case _:
            assert_never(body)
