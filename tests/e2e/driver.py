"""A client in a process of its own that answers one call after the other.

A call is a line of JSON on its standard input; the answer is one on its standard
output, ``{"result": …}`` or ``{"code": …, "message": …}``. The scripts in `SCRIPTS` do
that for each client, and only pass on: what they are asked for is in the tests.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parent / "drivers"
SECONDS = 120.0  # for one call; none takes more than a few


class RefusedError(Exception):
    """The client raised an error; ``code`` is ARM's, or the error's name."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Driver:
    """The client's end of the line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, call: object) -> Any:  # noqa: ANN401 (JSON: the tests know its shape)
        """Make one call and give its result; raises `RefusedError`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        watchdog = threading.Timer(SECONDS, self._process.kill)
        watchdog.start()
        try:
            self._process.stdin.write(json.dumps(call) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        finally:
            watchdog.cancel()
        assert line, f"the client ended, or took more than {SECONDS} s for {call}"
        answer = json.loads(line)
        if "result" not in answer:
            raise RefusedError(answer["code"], answer["message"])
        return answer["result"]


@contextlib.contextmanager
def driving(command: list[str], variables: Mapping[str, str]) -> Iterator[Driver]:
    """Run a client for as long as the block lasts."""
    with subprocess.Popen(
        command,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Driver(process)
        finally:
            process.kill()
