"""Users from the spec and from the server's listing."""

from __future__ import annotations

from dataclasses import replace

from controller import acl
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
