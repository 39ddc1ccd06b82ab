"""The interface of a backend, and the promises that its contract suite checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Protocol

from controller.model import CacheKey, Endpoint, Ports
from controller.nodes import Node, NodeKey, NodeSpec


class Backend(Protocol):
    """Runs at most one node per key, each labelled as this instance's own.

    Every method may be repeated: creating what exists and removing what does not
    are no errors. Methods raise `TransientError`, `TerminalError` or
    `PortTakenError`, never the errors of the engine's own client. No method talks
    to the server inside. Nodes of another instance are never listed nor touched.
    """

    name: str  # "docker" | "process" | "mocked"

    def describe(self) -> str:
        """Say in one line what this is and where, for the banner and ``/readyz``."""
        ...

    def list(self) -> Mapping[NodeKey, Node]:
        """Find every node of this instance, in one call to the engine."""
        ...

    def find(self, node: NodeKey) -> Node | None:
        """Look one node up; ``None`` means that surely none of ours is there."""
        ...

    def leftovers(self) -> AbstractSet[NodeKey]:
        """Name nodes of which there are data, and nothing else."""
        ...

    def create(
        self,
        node: NodeKey,
        spec: NodeSpec,
        *,
        keep_data: bool = False,
        seed: Path | None = None,
    ) -> None:
        """Create a node with ``spec``'s files in place, and start it.

        It starts with the data that were kept of a former one of the same uid, or from
        the dump file ``seed``, or with none. Does not wait until the server answers. An
        existing node of ours is left alone; a name that somebody else's server has is a
        `TerminalError` that says whose. After an error nothing is left behind, or
        `find` shows what is.
        """
        ...

    def start(self, node: NodeKey, *, keep_data: bool) -> None:
        """Make an existing node run again, be it stopped or paused.

        A stopped one starts with what it has written down only if its data are to be
        kept; otherwise with none, as one does that keeps nothing on disk.
        """
        ...

    def remove(self, node: NodeKey, *, keep_data: bool = False) -> None:
        """Stop the node and remove it; returns when it is gone.

        Its data go too, unless they are to be kept for one that is created anew.
        """
        ...

    def prepare(self, node: NodeKey, spec: NodeSpec) -> None:
        """Have a node that is there start with ``spec``'s settings the next time.

        Its certificate is in place then; users and data are the server's own to keep.
        """
        ...

    def read_dump(self, node: NodeKey, target: Path) -> None:
        """Copy the file to which the server saved its data."""
        ...

    def drop_dump(self, node: NodeKey) -> None:
        """Forget what the server saved, so that no restart brings it back."""
        ...

    def watch(self, notify: Callable[[CacheKey], None]) -> None:
        """Report nodes whose state changed, until the engine ends the stream.

        Returns or raises `TransientError` at the end; the caller looks at
        everything again and calls anew. Blocks meanwhile.
        """
        ...

    def endpoint(self, cache: CacheKey, ports: Ports) -> Endpoint:
        """Say where the cache's users reach it; asks nobody."""
        ...

    def close(self) -> None:
        """End `watch`, now and for ever; all else goes on working."""
        ...

    def names(self, cache: CacheKey) -> tuple[str, ...]:
        """Give the names under which users reach the cache, besides localhost."""
        ...

    def isolates(self) -> bool:
        """Tell whether nodes that are not published are out of others' reach."""
        ...

    def clean_up(self) -> None:
        """Remove what is left of ours when no node is, such as a network."""
        ...
