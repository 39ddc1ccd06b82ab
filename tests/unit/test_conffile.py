"""The file that servers start from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.backends.conffile import conf_file
from tests.builders import wanted


def test_the_file_holds_settings_and_places() -> None:
    """Everything that the spec asks for, the places of this backend, and no more."""
    spec = replace(
        wanted(),
        immutable={"databases": "16"},
        settings={"maxmemory": "1024", "notify-keyspace-events": ""},
    )

    text = conf_file(spec, {"port": "6379", "dir": "/data"})

    assert text.splitlines() == [
        'protected-mode "no"',
        'save ""',
        'appendonly "no"',
        'databases "16"',
        'maxmemory "1024"',
        'notify-keyspace-events ""',
        'port "6379"',
        'dir "/data"',
    ]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param("a b", '"a b"', id="blank"),
        pytest.param('a"b', '"a\\"b"', id="quote"),
        pytest.param("a\\b", '"a\\\\b"', id="backslash"),
        pytest.param("no\nport 1", '"no\\x0aport 1"', id="line break"),
        pytest.param("#", '"#"', id="hash"),
        pytest.param("ü", '"ü"', id="not ASCII"),
    ],
)
def test_a_value_stays_one_argument(value: str, written: str) -> None:
    """No value ends its line or begins another directive."""
    text = conf_file(wanted(), {"dir": value})

    assert text.endswith(f"\ndir {written}\n")
