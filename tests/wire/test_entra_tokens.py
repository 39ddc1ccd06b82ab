"""Tokens for caches: which they are, whom they let in, and from when on they do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest

from api.arm.principals import object_id, user_assigned
from api.redis.sign_in import PATIENCE_SECONDS
from controller.model import CacheKey
from controller.spec import KeyDigest, Secret
from tests.wire.children import put, serve, settled
from tests.wire.rig import Wire
from tests.wire.signing_in import (
    BASE,
    DEVICE_CODE,
    IMDS,
    MSI,
    PERSON,
    PROGRAM,
    get,
    post,
    token_for,
)

AUDIENCE = "https://redis.azure.com"
SCOPE = {"scope": f"{AUDIENCE}/.default"}
APP_ID = "acca5fbb-b7e4-4009-81f1-37e38fd66d78"
PREVIEW = "https://*.cacheinfra.windows.net:10225/appid"
TO_CACHES = {**PROGRAM, **SCOPE}
WHO = object_id(PROGRAM["client_id"])
EARLY_SECONDS = 0.2  # an answer that does not wait is out by then
AT_ONCE_SECONDS = PATIENCE_SECONDS / 2
MOST_SECONDS = 10.0  # for what should take one


def granted(wire: Wire, who: str = WHO) -> frozenset[KeyDigest]:
    """Give the tokens with which a principal can sign in at caches."""
    assert who == who.lower()
    return wire.store.tokens.valid([who])[who]


def assigned(wire: Wire, name: str = "Cache1", entra: str = "true") -> CacheKey:
    """Create a cache that is in place, with a policy for `PROGRAM`."""
    path = settled(wire, name, redisConfiguration={"aad-enabled": entra})
    user = {"objectId": WHO.upper(), "objectIdAlias": "a program"}
    written = put(
        wire,
        f"{path}/accessPolicyAssignments/mine",
        **user,
        accessPolicyName="Data Owner",
    )
    assert written.status_code == 201, written.text
    serve(wire)
    return CacheKey.parse(path)


def open_to(wire: Wire, key: CacheKey) -> None:
    """Let a cache have the tokens that it should have, as the loop does."""
    record = wire.store.get(key)
    status = replace(record.status, tokens=granted(wire))
    wire.store.report(record, status)


def managed(wire: Wire, path: str, **names: str) -> str:
    """Ask for a token of a managed identity for caches."""
    answer = wire.call(
        "GET",
        path,
        params={"resource": AUDIENCE, **names},
        headers={"Metadata": "true", "X-IDENTITY-HEADER": "any"},
    )
    text: str = answer.json["access_token"]
    return text


def signed_in(wire: Wire, form: Mapping[str, str]) -> str:
    """Ask for a token of somebody for caches."""
    text: str = token_for(wire, {**form, **SCOPE})["access_token"]
    return text


def is_let_in(
    wire: Wire, form: Mapping[str, str] = TO_CACHES, seconds: float = AT_ONCE_SECONDS
) -> bool:
    """Sign in, and tell whether that is over within so many seconds."""
    signing_in = threading.Thread(target=token_for, args=[wire, form], daemon=True)
    signing_in.start()
    signing_in.join(seconds)
    return not signing_in.is_alive()


def by_refresh_token(wire: Wire) -> str:
    """Sign in as a person, and use what that gives."""
    kept = token_for(wire, PERSON)["refresh_token"]
    return signed_in(wire, {"grant_type": "refresh_token", "refresh_token": kept})


def by_code(wire: Wire) -> str:
    """Sign in through a browser."""
    query = urlencode({"redirect_uri": "http://localhost/", "login_hint": "me"})
    back = get(wire, f"/adfs/oauth2/authorize?{query}").headers["location"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    return signed_in(wire, {"grant_type": "authorization_code", "code": code})


def by_device_code(wire: Wire) -> str:
    """Sign in through a browser on another device."""
    answer = post(wire, "/adfs/oauth2/devicecode", {"client_id": "az"}).json
    code = {"grant_type": DEVICE_CODE, "device_code": answer["device_code"]}
    return signed_in(wire, code)


@pytest.mark.parametrize(
    "sign_in",
    [
        pytest.param(lambda wire: signed_in(wire, PROGRAM), id="program"),
        pytest.param(lambda wire: signed_in(wire, PERSON), id="person"),
        pytest.param(by_refresh_token, id="refresh token"),
        pytest.param(by_code, id="code"),
        pytest.param(by_device_code, id="device code"),
        pytest.param(lambda wire: managed(wire, MSI), id="app service"),
        pytest.param(lambda wire: managed(wire, IMDS), id="machine"),
        pytest.param(
            lambda wire: managed(wire, IMDS, object_id="A8-USER"), id="by object id"
        ),
    ],
)
def test_every_way_to_sign_in_gives_a_token_for_caches(
    wire: Wire, sign_in: Callable[[Wire], str]
) -> None:
    """It is granted to the object that it claims to be, until it says it expires."""
    text = sign_in(wire)
    claims = jwt.decode(text, options={"verify_signature": False})
    assert granted(wire, claims["oid"]) == {Secret(text).digest}
    assert wire.store.tokens.next_expiry([claims["oid"]]) == claims["exp"]


def test_a_user_assigned_identity_signs_in_at_caches_too(wire: Wire) -> None:
    """Its token is that of its object, by whatever name it was asked for."""
    text = managed(wire, MSI, mi_res_id="/an/identity")
    who = user_assigned("/an/identity").object_id
    assert granted(wire, who) == {Secret(text).digest}


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"scope": f"{AUDIENCE}/.default"}, id="scope"),
        pytest.param({"scope": f"{AUDIENCE}//.default"}, id="doubled slash"),
        pytest.param({"scope": f"{AUDIENCE.upper()}/.default"}, id="upper case"),
        pytest.param({"scope": f"openid {AUDIENCE}/user_impersonation"}, id="person"),
        pytest.param({"scope": f"{APP_ID}/.default"}, id="app id"),
        pytest.param({"scope": f"{APP_ID.upper()}/.default"}, id="APP ID"),
        pytest.param({"scope": f"{PREVIEW}/.default"}, id="preview"),
        pytest.param({"scope": f"{PREVIEW}//.default"}, id="preview, slash"),
        pytest.param(
            {"scope": f"{PREVIEW.replace('net:', 'net.china:')}/.default"}, id="china"
        ),
        pytest.param({"resource": AUDIENCE}, id="resource"),
        pytest.param({"resource": f"{AUDIENCE}/"}, id="resource, slash"),
        pytest.param({"resource": APP_ID}, id="resource by app id"),
    ],
)
def test_a_token_for_caches_is_asked_for_in_many_ways(
    wire: Wire, asked: dict[str, str]
) -> None:
    """By each name of the application, with a slash behind it or without."""
    text = token_for(wire, {**PROGRAM, "scope": "", **asked})["access_token"]
    assert granted(wire) == {Secret(text).digest}


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"scope": ""}, id="none"),
        pytest.param({"scope": f"{BASE}/.default"}, id="arm"),
        pytest.param({"resource": "https://management.azure.com/"}, id="azure"),
        pytest.param({"scope": "https://redis.azure.com.evil/.default"}, id="longer"),
        pytest.param({"scope": "https://x/redis.azure.com/.default"}, id="below"),
        pytest.param({"resource": "http://redis.azure.com"}, id="no TLS"),
        pytest.param({"resource": f"{APP_ID[:-1]}9"}, id="another app"),
    ],
)
def test_a_token_for_others_opens_no_cache(wire: Wire, asked: dict[str, str]) -> None:
    """Nor does the ID token or the refresh token that comes with it."""
    woken: list[CacheKey] = []
    assigned(wire)
    wire.told = woken.append
    token_for(wire, {**PROGRAM, "scope": "", **asked})
    assert (granted(wire), woken) == (frozenset(), [])


def test_a_token_works_when_its_answer_goes_out() -> None:
    """The caches that it opens are woken, and each has it before the client does."""
    wire = Wire()
    keys = [assigned(wire, name) for name in ("first", "second")]
    settled(wire, "nobodys", redisConfiguration={"aad-enabled": "true"})
    answered = threading.Event()
    early: list[bool] = []
    loops: list[threading.Thread] = []

    def apply(key: CacheKey) -> None:
        early.append(answered.wait(EARLY_SECONDS))
        open_to(wire, key)

    def told(key: CacheKey) -> None:
        loops.append(threading.Thread(target=apply, args=[key]))
        loops[-1].start()

    wire.told = told
    signed_in(wire, PROGRAM)
    answered.set()
    for each in loops:
        each.join()
    assert early == [False, False]
    assert [wire.store.get(key).status.tokens for key in keys] == [granted(wire)] * 2


def test_a_token_for_arm_is_never_late() -> None:
    """However long the caches of its principal take."""
    wire = Wire()
    assigned(wire)
    assert is_let_in(wire, PROGRAM)


def creating(wire: Wire) -> None:
    """Have a cache that is not there yet."""
    assigned(wire)
    sku = {"name": "Premium", "family": "P", "capacity": 2}
    wire.call("PATCH", json={"properties": {"sku": sku}})


def failed(wire: Wire) -> None:
    """Have a cache that needs help."""
    assigned(wire)
    wire.fail("EngineSilent", "the engine does not answer")


def without_entra(wire: Wire) -> None:
    """Have a cache that lets nobody in with a token."""
    assigned(wire, entra="False")


def deleting(wire: Wire) -> None:
    """Have a cache that goes."""
    assigned(wire)
    wire.call("DELETE")


@pytest.mark.parametrize("given", [creating, failed, without_entra, deleting])
def test_nobody_waits_for_a_cache_that_cannot_let_him_in(
    given: Callable[[Wire], None],
) -> None:
    """It knows the token as soon as it is up, for it is woken all the same."""
    wire = Wire()
    given(wire)
    woken: list[CacheKey] = []
    wire.told = woken.append
    assert is_let_in(wire)
    assert [each.name for each in woken] == ["Cache1"]
    assert len(granted(wire)) == 1


def test_a_cache_that_goes_meanwhile_is_not_waited_for() -> None:
    """Whoever waits for it is told at once."""
    wire = Wire()
    assigned(wire)
    wire.told = lambda _key: wire.fail("EngineSilent", "the engine does not answer")
    assert is_let_in(wire)


def test_hung_caches_keep_nobody_out_for_long() -> None:
    """A second is enough for all of them together."""
    wire = Wire()
    for number in range(int(MOST_SECONDS / PATIENCE_SECONDS) + 2):
        assigned(wire, f"cache{number}")
    assert is_let_in(wire, seconds=MOST_SECONDS)
    assert len(granted(wire)) == 1


def test_mocked_caches_are_not_waited_for() -> None:
    """There is no server that could refuse the token."""
    wire = Wire(prompt=True)
    assigned(wire)
    assert is_let_in(wire)
