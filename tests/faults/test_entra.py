"""Principals of Entra open caches with their tokens, and with nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
import redis
import requests
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.emulator import PATIENCE_SECONDS, Emulator, eventually
from tests.faults.rig import RIGS, Rig, admits
from tests.faults.servers import Servers

CACHE = "entra"
LIFETIME_SECONDS = 10
SOON_SECONDS = 3.0  # the end of a life is not missed by more
AAD = {"aad-enabled": "true"}
SCOPE = "https://redis.azure.com/.default"
POLICIES = {
    "scoped": "+get +set +del ~mine:*",
    "narrow": "+@read -hget %R~open:* ~own:*",
    "admins": "+@all allkeys",
}


@pytest.fixture(scope="module", params=RIGS)
def rig(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rig[Servers]]:
    """Run an emulator whose tokens are short-lived, with a cache that takes them."""
    state = tmp_path_factory.mktemp("entra")
    lifetime = {"FLOCI_AZ_TOKEN_LIFETIME": str(LIFETIME_SECONDS)}
    with request.param(state, **lifetime) as rig:
        rig.emulator.create(CACHE, redisConfiguration=AAD)
        for name, permissions in POLICIES.items():
            written(rig.emulator, f"accessPolicies/{name}", permissions=permissions)
        yield rig


def written(emulator: Emulator, child: str, **properties: object) -> None:
    """Put a child of the cache, and wait until it is in place."""
    answer = emulator.call("PUT", f"{CACHE}/{child}", {"properties": properties})
    assert answer.ok, answer.text
    emulator.settled(CACHE)


def dropped(emulator: Emulator, child: str) -> None:
    """Delete a child of the cache, and wait until that is in place."""
    answer = emulator.call("DELETE", f"{CACHE}/{child}")
    assert answer.ok, answer.text
    emulator.settled(CACHE)


class User:
    """A program that signs in, and is assigned a policy under its own name."""

    def __init__(self, rig: Rig[Servers], name: str, policy: str | None) -> None:
        self._rig = rig
        self.name = name
        claims = jwt.decode(self.token(), options={"verify_signature": False})
        self.object_id: str = claims["oid"]
        if policy is not None:
            self.assign(policy)

    def assign(self, policy: str) -> None:
        """Put the assignment, or change it."""
        written(
            self._rig.emulator,
            f"accessPolicyAssignments/{self.name}",
            objectId=self.object_id,
            objectIdAlias=self.name,
            accessPolicyName=policy,
        )

    def unassign(self) -> None:
        """Delete the assignment."""
        dropped(self._rig.emulator, f"accessPolicyAssignments/{self.name}")

    def token(self, scope: str = SCOPE) -> str:
        """Get a token, as azure-identity does."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.name,
            "client_secret": "any",
            "scope": scope,
        }
        answer = requests.post(
            f"{self._rig.emulator.base}/adfs/oauth2/token",
            data=form,
            timeout=PATIENCE_SECONDS,
        )
        assert answer.status_code == 200, answer.text
        text: str = answer.json()["access_token"]
        return text

    def connect(self, token: str | None = None) -> redis.Redis:
        """Connect once, by default with a token of this moment."""
        return self._rig.door(CACHE).client(
            token or self.token(),
            username=self.object_id,
            retry=Retry(NoBackoff(), 0),
            single_connection_client=True,
            socket_timeout=5,
        )

    def let_in(self, token: str | None = None) -> bool:
        """Tell whether the cache takes a token."""
        try:
            with self.connect(token) as client:
                return bool(client.ping())
        except redis.AuthenticationError:
            return False


@pytest.fixture
def user(rig: Rig[Servers]) -> Iterator[Callable[[str, str | None], User]]:
    """Make users, each with a policy; their assignments end with the test."""
    made: list[User] = []

    def make(name: str, policy: str | None) -> User:
        made.append(User(rig, name, policy))
        return made[-1]

    yield make
    for each in made:
        each.unassign()


MakeUser = Callable[[str, "str | None"], User]


def refused(client: redis.Redis, *command: str) -> bool:
    """Tell whether the user may not run it."""
    try:
        client.execute_command(*command)
    except redis.exceptions.NoPermissionError:
        return True
    except redis.ResponseError as error:
        if "cluster support disabled" not in str(error):
            raise
    return False


@pytest.mark.parametrize(
    ("policy", "allowed", "forbidden"),
    [
        pytest.param(
            "Data Owner", ["SET k 1", "GET k", "FLUSHALL", "KEYS *"], [], id="owner"
        ),
        pytest.param(
            "Data Contributor",
            ["SET k 1", "GET k", "DEL k", "CLUSTER INFO"],
            ["FLUSHALL", "KEYS *", "CLUSTER RESET"],
            id="contributor",
        ),
        pytest.param(
            "Data Reader",
            ["GET k", "HGET h f", "PING"],
            ["SET k 1", "DEL k", "FLUSHALL"],
            id="reader",
        ),
        pytest.param(
            "scoped",
            ["SET mine:k 1", "GET mine:k"],
            ["GET k", "SET k 1", "INCR mine:k", "GET notmine:k"],
            id="one-pattern",
        ),
        pytest.param(
            "narrow",
            ["GET open:k", "GET own:k", "TTL open:k"],
            ["HGET open:k f", "GET k", "SET own:k 1"],
            id="reading-one-pattern",
        ),
    ],
)
def test_a_token_opens_what_its_policy_allows(
    rig: Rig[Servers],
    user: MakeUser,
    policy: str,
    allowed: list[str],
    forbidden: list[str],
) -> None:
    """AUTH with object id and token lets in; each command is judged by the policy."""
    del rig
    with user("policed", policy).connect() as client:
        for command in allowed:
            assert not refused(client, *command.split())
        assert all(refused(client, *command.split()) for command in forbidden)


def test_a_policy_changes_under_an_open_connection(user: MakeUser) -> None:
    """Whoever is in goes on, with the new rights."""
    one = user("promoted", "Data Reader")
    with one.connect() as client:
        assert refused(client, "SET", "k", "1")
        number = client.client_id()
        one.assign("Data Contributor")
        assert client.set("k", "1")
        assert client.client_id() == number


def test_a_token_ends_with_its_life(user: MakeUser) -> None:
    """It opens nothing more, while a newer one does; connections end with the last."""
    one = user("expiring", "Data Reader")
    begun = time.monotonic()
    old = one.token()
    with one.connect(old) as client:
        number = client.client_id()
        eventually(lambda: time.monotonic() > begun + LIFETIME_SECONDS / 2)
        fresh = one.token()

        eventually(lambda: not one.let_in(old))

        assert time.monotonic() - begun > LIFETIME_SECONDS - 1
        assert time.monotonic() - begun < LIFETIME_SECONDS + SOON_SECONDS
        assert one.let_in(fresh)
        assert client.client_id() == number
        eventually(lambda: cut_off(client), LIFETIME_SECONDS / 2 + SOON_SECONDS)
    assert not one.let_in(fresh)


def cut_off(client: redis.Redis) -> bool:
    """Tell whether its connection has ended."""
    try:
        return not client.ping()
    except redis.ConnectionError:
        return True


def test_the_end_of_an_assignment_is_the_end_of_its_connections(
    rig: Rig[Servers], user: MakeUser
) -> None:
    """At once, and nobody else's end."""
    one, other = user("leaving", "Data Owner"), user("staying", "Data Owner")
    token = one.token()
    with (
        one.connect(token) as ending,
        other.connect() as kept,
        holder(rig, rig.emulator.keys(CACHE)["primaryKey"]) as owner,
    ):
        numbers = (kept.client_id(), owner.client_id())
        assert ending.ping()
        one.unassign()
        assert cut_off(ending)
        assert not one.let_in(token)
        assert not one.let_in()
        assert (kept.client_id(), owner.client_id()) == numbers


def test_only_tokens_for_caches_open_one(rig: Rig[Servers], user: MakeUser) -> None:
    """Neither one for ARM, nor another principal's, nor one without assignment."""
    one, nobody = user("program", "Data Owner"), user("unassigned", None)
    assert one.let_in()
    assert not one.let_in(one.token(f"{rig.emulator.base}/.default"))
    assert not one.let_in(nobody.token())
    assert not one.let_in(rig.emulator.keys(CACHE)["primaryKey"])
    assert not one.let_in("any")
    assert not nobody.let_in()
    assert not admits(rig.door(CACHE), one.token())


def test_many_sign_in_at_once(user: MakeUser) -> None:
    """Each of twenty tokens works when it is given out."""
    one = user("crowd", "Data Reader")
    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(one.let_in) for _ in range(20)]
    assert all(each.result() for each in answers)


@pytest.mark.parametrize(
    ("permissions", "words"),
    [
        pytest.param("+get +nosuchcommand allkeys", "Unknown command", id="command"),
        pytest.param("+cluster|nosuchpart", "Unknown command", id="subcommand"),
        pytest.param("+get >hunter2", None, id="password"),
        pytest.param("+get <hunter2", None, id="password-removed"),
        pytest.param(f"+get #{'0' * 64}", None, id="hash"),
        pytest.param("+get nopass", None, id="nopass"),
        pytest.param("+get NOPASS", None, id="NOPASS"),
        pytest.param("+get on", None, id="on"),
        pytest.param("reset +get", None, id="reset"),
        pytest.param("resetpass +get", None, id="resetpass"),
        pytest.param("+get (+@all ~*)", None, id="selector"),
        pytest.param("+get (+@all)", None, id="whole-selector"),
        pytest.param("+get clearselectors", None, id="clearselectors"),
        pytest.param("+@nosuch allkeys", None, id="category"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_policy_that_is_none_changes_nothing(
    rig: Rig[Servers], permissions: str, words: str | None
) -> None:
    """400, in the server's words where it is the server that does not know it."""
    before = users(rig)
    path = f"{CACHE}/accessPolicies/refused"
    body = {"properties": {"permissions": permissions}}
    answer = rig.emulator.call("PUT", path, body)
    assert answer.status_code == 400, answer.text
    assert words is None or words in answer.text
    assert "hunter2" not in answer.text
    assert rig.emulator.call("GET", path).status_code == 404
    assert users(rig) == before


def users(rig: Rig[Servers]) -> list[str]:
    """List the users of the server."""
    with rig.admin(CACHE) as server:
        listed: list[str] = server.run("ACL", "LIST")
    return listed


def test_hidden_commands_are_hidden_from_every_policy(user: MakeUser) -> None:
    """``+@all`` of one's own is no more than that of Azure."""
    with user("admin", "admins").connect() as client:
        assert client.set("k", "1")
        for command in ("CONFIG GET *", "ACL LIST", "SHUTDOWN", "DEBUG SLEEP 0"):
            with pytest.raises(redis.ResponseError, match="unknown command"):
                client.execute_command(*command.split())
        assert refused(client, "REPLCONF", "LISTENING-PORT", "1")


def holder(rig: Rig[Servers], key: str) -> redis.Redis:
    """Connect once with an access key."""
    once = Retry(NoBackoff(), 0)
    return rig.door(CACHE).client(key, retry=once, single_connection_client=True)


def change(rig: Rig[Servers], **properties: object) -> None:
    """Patch the cache, and wait until that is in place."""
    answer = rig.emulator.call("PATCH", CACHE, {"properties": properties})
    assert answer.ok, answer.text
    rig.emulator.settled(CACHE)


def test_access_keys_are_forbidden_and_allowed_again(
    rig: Rig[Servers], user: MakeUser
) -> None:
    """Connections end at both changes; Entra's users come back, keys when allowed."""
    one = user("remaining", "Data Owner")
    keys, runs = rig.emulator.keys(CACHE), rig.servers.runs(CACHE)
    for forbidden in (True, False):
        owners = [holder(rig, key) for key in keys.values()] if forbidden else []
        clients = [one.connect(), *owners]
        assert not any(cut_off(client) for client in clients)
        change(rig, disableAccessKeyAuthentication=forbidden)
        assert all(cut_off(client) for client in clients)
        for client in clients:
            client.close()
        assert one.let_in()
        assert rig.emulator.keys(CACHE) == keys
        opened = {admits(rig.door(CACHE), key) for key in keys.values()}
        assert opened == {not forbidden}
    assert rig.servers.runs(CACHE) == runs
