"""The published specification, with its examples, read as the service means it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urljoin

import jsonschema_rs

VARIABLE = "AZURE_REDIS_CONTRACT"
MISSING = (
    f"{VARIABLE} is not set; it is the folder that has contract/, with the published "
    "specification, and conformance/"
)

_ROOT = Path("contract/swagger/specification")
_REDIS = Path(
    "redis/resource-manager/Microsoft.Cache/stable/2024-11-01/redis.json",
)


@dataclass(frozen=True, slots=True)
class Example:
    """One request of an example, and the answers that it may get, by status."""

    name: str
    operation: Mapping[str, Any]
    method: str
    template: str
    values: Mapping[str, Any]
    answers: Mapping[str, Mapping[str, Any]]

    def url(self, **other: str) -> str:
        """Fill path and query in; ``other`` values stand for those of the example."""
        values = {**self.values, **other}
        path = re.sub(
            r"{([\w-]+)}", lambda each: quote(str(values[each[1]])), self.template
        )
        fixed = {*re.findall(r"{([\w-]+)}", self.template), "parameters", "properties"}
        query = {name: each for name, each in values.items() if name not in fixed}
        return f"{path}?{urlencode(query)}"

    @property
    def body(self) -> Any:  # noqa: ANN401 (any JSON value)
        """What is sent, `None` for nothing."""
        return self.values.get("parameters", self.values.get("properties"))


class Swagger:
    """The specification in a folder."""

    def __init__(self, folder: Path) -> None:
        self._root = folder / _ROOT

    @cached_property
    def examples(self) -> Mapping[str, Example]:
        """Every example, by its file's name."""
        return {each.name: each for each in self._examples()}

    @cached_property
    def paths(self) -> Mapping[str, Mapping[str, Any]]:
        """Every path, with its operations by method."""
        found: dict[str, dict[str, Any]] = self._read(_REDIS)["paths"]
        return found

    def mistakes(self, example: Example, status: str, body: object) -> list[str]:
        """Find what of an answer is not as its schema says."""
        schema = example.operation["responses"][status].get("schema")
        if schema is None:
            return ["a body where none is described"] if body is not None else []
        target = urljoin(f"file:///{_REDIS}", schema["$ref"])
        validator = jsonschema_rs.Draft4Validator(
            {"$ref": target}, registry=self._registry, validate_formats=True
        )
        found = validator.iter_errors(_without_nulls(body))
        return [f"{each.instance_path}: {each.message}" for each in found]

    @cached_property
    def _registry(self) -> jsonschema_rs.Registry:
        files = [each.relative_to(self._root) for each in self._root.rglob("*.json")]
        return jsonschema_rs.Registry(
            [
                (f"file:///{each}", _opened(self._read(each)))
                for each in files
                if "examples" not in each.parts
            ]
        )

    def _read(self, path: Path) -> Any:  # noqa: ANN401 (any JSON value)
        return json.loads((self._root / path).read_text(encoding="utf-8"))

    def _examples(self) -> Iterator[Example]:
        for template, operations in self.paths.items():
            for method, operation in operations.items():
                for each in operation["x-ms-examples"].values():
                    path = _REDIS.parent / each["$ref"]
                    found = self._read(path)
                    yield Example(
                        name=path.stem,
                        operation=operation,
                        method=method.upper(),
                        template=template,
                        values=found["parameters"],
                        answers=found["responses"],
                    )


def swagger() -> Swagger | None:
    """Give the specification; `None`: nobody said where it is."""
    folder = os.environ.get(VARIABLE)
    return Swagger(Path(folder)) if folder else None


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 (any JSON value)
    """Leave out members that are null: the examples have them for absent ones."""
    match value:
        case dict():
            return {k: _without_nulls(v) for k, v in value.items() if v is not None}
        case list():
            return [_without_nulls(each) for each in value]
        case _:
            return value


def _opened(schema: Any) -> Any:  # noqa: ANN401 (any JSON value)
    """Drop lists of words to which the service may add: ``modelAsString``."""
    match schema:
        case {"x-ms-enum": {"modelAsString": True}}:
            return {k: _opened(v) for k, v in schema.items() if k != "enum"}
        case dict():
            return {k: _opened(v) for k, v in schema.items()}
        case list():
            return [_opened(each) for each in schema]
        case _:
            return schema


def members(value: Any, path: str = "") -> frozenset[str]:  # noqa: ANN401 (any JSON)
    """Name every member that a value has, of its lists those of the first item."""
    match value:
        case dict():
            return frozenset(
                found
                for name, each in value.items()
                for found in (f"{path}{name}", *members(each, f"{path}{name}."))
            )
        case [first, *_]:
            return members(first, path)
        case _:
            return frozenset()
