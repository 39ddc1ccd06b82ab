"""How one setting is declared: its names, its type, and what is said of a bad value.

A setting is declared once, by its path in the YAML file. The variable follows from it:
``floci-az.services.redis.base-port`` is ``FLOCI_AZ_SERVICES_REDIS_BASE_PORT``.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, get_args

from pydantic import AliasChoices, AliasPath, BeforeValidator, Field
from pydantic_settings import NoDecode

from controller.pace import Speed

ROOT = "floci-az"  # of the file
PREFIX = "FLOCI_AZ_"

# As in a server's own configuration file: 1k is 1000 bytes, 1kb is 1024
_UNITS = {
    "": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 1000**2, "mb": 1 << 20,
    "g": 1000**3, "gb": 1 << 30,
}  # fmt: skip


def setting(path: str, *, default: object, expects: str, example: object) -> Any:  # noqa: ANN401 (what Field returns)
    """Declare a setting; ``expects`` completes "it takes …" in an error message."""
    variable = PREFIX + re.sub("[.-]", "_", path).upper()
    return Field(
        default=default,
        validate_default=True,
        # the first that is there counts: the environment over the file
        validation_alias=AliasChoices(variable, AliasPath(ROOT, *path.split("."))),
        description=expects,
        examples=[example],
    )


def port_setting(path: str, default: int) -> Any:  # noqa: ANN401 (what Field returns)
    """Declare a port."""
    expects = "a whole number from 1 to 65535"
    return setting(path, default=default, expects=expects, example=default)


def switch(path: str, *, default: bool) -> Any:  # noqa: ANN401 (what Field returns)
    """Declare what is on or off."""
    return setting(
        path, default=default, expects="true or false", example=str(not default).lower()
    )


def choice(path: str, default: str, *others: str) -> Any:  # noqa: ANN401 (what Field returns)
    """Declare one of some words."""
    *rest, last = default, *others
    expects = f"{', '.join(rest)} or {last}"
    return setting(path, default=default, expects=expects, example=others[0])


def _bytes(value: object) -> object:
    match = re.fullmatch(r"(\d+)\s*([a-z]*)", str(value).strip().lower())
    if match is None or match[2] not in _UNITS:
        raise ValueError
    return int(match[1]) * _UNITS[match[2]]


def _pace(value: object) -> object:
    text = str(value).strip().lower()
    if text in get_args(Speed):
        return text
    if re.fullmatch(r"\d+(\.\d+)?", text) is None:
        raise ValueError
    return float(text)


def _listed(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(filter(None, value.replace(" ", "").split(",")))


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


AnyCase = BeforeValidator(_lower)
BackendChoice = Annotated[Literal["auto", "docker", "process"], AnyCase]
Endpoints = Annotated[Literal["local", "azure"], AnyCase]
Scaling = Annotated[Literal["gentle", "faithful"], AnyCase]
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], AnyCase]
StorageMode = Annotated[Literal["memory", "persistent"], AnyCase]
Port = Annotated[int, Field(ge=1, le=65535)]
Host = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]+$")]
Size = Annotated[int, BeforeValidator(_bytes), Field(ge=1 << 20)]
Pace = Annotated[Speed | float, BeforeValidator(_pace)]
Lifetime = Annotated[int, Field(ge=10, le=86400)]
Names = Annotated[tuple[Host, ...], NoDecode, BeforeValidator(_listed)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@-]*$")]
