"""The interface of a backend, and the promises that its contract suite checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

    def create(self, node: NodeKey, spec: NodeSpec) -> None:
        """Create a node with ``spec``'s files in place, and start it.

        Does not wait until the server answers. An existing node of ours is left
        alone; a name that somebody else's server has is a `TerminalError` that says
        whose. After an error nothing is left behind, or `find` shows what is.
        """
        ...

    def start(self, node: NodeKey) -> None:
        """Make an existing node run again, be it stopped or paused."""
        ...

    def remove(self, node: NodeKey) -> None:
        """Stop the node and remove it with its data; returns when it is gone."""
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

    def clean_up(self) -> None:
        """Remove what is left of ours when no node is, such as a network."""
        ...
