"""Users find nobody on their servers but themselves."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from controller.acl import ADMIN_USER
from controller.loop import RESYNC_SECONDS
from tests.faults.rig import Rig
from tests.faults.servers import Servers

CACHE = "watched"
SAMPLES = 200
MOST_SEEN = SAMPLES * 3 // 100  # a look is an answer long, and there is one a resync


def names(clients: list[Mapping[str, str]]) -> set[str]:
    """Name the users who are connected."""
    return {client["user"] for client in clients}


def test_the_controller_is_not_among_the_clients(rig: Rig[Servers]) -> None:
    """Not between its rounds: its one connection is nobody's, and does nothing."""
    rig.emulator.create(CACHE)
    pause = threading.Event()
    seen = 0
    with rig.emulator.connect(CACHE) as client:
        for _ in range(SAMPLES):
            clients = client.client_list()
            seen += ADMIN_USER in names(clients)
            assert len(clients) <= 4  # this one, the seat, and two trials of keys
            pause.wait(1.2 * RESYNC_SECONDS / SAMPLES)
    assert seen <= MOST_SEEN
    rig.emulator.delete(CACHE)
