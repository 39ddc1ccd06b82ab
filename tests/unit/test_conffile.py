"""The file that servers start from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller.backends.conffile import conf_file
from tests.builders import address, wanted

PLACE = address(wanted().ports)


def test_the_file_holds_settings_and_places() -> None:
    """Everything that the spec asks for, the places of this backend, and no more."""
    spec = replace(
        wanted(),
        immutable={"databases": "16"},
        settings={"maxmemory": "1024", "notify-keyspace-events": ""},
        renames={"config": "config-123", "debug": ""},
    )

    text = conf_file(spec, PLACE, {"dir": "/data"})

    digest = spec.leaf.digest
    assert text.splitlines() == [
        'protected-mode "no"',
        'dbfilename "dump.rdb"',
        'tls-auth-clients "no"',
        'databases "16"',
        'maxmemory "1024"',
        'notify-keyspace-events ""',
        f'tls-cert-file "/server/{digest}.crt"',
        f'tls-key-file "/server/{digest}.key"',
        'tls-port "6380"',
        'port "0"',
        'dir "/data"',
        'rename-command config "config-123"',
        'rename-command debug ""',
    ]


def test_a_server_without_tls_is_told_nothing_of_it() -> None:
    """It would not start from a file with such settings; its plain port is open."""
    text = conf_file(wanted(), replace(PLACE, speaks_tls=False), {})

    assert "tls" not in text
    assert 'port "6379"' in text


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
    spec = replace(wanted(), renames={})
    text = conf_file(spec, PLACE, {"dir": value})

    assert text.endswith(f"\ndir {written}\n")
