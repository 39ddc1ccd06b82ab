"""The Docker engine: its client, made when needed, and its errors, translated.

The only module that imports the Docker SDK. Callers hand in what to do with the
client, and get `TransientError` or `TerminalError` for whatever goes wrong.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import tenacity
import urllib3.exceptions
from docker import APIClient
from docker.errors import APIError, DockerException, ImageNotFound, StreamParseError
from docker.types import CancellableStream
from docker.utils import kwargs_from_env

from controller.errors import ControllerError, TerminalError, TransientError

_T = TypeVar("_T")
Json = dict[str, Any]  # an object of the engine's API

CALL_SECONDS = 10  # a hung daemon holds a worker for no longer; the SDK's own is 60
RETRY_SECONDS = 2.0  # for all attempts at a question; one at a hung daemon uses it up


class RefusedError(TransientError):
    """The engine said no; ``status`` is HTTP's, ``words`` are the engine's own.

    What it means depends on the call: 409 and 500 are no classes of their own.
    """

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"Docker answered {status}: {words}")
        self.status = status
        self.words = words


class ImageMissingError(RefusedError):
    """The engine does not have the image."""


class LostError(TransientError):
    """No reply came: the daemon is down or hangs, and may have acted all the same."""


class Engine:
    """The daemon that ``DOCKER_HOST`` names; may be used from any thread."""

    def __init__(self) -> None:
        self._closed = threading.Event()
        self._client: APIClient | None = None
        self._stream: CancellableStream[Json] | None = None

    @property
    def where(self) -> str:
        """Name the daemon for people."""
        return os.environ.get("DOCKER_HOST") or "its usual socket"

    def tell(self, call: Callable[[APIClient], _T]) -> _T:
        """Make a call once. After a `LostError` only a look shows what happened."""
        with self._translated():
            return call(self._connected())

    def ask(self, call: Callable[[APIClient], _T]) -> _T:
        """Make a call that does no harm twice; lost connections are tried again."""
        again = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(LostError),
            stop=tenacity.stop_before_delay(RETRY_SECONDS),
            wait=tenacity.wait_exponential(0.05, max=0.5),
            reraise=True,
        )
        answer: _T = again(self.tell, call)
        return answer

    def change(
        self, call: Callable[[APIClient], object], done: Callable[[], bool]
    ) -> None:
        """Make a call once; where it gets no good reply, ``done`` looks at its effect.

        The reply may be lost, or somebody else may have done it already.
        """
        try:
            self.tell(call)
        except (LostError, RefusedError):
            if not done():
                raise

    def look(self, call: Callable[[APIClient], Json]) -> Json | None:
        """Ask for one object; ``None``: the engine has no such thing."""
        try:
            return self.ask(call)
        except RefusedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def pull(self, image: str) -> None:
        """Fetch an image; `RefusedError` with the engine's words when it cannot."""
        self.tell(lambda api: drain(api.pull(image, stream=True, decode=True)))

    def events(self, filters: Mapping[str, list[str]]) -> Iterator[Json]:
        """Yield what happens, until the engine or `close` ends the stream."""
        stream = self.tell(lambda api: api.events(filters=dict(filters), decode=True))
        self._stream = stream  # before the look at _closed, which `close` sets first
        try:
            if not self._closed.is_set():
                with self._translated():
                    yield from stream
        finally:
            _end(stream)

    def close(self) -> None:
        """End `events`, now and for ever; other calls go on working."""
        self._closed.set()
        if self._stream is not None:
            _end(self._stream)
        if self._client is not None:
            self._client.close()

    def _connected(self) -> APIClient:
        # No lock: two clients do no harm, and nobody waits for another's time-out.
        if self._client is None:
            self._client = APIClient(timeout=CALL_SECONDS, **kwargs_from_env())
        return self._client

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except APIError as error:
            raise _refusal(error) from error
        except (
            DockerException,
            StreamParseError,
            OSError,  # all errors of requests are
            urllib3.exceptions.HTTPError,  # from within a stream
        ) as error:
            raise LostError(
                f"Docker at {self.where} does not answer: {error}. Start its daemon, "
                "or name another one in DOCKER_HOST"
            ) from error


def _refusal(error: APIError) -> ControllerError:
    status = error.status_code or HTTPStatus.INTERNAL_SERVER_ERROR
    words = error.explanation or str(error)
    if status == HTTPStatus.BAD_REQUEST:
        return TerminalError(
            "RefusedByDocker",
            f"Docker refuses the request: {words}. Correct the setting that it names",
        )
    if isinstance(error, ImageNotFound):
        return ImageMissingError(status, words)
    return RefusedError(status, words)


def drain(progress: Iterable[Json]) -> None:
    """Read a pull to its end; `RefusedError` for a failure in the middle of it."""
    for line in progress:
        if "error" in line:
            raise RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR, line["error"])


def _end(stream: CancellableStream[Json]) -> None:
    # A stream that the engine has ended has no socket left to close, and the SDK
    # cannot close one that goes over SSH.
    with contextlib.suppress(AttributeError, OSError, DockerException):
        stream.close()
