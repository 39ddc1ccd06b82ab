"""Paths as ARM reads them."""

from __future__ import annotations

import pytest

from api.router import ArmRouter

CACHE = "/subscriptions/{subscription}/resourcegroups/{group}/redis/{name}"
KEYS = CACHE + "/listkeys"


class Responder:
    """Something to route to."""

    def on_get(self) -> None:
        """Do nothing."""


@pytest.fixture
def router() -> ArmRouter:
    """Give a router with a cache and an action on it."""
    router = ArmRouter()
    router.add_route(CACHE, Responder())
    router.add_route(KEYS, Responder())
    return router


@pytest.mark.parametrize(
    ("path", "template"),
    [
        pytest.param("/subscriptions/S/resourcegroups/G/redis/N", CACHE, id="plain"),
        pytest.param("/SUBSCRIPTIONS/S/resourceGroups/G/Redis/N", CACHE, id="case"),
        pytest.param("//subscriptions/S//resourcegroups/G/redis/N", CACHE, id="double"),
        pytest.param("/subscriptions/S/resourcegroups/G/redis/N/", CACHE, id="slash"),
        pytest.param(
            "/subscriptions/S/resourceGroups/G/redis/N/listKeys", KEYS, id="action"
        ),
    ],
)
def test_a_path_is_matched_without_case_and_with_slashes_collapsed(
    router: ArmRouter, path: str, template: str
) -> None:
    """Whatever way a client spells a path, its values keep the casing it gave them."""
    found = router.find(path)
    assert found is not None
    _, _, values, matched = found
    assert matched == template
    assert values == {"subscription": "S", "group": "G", "name": "N"}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/subscriptions/S",
        "/subscriptions/S/resourcegroups/G/redis",
        "/subscriptions/S/resourcegroups/G/redis/N/other",
        "/subscriptions/S/resourcegroups/G/redis/N/listkeys/more",
    ],
)
def test_other_paths_are_not_found(router: ArmRouter, path: str) -> None:
    """A path that is a part of a route, or more than one, is none."""
    assert router.find(path) is None


def test_a_value_may_be_anything_but_a_slash(router: ArmRouter) -> None:
    """Values with spaces, and ones whose lower case is longer, arrive unchanged."""
    found = router.find("/subscriptions/Data Owner/resourcegroups/İ/redis/N")
    assert found is not None
    assert found[2] == {"subscription": "Data Owner", "group": "İ", "name": "N"}


def test_a_template_in_mixed_case_is_refused() -> None:
    """A route that could never match is a mistake of ours, found at the start."""
    with pytest.raises(ValueError, match="lower case"):
        ArmRouter().add_route("/resourceGroups/{group}", Responder())
