"""Tags of a group or of a resource, as a request may set them.

Source: "Use tags to organize your Azure resources", limits.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.forms import Form

MOST_TAGS = 50

_NAME = Form(
    pattern=r"[^<>%&\\?/]*",
    least=1,
    most=512,
    hint="A tag's name has 1 to 512 characters, and none of <>%&\\?/",
)

TagName = Annotated[str, _NAME]
TagValue = Annotated[str, Field(max_length=256)]
Tags = Annotated[dict[TagName, TagValue], Field(max_length=MOST_TAGS)]
