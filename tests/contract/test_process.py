"""What the process backend promises beyond the contract of every backend."""

from __future__ import annotations

import contextlib
import errno
import json
import multiprocessing
import os
import queue
import shutil
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psutil
import pytest

from controller.backends.process.children import Children
from controller.backends.process.files import Place
from controller.errors import PortTakenError, TransientError
from controller.model import CacheKey
from controller.nodes import NodeSpec, Phase
from tests.contract.rigs import (
    CACHE,
    DEADLINE_SECONDS,
    KEYS,
    NODE,
    Rig,
    clear,
    eventually,
    process_instance,
    process_rig,
    server_of,
)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Build the process backend, with the means to hurt its nodes."""
    with process_rig(tmp_path) as built:
        yield built


def create_and_die(directory: Path, spec: NodeSpec) -> None:
    """Be a controller that is killed as soon as its server runs."""
    process_instance("ours", directory).create(NODE, spec)
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def orphan(rig: Rig, tmp_path: Path) -> psutil.Process:
    """Leave the server of a killed controller behind."""
    owner = multiprocessing.get_context("spawn").Process(
        target=create_and_die, args=(tmp_path, rig.spec())
    )
    owner.start()
    owner.join(DEADLINE_SECONDS)
    assert owner.exitcode == -signal.SIGKILL
    return server_of(tmp_path, NODE)


def relabel(directory: Path, pid: int | None) -> None:
    """Change the process that a node's labels name."""
    (path,) = directory.glob("*/node.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "pid": pid}))


def ended(process: psutil.Process) -> bool:
    """Tell whether a process is over, be it reaped by the system or not yet."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


# --- the servers of a killed controller ----------------------------------------------


def test_an_orphan_is_adopted(rig: Rig, orphan: psutil.Process) -> None:
    """The server of a killed controller goes on, and the next one finds it as it is."""
    server = rig.serving(NODE)

    assert server.accepted == KEYS.digests
    assert not ended(orphan)
    assert rig.backend.list() == {NODE: rig.node(NODE)}
    assert rig.node(NODE).phase is Phase.RUNNING


@pytest.mark.usefixtures("orphan")
def test_an_orphan_is_revived_in_its_place(rig: Rig) -> None:
    """An adopted server that dies is started again on the same port."""
    rig.serving(NODE)
    before = rig.node(NODE)
    rig.stop(NODE)
    eventually(lambda: rig.node(NODE).phase is Phase.STOPPED)

    rig.backend.start(NODE, keep_data=False)

    rig.serving(NODE)
    assert rig.node(NODE) == before


def test_an_orphan_is_removed(rig: Rig, orphan: psutil.Process, tmp_path: Path) -> None:
    """Removal of an adopted node leaves neither process nor file."""
    rig.backend.remove(NODE)

    assert ended(orphan)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("orphan")
def test_the_death_of_an_orphan_is_reported(rig: Rig, tmp_path: Path) -> None:
    """`watch` hears of processes that nobody looked at before."""
    heard: queue.SimpleQueue[CacheKey] = queue.SimpleQueue()
    watcher = process_instance("ours", tmp_path)

    with ThreadPoolExecutor(1) as pool, contextlib.closing(watcher):
        pool.submit(watcher.watch, heard.put)
        eventually(lambda: watcher._running)
        rig.stop(NODE)

        assert heard.get(timeout=DEADLINE_SECONDS) == CACHE


# --- cut short -----------------------------------------------------------------------


@pytest.mark.parametrize("step", ["create", "start"])
def test_a_server_is_found_that_nobody_wrote_down(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """What ends between the start of a server and the record of it leaks nothing."""
    create, start = (
        partial(rig.backend.create, NODE, rig.spec()),
        partial(rig.backend.start, NODE, keep_data=False),
    )
    if step == "start":
        rig.backend.create(NODE, rig.spec())
        rig.stop(NODE)
        eventually(lambda: rig.node(NODE).phase is Phase.STOPPED)
    servers = []

    def spawn_and_fail(children: Children, binary: Path, conf: Path, log: Path) -> int:
        servers.append(psutil.Process(spawn(children, binary, conf, log)))
        raise OSError(errno.EIO, "cut short")

    spawn = Children.spawn
    with monkeypatch.context() as patch:
        patch.setattr(Children, "spawn", spawn_and_fail)
        with pytest.raises(TransientError, match="cut short"):
            (create if step == "create" else start)()

    (server,) = servers
    # for a moment after the start, the system shows no command line yet
    eventually(lambda: rig.node(NODE).phase is Phase.RUNNING)
    rig.backend.remove(NODE)
    assert ended(server)
    assert list(tmp_path.iterdir()) == []


def test_a_half_written_node_fits_no_spec(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node whose files could not be written shows, so that it is made anew."""

    def furnish(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Place, "furnish", furnish)
        with pytest.raises(TransientError, match="No space left"):
            rig.backend.create(NODE, rig.spec())

    assert rig.node(NODE).fingerprint != rig.spec().fingerprint
    rig.backend.remove(NODE)
    rig.backend.create(NODE, rig.spec())
    rig.serving(NODE)


def test_a_half_removed_node_is_still_found(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until nothing is left of a node it is listed, and can be removed again."""
    rig.backend.create(NODE, rig.spec())

    def rmtree(path: Path) -> None:
        assert path.parent.name == "data"
        raise OSError(errno.EBUSY, "Device or resource busy")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", rmtree)
        with pytest.raises(TransientError, match="busy"):
            rig.backend.remove(NODE)

    assert rig.node(NODE).phase is Phase.STOPPED
    rig.backend.remove(NODE)
    assert rig.backend.find(NODE) is None


class KilledError(BaseException):
    """The end of the controller, as far as a test goes."""


def killed(*_: object, **__: object) -> None:
    """Stand for the call that the controller did not live to make."""
    raise KilledError


@pytest.mark.parametrize("unmade", ["rename", "replace"])
def test_a_directory_that_was_hardly_made_is_swept_away(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unmade: str
) -> None:
    """A controller killed while it creates leaves no directory that nobody owns."""
    with monkeypatch.context() as patch:
        patch.setattr(Path, unmade, killed)
        with pytest.raises(KilledError):
            rig.backend.create(NODE, rig.spec())
    clear(process_instance("ours", tmp_path))
    assert not list(tmp_path.glob("*"))


def test_a_directory_that_was_nearly_removed_is_swept_away(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A controller killed while it removes leaves no directory that nobody owns."""
    rig.backend.create(NODE, rig.spec())
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", killed)
        with pytest.raises(KilledError):
            rig.backend.remove(NODE)
    clear(process_instance("ours", tmp_path))
    assert not list(tmp_path.glob("*"))


# --- processes of others -------------------------------------------------------------


@pytest.fixture(
    params=[
        pytest.param(True, id="number-reused"),
        pytest.param(False, id="reads-our-file"),
    ]
)
def stranger(
    request: pytest.FixtureRequest, rig: Rig, tmp_path: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program that could be taken for the server of a stopped node."""
    rig.backend.create(NODE, rig.spec())
    rig.serving(NODE)
    rig.stop(NODE)
    eventually(lambda: rig.node(NODE).phase is Phase.STOPPED)
    (conf,) = tmp_path.glob("*/server.conf")
    command = ["sleep", "600"] if request.param else ["tail", "-f", str(conf)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        relabel(tmp_path, process.pid if request.param else None)
        yield process
        process.kill()


def test_the_process_of_another_is_not_touched(
    rig: Rig, stranger: subprocess.Popen[bytes]
) -> None:
    """A number that was given to another program, or our file in it, fools nobody."""
    assert rig.node(NODE).phase is Phase.STOPPED
    assert rig.backend.list()[NODE].phase is Phase.STOPPED

    rig.backend.remove(NODE)

    assert stranger.poll() is None


def test_foreign_files_are_no_nodes(rig: Rig, tmp_path: Path) -> None:
    """What lies about in the directory, or is half written, is left alone."""
    rig.backend.create(NODE, rig.spec())
    (tmp_path / "notes.txt").write_text("keep")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "node.json").write_text('{"instance": "ours"')

    assert list(rig.backend.list()) == [NODE]
    rig.backend.remove(NODE)

    assert sorted(each.name for each in tmp_path.iterdir()) == ["broken", "notes.txt"]


def test_a_program_on_the_other_loopback_address_counts(rig: Rig) -> None:
    """A port that is free on 127.0.0.1 alone is taken: localhost may mean ::1."""
    try:
        other = socket.create_server(("::1", rig.ports.plain), family=socket.AF_INET6)
    except OSError as error:
        pytest.skip(f"this machine has no ::1: {error}")
    with other, pytest.raises(PortTakenError, match="::1"):
        rig.backend.create(NODE, rig.spec())

    assert rig.backend.list() == {}


# --- what others can see -------------------------------------------------------------


def test_files_are_the_owners_alone(rig: Rig, tmp_path: Path) -> None:
    """Nobody else can read a node's files, those that the server wrote included."""
    rig.backend.create(NODE, rig.spec())
    rig.serving(NODE)
    rig.admin.apply_users(rig.node(NODE), rig.spec().users, drop=frozenset())
    with rig.client() as client:
        client.save()

    modes = {
        str(each.relative_to(tmp_path)): stat.filemode(each.stat().st_mode)
        for each in tmp_path.rglob("*")
    }
    assert len(modes) >= 6
    assert {mode[1:] for mode in modes.values()} <= {"rwx------", "rw-------"}, modes


def test_no_secret_can_be_read_off_a_server(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Command line, environment and files hold no key, no password, nor ours."""
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "of the user")
    spec = rig.spec()
    rig.backend.create(NODE, spec)
    rig.serving(NODE)
    server = server_of(tmp_path, NODE)

    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    shown = f"{server.cmdline()} {server.environ()} {files!r}"

    admin = rig.admin.password(spec.uid)
    for secret in (KEYS.primary, KEYS.secondary, admin):
        assert secret.reveal not in shown
    assert "AZURE_CLIENT_SECRET" not in shown


def test_a_server_listens_on_loopback_only(rig: Rig, tmp_path: Path) -> None:
    """No other machine reaches a server."""
    rig.backend.create(NODE, rig.spec())
    rig.serving(NODE)

    listening = server_of(tmp_path, NODE).net_connections()

    hosts = {each.laddr.ip for each in listening if each.status == psutil.CONN_LISTEN}
    assert "127.0.0.1" in hosts
    assert hosts <= {"127.0.0.1", "::1"}


def test_a_server_has_a_session_of_its_own(rig: Rig, tmp_path: Path) -> None:
    """Ctrl-C in the emulator's terminal does not reach the servers."""
    rig.backend.create(NODE, rig.spec())

    assert os.getsid(server_of(tmp_path, NODE).pid) != os.getsid(0)


def test_a_server_that_cannot_start_says_why(rig: Rig, tmp_path: Path) -> None:
    """The node of a server that gave up is stopped, with the end of its log."""
    rig.backend.create(NODE, rig.spec())
    rig.serving(NODE)
    rig.stop(NODE)
    (conf,) = tmp_path.glob("*/server.conf")
    conf.write_text("no-such-setting yes\n")
    eventually(lambda: rig.node(NODE).phase is Phase.STOPPED)

    rig.backend.start(NODE, keep_data=False)

    eventually(lambda: rig.node(NODE).phase is Phase.STOPPED)
    assert "Bad directive" in rig.node(NODE).detail


# --- what a look costs ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "value", "tried"),
    [
        pytest.param("maxmemory-policy", "noeviction", False, id="policy"),
        pytest.param("maxclients", "60", True, id="clients"),
    ],
)
def test_keys_are_tried_again_where_they_may_fail(
    rig: Rig, setting: str, value: str, *, tried: bool
) -> None:
    """A setting that decides on nobody's login makes no connection."""
    rig.backend.create(NODE, rig.spec())
    rig.serving(NODE)
    with rig.client() as client:
        before = client.info("stats")["total_connections_received"]
        rig.admin.apply_settings(rig.node(NODE), {setting: value})
        assert rig.serving(NODE).accepted == KEYS.digests
        after = client.info("stats")["total_connections_received"]
    assert (after > before) is tried
