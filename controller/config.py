"""Settings of a server, from the spec and from the server's own answer; pure.

Note [Durable data]
~~~~~~~~~~~~~~~~~~~
Azure's snapshots lose what was written since the last one, up to a day. Here both
kinds of persistence keep an append-only file, so that a server which is killed
comes back with all that it had answered for; snapshots are taken besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from controller.nodes import Address, Node, NodeSpec, Server
from controller.sizing import MEBIBYTE, Size, size_of
from controller.spec import AOF_ENABLED, RDB_ENABLED, CacheSpec, Tier, enabled

MAXMEMORY_POLICY = "maxmemory-policy"
NOTIFY = "notify-keyspace-events"
APPENDING = "appendonly"  # where it is on, a server starts from that file alone
DATABASES = "16"  # in every size, unless more were asked for at the creation
DEFAULT_POLICY = "volatile-lru"  # source: "How to configure Azure Cache for Redis"
DEFAULT_SNAPSHOT_MINUTES = "60"  # source: the same page, "Data persistence"

# Memory that is held back, in MB: for what is no data, and for fragmentation
HELD_BACK = ("maxmemory-reserved", "maxmemory-delta", "maxfragmentationmemory-reserved")
MOST_HELD_BACK = 0.9  # of all, where the three together would leave nothing

DUMP_FILE = "dump.rdb"
APPENDED_FILE = "appendonly.aof"  # of older servers; newer ones take it over
# The ones that name files; a server takes both at once, or neither
CERTIFICATE, CERTIFICATE_KEY = "tls-cert-file", "tls-key-file"

# CONFIG names that the controller sets live, and reads back in every look
LIVE = (
    "maxmemory", "maxclients", MAXMEMORY_POLICY, NOTIFY, "save", APPENDING,
    "port", "tls-port", CERTIFICATE, CERTIFICATE_KEY, "tls-protocols", "tls-ciphers",
)  # fmt: skip

_ALL_EVENTS = "g$lshzxetd"  # what the letter A stands for (valkey.conf)

# What goes with minimumTlsVersion. OpenSSL 3 takes the two old versions only at its
# security level 0; newer ones are always there, so that nobody is locked out.
_PROTOCOLS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_OLDEST: Mapping[str | None, int] = {"1.0": 0, "1.1": 1, "1.2": 2, None: 2}
_WEAK_CIPHERS = "DEFAULT:@SECLEVEL=0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the operator allows each server, whatever its cache says."""

    image: str
    max_memory_bytes: int
    restricted: bool = True  # users may not run what Azure refuses


def live_settings(spec: CacheSpec, limits: Limits) -> Mapping[str, str]:
    """Give what ``CONFIG SET`` must have set, by name; `listening` gives the rest."""
    configuration = spec.redis_configuration
    oldest = _OLDEST[spec.minimum_tls_version]
    return {
        "maxmemory": str(data_bytes(spec, limits)),
        "maxclients": str(_size(spec).max_clients),
        MAXMEMORY_POLICY: configuration.get(MAXMEMORY_POLICY, DEFAULT_POLICY),
        NOTIFY: configuration.get(NOTIFY, ""),
        "save": _snapshots(spec),
        APPENDING: "yes" if durable(spec) else "no",
        "tls-protocols": " ".join(_PROTOCOLS[oldest:]),
        "tls-ciphers": _WEAK_CIPHERS if oldest < 2 else "",  # noqa: PLR2004
    }


def data_bytes(spec: CacheSpec, limits: Limits) -> int:
    """Give the memory for data: that of the SKU, capped, less what is held back.

    So that a laptop survives a P5, and what is held back shows in a small one as well,
    the cap counts first, and the same share of it is held back.
    """
    size = _size(spec).memory_bytes
    reserved = sum(int(spec.redis_configuration.get(each, 0)) for each in HELD_BACK)
    share = min(reserved * MEBIBYTE / size, MOST_HELD_BACK)
    return int(min(size, limits.max_memory_bytes) * (1 - share))


def dump_file(spec: NodeSpec) -> str:
    """Name the file from which a new server reads a dump: the one that it looks at."""
    appending = spec.settings[APPENDING] == "yes"
    return APPENDED_FILE if appending else DUMP_FILE


def durable(spec: CacheSpec) -> bool:
    """Tell whether data must outlive the server; see Note [Durable data]."""
    switches = (RDB_ENABLED, AOF_ENABLED)
    settings = spec.redis_configuration
    return spec.sku.tier is Tier.PREMIUM and any(enabled(settings, s) for s in switches)


def _snapshots(spec: CacheSpec) -> str:
    settings = spec.redis_configuration
    if not durable(spec) or not enabled(settings, RDB_ENABLED):
        return ""
    minutes = int(settings.get("rdb-backup-frequency", DEFAULT_SNAPSHOT_MINUTES))
    return f"{minutes * 60} 1"


def listening(spec: NodeSpec, address: Address) -> Mapping[str, str]:
    """Give the settings of the server's ports and certificate, where it is.

    One that cannot speak TLS has its plain port open in any case.
    """
    open_plain = spec.plain or not address.speaks_tls
    plain = {"port": str(address.listens.plain if open_plain else 0)}
    if not address.speaks_tls:
        return plain
    leaf = f"{address.folder}/{spec.leaf.digest}"
    return {
        CERTIFICATE: f"{leaf}.crt",
        CERTIFICATE_KEY: f"{leaf}.key",
        "tls-port": str(address.listens.tls),
        **plain,
    }


def settings_at(spec: NodeSpec, address: Address) -> Mapping[str, str]:
    """Give all settings that the server there must have."""
    known = spec.settings if address.speaks_tls else _without_tls(spec.settings)
    return {**known, **listening(spec, address)}


def leaf_files(spec: NodeSpec) -> Mapping[str, bytes]:
    """Give the files of the certificate, by their names in the server's folder."""
    return {
        f"{spec.leaf.digest}.crt": spec.leaf.certificate_pem,
        f"{spec.leaf.digest}.key": spec.leaf.key_pem,
    }


def _without_tls(settings: Mapping[str, str]) -> Mapping[str, str]:
    return {k: v for k, v in settings.items() if not k.startswith("tls-")}


def immutable_settings(spec: CacheSpec) -> Mapping[str, str]:
    """Give what only a new server can change, by CONFIG name."""
    return {"databases": spec.redis_configuration.get("databases", DATABASES)}


def drift_of(wanted: NodeSpec, node: Node, server: Server) -> Mapping[str, str]:
    """Pick the settings of a server, where it is, whose value is not the wanted one."""
    if node.address is None:
        return {}
    return drift(settings_at(wanted, node.address), server.settings, server.ceilings)


def drift(
    wanted: Mapping[str, str], seen: Mapping[str, str], ceilings: Mapping[str, str]
) -> Mapping[str, str]:
    """Pick the settings whose value is not the wanted one.

    Where that is beyond the machine's most, one of ``ceilings``, the most will do.
    """
    return {
        name: value
        for name, value in wanted.items()
        if name not in seen
        or _canonical(name, seen[name]) not in _good(name, value, ceilings)
    }


def _good(name: str, value: str, ceilings: Mapping[str, str]) -> set[str]:
    most = ceilings.get(name)
    capped = {most} if most is not None and int(most) < int(value) else set()
    return {_canonical(name, value), *capped}


def _size(spec: CacheSpec) -> Size:
    size = size_of(spec.sku)
    if size is None:  # api.redis.schema lets no such SKU in
        raise ValueError(spec.sku.size)
    return size


def _canonical(name: str, value: str) -> str:
    """Spell a value in the one way that makes equal settings equal texts."""
    if name != NOTIFY:
        return value
    return "".join(sorted(set(value.replace("A", _ALL_EVENTS))))
