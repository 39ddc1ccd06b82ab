"""What the emulator takes while nothing happens."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import psutil

from tests.bench.figures import show
from tests.emulator import Emulator, basic, free_ports

CACHES = 20
WATCHED_SECONDS = 30.0
MEBIBYTE = 1 << 20


def run() -> None:
    """Watch memory and processor with no cache and with twenty."""
    with tempfile.TemporaryDirectory() as state:
        emulator = Emulator(Path(state), **_room(), FLOCI_AZ_LOG_LEVEL="info")
        emulator.start()
        try:
            _watch(emulator, "no cache")
            names = [f"idle{number}" for number in range(CACHES)]
            for name in names:
                emulator.call("PUT", name, basic())
            for name in names:
                emulator.settled(name)
            _watch(emulator, f"{CACHES} caches")
        finally:
            emulator.stop()


def _room() -> dict[str, str]:
    """Give port ranges that hold all the caches."""
    first = free_ports(2 * CACHES)
    return {
        "FLOCI_AZ_SERVICES_REDIS_BASE_PORT": str(first),
        "FLOCI_AZ_SERVICES_REDIS_MAX_PORT": str(first + CACHES - 1),
        "FLOCI_AZ_SERVICES_REDIS_BASE_SSL_PORT": str(first + CACHES),
        "FLOCI_AZ_SERVICES_REDIS_MAX_SSL_PORT": str(first + 2 * CACHES - 1),
    }


def _watch(emulator: Emulator, what: str) -> None:
    assert emulator.process is not None
    process = psutil.Process(emulator.process.pid)
    before = process.cpu_times()
    threading.Event().wait(WATCHED_SECONDS)
    after = process.cpu_times()
    used = after.user + after.system - before.user - before.system
    resident = process.memory_info().rss / MEBIBYTE
    show(f"resident memory, {what}", [resident] * 2, "MiB")
    show(f"processor, {what}", [100 * used / WATCHED_SECONDS] * 2, "% of a core")
