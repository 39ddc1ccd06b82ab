"""What every backend promises; see `controller.backends.base`."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from controller.errors import PortTakenError, TransientError
from controller.model import CacheKey, Endpoint, Ports
from controller.nodes import AclUser, NodeKey, Phase
from controller.spec import AccessKeys, Secret
from tests.contract.rigs import (
    CACHE,
    DEADLINE_SECONDS,
    KEYS,
    NODE,
    OTHER,
    Rig,
    eventually,
    free_ports,
    occupied,
)

WRONG = AccessKeys(primary=Secret("wrong"), secondary=Secret(""))
GUEST = AclUser(name="guest", enabled=True, digests=frozenset(), rules="~* &* +@all")


def test_nothing_is_found_at_first(rig: Rig) -> None:
    """Before anything was created nothing is found, listed or in the way."""
    assert rig.backend.find(NODE) is None
    assert rig.backend.list() == {}


def test_a_created_node_is_found(rig: Rig) -> None:
    """A created node runs, and is found with all that it was labelled with."""
    spec = rig.spec()

    rig.backend.create(NODE, spec)

    node = rig.node(NODE)
    assert (node.key, node.uid, node.fingerprint, node.phase) == (
        NODE,
        spec.uid,
        spec.fingerprint,
        Phase.RUNNING,
    )
    assert node.address is not None


def test_a_node_is_found_in_any_case(rig: Rig) -> None:
    """Names are compared without case, and shown in the casing of creation."""
    rig.backend.create(NODE, rig.spec())

    shouted = CacheKey(*(each.upper() for each in ("My-Sub", "My-RG", "Cache-One")))

    found = rig.node(NodeKey(shouted))
    assert found.key.cache.arm_id == CACHE.arm_id


def test_creating_twice_makes_one_node(rig: Rig) -> None:
    """A repeated create leaves the node that is there as it is."""
    rig.backend.create(NODE, rig.spec(uid="uid-1"))

    rig.backend.create(NODE, rig.spec(uid="uid-2"))

    assert [node.uid for node in rig.backend.list().values()] == ["uid-1"]


def test_removing_twice_is_no_error(rig: Rig) -> None:
    """A removed node is gone when `remove` returns, and may be removed again."""
    rig.backend.create(NODE, rig.spec())

    rig.backend.remove(NODE)

    assert rig.backend.find(NODE) is None
    assert rig.backend.list() == {}
    rig.backend.remove(NODE)


@pytest.mark.parametrize("hurt", ["stop", "pause"])
def test_a_hurt_node_can_be_removed(rig: Rig, hurt: str) -> None:
    """Removal works from every phase."""
    rig.backend.create(NODE, rig.spec())
    getattr(rig, hurt)(NODE)

    rig.backend.remove(NODE)

    assert rig.backend.list() == {}


def test_list_shows_all_of_ours_and_nothing_else(rig: Rig) -> None:
    """Nodes of another instance on the same engine are neither seen nor touched."""
    rig.backend.create(NODE, rig.spec())
    rig.backend.create(OTHER, rig.spec(uid="uid-2", ports=free_ports()))
    assert rig.neighbour.list() == {}
    rig.neighbour.remove(NODE)

    listed = rig.backend.list()

    assert listed == {NODE: rig.node(NODE), OTHER: rig.node(OTHER)}


@pytest.mark.parametrize(
    ("hurt", "phase"),
    [
        pytest.param("stop", Phase.STOPPED, id="stopped"),
        pytest.param("pause", Phase.PAUSED, id="paused"),
    ],
)
def test_a_hurt_node_is_seen_and_started_again(
    rig: Rig, hurt: str, phase: Phase
) -> None:
    """`start` revives a node in its old place, whatever made it stand still."""
    rig.backend.create(NODE, rig.spec())
    rig.serving(NODE)
    before = rig.node(NODE)
    getattr(rig, hurt)(NODE)
    eventually(lambda: rig.node(NODE).phase is phase)
    assert rig.backend.list()[NODE].phase is phase

    rig.backend.start(NODE, keep_data=False)

    rig.serving(NODE)
    assert rig.node(NODE) == before


def test_starting_what_runs_is_no_error(rig: Rig) -> None:
    """A repeated start leaves the server alone."""
    rig.backend.create(NODE, rig.spec())

    rig.backend.start(NODE, keep_data=False)

    assert rig.node(NODE).phase is Phase.RUNNING


def test_starting_what_is_gone_asks_for_another_look(rig: Rig) -> None:
    """A node that vanished in between is a `TransientError`."""
    with pytest.raises(TransientError, match="Cache-One"):
        rig.backend.start(NODE, keep_data=False)


def test_a_server_starts_with_exactly_the_users_of_its_spec(rig: Rig) -> None:
    """From its first answer a server knows the wanted users and no other."""
    spec = rig.spec()

    rig.backend.create(NODE, spec)

    server = rig.serving(NODE)
    assert server.users == {user.name: user for user in spec.users}


def test_both_access_keys_open_a_new_server_and_no_other_does(rig: Rig) -> None:
    """Each of the two keys authenticates, a wrong or an empty one does not."""
    rig.backend.create(NODE, rig.spec())

    assert rig.serving(NODE).accepted == KEYS.digests

    wrong = rig.look(NODE, WRONG)
    assert wrong is not None
    assert wrong.accepted == frozenset()


def test_a_server_starts_with_the_settings_of_its_spec(rig: Rig) -> None:
    """From its first answer a server runs with the wanted settings."""
    spec = rig.spec()

    rig.backend.create(NODE, spec)

    rig.serving(NODE)
    assert rig.drift(spec) == {}


def test_the_admin_changes_a_running_server(rig: Rig) -> None:
    """Users come and go and settings change live, and a look shows all of it."""
    spec = rig.spec()
    rig.backend.create(NODE, spec)
    rig.serving(NODE)
    node = rig.node(NODE)
    rig.admin.apply_users(node, (GUEST,), drop=frozenset())
    assert rig.serving(NODE).users["guest"] == GUEST

    rig.admin.apply_users(node, (), drop=frozenset({"guest"}))
    rig.admin.apply_settings(node, {"maxmemory-policy": "noeviction"})

    server = rig.serving(NODE)
    assert server.users == {user.name: user for user in spec.users}
    assert server.settings["maxmemory-policy"] == "noeviction"
    assert rig.drift(spec) == {"maxmemory-policy": "allkeys-lru"}


def test_changed_users_survive_a_restart(rig: Rig) -> None:
    """What was revoked by the admin stays revoked when the server starts again."""
    rig.backend.create(NODE, rig.spec())
    rig.serving(NODE)
    default = next(user for user in rig.spec().users if user.name == "default")
    revoked = replace(default, digests=frozenset({KEYS.primary.digest}))
    rig.admin.apply_users(rig.node(NODE), (revoked,), drop=frozenset())

    rig.stop(NODE)
    eventually(lambda: rig.node(NODE).phase is Phase.STOPPED)
    rig.backend.start(NODE, keep_data=False)

    assert rig.serving(NODE).accepted == {KEYS.primary.digest}


def test_nothing_of_a_removed_node_comes_back(rig: Rig) -> None:
    """A node created after a removal is new: users and settings are its own."""
    rig.backend.create(NODE, rig.spec())
    rig.serving(NODE)
    rig.admin.apply_users(rig.node(NODE), (GUEST,), drop=frozenset())
    rig.backend.remove(NODE)

    rig.backend.create(NODE, rig.spec(uid="uid-2"))

    assert "guest" not in rig.serving(NODE).users
    assert rig.node(NODE).uid == "uid-2"


def test_a_death_is_reported(rig: Rig) -> None:
    """`watch` names the cache whose server died, and returns when it is closed."""
    rig.backend.create(NODE, rig.spec())
    reported = threading.Event()

    def listen(cache: CacheKey) -> None:
        if cache == CACHE:
            reported.set()

    def die_until_it_is_heard() -> bool:
        rig.stop(NODE)
        if reported.wait(1.0):
            return True
        rig.backend.start(NODE, keep_data=False)  # nobody listened yet
        return False

    with ThreadPoolExecutor(1) as pool, contextlib.closing(rig.backend):
        watching = pool.submit(rig.backend.watch, listen)
        eventually(die_until_it_is_heard)
        assert not watching.done()
        rig.backend.close()
        watching.result(DEADLINE_SECONDS)


def test_servers_outlive_a_closed_backend(rig: Rig) -> None:
    """`close` lets go of the engine and leaves every server running."""
    rig.backend.create(NODE, rig.spec())
    rig.serving(NODE)
    node = rig.node(NODE)

    rig.backend.close()

    assert rig.admin.look(node, KEYS) is not None


def test_the_endpoint_has_the_ports_of_the_cache(rig: Rig) -> None:
    """Users are told a host and both ports, before anything runs."""
    ports = Ports(plain=6385, tls=6401)

    endpoint = rig.backend.endpoint(CACHE, ports)

    assert endpoint == Endpoint(host="localhost", port=6385, ssl_port=6401)


def test_a_backend_describes_itself_in_one_line(rig: Rig) -> None:
    """The banner gets one line, which begins with the backend's name."""
    line = rig.backend.describe()

    assert line.startswith(f"{rig.backend.name}: ")
    assert "\n" not in line


# --- servers that hold data and listen on ports --------------------------------------


def test_users_reach_the_server_at_its_endpoint(real: Rig) -> None:
    """The endpoint serves, and still does so in the same place after a restart."""
    real.backend.create(NODE, real.spec())
    real.serving(NODE)
    with real.client() as client:
        assert client.ping()

    real.stop(NODE)
    eventually(lambda: real.node(NODE).phase is Phase.STOPPED)
    real.backend.start(NODE, keep_data=False)

    real.serving(NODE)
    with real.client() as client:
        assert client.ping()


def test_data_is_gone_with_its_node(real: Rig) -> None:
    """A node created after a removal is empty, though everything was saved."""
    real.backend.create(NODE, real.spec())
    real.serving(NODE)
    with real.client() as client:
        client.set("kept", "no")
        client.save()
    real.backend.remove(NODE)

    real.backend.create(NODE, real.spec())

    real.serving(NODE)
    with real.client() as client:
        assert client.dbsize() == 0


def test_a_taken_port_is_told_apart(real: Rig) -> None:
    """Another program on the port is a `PortTakenError`; later the port serves."""
    port = real.ports.plain
    with (
        occupied(port),
        pytest.raises(PortTakenError, match=str(port)) as error,
    ):
        real.backend.create(NODE, real.spec())
    assert error.value.port == port
    real.backend.remove(NODE)
    assert real.backend.list() == {}

    real.backend.create(NODE, real.spec())

    real.serving(NODE)


def test_a_port_taken_meanwhile_is_told_apart(real: Rig) -> None:
    """A stopped node whose port another program took says so when it is started."""
    real.backend.create(NODE, real.spec())
    real.serving(NODE)
    real.stop(NODE)
    eventually(lambda: real.node(NODE).phase is Phase.STOPPED)

    with (
        occupied(real.ports.plain),
        pytest.raises(PortTakenError, match=str(real.ports.plain)),
    ):
        real.backend.start(NODE, keep_data=False)
