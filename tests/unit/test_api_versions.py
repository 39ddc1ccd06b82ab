"""Which api-versions are accepted, and what they show."""

from __future__ import annotations

from typing import Any

import falcon
import falcon.testing
import pytest

from api import versions
from api.errors import ArmError

CACHE = "/subscriptions/S/resourceGroups/G/providers/Microsoft.Cache/redis/N"
LIST = "/subscriptions/S/providers/Microsoft.Cache/Redis/"


def request(query: str, path: str = CACHE) -> falcon.Request:
    """Give a GET with this query."""
    environ = falcon.testing.create_environ(path=path, query_string=query)
    return falcon.Request(environ)


@pytest.mark.parametrize(
    "query",
    [
        *(f"api-version={known}" for known in versions.KNOWN),
        "API-Version=2024-11-01",
        "api-version=2025-08-01-PREVIEW",
        "api-version=2024-11-02",
        "api-version=2031-01-01-preview",
    ],
)
def test_known_and_later_versions_are_accepted(query: str) -> None:
    """A client that is newer than the emulator is not turned away."""
    versions.check_cache(request(query))
    versions.check_form(request(query))


@pytest.mark.parametrize(
    ("query", "path", "status", "code"),
    [
        pytest.param("", CACHE, 400, "MissingApiVersionParameter", id="none"),
        pytest.param("api-version=", CACHE, 400, "MissingApiVersionParameter", id="''"),
        pytest.param(
            "api-version=2022-07-01", CACHE, 400, "NoRegisteredProviderFound", id="past"
        ),
        pytest.param(
            "api-version=2099-13-01", CACHE, 400, "NoRegisteredProviderFound", id="day"
        ),
        pytest.param(
            "api-version=2099-01-01-x", CACHE, 400, "NoRegisteredProviderFound", id="x"
        ),
        pytest.param(
            "api-version=latest", CACHE, 400, "NoRegisteredProviderFound", id="word"
        ),
        pytest.param(
            "api-version=latest", LIST, 404, "InvalidResourceType", id="collection"
        ),
    ],
)
def test_other_versions_are_refused_by_microsoft_cache(
    query: str, path: str, status: int, code: str
) -> None:
    """The refusal names what is supported."""
    with pytest.raises(ArmError) as caught:
        versions.check_cache(request(query, path))
    assert (caught.value.status, caught.value.code) == (status, code)
    if query not in ("", "api-version="):
        assert versions.NEWEST_STABLE in caught.value.message


@pytest.mark.parametrize(
    ("query", "code"),
    [
        pytest.param("", "MissingApiVersionParameter", id="none"),
        pytest.param("api-version=1", "InvalidApiVersionParameter", id="no date"),
        pytest.param("api-version=2024-02-30", "InvalidApiVersionParameter", id="day"),
    ],
)
def test_arm_itself_refuses_only_what_is_no_version(query: str, code: str) -> None:
    """Any date is a version of ARM."""
    versions.check_form(request("api-version=2016-09-01"))
    with pytest.raises(ArmError) as caught:
        versions.check_form(request(query))
    assert (caught.value.status, caught.value.code) == (400, code)


def body() -> dict[str, Any]:
    """Give a cache as the newest version shows it."""
    node = {"sslPort": 15000, "shardId": 0, "isMaster": True, "isPrimary": True}
    return {
        "id": CACHE,
        "properties": {
            "provisioningState": "Succeeded",
            "instances": [dict(node), dict(node)],
            "publicNetworkAccess": "Enabled",
            "updateChannel": "Stable",
            "zonalAllocationPolicy": "Automatic",
            "disableAccessKeyAuthentication": False,
        },
        "identity": {"type": "SystemAssigned"},
    }


@pytest.mark.parametrize(
    ("version", "missing"),
    [
        pytest.param("2024-11-01", set(), id="newest"),
        pytest.param("2030-01-01", set(), id="later"),
        pytest.param("2024-04-01-preview", set(), id="preview of it"),
        pytest.param("2024-03-01", {"zonalAllocationPolicy"}, id="2024-03-01"),
        pytest.param(
            "2023-04-01",
            {
                "zonalAllocationPolicy",
                "disableAccessKeyAuthentication",
                "updateChannel",
            },
            id="2023-04-01",
        ),
        pytest.param(
            "2018-03-01",
            {
                "zonalAllocationPolicy",
                "disableAccessKeyAuthentication",
                "updateChannel",
                "publicNetworkAccess",
                "instances",
            },
            id="2018-03-01",
        ),
    ],
)
def test_a_version_shows_only_what_it_had(version: str, missing: set[str]) -> None:
    """Members that came later are left out; the rest stays, in its order."""
    whole = body()["properties"]
    shown = versions.shape(body(), version)["properties"]
    assert list(shown) == [name for name in whole if name not in missing]


def test_an_unclustered_cache_shows_no_shard_id_before_2024_11_01() -> None:
    """A cluster always does."""
    clustered = body()
    clustered["properties"]["shardCount"] = 1
    for version, resource, shown in (
        ("2024-11-01", body(), True),
        ("2024-03-01", body(), False),
        ("2024-03-01", clustered, True),
    ):
        instances = versions.shape(resource, version)["properties"]["instances"]
        assert ["shardId" in each for each in instances] == [shown, shown]


def test_shaping_leaves_the_rendered_body_alone() -> None:
    """What was rendered may be shown again in another version."""
    whole = body()
    versions.shape(whole, "2018-03-01")
    assert whole == body()


def test_identity_came_in_2021() -> None:
    """Older versions leave the member out, whatever the cache has."""
    assert "identity" in versions.shape(body(), "2021-06-01")
    assert "identity" not in versions.shape(body(), "2020-12-01")


@pytest.mark.parametrize(
    ("version", "status"),
    [("2021-06-01", 200), ("2022-05-01", 202), (versions.NEWEST_STABLE, 202)],
)
def test_patch_answers_202_since_2022(version: str, status: int) -> None:
    """The status of a PATCH that makes work is as recorded for its version."""
    assert versions.patch_status(version) == status
