"""A cache can be deleted from every state, and takes all of its own with it."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from http import HTTPStatus

import pytest

from tests.emulator import basic, eventually
from tests.faults.journeys import CACHE, CREATE, START
from tests.faults.proxy import EngineProxy, Hold, Refuse
from tests.faults.rig import Rig
from tests.faults.servers import DockerServers, Servers

REFUSED = Refuse(HTTPStatus.INTERNAL_SERVER_ERROR)

Trouble = Callable[[Rig[DockerServers], EngineProxy], None]


def not_created(rig: Rig[DockerServers], proxy: EngineProxy) -> None:
    """Have the engine refuse to create it, as with a full disk."""
    refused = proxy.harm(CREATE, REFUSED, times=math.inf)
    rig.emulator.call("PUT", CACHE, basic())
    eventually(lambda: refused.struck)


def not_started(rig: Rig[DockerServers], proxy: EngineProxy) -> None:
    """Have it there, and never running."""
    refused = proxy.harm(START, REFUSED, times=math.inf)
    rig.emulator.call("PUT", CACHE, basic())
    eventually(lambda: refused.struck > 1)


def not_revived(rig: Rig[DockerServers], proxy: EngineProxy) -> None:
    """Let it run, and then never again."""
    rig.emulator.create(CACHE)
    refused = proxy.harm(START, REFUSED, times=math.inf)
    rig.servers.crash(CACHE)
    eventually(lambda: refused.struck > 1)


def paused(rig: Rig[DockerServers], _proxy: EngineProxy) -> None:
    """Have the engine freeze it."""
    rig.emulator.create(CACHE)
    rig.servers.api.pause(rig.servers.inspect(CACHE)["Id"])


@pytest.mark.docker
@pytest.mark.parametrize("trouble", [not_created, not_started, not_revived, paused])
def test_a_cache_in_trouble_can_be_deleted(
    docked: Rig[DockerServers], healthy: EngineProxy, trouble: Trouble
) -> None:
    """What cannot be made to run can be removed."""
    trouble(docked, healthy)
    docked.emulator.delete(CACHE)
    assert docked.servers.nodes() == []


@pytest.mark.docker
@pytest.mark.parametrize("call", [CREATE, START])
def test_a_cache_on_its_way_can_be_deleted(
    docked: Rig[DockerServers], healthy: EngineProxy, call: str
) -> None:
    """Its creation is cancelled, and what came of it is removed."""
    go = threading.Event()
    held = healthy.harm(f"^{call}$", Hold(until=go))
    creation = docked.emulator.call("PUT", CACHE, basic())
    eventually(lambda: held.struck)

    assert docked.emulator.call("DELETE", CACHE).status_code == 202
    assert docked.emulator.state(CACHE) == "Deleting"

    go.set()
    assert docked.emulator.ended(creation)["status"] == "Canceled"
    eventually(lambda: docked.emulator.call("GET", CACHE).status_code == 404)
    assert docked.servers.nodes() == []


def frozen(rig: Rig[Servers]) -> None:
    """Stop its server in its tracks."""
    rig.servers.freeze(CACHE)


def crashed(rig: Rig[Servers]) -> None:
    """Kill its server."""
    rig.servers.crash(CACHE)


def busy(rig: Rig[Servers]) -> None:
    """Store a new key that its server does not have yet."""
    rig.begin_rotation(CACHE)


@pytest.mark.parametrize("trouble", [frozen, crashed, busy])
def test_a_cache_whose_server_is_hurt_can_be_deleted(
    rig: Rig[Servers], trouble: Callable[[Rig[Servers]], None]
) -> None:
    """On a backend of any kind, be the cache ready, being repaired or busy."""
    rig.emulator.create(CACHE)
    trouble(rig)
    rig.emulator.delete(CACHE)
    assert rig.servers.nodes() == []
