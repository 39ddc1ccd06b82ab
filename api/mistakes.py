"""All that is wrong with a request, gathered and then refused at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from api.errors import ArmError, Detail
from api.fields import Body, without_nulls

AnyBody = TypeVar("AnyBody", bound=Body)

INVALID = "InvalidRequestBody"
LOCATION_REQUIRED = "LocationRequired"
LOCATION_UNKNOWN = "LocationNotAvailableForResourceType"
BAD_REQUEST = "BadRequest"

# How the service says that a tier, a family and a size do not go together.
SKU_FAMILY = (
    "Exception of type 'AzCacheRP.Exceptions.SkuFamilyNotSupportedException' was "
    "thrown."
)

# What ARM refuses by itself, before it asks the resource provider.
_GATEWAY = frozenset({LOCATION_REQUIRED, LOCATION_UNKNOWN})

# Where pydantic's own words are about Python.
_HINTS = {
    "dict_type": "It is a JSON object",
    "model_type": "It is a JSON object",
    "list_type": "It is a JSON array",
    "extra_forbidden": "There is no setting of this name",
}


def invalid(path: str, why: str) -> Detail:
    """Say that the value at ``path`` is wrong, in the service's words, and why."""
    message = f"The value of the parameter '{path}' is invalid. {why}"
    return Detail(INVALID, message, path)


def in_words(code: str, message: str) -> PydanticCustomError:
    """Make an error for a validator that `of_body` passes on as it is."""
    return PydanticCustomError(code, "{message}", {"message": message})


def judged(raw: Mapping[str, Any], model: type[AnyBody], *found: Detail) -> AnyBody:
    """Read a body as ``model``, or refuse it with all that is wrong.

    ``found`` are the mistakes in the path, which are told first.
    """
    try:
        body = model.model_validate(without_nulls(raw))
    except ValidationError as error:
        raise refusal((*found, *of_body(error))) from error
    if found:
        raise refusal(found)
    return body


def of_body(error: ValidationError) -> tuple[Detail, ...]:
    """Translate pydantic's findings, one `Detail` each, in the order of the model."""
    return tuple(_detail(each) for each in error.errors(include_url=False))


def refusal(mistakes: Sequence[Detail]) -> ArmError:
    """Make the error for at least one mistake; several are listed in ``details``.

    One that ARM finds by itself gives them all its code: the provider is not asked.
    """
    if len(mistakes) == 1:
        one = mistakes[0]
        return ArmError(400, one.code, one.message, gateway=one.code in _GATEWAY)
    targets = ", ".join(each.target for each in mistakes)
    by_arm = [each.code for each in mistakes if each.code in _GATEWAY]
    return ArmError(
        400,
        by_arm[0] if by_arm else INVALID,
        f"{len(mistakes)} values of the request are invalid: {targets}. Each is "
        "explained in 'details'; nothing was changed.",
        details=tuple(mistakes),
        gateway=bool(by_arm),
    )


def _detail(error: ErrorDetails) -> Detail:
    path = _path(error["loc"])
    message = error.get("ctx", {}).get("message")
    if message is not None:
        return Detail(error["type"], message, path)
    if error["type"] == "missing":
        if path == "location":
            message = "The location property is required for this definition."
            return Detail(LOCATION_REQUIRED, message, path)
        return invalid(path, "It is required.")
    return invalid(path, f"{_hint(error)}.")


def _hint(error: ErrorDetails) -> str:
    cause: Any = error.get("ctx", {}).get("error")
    if isinstance(cause, ValueError):  # raised by a validator of ours
        return str(cause)
    return _HINTS.get(error["type"], error["msg"])


def _path(loc: tuple[int | str, ...]) -> str:
    """Write a place the way ARM does: ``properties.sku``, ``zones[0]``."""
    path = ""
    for each in loc:
        if isinstance(each, int):
            path += f"[{each}]"
        elif each != "[key]":  # pydantic's mark for a name that is wrong
            path += f".{each}"
    return path.lstrip(".")
