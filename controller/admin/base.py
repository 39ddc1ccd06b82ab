"""What the controller asks of a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from controller.model import CacheKey
from controller.nodes import AclUser, Loaded, Node, NodeKey, Pause, Server
from controller.spec import AccessKeys, Secret


class Data(Protocol):
    """What is done to all that a server holds; mocked like `Admin`.

    All methods raise `TransientError`, and what ``pause`` raises.
    """

    def dump(self, node: Node, pause: Pause) -> None:
        """Have a server write all it holds to its dump file; others are served.

        Raises `ErrandError` if it cannot.
        """
        ...

    def loaded(self, node: Node) -> Loaded | None:
        """Ask a server how far it is; ``None``: no answer yet."""
        ...

    def add(self, node: Node, source: Node, pause: Pause) -> None:
        """Copy all keys of ``source`` to a server, over those of the same names."""
        ...

    def replace(
        self, node: Node, source: Node, memory_bytes: int, pause: Pause
    ) -> None:
        """Make what ``source`` holds all that a server holds; its clients stay.

        The server may use ``memory_bytes``. If it fails the server has its old data,
        or, where there is no room for both, maybe none. Raises `ErrandError` when it
        was started anew meanwhile.
        """
        ...

    def lead(self, node: Node) -> None:
        """Have a server follow no other one."""
        ...


class Admin(Protocol):
    """What the controller asks of a server; mocked in `controller.backends.mocked`."""

    @property
    def data(self) -> Data:
        """What moves all data at once."""
        ...

    def password(self, uid: str) -> Secret:
        """Derive the password of the controller's own user on a cache's servers."""
        ...

    def look(self, node: Node, keys: AccessKeys) -> Server | None:
        """Ask for users and settings, and try both keys; ``None``: no answer.

        Raises `TransientError` for a server that says it has no time: it is not dead.
        """
        ...

    def apply_users(
        self,
        node: Node,
        users: tuple[AclUser, ...],
        drop: frozenset[str],
        disconnect: frozenset[str] = frozenset(),
    ) -> None:
        """Set each user in one atomic command, drop others, and save to the aclfile.

        Ends the connections of ``disconnect``, which are users by name.

        Raises `TransientError`.
        """
        ...

    def disconnect(self, node: Node) -> None:
        """End all connections but the controller's.

        Raises `TransientError`.
        """
        ...

    def apply_settings(self, node: Node, settings: Mapping[str, str]) -> None:
        """``CONFIG SET`` each of them. Raises `TransientError`, `PortTakenError`.

        Where all changes are to be kept from now on, the data of before are, too.
        """
        ...

    def flush(self, node: Node) -> None:
        """Empty all databases. Raises `TransientError`."""
        ...

    def save(self, node: Node) -> None:
        """Have all data written to the dump file; takes its time.

        Writes are put off meanwhile, and for a moment after. Raises `TransientError`.
        """
        ...

    def judge(self, cache: CacheKey, permissions: str) -> str | None:
        """Ask a cache's server what is wrong with rules for a user; ``None``: nothing.

        Raises `TransientError` when it cannot be asked.
        """
        ...

    def forget(self, node: NodeKey) -> None:
        """Let go of what is kept for a node, which is gone for good."""
        ...
