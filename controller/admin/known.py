"""What is known of one server: what it told, and what it does not tell."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from controller.admin.seat import Seat
from controller.nodes import AclUser, Address
from controller.spec import KeyDigest


@dataclass(slots=True)
class Known:
    """What was learnt of one server, which it does not tell.

    ``ceilings`` are the most that its machine gave of a setting. ``spellings`` has, by
    user, the rules as they were set, and as the server lists them. ``trial`` is what
    ``accepted`` was found for; it need not be found out again while that is the same.
    """

    uid: str
    address: Address
    seat: Seat
    ceilings: dict[str, str] = field(default_factory=dict)
    spellings: dict[str, tuple[str, str]] = field(default_factory=dict)
    trial: tuple[object, ...] = ()
    accepted: frozenset[KeyDigest] = frozenset()

    def respelled(self, user: AclUser) -> AclUser:
        """Give the rules as they were set: the server may have other words for them."""
        wanted, listed = self.spellings.get(user.name, ("", ""))
        return replace(user, rules=wanted) if user.rules == listed else user


@dataclass(frozen=True, slots=True)
class Told:
    """What a server said of itself; ``run_id`` is another one after each start.

    ``follows`` says that it is the replica of another one.
    """

    users: dict[str, AclUser]
    settings: dict[str, str]
    run_id: str
    follows: bool
