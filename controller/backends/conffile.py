"""The file that a server reads its settings from at the start; pure."""

from __future__ import annotations

from collections.abc import Mapping

from controller.nodes import NodeSpec

# A cache keeps nothing on disk by itself. Debian's build has protected mode on, and
# would refuse everybody who does not come by the loopback interface.
_ALWAYS = {"protected-mode": "no", "save": "", "appendonly": "no"}


def conf_file(spec: NodeSpec, places: Mapping[str, str]) -> str:
    """Write the settings of ``spec``, and ``places``: port, directories, files.

    No password is in it: users stand in the ``aclfile`` that ``places`` names.
    """
    directives = {**_ALWAYS, **spec.immutable, **spec.settings, **places}
    return "".join(f"{name} {_quote(value)}\n" for name, value in directives.items())


def _quote(value: str) -> str:
    """Spell a value as one argument, whatever is in it (sdssplitargs of Valkey)."""
    return f'"{"".join(_escape(character) for character in value)}"'


def _escape(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode())
