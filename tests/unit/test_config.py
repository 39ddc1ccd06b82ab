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


@pytest.mark.parametrize(
    ("held_back", "cap", "expected"),
    [
        pytest.param({"maxmemory-reserved": "100"}, 1024, 924, id="one"),
        pytest.param(
            {
                "maxmemory-reserved": "100",
                "maxmemory-delta": "124",
                "maxfragmentationmemory-reserved": "200",
            },
            1024,
            600,
            id="all",
        ),
        pytest.param({"maxmemory-reserved": "512"}, 256, 128, id="half of the cap"),
    ],
)
def test_memory_that_is_held_back_is_no_memory_for_data(
    held_back: dict[str, str], cap: int, expected: int
) -> None:
    """The three settings add up, and hold back the same share of a cap."""
    limits = replace(b.LIMITS, max_memory_bytes=cap * MEBIBYTE)
    one_gigabyte = Sku(Tier.STANDARD, 1)
    spec = replace(b.SPEC, sku=one_gigabyte, redis_configuration=held_back)
    assert config.data_bytes(spec, limits) == expected * MEBIBYTE


def test_some_memory_is_always_left() -> None:
    """Three settings at their most would leave less than nothing."""
    each = str(600)
    spec = replace(
        b.SPEC,
        sku=Sku(Tier.STANDARD, 1),
        redis_configuration=dict.fromkeys(config.HELD_BACK, each),
    )
    assert config.data_bytes(spec, b.LIMITS) > 20 * MEBIBYTE


@pytest.mark.parametrize(
    ("minimum", "protocols", "ciphers"),
    [
        pytest.param(None, "TLSv1.2 TLSv1.3", "", id="unset"),
        pytest.param("1.2", "TLSv1.2 TLSv1.3", "", id="1.2"),
        pytest.param("1.1", "TLSv1.1 TLSv1.2 TLSv1.3", "DEFAULT:@SECLEVEL=0", id="1.1"),
        pytest.param(
            "1.0", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3", "DEFAULT:@SECLEVEL=0", id="1.0"
        ),
    ],
)
def test_minimum_tls_version(minimum: str | None, protocols: str, ciphers: str) -> None:
    """Newer versions are always served, older ones only when they are asked for."""
    spec = replace(b.SPEC, minimum_tls_version=minimum)
    settings = config.live_settings(spec, b.LIMITS)
    assert settings["tls-protocols"] == protocols
    assert settings["tls-ciphers"] == ciphers


PREMIUM = replace(b.SPEC, sku=Sku(Tier.PREMIUM, 1))


@pytest.mark.parametrize(
    ("sku", "configuration", "save", "appendonly"),
    [
        pytest.param(PREMIUM.sku, {}, "", "no", id="off"),
        pytest.param(
            PREMIUM.sku,
            {"rdb-backup-enabled": "true", "rdb-backup-frequency": "15"},
            "900 1",
            "yes",
            id="RDB",
        ),
        pytest.param(
            PREMIUM.sku, {"rdb-backup-enabled": "True"}, "3600 1", "yes", id="RDB alone"
        ),
        pytest.param(PREMIUM.sku, {"aof-backup-enabled": "true"}, "", "yes", id="AOF"),
        pytest.param(
            b.SPEC.sku, {"aof-backup-enabled": "true"}, "", "no", id="not Premium"
        ),
    ],
)
def test_persistence(
    sku: Sku, configuration: dict[str, str], save: str, appendonly: str
) -> None:
    """Either kind keeps an append-only file; see Note [Durable data]."""
    spec = replace(b.SPEC, sku=sku, redis_configuration=configuration)
    settings = config.live_settings(spec, b.LIMITS)
    assert settings["save"] == save
    assert settings["appendonly"] == appendonly


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
