"""What every backend and the admin promise of the data that servers hold."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from controller.backends.conffile import EMPTY_DUMP
from controller.errors import ErrandError, TransientError
from controller.loaders import Loaders, Order
from controller.model import Ports
from controller.nodes import Node, NodeSpec, Phase
from tests.contract.rigs import CACHE, NODE, Rig, eventually
from tests.redis_data import contents, dump_of, fill

MEMORY = 128 << 20
ROOMY = 64 << 20


def pause(seconds: float) -> None:
    """Wait; nothing ends it early."""
    threading.Event().wait(seconds)


def begin(rig: Rig, spec: NodeSpec | None = None) -> Node:
    """Have a server that answers."""
    rig.backend.create(NODE, spec or rig.spec())
    rig.serving(NODE)
    return rig.node(NODE)


def dumped(rig: Rig, path: Path) -> Path:
    """Have the server's data in a file."""
    rig.admin.data.dump(rig.node(NODE), pause)
    rig.backend.read_dump(NODE, path)
    return path


def order(rig: Rig, dump: Path, name: str = "one") -> Order:
    """Ask for a loader of a dump."""
    return Order(node=NODE, spec=rig.spec(), name=name, dump=dump, most_bytes=ROOMY)


def loaders(rig: Rig) -> Loaders:
    """Give what runs them."""
    return Loaders(rig.backend, rig.admin, lambda _key: None)


@pytest.fixture
def client(real: Rig) -> Iterator[redis.Redis]:
    """Use the server that a test began, once it has."""
    with real.client() as client:
        yield client


def test_a_dump_is_read_and_planted(rig: Rig, tmp_path: Path) -> None:
    """What a server saves is a file that another one starts from, on any backend."""
    begin(rig)
    dump = dumped(rig, tmp_path / "saved")
    assert dump.read_bytes().startswith((b"REDIS", b"VALKEY"))

    rig.backend.remove(NODE)
    rig.backend.create(NODE, rig.spec(), seed=dump)

    rig.serving(NODE)
    loaded = rig.admin.data.loaded(rig.node(NODE))
    assert loaded is not None
    assert loaded.done


def test_a_dropped_dump_is_not_read_again(rig: Rig) -> None:
    """It may be dropped twice, and the server starts all the same."""
    node = begin(rig)
    rig.admin.data.dump(node, pause)
    for _ in range(2):
        rig.backend.drop_dump(NODE)

    rig.stop(NODE)
    eventually(lambda: rig.node(NODE).phase is Phase.STOPPED)
    rig.backend.start(NODE, keep_data=True)

    rig.serving(NODE)


def test_a_node_takes_the_data_of_a_loader(rig: Rig, tmp_path: Path) -> None:
    """The calls of an import work on any backend, and leave the one node."""
    node, spec = begin(rig), rig.spec()
    dump = dumped(rig, tmp_path / "saved")
    running = loaders(rig)
    with running.loaded(order(rig, dump), pause) as loader:
        assert running.owns(loader.key.cache)
        assert running.serve(CACHE)
        with running.loaded(order(rig, dump, "two"), pause) as other:
            rig.admin.data.add(loader, other, pause)
        running.check_size(loader, ROOMY)
        rig.admin.data.replace(node, loader, MEMORY, pause)
    assert set(rig.backend.list()) == {NODE}
    assert not running.owns(loader.key.cache)
    assert not running.serve(CACHE)
    assert rig.drift(spec) == {}
    rig.admin.data.lead(node)


def test_what_is_gone_has_no_dump(real: Rig, tmp_path: Path) -> None:
    """A node that vanished in between is a `TransientError`."""
    node = begin(real)
    real.backend.remove(NODE)
    acts: tuple[Callable[[], None], ...] = (
        lambda: real.admin.data.dump(node, pause),
        lambda: real.backend.read_dump(NODE, tmp_path / "saved"),
        lambda: real.admin.data.lead(node),
    )
    for act in acts:
        with pytest.raises(TransientError):
            act()


def test_data_survive_a_dump_and_a_start(
    real: Rig, client: redis.Redis, tmp_path: Path
) -> None:
    """Every type, with the time of its end, in all databases."""
    begin(real)
    fill(client)
    before = contents(client)
    assert len(before) > 4000
    dump = dumped(real, tmp_path / "saved")
    real.backend.remove(NODE)
    real.backend.create(NODE, real.spec(), seed=dump)
    real.serving(NODE)
    assert contents(client) == before


def test_a_dump_has_the_newest_data(
    real: Rig, client: redis.Redis, tmp_path: Path
) -> None:
    """Also when another one is under way already."""
    begin(real)
    client.mset({f"key {n}": "x" * 1000 for n in range(5000)})
    client.bgsave()
    client.set("newest", "yes")
    assert b"newest" in dumped(real, tmp_path / "saved").read_bytes()


def test_data_that_were_dropped_do_not_come_back(
    real: Rig, client: redis.Redis
) -> None:
    """A server that starts again in its old place has none."""
    node = begin(real)
    client.set("greeting", "hello")
    real.admin.data.dump(node, pause)
    real.backend.drop_dump(NODE)
    real.stop(NODE)
    eventually(lambda: real.node(NODE).phase is Phase.STOPPED)
    real.backend.start(NODE, keep_data=True)
    real.serving(NODE)
    assert client.dbsize() == 0


@pytest.mark.parametrize(
    "memory_bytes", [pytest.param(MEMORY, id="roomy"), pytest.param(1, id="tight")]
)
def test_a_node_follows_and_leads_again(
    real: Rig, client: redis.Redis, tmp_path: Path, memory_bytes: int
) -> None:
    """It has the other's data alone, its own clients and users, and takes writes."""
    node = begin(real)
    fill(client)
    before, users = contents(client), real.serving(NODE).users
    dump = dumped(real, tmp_path / "saved")
    with real.client() as idle:
        number = idle.client_id()
        client.flushall()
        client.set("other", "gone")
        with loaders(real).loaded(order(real, dump), pause) as loader:
            real.admin.data.replace(node, loader, memory_bytes, pause)
        assert idle.client_id() == number
        settings = idle.config_get("master*", "repl-diskless-load")
    assert contents(client) == before
    assert client.set("other", "new")
    assert client.info("replication")["role"] == "master"
    assert (settings["masteruser"], settings["masterauth"]) == ("", "")
    assert settings["repl-diskless-load"] == "disabled"
    assert real.serving(NODE).users == users


def test_a_durable_node_has_written_down_what_it_took(
    real: Rig, client: redis.Redis, tmp_path: Path
) -> None:
    """Killed at once afterwards it comes back with all of it."""
    spec = real.spec()
    durable = {**spec.settings, "appendonly": "yes", "maxmemory": "0"}
    node = begin(real, replace(spec, durable=True, settings=durable))
    fill(client)
    for number in range(40):  # so that it takes a while
        client.set(f"large {number}", bytes([number]) * (1 << 20))
    before = contents(client)
    dump = dumped(real, tmp_path / "saved")
    client.flushall()
    with loaders(real).loaded(order(real, dump), pause) as loader:
        real.admin.data.replace(node, loader, MEMORY, pause)
        real.stop(NODE)
    eventually(lambda: real.node(NODE).phase is Phase.STOPPED)
    real.backend.start(NODE, keep_data=True)
    eventually(lambda: real.look(NODE))
    assert contents(client) == before


def test_data_are_merged(real: Rig, client: redis.Redis, tmp_path: Path) -> None:
    """The later of two keys of one name counts, in each database."""
    node = begin(real)
    fill(client)
    whole = contents(client)
    first = dumped(real, tmp_path / "first")
    client.flushall()
    client.set("text", "of the second")
    client.set(b"\xfe\xff", b"\x00\xff")
    second_only = contents(client)
    second = dumped(real, tmp_path / "second")
    running = loaders(real)
    with running.loaded(order(real, first), pause) as sum_of_both:
        with running.loaded(order(real, second, "two"), pause) as part:
            real.admin.data.add(sum_of_both, part, pause)
        real.admin.data.replace(node, sum_of_both, MEMORY, pause)
    with real.client() as fresh:
        assert contents(fresh) == whole | second_only


def test_a_server_that_was_started_anew_ends_an_import(
    real: Rig, client: redis.Redis, tmp_path: Path
) -> None:
    """It does not wait for what will never come."""
    node = begin(real)
    client.set("greeting", "hello")
    dump = dumped(real, tmp_path / "saved")

    def start_anew(seconds: float) -> None:
        client.replicaof("NO", "ONE")
        pause(seconds)

    with loaders(real).loaded(order(real, dump), pause) as loader:
        assert loader.address is not None
        nowhere = replace(loader.address, listens=Ports(plain=1, tls=1))
        lost = replace(loader, address=nowhere)
        with pytest.raises(ErrandError) as caught:
            real.admin.data.replace(node, lost, MEMORY, start_anew)
    assert caught.value.reason == "TransferInterrupted"
    assert client.get("greeting") == b"hello"


@pytest.mark.parametrize(
    ("body", "reason", "why"),
    [
        pytest.param(b"REDIS0009\x00", "InvalidDump", "EOF", id="cut off"),
        pytest.param(
            b"".join(dump_of([(b"key", b"value")]))[:-9],
            "InvalidDump",
            "EOF",
            id="no end",
        ),
        pytest.param(
            b"REDIS9999\xff", "InvalidDump", "9999|signature", id="of the future"
        ),
        pytest.param(
            b"".join(dump_of((b"%d" % n, bytes(1 << 20)) for n in range(70))),
            "DumpTooLarge",
            str(ROOMY),
            id="large",
        ),
    ],
)
def test_a_dump_that_cannot_be_used_is_refused(
    real: Rig, tmp_path: Path, body: bytes, reason: str, why: str
) -> None:
    """With the server's own words, and nothing is left."""
    dump = tmp_path / "dump"
    dump.write_bytes(body)
    wanted = order(real, dump)
    with (
        pytest.raises(ErrandError, match=why) as caught,
        loaders(real).loaded(wanted, pause),
    ):
        pass
    assert caught.value.reason == reason
    assert real.backend.list() == {}
    assert real.backend.leftovers() == frozenset()


def test_a_closed_loaders_starts_nothing(rig: Rig, tmp_path: Path) -> None:
    """What clears up the engine at the same time misses none."""
    dump = tmp_path / "dump"
    dump.write_bytes(EMPTY_DUMP)
    running = loaders(rig)
    running.close(1.0)
    with pytest.raises(ErrandError), running.loaded(order(rig, dump), pause):
        pass
    assert rig.backend.list() == {}
