"""``redisConfiguration``: which settings there are, and how a new value is merged.

Every value is a text. Source: RedisCommonProperties, api-version 2024-11-01, and
"How to configure Azure Cache for Redis".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict

from api.fields import Body, any_case
from api.forms import Form
from controller.sizing import MEBIBYTE, SIZES, Size
from controller.spec import AOF_ENABLED, RDB_ENABLED, Sku, Tier, enabled

DATABASES = "databases"

# Memory that is held back, in MB.
MEMORY = (
    "maxmemory-reserved",
    "maxfragmentationmemory-reserved",
    "maxmemory-delta",
)

_READ_ONLY = frozenset(
    {"maxclients", "zonal-configuration", "preferred-data-archive-auth-method"}
)

# What goes when persistence is switched off; else azurerm never sees its plan done.
_GOES_WITH: Mapping[str, tuple[str, ...]] = {
    RDB_ENABLED: (
        "rdb-backup-frequency",
        "rdb-backup-max-snapshot-count",
        "rdb-storage-connection-string",
    ),
    AOF_ENABLED: (
        "aof-storage-connection-string-0",
        "aof-storage-connection-string-1",
    ),
}

# An empty text unsets these; for other settings it is a value, or a mistake.
_UNSET_BY_EMPTY = frozenset(
    {
        "preferred-data-persistence-auth-method",
        "rdb-storage-connection-string",
        "aof-storage-connection-string-0",
        "aof-storage-connection-string-1",
        "storage-subscription-id",
    }
)

_CREDENTIAL = re.compile(
    r"(AccountKey|SharedAccessSignature|(?<=[?&])sig)=[^;]*", re.IGNORECASE
)
_EVENTS = Form(
    pattern=r"[KEg$lshzxetdmnA]*",
    hint="It is made of the letters KEg$lshzxetdmnA, or empty",
)
_NUMBER = Form(
    pattern="[0-9]+",
    most=9,
    hint='It is a whole number, written as a string: "10"',
)
_COUNT = Form(
    pattern="0*[1-9][0-9]*",
    most=9,
    hint='It is a whole number above 0, written as a string: "1"',
)
_FLAG = Form(pattern="true|false", any_case=True, hint='It is "true" or "false"')


def _hidden(value: str) -> str:
    """Drop the credential of a storage account: it is not used, and never shown."""
    return _CREDENTIAL.sub(r"\1=[key hidden]", value)


Number = Annotated[str, _NUMBER]
Count = Annotated[str, _COUNT]
Flag = Annotated[str, _FLAG]  # echoed as sent: "False" stays so
ConnectionString = Annotated[str, AfterValidator(_hidden)]
Minutes = Literal["15", "30", "60", "360", "720", "1440"]
YesNo = Literal["yes", "no"]
AuthMethod = Literal["SAS", "ManagedIdentity", ""]
Policy = Literal[
    "volatile-lru",
    "allkeys-lru",
    "volatile-lfu",
    "allkeys-lfu",
    "volatile-random",
    "allkeys-random",
    "volatile-ttl",
    "noeviction",
]


def _hyphened(name: str) -> str:
    return name.replace("_", "-")


class RedisConfiguration(Body):
    """The settings of a request; this list is the one place that names them."""

    model_config = ConfigDict(extra="forbid", alias_generator=_hyphened)

    aad_enabled: Flag | None = None
    aof_backup_enabled: Flag | None = None
    aof_storage_connection_string_0: ConnectionString | None = None
    aof_storage_connection_string_1: ConnectionString | None = None
    authnotrequired: Annotated[YesNo, any_case(YesNo)] | None = None
    databases: Count | None = None
    maxclients: Any = None
    maxfragmentationmemory_reserved: Number | None = None
    maxmemory_delta: Number | None = None
    maxmemory_policy: Annotated[Policy, any_case(Policy)] | None = None
    maxmemory_reserved: Number | None = None
    notify_keyspace_events: Annotated[str, _EVENTS] | None = None
    preferred_data_archive_auth_method: Any = None
    preferred_data_persistence_auth_method: (
        Annotated[AuthMethod, any_case(AuthMethod)] | None
    ) = None
    rdb_backup_enabled: Flag | None = None
    rdb_backup_frequency: Minutes | None = None
    rdb_backup_max_snapshot_count: Count | None = None
    rdb_storage_connection_string: ConnectionString | None = None
    storage_subscription_id: str | None = None
    zonal_configuration: Any = None

    @property
    def sent(self) -> Mapping[str, str]:
        """The settings that may be set, as ARM names them, without what is absent."""
        found: dict[str, str] = self.model_dump(by_alias=True, exclude_none=True)
        return {name: found[name] for name in found if name not in _READ_ONLY}


def merged(
    old: Mapping[str, str], sent: Mapping[str, str], sku: Sku, was: Sku
) -> Mapping[str, str]:
    """Merge what was ``sent`` into ``old`` key by key, and fill in the defaults.

    ``was`` is the SKU that ``old`` belongs to. While a cache is scaled, memory
    settings that were sent do not count, and those it has grow in proportion. Basic
    caches always have the defaults. Source: "Best practices for scaling".
    """
    size = SIZES[sku.size]
    result = dict(old) if sku == was else _rescaled(old, SIZES[was.size], size)
    for name, value in sent.items():
        if name in MEMORY:
            if sku == was and sku.tier is not Tier.BASIC:
                result[name] = _clamped(int(value), size)
        elif value or name not in _UNSET_BY_EMPTY:
            result[name] = value
        else:
            result.pop(name, None)
    return _filled(_without_switched_off(result), size)


def _without_switched_off(settings: dict[str, str]) -> dict[str, str]:
    gone = {
        name
        for switch, related in _GOES_WITH.items()
        if switch in settings and not enabled(settings, switch)
        for name in related
    }
    return {name: value for name, value in settings.items() if name not in gone}


def _filled(settings: dict[str, str], size: Size) -> Mapping[str, str]:
    """Add what the service adds, in its order, and nothing else."""
    settings["maxclients"] = str(size.max_clients)
    for name in MEMORY:
        settings.setdefault(name, str(size.reserve_mebibytes))
    return settings


def _clamped(mebibytes: int, size: Size) -> str:
    """Move a value between the least and 60 % of the memory; it is never refused."""
    most = size.memory_bytes * 6 // 10 // MEBIBYTE
    return str(max(size.reserve_mebibytes, min(mebibytes, most)))


def _rescaled(settings: Mapping[str, str], before: Size, size: Size) -> dict[str, str]:
    """Let memory settings grow or shrink with the cache; defaults become defaults."""
    result = dict(settings)
    for name in MEMORY:
        if result.get(name) == str(before.reserve_mebibytes):
            result[name] = str(size.reserve_mebibytes)
        elif name in result:
            grown = int(result[name]) * size.memory_bytes // before.memory_bytes
            result[name] = _clamped(grown, size)
    return result
