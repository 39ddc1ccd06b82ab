"""The provider's ``azurerm_redis_cache``: what it sends, reads and calls a difference.

A configuration and a state are written with Terraform's names. Attributes that are left
out have the provider's defaults; a plan says no change if `drift` finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tests.e2e.azurerm import SUBSCRIPTION, Azurerm, Json

CREATING = ("Creating", "Updating", "Scaling", "ConfiguringAAD")
UPDATING = (*CREATING, "UpgradingRedisServerVersion", "UpdatingManagedIdentity")

Attributes = Mapping[str, Any]

DEFAULTS: Attributes = {
    "access_keys_authentication_enabled": True,
    "identity": None,
    "minimum_tls_version": "1.2",
    "non_ssl_port_enabled": False,
    "patch_schedule": [],
    "public_network_access_enabled": True,
    "redis_version": "6",
    "shard_count": 0,
    "subnet_id": "",
    "tags": {},
    "tenant_settings": {},
    "zones": [],
}

# What the service fills in, where nothing is asked for.
COMPUTED = frozenset(
    {
        "maxclients",
        "maxfragmentationmemory_reserved",
        "maxmemory_delta",
        "maxmemory_reserved",
    }
)


def _bool(text: str) -> bool:
    """Read a boolean as Go's ``strconv.ParseBool`` does."""
    return {"true": True, "True": True, "false": False, "False": False}[text]


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Setting(NamedTuple):
    """One of ``redis_configuration``: ARM's name, the default, and how it is read."""

    arm: str
    default: Any = ""
    read: Callable[[str], Any] = str
    spell: Callable[[Any], str] = _spelled


def _switch(arm: str) -> Setting:
    return Setting(arm, default=False, read=_bool)


CONFIGURATION: Mapping[str, Setting] = {
    "active_directory_authentication_enabled": _switch("aad-enabled"),
    "aof_backup_enabled": _switch("aof-backup-enabled"),
    "aof_storage_connection_string_0": Setting("aof-storage-connection-string-0"),
    "aof_storage_connection_string_1": Setting("aof-storage-connection-string-1"),
    "authentication_enabled": Setting(
        "authnotrequired",
        default=True,
        read=lambda text: text == "no",
        spell=lambda value: "no" if value else "yes",
    ),
    "data_persistence_authentication_method": Setting(
        "preferred-data-persistence-auth-method"
    ),
    "maxclients": Setting("maxclients", 0, int),
    "maxfragmentationmemory_reserved": Setting(
        "maxfragmentationmemory-reserved", 0, int
    ),
    "maxmemory_delta": Setting("maxmemory-delta", 0, int),
    "maxmemory_policy": Setting("maxmemory-policy", "volatile-lru"),
    "maxmemory_reserved": Setting("maxmemory-reserved", 0, int),
    "notify_keyspace_events": Setting("notify-keyspace-events"),
    "rdb_backup_enabled": _switch("rdb-backup-enabled"),
    "rdb_backup_frequency": Setting("rdb-backup-frequency", 0, int),
    "rdb_backup_max_snapshot_count": Setting("rdb-backup-max-snapshot-count", 0, int),
    "rdb_storage_connection_string": Setting("rdb-storage-connection-string"),
    "storage_account_subscription_id": Setting("storage-subscription-id"),
}
ALWAYS_SENT = frozenset(
    {
        "active_directory_authentication_enabled",
        "data_persistence_authentication_method",
        "maxmemory_policy",
    }
)


class Cache:
    """One ``azurerm_redis_cache``."""

    def __init__(self, provider: Azurerm, group: str, name: str) -> None:
        self._provider = provider
        self.path = (
            f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}"
            f"/providers/Microsoft.Cache/redis/{name}"
        )

    def create(self, wanted: Attributes) -> Attributes:
        """Create it, and give its state."""
        self._provider.create(self.path, _create_body({**DEFAULTS, **wanted}))
        self._provider.wait_for(self.path, CREATING)
        if wanted.get("patch_schedule"):
            self._put_schedule(wanted)
        return self.refresh()

    def update(self, wanted: Attributes) -> Attributes:
        """Change what differs from its state, and give the new one."""
        old, new = self.refresh(), {**DEFAULTS, **wanted}
        changed = frozenset(drift(new, old))
        answer = self._provider.send(
            "PATCH", self.path, _update_body(old, new, changed), takes=(200, 202)
        )
        if answer.status_code == 202:
            assert answer.headers["Azure-AsyncOperation"]
        self._provider.wait_for(self.path, UPDATING)
        if "identity" in changed:
            identity = {"identity": _identity(new["identity"])}
            self._provider.send("PATCH", self.path, identity, takes=(200, 202))
            self._provider.wait_for(self.path, UPDATING)
        if "patch_schedule" in changed:
            self._put_schedule(new)
        return self.refresh()

    def refresh(self) -> Attributes:
        """Read its state: the cache, its keys, and its schedule."""
        shown = self._provider.read(self.path)
        keys = self._provider.send("POST", f"{self.path}/listKeys", takes=(200,)).json()
        schedule = self._provider.find(f"{self.path}/patchSchedules/default")
        return _state(shown, keys, schedule)

    def delete(self) -> None:
        """Delete it, and wait until it is gone."""
        self._provider.read(self.path)
        self._provider.delete(self.path)

    def _put_schedule(self, wanted: Attributes) -> None:
        path = f"{self.path}/patchSchedules/default"
        if not wanted["patch_schedule"]:
            self._provider.send("DELETE", path, takes=(200, 204))
            return
        entries = [
            {
                "dayOfWeek": each["day_of_week"],
                "maintenanceWindow": each.get("maintenance_window", "PT5H"),
                "startHourUtc": each.get("start_hour_utc", 0),
            }
            for each in wanted["patch_schedule"]
        ]
        body = {"properties": {"scheduleEntries": entries}}
        self._provider.send("PUT", path, body, takes=(200, 201))


def drift(wanted: Attributes, state: Attributes) -> list[str]:
    """Name the attributes that the next plan would change."""
    full = {**DEFAULTS, **wanted}
    differing = [name for name in full if full[name] != state[name]]
    if "redis_configuration" in differing:
        settings, found = full["redis_configuration"], state["redis_configuration"]
        if all(
            _same(settings.get(name, setting.default), found[name], name)
            for name, setting in CONFIGURATION.items()
        ):
            differing.remove("redis_configuration")
    return differing


def _same(wanted: object, found: object, name: str) -> bool:
    """Compare a setting; a secret may be masked, and what is computed may be set."""
    masked = isinstance(found, str) and "AccountKey=[key hidden]" in found
    return wanted == found or masked or (name in COMPUTED and not wanted)


def _create_body(wanted: Attributes) -> Json:
    optional = {
        "shardCount": wanted["shard_count"],
        "replicasPerMaster": wanted.get("replicas_per_primary"),
        "replicasPerPrimary": wanted.get("replicas_per_primary"),
        "tenantSettings": wanted["tenant_settings"],
        "staticIP": wanted.get("private_static_ip_address"),
        "subnetId": wanted["subnet_id"],
    }
    body: dict[str, Any] = {
        "identity": _identity(wanted["identity"]),
        "location": wanted["location"],
        "properties": {
            **_common(wanted),
            "publicNetworkAccess": _access(wanted),
            "redisConfiguration": _settings(wanted.get("redis_configuration")),
            "redisVersion": wanted["redis_version"],
            **{name: value for name, value in optional.items() if value},
        },
        "tags": wanted["tags"],
    }
    return body | ({"zones": wanted["zones"]} if wanted["zones"] else {})


def _update_body(old: Attributes, new: Attributes, changed: frozenset[str]) -> Json:
    read = old["redis_configuration"]  # what the service filled in is sent back to it
    settings = {name: read[name] for name in COMPUTED}
    settings |= new.get("redis_configuration", {})
    optional: dict[str, Json] = {
        "public_network_access_enabled": {"publicNetworkAccess": _access(new)},
        "redis_configuration": {"redisConfiguration": _settings(settings)},
        "redis_version": {"redisVersion": new["redis_version"]},
        "shard_count": {"shardCount": new["shard_count"]},
        "tenant_settings": {"tenantSettings": new["tenant_settings"]},
    }
    properties = _common(new)
    for name in changed & optional.keys():
        properties |= optional[name]
    return {"properties": properties, "tags": new["tags"]}


def _common(wanted: Attributes) -> dict[str, Any]:
    """Give what it sends with every write."""
    return {
        "disableAccessKeyAuthentication": not wanted[
            "access_keys_authentication_enabled"
        ],
        "enableNonSslPort": wanted["non_ssl_port_enabled"],
        "minimumTlsVersion": wanted["minimum_tls_version"],
        "sku": {
            "name": wanted["sku_name"],
            "family": wanted["family"],
            "capacity": wanted["capacity"],
        },
    }


def _access(wanted: Attributes) -> str:
    return "Enabled" if wanted["public_network_access_enabled"] else "Disabled"


def _identity(wanted: Attributes | None) -> Json:
    if wanted is None:
        return {"type": "None", "userAssignedIdentities": None}
    ids = wanted.get("identity_ids")
    return {
        "type": wanted["type"],
        "userAssignedIdentities": {each: {} for each in ids} if ids else None,
    }


def _settings(wanted: Attributes | None) -> Json:
    """Spell a ``redis_configuration`` block; all values are strings."""
    if wanted is None:
        return {}
    spelled = {}
    for name, setting in CONFIGURATION.items():
        value = wanted.get(name, setting.default)
        changed = value != setting.default or isinstance(wanted.get(name), bool)
        if changed or name in ALWAYS_SENT:
            spelled[setting.arm] = setting.spell(value)
    return spelled


def _state(shown: Json, keys: Json, schedule: Json | None) -> Attributes:
    """Read what it would keep; a `KeyError` here is a crash of the provider there."""
    properties = shown["properties"]
    sku = properties["sku"]
    given = properties["redisConfiguration"]
    assert all(isinstance(value, str) for value in given.values())
    host, port = properties["hostName"], properties["sslPort"]
    return {
        "access_keys_authentication_enabled": not properties.get(
            "disableAccessKeyAuthentication", False
        ),
        "capacity": sku["capacity"],
        "family": sku["family"],
        "hostname": host,
        "identity": _identity_state(shown.get("identity")),
        "location": shown["location"].replace(" ", "").lower(),
        "minimum_tls_version": properties.get("minimumTlsVersion", "1.2"),
        "non_ssl_port_enabled": properties["enableNonSslPort"],
        "patch_schedule": _schedule_state(schedule),
        "port": properties["port"],
        "primary_connection_string": f"{host}:{port},password={keys['primaryKey']},"
        "ssl=True,abortConnect=False",
        "private_static_ip_address": properties.get("staticIP"),
        "public_network_access_enabled": properties["publicNetworkAccess"] == "Enabled",
        "redis_configuration": {
            name: each.read(given[each.arm]) if given.get(each.arm) else each.default
            for name, each in CONFIGURATION.items()
        },
        "redis_version": properties["redisVersion"].partition(".")[0],
        "replicas_per_primary": properties.get("replicasPerPrimary"),
        "secondary_access_key": keys["secondaryKey"],
        "shard_count": properties.get("shardCount", 0),
        "sku_name": sku["name"],
        "subnet_id": properties.get("subnetId", ""),
        "tags": shown["tags"],
        "tenant_settings": properties.get("tenantSettings", {}),
        "zones": shown.get("zones", []),
    }


def _identity_state(shown: Json | None) -> Attributes | None:
    if shown is None or shown["type"] == "None":
        return None
    ids = sorted(shown.get("userAssignedIdentities") or {})
    if "SystemAssigned" in shown["type"]:
        assert shown["principalId"]
        assert shown["tenantId"]
    return {"type": shown["type"], **({"identity_ids": ids} if ids else {})}


def _schedule_state(shown: Json | None) -> list[Attributes]:
    if shown is None:
        return []
    return [
        {
            "day_of_week": each["dayOfWeek"],
            "maintenance_window": each["maintenanceWindow"],
            "start_hour_utc": each["startHourUtc"],
        }
        for each in shown["properties"]["scheduleEntries"]
    ]
