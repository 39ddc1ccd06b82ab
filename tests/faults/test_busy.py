"""A server that has no time is not taken for dead."""

from __future__ import annotations

import threading
from pathlib import Path

from controller.loop import RESYNC_SECONDS
from controller.plan import HUNG_SECONDS
from tests.emulator import running

MILLISECONDS = (RESYNC_SECONDS + HUNG_SECONDS + 3) * 1000


def test_a_long_script_costs_no_data(tmp_path: Path) -> None:
    """A server that a script keeps busy is waited for, with all that it holds."""
    script = f"""
        local function now()
            local t = redis.call('TIME')
            return t[1] * 1000 + t[2] / 1000
        end
        local ends = now() + {MILLISECONDS}
        while now() < ends do end
    """
    with running(tmp_path, FLOCI_AZ_SERVICES_REDIS_BACKEND="process") as emulator:
        emulator.create("busy")
        client = emulator.connect("busy")
        client.set("kept", "all along")
        key = emulator.keys("busy")["primaryKey"]
        patient = emulator.door("busy").client(key, socket_timeout=None)
        runner = threading.Thread(target=lambda: patient.eval(script, 0))
        runner.start()
        runner.join(MILLISECONDS / 1000 + 10)
        assert not runner.is_alive()
        assert client.get("kept") == "all along"
        emulator.settled("busy")
