"""Users from the spec and from the server's listing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller import acl
from controller.children import AccessPolicy, AccessPolicyAssignment
from controller.nodes import AclUser
from controller.spec import CacheSpec, Secret
from tests import builders as b

DEFAULT, ADMIN = acl.wanted_users(b.SPEC, b.ADMIN, {}, restricted=False)


def test_default_has_both_keys_and_the_admin_none_of_them() -> None:
    """Either access key opens ``default``; the controller's user has its own."""
    assert DEFAULT.digests == {b.KEYS.primary.digest, b.KEYS.secondary.digest}
    assert ADMIN.digests == {b.ADMIN.digest}


def test_a_user_survives_the_way_through_the_server() -> None:
    """What the server lists of a user equals what it was told."""
    digests = " ".join(f"#{digest}" for digest in sorted(DEFAULT.digests))
    listed = f"user default on sanitize-payload {digests} ~* &* +@all"
    assert acl.parse_user(listed) == DEFAULT


def test_an_open_user_is_no_equal() -> None:
    """A user that was opened to all passwords differs from the wanted one."""
    opened = acl.parse_user("user default on nopass sanitize-payload ~* &* +@all")
    assert acl.users_to_set([DEFAULT], {"default": opened}) == (DEFAULT,)


def test_a_disabled_user_is_set_again() -> None:
    """A user that was switched off differs from the wanted one."""
    off = replace(DEFAULT, enabled=False)
    assert acl.users_to_set([DEFAULT], {"default": off}) == (DEFAULT,)


def test_one_command_carries_the_whole_rule() -> None:
    """Old passwords go and new ones come in the same command."""
    name, *rest = acl.setuser(DEFAULT)
    assert name == "default"
    assert rest[:2] == ["reset", "on"]
    assert {token for token in rest if token.startswith("#")} == {
        f"#{digest}" for digest in DEFAULT.digests
    }


def test_the_aclfile_holds_no_password() -> None:
    """The file that starts a server shows digests only."""
    text = acl.aclfile([DEFAULT, ADMIN])
    assert b.KEYS.primary.digest in text
    for secret in (b.KEYS.primary, b.KEYS.secondary, b.ADMIN):
        assert secret.reveal not in text


# --- what users may not do ---


def test_users_are_restricted_and_the_admin_is_not() -> None:
    """Azure's list is refused to ``default``; the controller may do everything."""
    default, admin = acl.wanted_users(b.SPEC, b.ADMIN, {}, restricted=True)
    for command in ("config", "acl", "save", "shutdown", "replicaof", "cluster"):
        assert f"-{command}" in default.rules.split()
    assert "+cluster|slots" in default.rules.split()
    assert admin.rules == acl.EVERYTHING


def test_a_hidden_command_has_a_name_that_only_its_server_knows() -> None:
    """It follows from the controller's password, and another one has another name."""
    names = acl.renames(b.ADMIN, restricted=True)
    assert names["config"] == acl.verb("config", b.ADMIN)
    assert names["config"] != acl.verb("config", Secret("another"))
    assert b.ADMIN.reveal not in names["config"]
    assert names["debug"] == ""
    assert "psync" not in names
    assert acl.renames(b.ADMIN, restricted=False) == {}


# --- who signs in with Entra ---

USER = "A8263550-d587-4433-9eff-64020dd56c13"
TOKEN = Secret("token").digest
ASSIGNED = replace(
    b.SPEC,
    redis_configuration={"aad-enabled": "True"},
    access_policies={"Mine": AccessPolicy(permissions="+get ~a:*")},
    access_policy_assignments={
        "one": AccessPolicyAssignment(
            object_id=USER, object_id_alias="me", policy="mine"
        )
    },
)


def entra_user(spec: CacheSpec) -> AclUser | None:
    """Give the one user who is neither ``default`` nor the controller's."""
    tokens = {USER.lower(): frozenset({TOKEN})}
    _, _, *others = acl.wanted_users(spec, b.ADMIN, tokens, restricted=True)
    return others[0] if others else None


def test_an_assignment_makes_a_user() -> None:
    """Named by the object id, opened by its tokens, limited by policy and by Azure."""
    user = entra_user(ASSIGNED)
    assert user is not None
    assert user.name == USER.lower()
    assert user.digests == {TOKEN}
    assert user.rules.startswith("&* +get ~a:* -acl ")


@pytest.mark.parametrize(
    ("permissions", "readers"),
    [
        pytest.param("+get ~a:*", [], id="none"),
        pytest.param("+get +CLUSTER|info allkeys", ["+cluster|info"], id="one"),
        pytest.param("+@all allkeys", list(acl._READERS), id="all"),
    ],
)
def test_limits_add_no_rights(permissions: str, readers: list[str]) -> None:
    """Of what is refused as a whole, no more is given back than was permitted."""
    policy = {"Mine": AccessPolicy(permissions=permissions)}
    user = entra_user(replace(ASSIGNED, access_policies=policy))
    assert user is not None
    behind = user.rules.partition(" -cluster")[2].split()
    assert behind == readers


@pytest.mark.parametrize(
    "settings",
    [pytest.param({}, id="unset"), pytest.param({"aad-enabled": "false"}, id="off")],
)
def test_nobody_signs_in_where_entra_is_off(settings: dict[str, str]) -> None:
    """Assignments are kept, and let nobody in."""
    assert entra_user(replace(ASSIGNED, redis_configuration=settings)) is None


def test_access_keys_can_be_disabled() -> None:
    """The user stays, and no key opens it."""
    spec = replace(b.SPEC, disable_access_key_authentication=True)
    default, _ = acl.wanted_users(spec, b.ADMIN, {}, restricted=True)
    assert not default.enabled


def test_a_cache_can_do_without_passwords() -> None:
    """As ``authnotrequired`` says; the command sets no key besides."""
    spec = replace(b.SPEC, redis_configuration={"authnotrequired": "yes"})
    default, _ = acl.wanted_users(spec, b.ADMIN, {}, restricted=False)
    assert acl.setuser(default)[:4] == ("default", "reset", "on", "nopass")
    listed = "user default on nopass sanitize-payload ~* &* +@all"
    assert acl.users_to_set([default], {"default": acl.parse_user(listed)}) == ()


# --- whose connections end ---

ENTRA = AclUser(name=USER, enabled=True, digests=frozenset({TOKEN}), rules="+get")
OTHER_TOKEN = replace(ENTRA, digests=frozenset({TOKEN, Secret("second").digest}))
NO_TOKEN = replace(ENTRA, digests=frozenset())
ROTATED = replace(DEFAULT, digests=frozenset({Secret("new").digest}))
OFF = replace(DEFAULT, enabled=False)
STRANGER = replace(ENTRA, name="eve")


@pytest.mark.parametrize(
    ("wanted", "seen", "ended"),
    [
        pytest.param([ROTATED], [DEFAULT], {"default"}, id="a key is regenerated"),
        pytest.param([DEFAULT], [DEFAULT], set(), id="nothing changed"),
        pytest.param([ENTRA], [NO_TOKEN], set(), id="a first token"),
        pytest.param([ENTRA], [OTHER_TOKEN], set(), id="a token left"),
        pytest.param([NO_TOKEN], [ENTRA], {USER}, id="the last token"),
        pytest.param(
            [OFF, ENTRA], [DEFAULT, ENTRA], {"default", USER}, id="keys disabled"
        ),
        pytest.param(
            [DEFAULT, ENTRA], [OFF, ENTRA], {"default", USER}, id="keys allowed"
        ),
    ],
)
def test_connections_end_with_what_opened_them(
    wanted: list[AclUser], seen: list[AclUser], ended: set[str]
) -> None:
    """See Note [Ended connections]; the controller's own are never among them."""
    listed = {user.name: user for user in (*seen, ADMIN)}
    assert acl.users_to_disconnect((*wanted, ADMIN), listed) == ended


@pytest.mark.parametrize(
    ("seen", "in_place"),
    [
        pytest.param([DEFAULT, ENTRA], True, id="all"),
        pytest.param([DEFAULT, NO_TOKEN], True, id="a token is on its way"),
        pytest.param([DEFAULT, replace(ENTRA, rules="+set")], False, id="other rules"),
        pytest.param([DEFAULT], False, id="a user is missing"),
        pytest.param([ROTATED, ENTRA], False, id="another key"),
        pytest.param(
            [DEFAULT, ENTRA, replace(ENTRA, name="x")], False, id="a stranger"
        ),
    ],
)
def test_tokens_come_and_go_without_unsettling_a_cache(
    seen: list[AclUser], *, in_place: bool
) -> None:
    """A sign-in is no change of the cache; everything else is."""
    listed = {user.name: user for user in seen}
    assert acl.in_place([DEFAULT, ENTRA], listed) is in_place
