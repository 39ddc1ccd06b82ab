"""What models of answers are made of, and how models become JSON Schema."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

Item = TypeVar("Item", bound=BaseModel)


class Shown(BaseModel):
    """One JSON object of an answer, with every member that it can have.

    A member with a default may be absent, and is never null; of the others those
    are nullable whose type says so.
    """

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class Resource(Shown):
    """What every resource of ARM has."""

    id: str
    name: str
    type: str


class Page(Shown, Generic[Item]):
    """A list, or a part of one: ``nextLink`` leads to the rest."""

    value: list[Item]
    next_link: str | None = None


class Schemas(GenerateJsonSchema):
    """JSON Schema without titles and defaults, which say nothing here."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Leave the default out; what may be absent is null in requests alone."""
        inner = schema["schema"]
        if self.mode == "validation":
            return self._or_null(inner)
        return self.generate_inner(
            inner["schema"] if inner["type"] == "nullable" else inner
        )

    def _or_null(self, schema: core_schema.CoreSchema) -> JsonSchemaValue:
        """Allow null, which `api.fields.without_nulls` drops."""
        return self.nullable_schema(core_schema.nullable_schema(schema))

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Let a pattern of names bind them all; pydantic's own form lets others be."""
        shape = super().dict_schema(schema)
        for pattern, values in shape.pop("patternProperties", {}).items():
            shape["additionalProperties"] = values
            names = shape.get("propertyNames", {})
            shape["propertyNames"] = names | {"pattern": pattern}
        if self.mode == "validation" and "values_schema" in schema:
            shape["additionalProperties"] = self._or_null(schema["values_schema"])
        return shape

    def field_title_should_be_set(self, _schema: object) -> bool:
        """Repeat no name in other letters."""
        return False
