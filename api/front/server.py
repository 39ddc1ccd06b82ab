"""The HTTP server as a whole: waitress, which knows no TLS, behind the front."""

from __future__ import annotations

import json
import logging
import shutil
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import waitress.adjustments  # type: ignore[import-untyped]  # it has no types
import waitress.channel  # type: ignore[import-untyped]
import waitress.server  # type: ignore[import-untyped]
import waitress.task  # type: ignore[import-untyped]
import waitress.wasyncore  # type: ignore[import-untyped]

from api.front.limits import Limits
from api.front.listener import Front, Sockets

THREADS = 8
SIGNAL_SECONDS = 0.5  # a signal waits no longer than that
READ_BYTES = 8 << 20  # more than is accepted: a client cut short hears no answer

Wsgi = Callable[..., Iterable[bytes]]


class HttpServer:
    """Answers HTTP and HTTPS on one listening socket."""

    def __init__(
        self,
        app: Wsgi,
        listener: socket.socket,
        context: ssl.SSLContext,
        limits: Limits,
    ) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="azure-redis-emulator-"))
        sockets = Sockets(self._directory / "http", self._directory / "https")
        self._ended = threading.Event()
        self._inside = _Inside(app, sockets, limits, self._ended)
        self._front = Front(listener, sockets, context, limits, self._ended)

    def start(self) -> None:
        """Answer from now on."""
        self._inside.start()
        self._front.start()

    def wait(self) -> None:
        """Block until it serves no more, be it after `drain` or for a fault.

        The system may give a signal to any thread, and Python answers it in the main
        thread alone, when that wakes up: so it does, now and then.
        """
        while not self._ended.wait(SIGNAL_SECONDS):
            pass

    def drain(self, seconds: float) -> None:
        """Take no new request, and wait until the last answer is out, or time is up."""
        deadline = time.monotonic() + seconds
        self._front.drain(seconds)
        self._inside.stop(max(deadline - time.monotonic(), 0))
        shutil.rmtree(self._directory)

    def reload_certificate(self, context: ssl.SSLContext) -> None:
        """Use another certificate for connections that come from now on."""
        self._front.reload_certificate(context)


class _Inside:
    """waitress, on one socket for each URL scheme, with threads common to both."""

    def __init__(
        self, app: Wsgi, sockets: Sockets, limits: Limits, ended: threading.Event
    ) -> None:
        # that requests queue is what the queue is for
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._ended = ended
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)
        self._workers = waitress.task.ThreadedTaskDispatcher()
        self._channels: dict[int, Any] = {}
        for scheme, path in (("http", sockets.http), ("https", sockets.https)):
            self._server = _Server(
                app,
                map=self._channels,
                dispatcher=self._workers,
                adj=_adjustments(scheme, path, limits),
            )

    def start(self) -> None:
        self._workers.set_thread_count(THREADS)
        self._thread.start()

    def stop(self, seconds: float) -> None:
        self._workers.shutdown(timeout=seconds)
        if self._workers.threads:
            return  # they still answer, to nobody; it all ends with the process
        close_all = partial(waitress.wasyncore.close_all, self._channels)
        self._server.trigger.pull_trigger(close_all)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._server.run()  # both of them: they share their channels
        finally:
            self._ended.set()


def _adjustments(scheme: str, path: Path, limits: Limits) -> Any:  # noqa: ANN401 (untyped)
    return waitress.adjustments.Adjustments(
        unix_socket=str(path),
        url_scheme=scheme,
        connection_limit=4 * limits.connections,  # never reached: the front counts
        channel_timeout=limits.idle_seconds,
        outbuf_high_watermark=1 << 20,  # an answer is made as fast as it is taken
        cleanup_interval=min(limits.idle_seconds, 5),
        max_request_body_size=READ_BYTES,
        asyncore_use_poll=True,
        ident=None,
        log_socket_errors=False,  # clients may hang up as they like
    )


class _Refusal(waitress.task.ErrorTask):  # type: ignore[misc]  # waitress has no types
    """Answers what waitress itself refuses, in ARM's envelope."""

    def execute(self) -> None:
        error: Any = self.request.error
        code = str(error.reason).title().replace(" ", "")
        body = json.dumps({"error": {"code": code, "message": str(error.body)}})
        self.status = f"{error.code} {error.reason}"
        self.response_headers += [
            ("Content-Type", "application/json; charset=utf-8"),
            ("x-ms-failure-cause", "gateway"),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body.encode())


class _Channel(waitress.channel.HTTPChannel):  # type: ignore[misc]  # as above
    error_task_class = _Refusal


class _Server(waitress.server.UnixWSGIServer):  # type: ignore[misc]  # as above
    channel_class = _Channel
