"""The document: OpenAPI 3.1, from the routes, the tables beside this, the models."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Any

import falcon
from pydantic.json_schema import models_json_schema

from api import versions
from api.openapi import arm_operations, cache_operations
from api.openapi.arm_answers import Error
from api.openapi.operations import (
    IN_PATHS,
    VERSIONS,
    Answer,
    Operation,
)
from api.openapi.shape import Schemas

OPERATIONS = (*cache_operations.OPERATIONS, *arm_operations.OPERATIONS)

INFO = {
    "title": "Azure Cache for Redis, emulated",
    "version": versions.NEWEST_STABLE,
    "description": (
        "What this emulator serves of Azure Resource Manager. Sign-in, probes and "
        "metrics, which have standards of their own, are not described. Answers are "
        "those of the newest api-version; older ones leave members out. Paths and "
        "the words of enumerations have no case."
    ),
}

PARAMETERS = {
    **{
        name: {
            "name": name,
            "in": "path",
            "required": True,
            "schema": schema,
            "example": example,
        }
        for name, (schema, example) in IN_PATHS.items()
    },
    **{
        name: {"name": "api-version", "in": "query", "required": True, "schema": schema}
        for name, schema in VERSIONS.items()
    },
}

_FIELD = re.compile(r"{(\w+)}")


class OpenApi:
    """``/openapi.json``."""

    def __init__(self, routes: Mapping[str, object]) -> None:
        self._routes = routes

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Describe what is served."""
        resp.media = self._document

    @cached_property
    def _document(self) -> dict[str, Any]:
        return document(self._routes)


def document(routes: Mapping[str, object]) -> dict[str, Any]:
    """Describe the operations of ``routes``, template → resource."""
    resources = {fold(path): resource for path, resource in routes.items()}
    refs, schemas = _schemas()
    error = {"description": "It was refused.", **_json(refs[Error])}
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for each in OPERATIONS:
        method = each.method.lower()
        responder = getattr(resources[fold(each.path)], f"on_{method}")
        paths[each.path][method] = {
            "operationId": each.name,
            "tags": [each.name.partition("_")[0]],
            "description": inspect.getdoc(responder),
            "parameters": [*_parameters(each)],
            **_body(each, refs),
            "responses": dict(_responses(each, refs)),
        }
    return {
        "openapi": "3.1.0",
        "info": INFO,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": PARAMETERS,
            "responses": {"Error": error},
        },
    }


def fold(path: str) -> str:
    """Give what two templates of the same path have in common."""
    return _FIELD.sub("{}", path).lower()


_Refs = Mapping[object, dict[str, Any]]  # by model


def _schemas() -> tuple[_Refs, dict[str, Any]]:
    """Make a schema of each model, and a reference to it."""
    bodies = {each.body for each in OPERATIONS if each.body is not None}
    answers = {Error, *(a.model for each in OPERATIONS for a in each.answers.values())}
    refs, schemas = models_json_schema(
        [
            *((model, "validation") for model in bodies),
            *((model, "serialization") for model in answers if model is not None),
        ],
        ref_template="#/components/schemas/{model}",
        schema_generator=Schemas,
    )
    return {model: ref for (model, _), ref in refs.items()}, schemas["$defs"]


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name in (*_FIELD.findall(operation.path), operation.version):
        yield {"$ref": f"#/components/parameters/{name}"}
    for each in operation.query:
        yield {
            "name": each.name,
            "in": "query",
            "required": each.required,
            "allowEmptyValue": not each.required,
            "schema": each.schema,
        }


def _body(operation: Operation, refs: _Refs) -> dict[str, Any]:
    if operation.body is None:
        return {}
    return {"requestBody": {"required": True, **_json(refs[operation.body])}}


def _responses(
    operation: Operation, refs: _Refs
) -> Iterator[tuple[str, dict[str, Any]]]:
    for status, answer in operation.answers.items():
        links = _made(operation) | _followed(answer)
        success = _success(status, answer, refs)
        yield str(status), success | ({"links": links} if links else {})
    for status in operation.statuses:
        if operation.method == "HEAD":
            yield str(status), {"description": HTTPStatus(status).phrase}
        else:
            yield str(status), {"$ref": "#/components/responses/Error"}


def _success(status: int, answer: Answer, refs: _Refs) -> dict[str, Any]:
    headers = {
        name: {"required": True, "schema": {"type": "string", "format": "uri"}}
        for name in answer.headers
    }
    return {
        "description": HTTPStatus(status).phrase,
        **({"headers": headers} if headers else {}),
        **(_json(refs[answer.model]) if answer.model is not None else {}),
    }


def _made(operation: Operation) -> dict[str, Any]:
    """Lead from what a PUT made to all that can be done with it."""
    if operation.method != "PUT":
        return {}
    known = _FIELD.findall(operation.path)
    return {
        each.name: {
            "operationId": each.name,
            "parameters": {name: f"$request.path.{name}" for name in known},
        }
        for each in OPERATIONS
        if f"{each.path}/".startswith(f"{operation.path}/") and each is not operation
    }


def _followed(answer: Answer) -> dict[str, Any]:
    """Lead to the operation that the request began."""
    if not answer.followed_by:
        return {}
    parameters = {
        "subscriptionId": "$request.path.subscriptionId",
        "operationId": "$response.header.x-ms-request-id",
    }
    link = {"operationId": answer.followed_by, "parameters": parameters}
    return {answer.followed_by: link}


def _json(ref: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": ref}}}
