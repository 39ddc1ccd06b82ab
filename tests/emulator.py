"""The whole emulator as a process of its own, for tests that kill and connect."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import redis
import requests

API_VERSION = "2024-11-01"
SUBSCRIPTION = "my-sub"
GROUP = "my-rg"
PATIENCE_SECONDS = 30.0
PORTS_EACH = 12  # of each kind, for one emulator

# Byte n is locked by the test run that uses port n: between a look at a port and the
# start of what listens on it, another run would find it free as well.
_CLAIMS = Path(tempfile.gettempdir()) / f"azure-redis-emulator-ports-{os.getuid()}"
_claims = _CLAIMS.open("a")

_Value = TypeVar("_Value")


def eventually(
    look: Callable[[], _Value | None], seconds: float = PATIENCE_SECONDS
) -> _Value:
    """Ask until the answer is true, and give it; fail with the last one."""
    pause = threading.Event()
    deadline = time.monotonic() + seconds
    while not (value := look()):
        assert time.monotonic() < deadline, f"still {value!r} after {seconds} s"
        pause.wait(0.05)
    return value


def free_ports(count: int) -> int:
    """Claim ``count`` ports in a row that nobody uses, below 32768; gives the first.

    Rows begin at multiples of ``count``, so that no two of them overlap. They are kept
    from other test runs for as long as this one lasts.
    """
    start = 10_000 // count + os.getpid() % (20_000 // count)
    for first in range(start * count, 32_000, count):
        with contextlib.ExitStack() as held:
            try:
                fcntl.lockf(_claims, fcntl.LOCK_EX | fcntl.LOCK_NB, count, first)
                for port in range(first, first + count):
                    held.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
            return first
    raise AssertionError("no free ports")


class Door(NamedTuple):
    """Where users are let in to a cache: by TLS, if its server knows any."""

    port: int
    tls: bool

    def client(self, key: str, **settings: Any) -> redis.Redis:  # noqa: ANN401 (redis-py's)
        """Connect; who signed the certificate is for other tests to look at."""
        secure: dict[str, Any] = {"ssl_cert_reqs": "none"} if self.tls else {}
        return redis.Redis(
            host="127.0.0.1",
            port=self.port,
            password=key,
            ssl=self.tls,
            **secure,
            **settings,
        )


class Emulator:
    """One ``python -m api`` with ports and a state directory of its own."""

    def __init__(self, state: Path, **variables: str) -> None:
        first = free_ports(2 * PORTS_EACH + 1)
        self.base = f"http://127.0.0.1:{first}"
        self.secure = f"https://localhost:{first}"
        self.ports = range(first + 1, first + PORTS_EACH + 1)
        self.directory = state
        self.log = state / "emulator.log"
        self.bundle = state / "ca-bundle.pem"
        self._environment = {
            **os.environ,
            "FLOCI_AZ_PORT": str(first),
            "FLOCI_AZ_STATE_DIR": str(state),
            "FLOCI_AZ_SERVICES_REDIS_BASE_PORT": str(self.ports[0]),
            "FLOCI_AZ_SERVICES_REDIS_MAX_PORT": str(self.ports[-1]),
            "FLOCI_AZ_SERVICES_REDIS_BASE_SSL_PORT": str(first + PORTS_EACH + 1),
            "FLOCI_AZ_SERVICES_REDIS_MAX_SSL_PORT": str(first + 2 * PORTS_EACH),
            "FLOCI_AZ_LOG_FORMAT": "json",
            "FLOCI_AZ_LOG_LEVEL": "debug",
            **variables,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it says that it is ready."""
        self.launch()
        eventually(self._ready)

    def launch(self) -> None:
        """Start it, and wait for nothing."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "api"],
                env=self._environment,
                cwd=Path(__file__).parents[1],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop it in its tracks for as long as the block lasts."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self, seconds: float = PATIENCE_SECONDS) -> int:
        """End it as an operator would; gives the exit status."""
        return self._end(signal.SIGTERM, seconds)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        seconds: float = PATIENCE_SECONDS,
    ) -> requests.Response:
        """Send one ARM request; ``path`` begins behind the provider's resource type."""
        url = path if path.startswith("http") else self.base + resource(path)
        version = {} if "api-version=" in url else {"api-version": API_VERSION}
        return requests.request(method, url, params=version, json=body, timeout=seconds)

    def create(self, name: str, **properties: object) -> Mapping[str, Any]:
        """Put a Basic C0 cache and wait until it is ready."""
        answer = self.call("PUT", name, basic(**properties))
        assert answer.status_code == 201, answer.text
        return self.settled(name)

    def settled(self, name: str) -> Mapping[str, Any]:
        """Wait until the cache is ready, and give its properties."""

        def look() -> Mapping[str, Any] | None:
            shown = self.call("GET", name).json()["properties"]
            return shown if shown["provisioningState"] == "Succeeded" else None

        return eventually(look)

    def state(self, name: str) -> str:
        """Read the cache's ``provisioningState``."""
        shown: str = self.call("GET", name).json()["properties"]["provisioningState"]
        return shown

    def ended(self, answer: requests.Response) -> Mapping[str, Any]:
        """Follow the operation that a write began, and give it as it ended."""
        url = answer.headers["Azure-AsyncOperation"]

        def look() -> Mapping[str, Any] | None:
            shown: Mapping[str, Any] = self.call("GET", url).json()
            return shown if shown["status"] != "InProgress" else None

        return eventually(look)

    def rotate(self, name: str, which: str = "Primary") -> Mapping[str, str]:
        """Regenerate a key; gives both once the answer is out."""
        answer = self.call("POST", f"{name}/regenerateKey", {"keyType": which})
        assert answer.status_code == 200, answer.text
        keys: Mapping[str, str] = answer.json()
        return keys

    def delete(self, name: str) -> None:
        """Delete the cache and wait until nothing is left of it."""
        assert self.call("DELETE", name).status_code == 202
        eventually(lambda: self.call("GET", name).status_code == 404)

    def keys(self, name: str) -> Mapping[str, str]:
        """List the access keys."""
        shown: Mapping[str, str] = self.call("POST", f"{name}/listKeys").json()
        return shown

    def connect(self, name: str, key: str | None = None) -> redis.Redis:
        """Connect to the cache as its users do, by default with the primary key."""
        key = key or self.keys(name)["primaryKey"]
        return self.door(name).client(key, decode_responses=True)

    def door(self, name: str) -> Door:
        """Ask where users of the cache are let in."""
        shown = self.call("GET", name).json()["properties"]
        if self._knows_tls():
            return Door(shown["sslPort"], tls=True)
        return Door(shown["port"], tls=False)

    def _knows_tls(self) -> bool:
        answer = requests.get(f"{self.base}/_emulator/status", timeout=PATIENCE_SECONDS)
        return "without TLS" not in answer.json()["backend"]

    def reasons(self) -> list[str]:
        """Ask why it is not ready; no reason: it is."""
        answer = requests.get(f"{self.base}/readyz", timeout=PATIENCE_SECONDS)
        reasons: list[str] = answer.json()["reasons"]
        assert answer.status_code == (503 if reasons else 200)
        return reasons

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(requests.ConnectionError):
            return not self.reasons()
        return False

    def _end(self, number: signal.Signals, seconds: float = PATIENCE_SECONDS) -> int:
        process = self.process  # another thread may end it, too
        if process is None:
            return 0
        process.send_signal(number)
        status = process.wait(seconds)
        if self.process is process:  # else somebody has started the next one already
            self.process = None
        return status


def basic(**properties: object) -> dict[str, object]:
    """Give the smallest body that creates a cache."""
    sku = {"name": "Basic", "family": "C", "capacity": 0}
    return {"location": "westeurope", "properties": {"sku": sku, **properties}}


def resource(path: str, group: str = GROUP) -> str:
    """Give the path of a cache, and of what is below it."""
    return (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}"
        f"/providers/Microsoft.Cache/redis/{path}"
    )


@contextlib.contextmanager
def running(state: Path, **variables: str) -> Iterator[Emulator]:
    """Run an emulator for as long as the block lasts."""
    emulator = Emulator(state, **variables)
    emulator.start()
    try:
        yield emulator
    finally:
        emulator.stop()
