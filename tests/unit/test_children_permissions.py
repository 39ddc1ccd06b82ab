"""Permissions of access policies: what is taken, and what could open a server."""

from __future__ import annotations

import pytest

from controller.acl_rules import BUILT_IN, complete, mistakes


@pytest.mark.parametrize(
    "permissions",
    [
        *(policy.permissions for policy in BUILT_IN.values()),
        "+get",
        "+GET -Set +@READ AllKeys",
        "+config|get -client|kill",
        "allcommands -@dangerous ~app:*",
        "nocommands +get ~a ~b",
        "+get %R~reports:* %W~logs:* %RW~x",
        "+get allkeys resetkeys ~a:*",
        "+get ~* allkeys",
        "  +get\t+hget \n",
    ],
)
def test_rules_for_commands_and_keys_are_taken(permissions: str) -> None:
    """In any case and order that a server takes."""
    assert list(mistakes(permissions)) == []


@pytest.mark.parametrize(
    ("permissions", "says"),
    [
        pytest.param("", "at least one command", id="empty"),
        pytest.param(" \t", "at least one command", id="blank"),
        pytest.param("+get on", "'on'", id="switch"),
        pytest.param("+get nopass", "'nopass'", id="no password"),
        pytest.param("reset", "'reset'", id="reset"),
        pytest.param("(+get ~a)", "'(+get'", id="selector"),
        pytest.param("clearselectors", "'clearselectors'", id="clear selectors"),
        pytest.param("&channel", "'&channel'", id="channel"),
        pytest.param("get", "'get'", id="no sign"),
        pytest.param("+", "'+'", id="sign alone"),
        pytest.param("~", "'~'", id="no pattern"),
        pytest.param("%X~a", "'%X~a'", id="no such access"),
        pytest.param("+get|a|b", "'+get|a|b'", id="too deep"),
        pytest.param("+@reed", "'+@reed' is no category", id="category"),
        pytest.param("+g\u00e9t", "'+g\\xe9t'", id="not ASCII"),
        pytest.param("allkeys ~a", "'~a' adds nothing", id="key behind all"),
        pytest.param("~* %R~a", "'%R~a' adds nothing", id="access behind all"),
    ],
)
def test_everything_else_is_refused(permissions: str, says: str) -> None:
    """One sentence for each word."""
    (found,) = mistakes(permissions)
    assert says in found


@pytest.mark.parametrize("sign", [">", "<", "#", "!"])
def test_passwords_are_refused_and_not_repeated(sign: str) -> None:
    """What opens a server stays out of texts that may be logged."""
    (found,) = mistakes(f"{sign}hunter2")
    assert "hunter2" not in found


@pytest.mark.parametrize(
    ("permissions", "completed"),
    [
        pytest.param("+get +hget", "+get +hget allkeys", id="no keys"),
        pytest.param("+get ~a", "+get ~a", id="pattern"),
        pytest.param("+get %R~a", "+get %R~a", id="access"),
        pytest.param("+get  ALLKEYS", "+get  ALLKEYS", id="all keys"),
        pytest.param("+get resetkeys", "+get resetkeys", id="none at all"),
        pytest.param("allcommands", "allcommands allkeys", id="all commands"),
    ],
)
def test_permissions_without_keys_get_all_of_them(
    permissions: str, completed: str
) -> None:
    """As recorded; others are kept to the letter, since clients compare."""
    assert complete(permissions) == completed
    assert complete(completed) == completed
