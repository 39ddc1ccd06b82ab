"""``$filter`` of ARM's lists."""

from __future__ import annotations

import pytest

from api.arm import filters
from api.errors import ArmError

NAMES = frozenset({"name", "resourcetype", "resourcegroup"})
MEMBERS = {
    "name": "Cache1",
    "resourcetype": "Microsoft.Cache/Redis",
    "resourcegroup": "my-rg",
}
TAGS = {"env": "Prod", "owner": "O'Hara", "empty": ""}


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        pytest.param("", True, id="nothing asked"),
        pytest.param("name eq 'cache1'", True, id="without case"),
        pytest.param("name eq 'cache'", False, id="whole text"),
        pytest.param("name ne 'cache1'", False, id="not equal"),
        pytest.param("resourceGroup eq 'my-rg'", True, id="az resource list -g"),
        pytest.param(
            "resourceType eq 'Microsoft.Cache/redis' and name eq 'Cache1'",
            True,
            id="az resource list --resource-type",
        ),
        pytest.param("name eq 'Cache1' AND name eq 'other'", False, id="all hold"),
        pytest.param("startswith(name,'ache')", False, id="startswith"),
        pytest.param("tagName eq 'env'", True, id="tag name"),
        pytest.param("tagname eq 'ENV' and tagvalue eq 'Prod'", True, id="tag"),
        pytest.param("tagname eq 'env' and tagvalue eq 'prod'", False, id="tag value"),
        pytest.param("tagname eq 'owner' and tagvalue eq 'Prod'", False, id="one tag"),
        pytest.param("tagvalue eq 'O''Hara'", True, id="doubled quote"),
        pytest.param("startswith(tagname, 'ow')", True, id="az group list --tag 'ow*'"),
        pytest.param("tagname eq 'none'", False, id="no such tag"),
    ],
)
def test_a_filter_takes_what_it_says(text: str, *, taken: bool) -> None:
    """A resource is listed if every comparison holds."""
    assert filters.parse(text, NAMES).takes(MEMBERS, TAGS) is taken


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("colour eq 'red'", id="unknown name"),
        pytest.param("name eq cache1", id="no quotes"),
        pytest.param("name eq 'a", id="open quote"),
        pytest.param("name eq 'a' or name eq 'b'", id="or"),
        pytest.param("name eq 'a' and", id="nothing behind and"),
        pytest.param("name eq 'a' name eq 'b'", id="nothing between"),
        pytest.param("name gt 'a'", id="unknown operator"),
        pytest.param("and", id="and alone"),
    ],
)
def test_a_filter_that_cannot_be_understood_is_refused(text: str) -> None:
    """A filter is never half applied."""
    with pytest.raises(ArmError) as caught:
        filters.parse(text, NAMES)
    assert caught.value.status == 400
    assert caught.value.code == "InvalidFilterInQueryString"
    assert text in caught.value.message
