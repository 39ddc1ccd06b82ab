"""At its end the server finishes what it began, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.emulator import eventually
from tests.wire.fronts import MEBIBYTE, SECONDS, Rig, both_schemes, large, serving

WAIT = b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextlib.contextmanager
def draining(rig: Rig, seconds: float = 600) -> Iterator[threading.Thread]:
    """Begin the end; no test waits as long as the server would."""
    ending = threading.Thread(target=rig.drain, args=[seconds], daemon=True)
    ending.start()
    eventually(lambda: is_refused(rig))
    yield ending
    ending.join(SECONDS)
    assert not ending.is_alive()


def is_refused(rig: Rig) -> bool:
    """Tell whether nobody listens any more."""
    try:
        rig.tcp().close()
    except OSError:
        return True
    return False


@both_schemes
def test_answers_under_way_are_finished(scheme: str) -> None:
    """Clients that asked before the end get their answers, and then the end."""
    with serving() as rig, rig.connect(scheme) as one, rig.connect(scheme) as two:
        assert two.ask()[0] == 200
        one.send(WAIT)
        two.send(WAIT + WAIT)
        assert all(rig.desk.asked.acquire(timeout=20) for _ in range(2))
        with draining(rig):
            rig.desk.may_answer.set()
            for client in (one, two, two):
                assert client.answer() == (200, b"at last: /wait")
            assert one.is_closed()
            assert two.is_closed()


@both_schemes
def test_a_client_gets_all_of_a_long_answer(scheme: str) -> None:
    """An answer that is being written goes out to its last byte, to a slow reader."""
    with serving() as rig, rig.connect(scheme) as client:
        client.send(large(32 * MEBIBYTE))
        eventually(lambda: rig.desk.made_bytes)
        with draining(rig):
            status, body = client.answer()
            assert (status, len(body)) == (200, 32 * MEBIBYTE)
            assert client.is_closed()


@both_schemes
def test_a_request_that_was_begun_is_answered(scheme: str) -> None:
    """A client in the middle of its request may finish it."""
    with serving() as rig, rig.connect(scheme) as client:
        assert client.ask()[0] == 200
        client.send(
            b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n"
        )
        client.send(b"ab")
        with draining(rig):
            client.send(b"cd")
            assert client.answer() == (200, b"abcd")
            assert client.is_closed()


@both_schemes
def test_idle_clients_are_not_waited_for(scheme: str) -> None:
    """Clients that keep a connection and ask nothing do not hold up the end."""
    with (
        serving(head_seconds=600) as rig,
        rig.connect(scheme) as used,
        rig.tcp() as silent,
    ):
        assert used.ask()[0] == 200
        with draining(rig) as ending:
            ending.join(SECONDS)
            assert not ending.is_alive()
            assert used.is_closed()
            assert silent.recv(1) == b""


@both_schemes
def test_the_end_comes_though_an_answer_does_not(scheme: str) -> None:
    """An answer that takes too long is cut."""
    with serving() as rig, rig.connect(scheme) as client:
        client.send(WAIT)
        assert rig.desk.asked.acquire(timeout=20)
        with draining(rig, 0.2):
            assert client.is_closed()


def test_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads, open files and the private folder are gone in the end."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    threads, files = set(threading.enumerate()), psutil.Process().num_fds()
    with serving() as rig, rig.connect("https") as client:
        assert client.ask()[0] == 200
        (folder,) = tmp_path.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    eventually(lambda: set(threading.enumerate()) <= threads)
    eventually(lambda: psutil.Process().num_fds() <= files)
    assert not list(tmp_path.iterdir())
