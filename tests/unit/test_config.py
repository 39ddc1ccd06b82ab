"""Settings from the SKU and from redisConfiguration."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controller import config
from controller.sizing import MEBIBYTE
from controller.spec import NOTHING, Sku, Tier
from tests import builders as b


@pytest.mark.parametrize(
    ("sku", "cap", "expected"),
    [
        pytest.param(Sku(Tier.BASIC, 0), 256, 250, id="C0 fits"),
        pytest.param(Sku(Tier.BASIC, 0), 100, 100, id="C0 capped"),
        pytest.param(Sku(Tier.PREMIUM, 5), 256, 256, id="P5 capped"),
        pytest.param(Sku(Tier.STANDARD, 1), 4096, 1024, id="C1 whole"),
    ],
)
def test_maxmemory(sku: Sku, cap: int, expected: int) -> None:
    """Memory is that of the SKU, and never more than the operator allows."""
    limits = replace(b.LIMITS, max_memory_bytes=cap * MEBIBYTE)
    settings = config.live_settings(replace(b.SPEC, sku=sku), limits)
    assert settings["maxmemory"] == str(expected * MEBIBYTE)


def test_defaults_of_azure() -> None:
    """A cache without redisConfiguration has Azure's policy, clients and events."""
    settings = config.live_settings(b.SPEC, b.LIMITS)
    assert settings["maxmemory-policy"] == "volatile-lru"
    assert settings["maxclients"] == "256"
    assert settings["notify-keyspace-events"] == ""


@pytest.mark.parametrize(
    ("wanted", "seen", "differs"),
    [
        pytest.param("KEA", "AKE", False, id="order"),
        pytest.param("Kg$lshzxetd", "AK", False, id="A for all"),
        pytest.param("KEA", "KE", True, id="fewer"),
        pytest.param("", "K", True, id="none wanted"),
    ],
)
def test_notify_keyspace_events(wanted: str, seen: str, *, differs: bool) -> None:
    """Equal sets of events are equal settings, however they are spelled."""
    name = config.NOTIFY
    found = config.drift({name: wanted}, {name: seen}, NOTHING)
    assert bool(found) is differs


def test_a_setting_that_the_server_does_not_tell_has_drifted() -> None:
    """What was not read back is not taken for set."""
    assert config.drift({"maxclients": "256"}, {}, NOTHING) == {"maxclients": "256"}


@pytest.mark.parametrize(
    ("wanted", "seen", "differs"),
    [
        pytest.param("40000", "4064", False, id="all that the machine can serve"),
        pytest.param("40000", "4000", True, id="less than it can"),
        pytest.param("1000", "4064", True, id="more than is asked for"),
        pytest.param("1000", "1000", False, id="as asked"),
    ],
)
def test_a_ceiling_is_no_excuse(wanted: str, seen: str, *, differs: bool) -> None:
    """The machine's most stands in for what is beyond it, and for nothing else."""
    found = config.drift(
        {"maxclients": wanted}, {"maxclients": seen}, {"maxclients": "4064"}
    )
    assert bool(found) is differs


def test_databases_need_a_new_server() -> None:
    """The number of databases is fixed at the start of a server."""
    more = replace(b.SPEC, redis_configuration={"databases": "32"})
    assert config.immutable_settings(more) == {"databases": "32"}
    assert config.immutable_settings(b.SPEC) == {"databases": "16"}
    assert b.wanted(b.record(more)).fingerprint != b.wanted().fingerprint
