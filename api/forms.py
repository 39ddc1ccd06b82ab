"""Forms of texts: one source for what is accepted and for what the document says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    r"""What a whole text has to look like; annotates the `str` members of bodies.

    ``pattern`` is read alike by Python and by JSON Schema, except ``\w``: it stands
    within brackets, for the letters and digits of all scripts and ``_``. ``hint``
    tells somebody who got it wrong; it has no full stop. With ``any_case`` the
    document shows the one spelling of ``pattern``, and every other is accepted.
    """

    pattern: str
    hint: str
    least: int = 0
    most: int | None = None
    any_case: bool = False

    def fits(self, text: str) -> bool:
        """Tell whether a text has this form."""
        if len(text) < self.least or (self.most is not None and len(text) > self.most):
            return False
        flags = re.IGNORECASE if self.any_case else re.NOFLAG
        return re.fullmatch(self.pattern, text, flags) is not None

    @property
    def json_schema(self) -> dict[str, Any]:
        """The form as JSON Schema has it."""
        pattern = self.pattern.replace(r"\w", r"\p{L}\p{N}_")
        lengths = {"minLength": self.least or None, "maxLength": self.most}
        return {
            "type": "string",
            "pattern": f"^({pattern})$",
            **{name: value for name, value in lengths.items() if value is not None},
        }

    def check(self, text: str) -> str:
        """Give the text, or raise `ValueError` with the hint."""
        if not self.fits(text):
            raise ValueError(self.hint)
        return text

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | self.json_schema
