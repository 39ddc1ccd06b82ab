"""What the models of request bodies are made of."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Body(BaseModel):
    """One JSON object of a request.

    Types are not converted: ``"1"`` is no number. Members which nobody knows are
    ignored, as ARM does, and so are those that only answers have.
    """

    model_config = ConfigDict(
        strict=True, extra="ignore", frozen=True, alias_generator=to_camel
    )


def without_nulls(value: Any) -> Any:  # noqa: ANN401 (any JSON value)
    """Drop members that are null: ARM takes them as absent."""
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    return value


def _ipv4(value: str) -> str:
    try:
        ipaddress.IPv4Address(value)
    except ipaddress.AddressValueError as error:
        raise ValueError("It is an IPv4 address, such as 10.0.0.5") from error
    return value


Address = Annotated[
    str, AfterValidator(_ipv4), Field(json_schema_extra={"format": "ipv4"})
]


def any_case(literal: Any) -> BeforeValidator:  # noqa: ANN401 (a typing form)
    """Accept the words of a `Literal` in any case; gives them as it spells them."""
    words = {word.lower(): word for word in get_args(literal)}

    def spelled(value: object) -> object:
        return words.get(value.lower(), value) if isinstance(value, str) else value

    return BeforeValidator(spelled)
