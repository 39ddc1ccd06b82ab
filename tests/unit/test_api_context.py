"""What a request says about itself."""

from __future__ import annotations

import uuid

import falcon
import falcon.testing
import pytest

from api.context import base_url, cause, query, subscription


def request(path: str = "/", host: str = "", **headers: str) -> falcon.Request:
    """Give a GET; ``_`` in a header's name stands for ``-``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    environ = falcon.testing.create_environ(
        path=path,
        query_string="A=1&b=2&b=3",
        scheme="https",
        headers=named | ({"Host": host} if host else {}),
    )
    return falcon.Request(environ)


def test_a_request_has_one_id_however_often_it_is_asked() -> None:
    """The id in the header, in the log and of the operation are the same fresh GUID."""
    req = request()
    assert cause(req) == cause(req)
    assert str(uuid.UUID(cause(req).request_id)) == cause(req).request_id
    assert cause(req).request_id != cause(request()).request_id


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        pytest.param("5f3c1f0e-9d26-4f6e-8a53-0c6c2a1a7c11", True, id="GUID"),
        pytest.param("build_17.3", True, id="word"),
        pytest.param("x" * 129, False, id="long"),
        pytest.param("a b", False, id="space"),
        pytest.param('"}', False, id="quotes"),
        pytest.param("", False, id="empty"),
    ],
)
def test_ids_of_the_caller_are_kept_if_they_look_like_ids(
    given: str, *, taken: bool
) -> None:
    """What cannot be an id goes into no header and no log line."""
    ids = cause(
        request(x_ms_correlation_request_id=given, x_ms_client_request_id=given)
    )
    assert (ids.correlation_id == given) is taken
    assert ids.correlation_id
    assert ids.client_request_id == (given if taken else "")


def test_the_base_url_is_how_the_client_reached_us() -> None:
    """Scheme and host come from the request, so that any name for us works."""
    assert base_url(request(host="azure.test:4577")) == "https://azure.test:4577"


def test_query_names_have_no_case_and_count_once() -> None:
    """The first of several values is taken."""
    assert query(request(), "a") == "1"
    assert query(request(), "B") == "2"
    assert query(request(), "c") == ""


def test_the_subscription_is_found_behind_doubled_slashes() -> None:
    """It is needed for polling URLs, whose path is not the request's."""
    assert subscription(request("//subscriptions//My-Sub/resourceGroups/g")) == "My-Sub"
