"""``CheckNameAvailability``: whether a new cache could have a name.

Source: CheckNameAvailabilityParameters, api-version 2024-11-01.
"""

from __future__ import annotations

from typing import Annotated

import falcon

from api import names
from api.fields import Body
from api.forms import Form
from api.parts import Parts
from api.redis import children
from controller.errors import NameTakenError

_TYPE = Form(
    pattern=r"Microsoft\.Cache/Redis",
    any_case=True,
    hint="It is 'Microsoft.Cache/Redis'",
)


class NameBody(Body):
    """Body of ``CheckNameAvailability``."""

    name: Annotated[str, names.CACHE]
    type: Annotated[str, _TYPE]


class CheckNameAvailability:
    """``/subscriptions/{subscription}/providers/Microsoft.Cache/…``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_post(
        self, req: falcon.Request, _resp: falcon.Response, **_path: str
    ) -> None:
        """Answer 200 and nothing more if it is free; 409 if it is anybody's."""
        name = children.read(req, NameBody).name
        if self._parts.store.owner(name) is not None:
            raise NameTakenError(name)
