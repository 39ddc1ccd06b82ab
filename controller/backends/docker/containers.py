"""What is done to one container, whatever the engine answers on the way.

An answer may get lost after the engine has acted, and one status means many things
(409: a name is taken, or a removal is on its way), so the container's own state
decides what happened.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from http import HTTPStatus

import tenacity

from controller.backends.docker.engine import (
    Engine,
    ImageMissingError,
    Json,
    LostError,
    RefusedError,
)
from controller.backends.words import LINES
from controller.errors import PortTakenError, TerminalError, TransientError
from controller.model import Ports

REMOVAL_SECONDS = 5.0  # for a removal that somebody else began

_PORT_TAKEN = ("port is already allocated", "address already in use")


class Containers:
    """Creates, runs and removes containers, each named by its name or id."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pulling = threading.Lock()

    def inspect(self, container: str) -> Json | None:
        """Ask for all about a container; ``None``: there surely is none."""
        return self._engine.look(lambda api: api.inspect_container(container))

    def labelled(self, label: str) -> Iterable[Json]:
        """List all containers with a label, running or not, in one call."""
        found: Iterable[Json] = self._engine.ask(
            lambda api: api.containers(all=True, filters={"label": label})
        )
        return found

    def create(self, name: str, body: Json) -> Json:
        """Create a container, and inspect what has its name then.

        It may be one that was there before; the caller sees whose. A missing image
        is pulled.
        """
        refusal: TransientError | None = None
        try:
            self._create(name, body)
        except (RefusedError, LostError) as error:
            refusal = error
        seen = self.inspect(name)
        if seen is None:
            raise refusal or TransientError(f"container {name} was removed at once")
        return seen

    def output(self, container: str) -> str:
        """Read the end of what a container has printed."""
        printed: bytes = self._engine.ask(
            lambda api: api.logs(container, stdout=True, stderr=True, tail=LINES)
        )
        return printed.decode(errors="replace")

    def unpack(self, container: str, path: str, files: bytes) -> None:
        """Put a tar's contents into a container, running or not."""
        self._engine.ask(lambda api: api.put_archive(container, path, files))

    def join(self, container: str, network: str, aliases: tuple[str, ...]) -> None:
        """Connect a container to a further network."""
        self._engine.tell(
            lambda api: api.connect_container_to_network(
                container, network, aliases=aliases
            )
        )

    def run(self, container: str, ports: Ports | None) -> None:
        """Start a container; one that can never start as it is makes room.

        That is the case when a program holds one of the host's ``ports``, and when a
        network is gone: the container would not know a new one of the same name.
        """
        try:
            self._engine.change(
                lambda api: api.start(container),
                done=lambda: self._status(container) == "running",
            )
        except RefusedError as error:
            taken = any(words in error.words for words in _PORT_TAKEN)
            if taken or error.status == HTTPStatus.NOT_FOUND:
                self.remove(container)
            if taken and ports is not None:
                mentioned = re.search(rf":{ports.tls}\b", error.words)
                port = ports.tls if mentioned else ports.plain
                raise PortTakenError(port, error.words) from error
            raise

    def unpause(self, container: str) -> None:
        """Let a frozen container go on."""
        self._engine.change(
            lambda api: api.unpause(container),
            done=lambda: self._status(container) == "running",
        )

    def remove(self, container: str) -> None:
        """Remove a container with its anonymous volumes, and wait until it is gone."""
        try:
            self._engine.tell(
                lambda api: api.remove_container(container, v=True, force=True)
            )
        except RefusedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return
            if error.status != HTTPStatus.CONFLICT:
                raise
            self._await_removal(container)
        except LostError:
            if self._status(container) not in {None, "removing"}:
                raise
            self._await_removal(container)

    def _create(self, name: str, body: Json) -> None:
        def create() -> None:
            self._engine.tell(
                lambda api: api.create_container_from_config(  # type: ignore[no-untyped-call]  # the stubs say nothing of it
                    body, name
                )
            )

        try:
            create()
        except ImageMissingError:
            self._pull(body["Image"])
            create()

    def _pull(self, image: str) -> None:
        if not self._pulling.acquire(blocking=False):
            raise TransientError(f"image {image} waits for another pull to end")
        try:
            self._engine.pull(image)
        except RefusedError as error:
            raise TerminalError(
                "ImageMissing",
                f"image {image} is not on this machine, and Docker cannot pull it: "
                f"{error.words}. Provide it with `docker pull {image}`",
            ) from error
        finally:
            self._pulling.release()

    def _status(self, container: str) -> str | None:
        seen = self.inspect(container)
        return seen["State"]["Status"] if seen is not None else None

    def _await_removal(self, container: str) -> None:
        again = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda status: status is not None),
            stop=tenacity.stop_after_delay(REMOVAL_SECONDS),
            wait=tenacity.wait_fixed(0.05),
        )
        try:
            again(self._status, container)
        except tenacity.RetryError as error:
            raise TransientError(
                f"container {container[:12]} is still being removed"
            ) from error
