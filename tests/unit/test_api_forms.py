"""Forms: what fits, and how they are written down."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import BaseModel, ValidationError

from api.forms import Form
from api.names import CACHE, GROUP

WORD = Form(pattern="[a-z]+", least=2, most=3, hint="It is a short word")


class Named(BaseModel):
    """A body with one text of a form."""

    name: Annotated[str, WORD]


@pytest.mark.parametrize(
    ("form", "text", "fits"),
    [
        pytest.param(WORD, "ab", True, id="shortest"),
        pytest.param(WORD, "a", False, id="too short"),
        pytest.param(WORD, "abcd", False, id="too long"),
        pytest.param(WORD, "ab\n", False, id="line feed"),
        pytest.param(WORD, "AB", False, id="case"),
        pytest.param(Form(pattern="ab", hint="", any_case=True), "AB", True, id="any"),
        pytest.param(CACHE, "a--b", False, id="hyphens"),
        pytest.param(GROUP, "Grüße", True, id="letters of all scripts"),
        pytest.param(GROUP, "a.", False, id="dot at the end"),
    ],
)
def test_a_text_fits_as_a_whole(form: Form, text: str, *, fits: bool) -> None:
    """In each of its characters, and in their number."""
    assert form.fits(text) is fits


def test_a_model_checks_the_form_that_its_schema_shows() -> None:
    """The hint is what somebody reads who got it wrong."""
    assert Named.model_json_schema()["properties"]["name"] == {
        "title": "Name",
        "type": "string",
        "pattern": "^([a-z]+)$",
        "minLength": 2,
        "maxLength": 3,
    }
    with pytest.raises(ValidationError, match="It is a short word"):
        Named(name="a")


def test_a_schema_knows_the_letters_of_all_scripts() -> None:
    r"""JSON Schema's own ``\w`` is ASCII."""
    assert GROUP.json_schema["pattern"] == (r"^([-\p{L}\p{N}_.()]*[-\p{L}\p{N}_()])$")
