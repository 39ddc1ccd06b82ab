"""Strict mode: what by default is there when it is named has to be created first."""

from __future__ import annotations

import pytest

from api.arm.scopes import HOME_SUBSCRIPTION
from tests.wire.rig import BASIC, CACHE, HOST, VERSION, Wire

TOKEN = {"Authorization": "Bearer any.token.is-good"}
HOME = f"/subscriptions/{HOME_SUBSCRIPTION}"
GROUP = HOME + "/resourceGroups/my-rg"
HOME_CACHE = GROUP + "/providers/Microsoft.Cache/redis/Cache1"
ALIAS = "/providers/Microsoft.Subscription/aliases/mine"


@pytest.fixture
def strict() -> Wire:
    """Give the API in strict mode."""
    return Wire(strict=True)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        pytest.param({}, "AuthenticationFailed", id="missing"),
        pytest.param(
            {"Authorization": "Basic YTpi"},
            "AuthenticationFailedInvalidHeader",
            id="other scheme",
        ),
        pytest.param(
            {"Authorization": "Bearer"}, "AuthenticationFailedInvalidHeader", id="empty"
        ),
    ],
)
@pytest.mark.parametrize("path", ["/subscriptions", "/tenants", "/providers", CACHE])
def test_without_a_token_nothing_of_arm_is_served(
    strict: Wire, path: str, header: dict[str, str], code: str
) -> None:
    """The refusal says where to sign in."""
    result = strict.call("GET", path, headers=header)
    assert (result.status_code, result.json["error"]["code"]) == (401, code)
    assert result.headers["www-authenticate"] == (
        f'Bearer authorization_uri="http://{HOST}/adfs"'
    )


@pytest.mark.parametrize(
    "path",
    ["/metadata/endpoints", "/adfs/.well-known/openid-configuration", "/healthz"],
)
def test_what_comes_before_signing_in_needs_no_token(strict: Wire, path: str) -> None:
    """Nobody has a token before they could ask for one."""
    params = {"api-version": "2022-09-01"}
    assert strict.call("GET", path, params=params).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_group_is_created_before_its_caches(strict: Wire, method: str) -> None:
    """Below a group that is not there everything is a 404."""
    result = strict.call(method, HOME_CACHE, headers=TOKEN, json=BASIC)
    assert result.status_code == 404
    assert result.json["error"] == {
        "code": "ResourceGroupNotFound",
        "message": "Resource group 'my-rg' could not be found.",
    }
    created = strict.call("PUT", GROUP, headers=TOKEN, json={"location": "eastus"})
    assert created.status_code == 201
    result = strict.call("PUT", HOME_CACHE, headers=TOKEN, json=BASIC)
    assert result.status_code == 201


def test_a_subscription_is_created_before_its_groups(strict: Wire) -> None:
    """Only the home subscription is there from the start."""
    path = "/subscriptions/my-sub/resourcegroups"
    result = strict.call("GET", path, headers=TOKEN)
    assert result.status_code == 404
    assert result.json["error"] == {
        "code": "SubscriptionNotFound",
        "message": "The subscription 'my-sub' could not be found.",
    }
    body = {"properties": {"displayName": "Mine", "subscriptionId": "my-sub"}}
    made = strict.call("PUT", ALIAS, headers=TOKEN, json=body)
    assert made.json["properties"] == {
        "subscriptionId": "my-sub",
        "provisioningState": "Succeeded",
    }
    assert strict.call("GET", path, headers=TOKEN).status_code == 200


def test_an_alias_that_names_no_subscription_has_one_of_its_own(strict: Wire) -> None:
    """The same alias is the same subscription, however often it is asked for."""
    body = {"properties": {"displayName": "Mine", "workload": "DevTest"}}
    made = [strict.call("PUT", ALIAS, headers=TOKEN, json=body) for _ in range(2)]
    ids = {each.json["properties"]["subscriptionId"] for each in made}
    listed = strict.call("GET", "/subscriptions", headers=TOKEN, params=VERSION)
    found = [each["subscriptionId"] for each in listed.json["value"]]
    assert found == [HOME_SUBSCRIPTION, *ids]
