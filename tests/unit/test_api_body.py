"""Request bodies: what is read, and what is refused."""

from __future__ import annotations

import json

import falcon
import falcon.testing
import pytest

from api.body import MOST_BYTES, MOST_LEVELS, read_object
from api.errors import ArmError


def request(body: bytes) -> falcon.Request:
    """Give a PUT with this body."""
    environ = falcon.testing.create_environ(method="PUT", body=body)
    return falcon.Request(environ)


def nested(levels: int) -> bytes:
    """Give an object with arrays in it, so many levels deep in all."""
    return b'{"a":' + b"[" * levels + b"]" * levels + b"}"


@pytest.mark.parametrize(
    ("body", "value"),
    [
        pytest.param(b"{}", {}, id="empty object"),
        pytest.param(b'\xef\xbb\xbf{"a":1}', {"a": 1}, id="byte order mark"),
        pytest.param('{"a":"é"}'.encode(), {"a": "é"}, id="utf-8"),
        pytest.param(rb'{"a":"\ud83d\ude00"}', {"a": "😀"}, id="surrogate pair"),
        pytest.param(b'{"a":[1,-2.5e3,null]}', {"a": [1, -2500.0, None]}, id="values"),
        pytest.param(
            b'{"a":{"x":1},"b":{"x":1}}', {"a": {"x": 1}, "b": {"x": 1}}, id="same name"
        ),
        pytest.param(
            b'{"a":9223372036854775807}', {"a": 9223372036854775807}, id="64 bits"
        ),
    ],
)
def test_a_json_object_is_read(body: bytes, value: object) -> None:
    """What JSON means is what a responder gets."""
    assert read_object(request(body)) == value


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(b"", "body is empty", id="no body"),
        pytest.param(b" \n", "body is empty", id="blank"),
        pytest.param(b"[]", "not an array", id="array"),
        pytest.param(b'"a"', "not a string", id="string"),
        pytest.param(b"true", "not true or false", id="boolean"),
        pytest.param(b"null", "not null", id="null"),
        pytest.param(b"1", "not a number", id="number"),
        pytest.param(b'{"a":1', "line 1, column 7", id="cut off"),
        pytest.param(b'{\n"a":01}', "line 2, column 6", id="leading zero"),
        pytest.param(b"{'a':1}", "line 1, column 2", id="single quotes"),
        pytest.param(b'{"a":NaN}', "NaN is no JSON number", id="NaN"),
        pytest.param(b'{"a":-Infinity}', "-Infinity is no JSON", id="Infinity"),
        pytest.param(b'{"a":1e400}', "1e400 is too large", id="1e400"),
        pytest.param(b'{"a":9223372036854775808}', "64 bits", id="65 bits"),
        pytest.param(b'{"a":' + b"9" * 5000 + b"}", "64 bits", id="5,000 digits"),
        pytest.param(b'{"a":{"b":1,"b":2}}', "'b' occurs more", id="duplicate"),
        pytest.param(rb'{"a":{"b":["\ud800"]}}', "at 'a.b[0]'", id="half a pair"),
        pytest.param(rb'{"a":"x\u0000"}', "at 'a'", id="NUL"),
        pytest.param(rb'{"a":{"\u0000":1}}', "name at 'a'", id="NUL in a name"),
        pytest.param(b'{"a":"\xff"}', "byte 0xff at offset 6", id="not UTF-8"),
        pytest.param('{"a":1}'.encode("utf-16"), "not UTF-8", id="UTF-16"),
        pytest.param(nested(MOST_LEVELS + 1), "deeper than 64", id="deep"),
        pytest.param(nested(100_000), "deeper than 64", id="very deep"),
    ],
)
def test_anything_else_is_refused_saying_what_and_where(body: bytes, why: str) -> None:
    """The client learns what is wrong with its body, in ARM's words."""
    with pytest.raises(ArmError) as caught:
        read_object(request(body))
    assert (caught.value.status, caught.value.code) == (400, "InvalidRequestContent")
    assert caught.value.gateway
    assert caught.value.message.startswith(
        "The request content was invalid and could not be deserialized: '"
    )
    assert why in caught.value.message
    json.dumps(caught.value.message).encode()


def test_the_deepest_and_largest_body_is_read() -> None:
    """The limits are themselves allowed."""
    assert read_object(request(nested(MOST_LEVELS)))
    filler = b'{"a":"' + b"x" * (MOST_BYTES - 8) + b'"}'
    assert len(filler) == MOST_BYTES
    assert read_object(request(filler))


def test_a_body_over_the_limit_is_refused_unread() -> None:
    """413 tells the size and the limit."""
    with pytest.raises(ArmError, match="1048577 bytes; the maximum is 1048576") as it:
        read_object(request(b" " * (MOST_BYTES + 1)))
    assert it.value.status == 413
    assert it.value.gateway
