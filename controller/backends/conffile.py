"""The file that a server reads its settings from at the start; pure."""

from __future__ import annotations

from collections.abc import Mapping

from controller import config
from controller.nodes import Address, NodeSpec

# Debian's build has protected mode on, and would refuse everybody who does not come by
# the loopback interface. Users are let in by passwords, not by certificates.
_ALWAYS = {"protected-mode": "no", "dbfilename": config.DUMP_FILE}
_WITH_TLS = {"tls-auth-clients": "no"}

# A dump of nothing, for a server that may hold what a former one left: the header, the
# end, and no checksum. Source: rdb.c of Redis, version 9 of the format.
EMPTY_DUMP = b"REDIS0009\xff" + bytes(8)


def conf_file(spec: NodeSpec, address: Address, places: Mapping[str, str]) -> str:
    """Write the settings of ``spec``, and ``places``: directories, files.

    No password is in it: users stand in the ``aclfile`` that ``places`` names.
    """
    directives = {
        **_ALWAYS,
        **(_WITH_TLS if address.speaks_tls else {}),
        **spec.immutable,
        **config.settings_at(spec, address),
        **places,
    }
    lines = [f"{name} {_quote(value)}\n" for name, value in directives.items()]
    renamed = [f"rename-command {a} {_quote(b)}\n" for a, b in spec.renames.items()]
    return "".join((*lines, *renamed))


def _quote(value: str) -> str:
    """Spell a value as one argument, whatever is in it (sdssplitargs of Valkey)."""
    return f'"{"".join(_escape(character) for character in value)}"'


def _escape(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode())
