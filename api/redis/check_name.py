"""``CheckNameAvailability``: whether a new cache could have a name.

Source: CheckNameAvailabilityParameters, api-version 2024-11-01.
"""

from __future__ import annotations

from typing import Annotated

import falcon
from pydantic import AfterValidator

from api.errors import ArmError
from api.parts import Parts
from api.redis import children, names
from api.redis.fields import Body
from api.redis.mistakes import in_words
from controller.errors import NameTakenError


def _name(value: str) -> str:
    try:
        names.cache_key("any", "any", value)
    except ArmError as error:
        raise in_words(error.code, error.message) from error
    return value


def _type(value: str) -> str:
    if value.lower() != "microsoft.cache/redis":
        raise ValueError("It is 'Microsoft.Cache/Redis'")
    return value


class NameBody(Body):
    """Body of ``CheckNameAvailability``."""

    name: Annotated[str, AfterValidator(_name)]
    type: Annotated[str, AfterValidator(_type)]


class CheckNameAvailability:
    """``/subscriptions/{subscription}/providers/Microsoft.Cache/…``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_post(
        self, req: falcon.Request, _resp: falcon.Response, *, subscription: str
    ) -> None:
        """Answer 200 and nothing more if it is free; 409 if it is anybody's."""
        names.check_subscription(subscription)
        name = children.read(req, NameBody).name
        if self._parts.store.owner(name) is not None:
            raise NameTakenError(name)
