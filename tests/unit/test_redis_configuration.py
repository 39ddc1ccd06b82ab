"""Settings of Redis: which are taken, and how new ones are merged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from api.redis import schema
from api.redis.configuration import RedisConfiguration, merged
from controller.spec import AOF_ENABLED, RDB_ENABLED, Sku, Tier
from tests.redis_requests import request

C0 = Sku(Tier.BASIC, 0)
C1 = Sku(Tier.STANDARD, 1)
P1 = Sku(Tier.PREMIUM, 1)
P2 = Sku(Tier.PREMIUM, 2)
CONNECTION = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=sesame==;E=x"


def sent(settings: Mapping[str, Any]) -> Mapping[str, str]:
    """Give the settings of a request as they count."""
    return RedisConfiguration.model_validate(settings).sent


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        pytest.param("no-such-setting", "1", "no setting of this name", id="unknown"),
        pytest.param("maxmemory-policy", "lru", "'allkeys-lru'", id="policy"),
        pytest.param("maxmemory-reserved", 30, "string", id="number"),
        pytest.param("maxmemory-reserved", "30mb", "whole number", id="unit"),
        pytest.param("maxmemory-delta", "-1", "whole number", id="negative"),
        pytest.param("maxmemory-delta", "", "whole number", id="empty"),
        pytest.param("notify-keyspace-events", "KEy", "letters", id="events"),
        pytest.param("notify-keyspace-events", "KEA\n", "letters", id="line"),
        pytest.param("aad-enabled", "yes", '"true" or "false"', id="flag"),
        pytest.param("aad-enabled", True, "string", id="bool"),
        pytest.param("authnotrequired", "true", "'yes' or 'no'", id="yes or no"),
        pytest.param("rdb-backup-frequency", "20", "'15'", id="frequency"),
        pytest.param("rdb-backup-max-snapshot-count", "0", "above 0", id="count"),
        pytest.param("databases", "x", "above 0", id="databases"),
        pytest.param(
            "preferred-data-persistence-auth-method", "Key", "'SAS'", id="method"
        ),
        pytest.param("rdb-storage-connection-string", {}, "string", id="object"),
    ],
)
def test_a_wrong_setting_is_refused(name: str, value: object, says: str) -> None:
    """The path names the setting, and the message what it may be."""
    raw = request(redisConfiguration={name: value})
    (mistake,) = schema.read(raw, schema.CreateBody).mistakes
    path = f"properties.redisConfiguration.{name}"
    assert mistake.target == path
    assert mistake.message.startswith(
        f"The value of the parameter '{path}' is invalid."
    )
    assert says in mistake.message


@pytest.mark.parametrize(
    ("settings", "counts"),
    [
        pytest.param({"maxclients": "1"}, {}, id="maxclients"),
        pytest.param({"maxclients": 1, "zonal-configuration": {}}, {}, id="read-only"),
        pytest.param(
            {"preferred-data-archive-auth-method": "SAS"}, {}, id="archive method"
        ),
        pytest.param({"aad-enabled": "False"}, {"aad-enabled": "False"}, id="as sent"),
        pytest.param(
            {"maxmemory-policy": "AllKeys-LRU"},
            {"maxmemory-policy": "allkeys-lru"},
            id="policy in any case",
        ),
        pytest.param(
            {"notify-keyspace-events": ""},
            {"notify-keyspace-events": ""},
            id="no event",
        ),
        pytest.param(
            {"rdb-storage-connection-string": CONNECTION},
            {
                "rdb-storage-connection-string": CONNECTION.replace(
                    "sesame==", "[key hidden]"
                )
            },
            id="credential",
        ),
        pytest.param(
            {"aof-storage-connection-string-0": "SharedAccessSignature=s;a"},
            {"aof-storage-connection-string-0": "SharedAccessSignature=[key hidden];a"},
            id="signature",
        ),
    ],
)
def test_what_counts_of_the_settings_sent(
    settings: Mapping[str, Any], counts: Mapping[str, str]
) -> None:
    """Read-only ones are ignored, words fold, credentials are dropped."""
    assert sent(settings) == counts


@pytest.mark.parametrize(
    ("sku", "filled"),
    [
        pytest.param(C0, ("256", "30"), id="C0"),
        pytest.param(C1, ("1000", "125"), id="C1"),
        pytest.param(P1, ("7500", "642"), id="P1"),
        pytest.param(P2, ("15000", "1330"), id="P2"),
    ],
)
def test_four_settings_are_filled_in(sku: Sku, filled: tuple[str, str]) -> None:
    """Recorded: these and no others, behind those that were sent."""
    clients, reserve = filled
    result = merged({}, sent({"aad-enabled": "true"}), sku, sku)
    assert list(result.items()) == [
        ("aad-enabled", "true"),
        ("maxclients", clients),
        ("maxmemory-reserved", reserve),
        ("maxfragmentationmemory-reserved", reserve),
        ("maxmemory-delta", reserve),
    ]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        pytest.param("10", "642", id="raised to the least"),
        pytest.param("0", "642", id="nothing"),
        pytest.param("700", "700", id="as asked"),
        pytest.param("99999", "3686", id="lowered to 60 %"),
    ],
)
def test_memory_settings_are_moved_into_bounds(value: str, kept: str) -> None:
    """They are never refused; recorded for P1 and 10."""
    result = merged({}, {"maxmemory-delta": value}, P1, P1)
    assert result["maxmemory-delta"] == kept


def test_a_merge_keeps_what_was_not_sent() -> None:
    """Key by key: one new policy leaves the memory settings alone."""
    old = merged({}, {"maxmemory-reserved": "800", "aad-enabled": "true"}, P1, P1)
    new = merged(old, {"maxmemory-policy": "noeviction"}, P1, P1)
    assert new == {**old, "maxmemory-policy": "noeviction"}


def test_memory_settings_grow_with_the_cache() -> None:
    """In proportion; a default becomes the new default, and new values do not count."""
    old = merged({}, {"maxmemory-reserved": "900"}, P1, P1)
    new = merged(old, {"maxmemory-delta": "5000"}, P2, P1)
    assert new["maxmemory-reserved"] == str(900 * 13 // 6)
    assert new["maxmemory-delta"] == "1330"
    assert new["maxfragmentationmemory-reserved"] == "1330"
    assert new["maxclients"] == "15000"


def test_basic_caches_keep_their_memory_defaults() -> None:
    """What is sent does not count; `rules` refuses it where it differs."""
    assert merged({}, {"maxmemory-delta": "90"}, C0, C0)["maxmemory-delta"] == "30"


@pytest.mark.parametrize(
    ("switch", "related"),
    [
        pytest.param(
            RDB_ENABLED,
            {
                "rdb-backup-frequency": "15",
                "rdb-backup-max-snapshot-count": "1",
                "rdb-storage-connection-string": "a",
            },
            id="rdb",
        ),
        pytest.param(
            AOF_ENABLED,
            {
                "aof-storage-connection-string-0": "a",
                "aof-storage-connection-string-1": "b",
            },
            id="aof",
        ),
    ],
)
def test_switching_persistence_off_drops_its_settings(
    switch: str, related: Mapping[str, str]
) -> None:
    """Else azurerm would find a difference in every plan."""
    old = merged({}, {switch: "true", **related, "aad-enabled": "true"}, P1, P1)
    assert old.items() >= related.items()
    new = merged(old, {switch: "False"}, P1, P1)
    assert new[switch] == "False"
    assert new["aad-enabled"] == "true"
    assert related.keys().isdisjoint(new)


def test_an_empty_text_unsets_what_has_no_empty_value() -> None:
    """Sent by azurerm on every create, an empty method means none."""
    name = "preferred-data-persistence-auth-method"
    old = merged({}, {name: "ManagedIdentity"}, P1, P1)
    assert old[name] == "ManagedIdentity"
    assert name not in merged(old, {name: ""}, P1, P1)
    assert name not in merged({}, {name: ""}, P1, P1)
