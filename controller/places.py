"""Where dumps lie: what a request says of a place, read and judged; pure.

Note [Places]
~~~~~~~~~~~~~
A place is the address of a container or a blob with its shared access signature, a
``file:///`` address inside the state directory, or a bare name, which stands for a
folder or a file of the emulator's own. A signature opens somebody's storage account,
so a place shows none: not in its repr, not as text, and no message quotes an address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urlsplit

CONTAINERS = "containers"  # the folder of bare names in the state directory
LONGEST_NAME = 1000  # characters; a blob's name may have 24 more

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_ADVICE = (
    "give the https:// address of a container or a blob with its SAS, a file:/// "
    "address in the emulator's state directory, or the bare name of a container"
)


@dataclass(frozen=True, slots=True)
class Remote:
    """A container or a blob on a storage server, with all that opens it."""

    url: str = field(repr=False)

    def below(self, name: str) -> Remote:
        """Give the blob of this name in the container."""
        parts = urlsplit(self.url)
        path = f"{parts.path.rstrip('/')}/{quote(name)}"
        return Remote(parts._replace(path=path).geturl())

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{parts.path}"


@dataclass(frozen=True, slots=True)
class Local:
    """A folder or a file on this machine; relative to the state directory.

    An absolute path has to lie in that directory, too; who opens it finds out.
    """

    path: PurePosixPath

    def below(self, name: str) -> Local:
        """Give the file of this name in the folder."""
        return Local(self.path / name)

    def __str__(self) -> str:
        return str(self.path)


Place = Remote | Local


def read_place(text: str) -> Place:
    """Read what a request says of a place; see Note [Places].

    Raises `ValueError` with a message that says why, and what to give instead; it
    has no full stop, and quotes nothing that could be secret.
    """
    _check_characters(text)
    scheme = _SCHEME.match(text)
    match scheme and scheme[1].lower():
        case None:
            return Local(CONTAINERS / _literal(text))
        case "http" | "https":
            return _remote(text)
        case "file":
            return _file(text)
        case _:
            raise ValueError(f"It has a scheme that is not served; {_ADVICE}")


def read_name(text: str) -> str:
    """Read the beginning of a dump's name, which may have folders; as `read_place`."""
    _check_characters(text)
    if len(text) > LONGEST_NAME:
        raise ValueError(
            f"It has {len(text)} characters; give a name of at most {LONGEST_NAME}"
        )
    return str(_literal(text))


def _remote(text: str) -> Remote:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host:
        raise ValueError(f"It has no host, or no port, that can be read; {_ADVICE}")
    if "@" in parts.netloc:
        raise ValueError(
            "It has a user name or a password; put what opens the storage into the "
            "query, as a SAS does"
        )
    if "#" in text:
        raise ValueError("It has a '#', which ends an address; write %23 for it")
    if not parts.path.strip("/"):
        raise ValueError(f"It names a host, and no container there; {_ADVICE}")
    _downwards(unquote(parts.path).removeprefix("/").removesuffix("/"))
    return Remote(text)


def _file(text: str) -> Local:
    parts = urlsplit(text)
    if parts.netloc or not text.lower().startswith("file:///"):
        raise ValueError("It names no absolute path; begin it with file:///")
    if parts.query or parts.fragment:
        raise ValueError("It has a '?' or a '#'; write %3F or %23 in a file's name")
    path = unquote(parts.path).removeprefix("/").removesuffix("/")
    return Local("/" / _downwards(path))


def _literal(text: str) -> PurePosixPath:
    """Read a path that is no address: ``%2e`` is text, and suspicious all the same."""
    if "?" in text:
        raise ValueError("It has a '?'; begin an address with its scheme, https://")
    _downwards(unquote(text))
    return _downwards(text)


def _downwards(path: str) -> PurePosixPath:
    """Read a path below something, each step of which leads further down."""
    if "\\" in path or {"", ".", ".."} & {step.strip() for step in path.split("/")}:
        raise ValueError(
            "It has a backslash, or a step that is empty or dots; name each folder on "
            "the way down, with one / between them"
        )
    return PurePosixPath(path)


def _check_characters(text: str) -> None:
    if text != text.strip() or not unquote(text).isprintable():
        raise ValueError(
            "It has a control character, or white space around it; leave those out"
        )
