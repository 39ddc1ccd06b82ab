"""The composition root picks what runs the caches, and says why."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from api import __main__ as command
from api import emulator, engine
from api.engine import NoEngineError, choose
from controller.errors import PortsExhaustedError
from controller.model import Endpoint, Ports
from controller.settings import Settings
from controller.spec import Secret
from controller.statedir import Instance
from tests import builders as b

INSTANCE = Instance(id="0123456789abcdef", secret=Secret("of a test"))


@pytest.fixture(autouse=True)
def no_daemon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have no Docker daemon answer."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")


def settings(**redis: object) -> Settings:
    """Make settings, given those of ``services.redis`` in the file."""
    return Settings.model_validate({"floci-az": {"services": {"redis": redis}}})


@pytest.mark.parametrize(
    ("chosen", "backend", "why"),
    [
        (settings(), "process", "no Docker daemon can be used"),
        (settings(backend="process"), "process", "the settings name it"),
        (settings(backend="docker"), "docker", "the settings name it"),
        (settings(mocked=True), "mocked", "caches are mocked"),
        (settings(enabled=False), "mocked", "caches are turned off"),
        (settings(backend="docker", mocked=True), "mocked", "caches are mocked"),
    ],
    ids=["auto", "process", "docker", "mocked", "off", "mocked wins"],
)
def test_the_choice_has_a_reason(chosen: Settings, backend: str, why: str) -> None:
    """Where the settings leave it open, what works here is taken."""
    found = choose(chosen, INSTANCE, b.AUTHORITY)
    assert found.backend.name == backend
    assert found.why.startswith(why)
    found.backend.close()


@pytest.mark.parametrize("backend", ["auto", "process"])
def test_nothing_is_mocked_by_itself(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can run a cache the start fails, and says what could be done."""
    monkeypatch.setattr(engine, "find_binary", lambda: None)
    with pytest.raises(
        NoEngineError, match=r"Start Docker, or install valkey, or set "
    ):
        choose(settings(backend=backend), INSTANCE, b.AUTHORITY)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Listen on a port, as another program."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def test_a_port_of_another_program_is_not_given_to_a_cache(
    listener: socket.socket,
) -> None:
    """The message names the range and the setting that widens it."""
    port = listener.getsockname()[1]
    chosen = settings(**{"backend": "process", "base-port": port, "max-port": port})
    ledger = emulator._ledger(chosen, choose(chosen, INSTANCE, b.AUTHORITY))
    with pytest.raises(PortsExhaustedError, match=f"{port}-{port}.*MAX_PORT"):
        ledger.reserve()


def test_a_second_signal_ends_the_process_at_once() -> None:
    """The first one leaves the others to the system, which does not wait."""
    before = {s: signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        with pytest.raises(KeyboardInterrupt):
            command._interrupt(signal.SIGTERM, None)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_caches_may_say_that_they_are_in_azure() -> None:
    """Names and ports are Azure's then, whatever the machine has for them."""
    ports = Ports(plain=7000, tls=7001)
    local = choose(settings(mocked=True), INSTANCE, b.AUTHORITY)
    here = emulator._endpoints(settings(), local)(b.KEY, ports)
    assert here == Endpoint(host="localhost", port=7000, ssl_port=7001)
    there = emulator._endpoints(settings(endpoints="azure"), local)(b.KEY, ports)
    host = "Cache1.redis.cache.windows.net"
    assert there == Endpoint(host=host, port=6379, ssl_port=6380)
