"""Which host port belongs to which cache.

Note [Fixed ports]
~~~~~~~~~~~~~~~~~~
A cache keeps its ports from creation to deletion, because clients keep them. The
engine is never asked to pick one: an ephemeral port changes at each restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol

from controller.errors import PortsExhaustedError
from controller.model import Ports

PLAIN_PORT = 6379  # the well-known pair: what a cache has in Azure
TLS_PORT = 6380
AVOID_SECONDS = 60.0  # before a port that was taken is tried again


@dataclass(frozen=True, slots=True)
class PortRange:
    """Ports from ``first`` to ``last``, both included; ``setting`` widens it."""

    first: int
    last: int
    setting: str


class Ledger(Protocol):
    """Gives ports to caches. Called under the store's lock, so it has none."""

    def reserve(self) -> Ports:
        """Give two free ports, or raise `PortsExhaustedError`."""
        ...

    def take(self, ports: Ports) -> None:
        """Give these to nobody: a cache has them from before."""
        ...

    def release(self, ports: Ports) -> None:
        """Take the ports of a cache that is gone back."""
        ...

    def avoid(self, port: int) -> None:
        """Give ``port`` to nobody for a while: a program was seen on it."""
        ...


@contextmanager
def reserved(ledger: Ledger) -> Iterator[Ports]:
    """Reserve ports, and give them back if what they are for comes to nothing."""
    with ExitStack() as undo:
        ports = ledger.reserve()
        undo.callback(ledger.release, ports)
        yield ports
        undo.pop_all()


class NoLedger:
    """Every cache has Azure's own ports: for the mocked backend, which opens none."""

    def reserve(self) -> Ports:
        """Give the well-known pair."""
        return Ports(plain=PLAIN_PORT, tls=TLS_PORT)

    def take(self, ports: Ports) -> None:
        """Do nothing."""

    def release(self, ports: Ports) -> None:
        """Do nothing."""

    def avoid(self, port: int) -> None:
        """Do nothing."""


class PortLedger:
    """Ports from two ranges, lowest first.

    The well-known TLS port goes with the well-known plain one, and is never given as
    a plain port. ``free`` asks the machine whether a port can be bound.
    """

    def __init__(
        self,
        plain: PortRange,
        tls: PortRange,
        free: Callable[[int], bool],
        monotonic: Callable[[], float],
    ) -> None:
        self._plain = plain
        self._tls = tls
        self._free = free
        self._monotonic = monotonic
        self._taken: set[int] = set()
        self._avoid: dict[int, float] = {}

    def reserve(self) -> Ports:
        """Give two free ports, or raise `PortsExhaustedError`."""
        plain = self._pick(self._plain, _range(self._plain), exclude={TLS_PORT})
        paired = [TLS_PORT] if plain == PLAIN_PORT else []
        tls = self._pick(self._tls, (*paired, *_range(self._tls)), exclude={plain})
        ports = Ports(plain=plain, tls=tls)
        self.take(ports)
        return ports

    def take(self, ports: Ports) -> None:
        """Give these to nobody: a cache has them from before."""
        self._taken |= {ports.plain, ports.tls}

    def release(self, ports: Ports) -> None:
        """Take the ports of a cache that is gone back."""
        self._taken -= {ports.plain, ports.tls}

    def avoid(self, port: int) -> None:
        """Give ``port`` to nobody for a while: a program was seen on it."""
        self._avoid[port] = self._monotonic() + AVOID_SECONDS

    def _pick(
        self, source: PortRange, candidates: Iterable[int], exclude: set[int]
    ) -> int:
        now = self._monotonic()
        for port in candidates:
            known_free = port not in self._taken | exclude
            if known_free and self._avoid.get(port, now) <= now and self._free(port):
                return port
        raise PortsExhaustedError(source.first, source.last, source.setting)


def _range(ports: PortRange) -> range:
    return range(ports.first, ports.last + 1)
