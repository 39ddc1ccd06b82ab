"""No client gets more of the server's time and memory than its share."""

from __future__ import annotations

import contextlib
import os
import resource
import socket

import psutil
import pytest
import structlog

from tests.emulator import eventually
from tests.wire.fronts import (
    GET,
    MEBIBYTE,
    PIECE,
    Client,
    Rig,
    both_schemes,
    large,
    piece,
    serving,
    trusting,
)

HALF_A_HEAD = b"POST /echo HTTP/1.1\r\nHost: localhost\r\n"
HALF_A_BODY = HALF_A_HEAD + b"Content-Length: 4\r\n\r\nab"


def wait() -> bytes:
    """Write a request that is answered when the test says so."""
    return b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n"


@both_schemes
@pytest.mark.parametrize("part", [HALF_A_HEAD, HALF_A_BODY, b"\r\n", b"no HTTP"])
def test_a_slow_request_is_cut(scheme: str, part: bytes) -> None:
    """A request that does not come is told so and cut, and others are served."""
    with (
        serving(head_seconds=0.3, body_seconds=0.3) as rig,
        rig.connect(scheme) as slow,
        rig.connect(scheme) as other,
    ):
        slow.send(part)
        assert other.ask()[0] == 200
        assert slow.answer()[0] == 408
        assert slow.is_closed()
        assert other.ask()[0] == 200


@both_schemes
@pytest.mark.parametrize("part", [HALF_A_HEAD, HALF_A_BODY, b"no HTTP"])
def test_a_later_slow_request_is_cut_as_well(scheme: str, part: bytes) -> None:
    """The second request on a connection has a deadline too; no answer is made up."""
    with (
        serving(head_seconds=0.3, body_seconds=0.3) as rig,
        rig.connect(scheme) as client,
    ):
        assert client.ask()[0] == 200
        client.send(part)
        assert client.is_closed()


@both_schemes
def test_drops_do_not_move_the_deadline(scheme: str) -> None:
    """A head that comes byte by byte has the same time in all."""
    with serving(head_seconds=0.3) as rig, rig.connect(scheme) as client:
        client.send(HALF_A_HEAD)
        eventually(lambda: fails_to_send(client))


def fails_to_send(client: Client) -> bool:
    """Send a byte of a head; true once nobody takes it."""
    try:
        client.send(b"x")
    except OSError:
        return True
    return False


@pytest.mark.parametrize("said", [b"", b"\x16", b"\x16\x03\x01"])
def test_silence_is_cut(said: bytes) -> None:
    """Who says nothing, or begins a handshake and stops, is cut; others are served."""
    with (
        serving(head_seconds=0.3) as rig,
        rig.connect("http") as silent,
        rig.connect("https") as other,
    ):
        silent.send(said)
        assert other.ask()[0] == 200
        assert silent.is_closed()


def test_silence_after_a_handshake_is_cut() -> None:
    """Who shakes hands and says nothing more is told so and cut."""
    with serving(head_seconds=0.3) as rig, rig.connect("https") as silent:
        assert silent.answer()[0] == 408
        assert silent.is_closed()


@both_schemes
def test_an_idle_connection_is_closed(scheme: str) -> None:
    """A connection that was used, and is not any more, is closed in time."""
    with serving(idle_seconds=1) as rig, rig.connect(scheme) as client:
        assert client.ask()[0] == 200
        assert client.is_closed()


def test_an_answer_may_take_longer_than_any_deadline() -> None:
    """Deadlines are for clients: an answer that takes its time is not cut."""
    with (
        serving(head_seconds=0.1, body_seconds=0.1, idle_seconds=1) as rig,
        rig.connect("https") as client,
        rig.connect("http") as idle,
    ):
        client.send(wait())
        assert rig.desk.asked.acquire(timeout=20)
        assert idle.ask()[0] == 200
        assert idle.is_closed()  # which shows that every deadline is over
        rig.desk.may_answer.set()
        assert client.answer() == (200, b"at last: /wait")


@pytest.fixture
def many_files() -> None:
    """Allow this process as many open files as it may ever have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))


@both_schemes
@pytest.mark.usefixtures("many_files")
def test_a_thousand_connections_are_kept(scheme: str) -> None:
    """A thousand clients keep their connections; one more hears that it is too many."""
    with (
        serving(head_seconds=600, idle_seconds=600) as rig,
        contextlib.ExitStack() as open_ones,
    ):
        clients = [open_ones.enter_context(rig.connect(scheme)) for _ in range(1000)]
        for _ in range(2):
            assert {client.ask()[0] for client in clients} == {200}
        with rig.connect("http") as late:
            assert late.ask()[0] == 503
            assert late.is_closed()
        with rig.tcp() as raw, pytest.raises(OSError, match=r"EOF|reset"):
            trusting().wrap_socket(raw, server_hostname="localhost")
        clients[0].__exit__()
        eventually(lambda: is_served(rig))
        assert clients[-1].ask()[0] == 200


def test_clients_wait_while_there_is_no_file_for_them() -> None:
    """Without file descriptors nothing ends: clients wait until there are some."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with serving() as rig, structlog.testing.capture_logs() as lines:
        raw = socket.socket()
        lowest = os.dup(raw.fileno())
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        try:
            raw.connect(rig.address)
            eventually(lambda: lines)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert lines[0]["event"] == "front.cannot_accept"
        with Client(raw) as client:
            assert client.ask()[0] == 200


def is_served(rig: Rig) -> bool:
    """Tell whether a new client gets its answer."""
    with rig.connect("http") as client:
        return client.ask()[0] == 200


@both_schemes
def test_an_answer_is_made_as_fast_as_it_is_read(scheme: str) -> None:
    """A client that does not read gets no memory, and all of its answer later."""
    with serving() as rig, rig.connect(scheme) as client:
        client.send(large(64 * MEBIBYTE))
        eventually(rig.desk.is_stalled)
        assert rig.desk.made_bytes < 32 * MEBIBYTE
        expected = b"".join(map(piece, range(64 * MEBIBYTE // PIECE)))
        assert client.answer() == (200, expected)


@both_schemes
def test_requests_are_taken_as_fast_as_they_are_answered(scheme: str) -> None:
    """A client that sends requests and gets no answers has to wait at some time."""
    request = b"POST /wait HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65536\r\n\r\n"
    request += bytes(65_536)
    with serving() as rig, rig.connect(scheme) as client:
        client.sock.settimeout(1)
        with pytest.raises(TimeoutError):
            client.send(request * 1000)
        rig.desk.may_answer.set()
        client.sock.settimeout(20)
        assert client.answer()[0] == 200


@both_schemes
def test_who_never_reads_is_cut(scheme: str) -> None:
    """A client that asks for much and reads nothing loses its connection in time."""
    with serving(idle_seconds=1) as rig, rig.connect(scheme) as client:
        client.send(large(64 * MEBIBYTE))
        eventually(lambda: rig.desk.made_bytes)
        before = psutil.Process().num_fds()
        eventually(lambda: psutil.Process().num_fds() <= before - 2)
        with pytest.raises((OSError, AssertionError)):
            assert len(client.answer()[1]) == 64 * MEBIBYTE


@both_schemes
@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="connected"),
        pytest.param(HALF_A_HEAD, id="half a head"),
        pytest.param(HALF_A_BODY, id="half a body"),
        pytest.param(GET, id="a request"),
        pytest.param(wait(), id="a request under way"),
        pytest.param(large(16 * MEBIBYTE), id="half an answer"),
    ],
)
def test_who_leaves_leaves_nothing(scheme: str, said: bytes) -> None:
    """Clients that go away in the middle leave no file open."""
    with serving() as rig:
        process = psutil.Process()
        before = process.num_fds()
        for number in range(20):
            client = rig.connect(scheme)
            client.send(said)
            if number % 2:  # half of them with a reset
                client.sock.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
                )
            client.__exit__()
        rig.desk.may_answer.set()
        eventually(lambda: process.num_fds() <= before)
        assert is_served(rig)
