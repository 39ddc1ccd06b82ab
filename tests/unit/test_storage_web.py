"""Dumps on a storage server: every way to fail ends, is told, and shows no secret."""

from __future__ import annotations

import io
import logging
import socket
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from controller import logs
from controller.errors import ErrandError
from controller.places import Remote
from controller.storage import Limits, Storage
from tests.storage_server import DUMP, QUERY, Seen, serving

MUCH = 1 << 20


@dataclass(frozen=True, slots=True)
class Rig:
    """A server, a folder, and all that is logged, by libraries too."""

    base: str
    folder: Path
    seen: Seen
    log: io.StringIO

    @property
    def storage(self) -> Storage:
        """Give what is tested, in a hurry."""
        limits = Limits(connect_seconds=2.0, silence_seconds=0.5, dump_seconds=2.0)
        return Storage(self.folder, limits)

    @property
    def target(self) -> Path:
        """Where to fetch a dump to."""
        return self.folder / "fetched.rdb"

    def place(self, path: str, base: str = "") -> Remote:
        """Name one on the server, or on another one, with what opens it."""
        return Remote(f"{base or self.base}{path}?{QUERY}")

    def fetch(self, place: Remote, most_bytes: int = MUCH) -> None:
        """Fetch a dump."""
        self.storage.fetch(place, self.target, most_bytes)

    def store(self, place: Remote) -> None:
        """Store a dump."""
        saved = self.folder / "saved.rdb"
        saved.write_bytes(DUMP)
        try:
            self.storage.store(place, "night.rdb", saved)
        finally:
            saved.unlink()

    def fails(self, place: Remote, *, put: bool = False) -> ErrandError:
        """Fetch or store, and give the error; nothing may stay, nor be given away."""
        with pytest.raises(ErrandError) as caught:
            (self.store if put else self.fetch)(place)
        logging.getLogger("test").error("it failed", exc_info=caught.value)
        told = "".join(traceback.format_exception(caught.value)) + self.log.getvalue()
        assert str(caught.value) in told
        assert "s3cret" not in told
        assert not any(self.folder.iterdir())
        return caught.value


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """Put one together."""
    handlers, level = logging.root.handlers[:], logging.root.level
    log = io.StringIO()
    logs.configure("json", "debug", log)
    logging.getLogger().setLevel(logging.DEBUG)
    with serving() as server:
        yield Rig(server.base, tmp_path, server.seen, log)
    logging.basicConfig(handlers=handlers, level=level, force=True)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param("/dump", DUMP, id="at once"),
        pytest.param("/cut-once", DUMP, id="at the second attempt"),
        pytest.param("/chunked", DUMP * 3, id="length unknown"),
    ],
)
def test_a_dump_is_fetched(rig: Rig, path: str, body: bytes) -> None:
    """It is asked for as a whole, and as it is."""
    rig.fetch(rig.place(path), len(body))
    assert rig.target.read_bytes() == body
    assert rig.seen.headers["Accept-Encoding"] == "identity"
    assert "Range" not in rig.seen.headers


def test_a_dump_is_stored(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a block blob; a password that the user keeps for the host is not sent."""
    netrc, saved = rig.folder / "netrc", rig.folder / "saved.rdb"
    netrc.write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(netrc))
    saved.write_bytes(DUMP)
    shown = rig.storage.store(rig.place("/c"), "n/a b", saved)
    assert shown == f"{rig.base}/c/n/a%20b"
    assert rig.seen.stored == {"/c/n/a%20b": DUMP}
    assert rig.seen.headers["x-ms-blob-type"] == "BlockBlob"
    assert rig.seen.headers["x-ms-version"] == "2019-12-12"
    assert "Authorization" not in rig.seen.headers


@pytest.mark.parametrize("put", [False, True], ids=["fetch", "store"])
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param("401/x", "AuthorizationFailure", id="401"),
        pytest.param("403/AuthenticationFailed", "AuthorizationFailure", id="403"),
        pytest.param("404/ContainerNotFound", "ContainerNotFound", id="container"),
        pytest.param("404/BlobNotFound", "BlobNotFound", id="blob"),
        pytest.param("409/PublicAccessNotPermitted", "StorageRefused", id="409"),
        pytest.param("400/no-code", "StorageRefused", id="no word"),
        pytest.param("206/x", "StorageRefused", id="a part"),
        pytest.param("503/ServerBusy", "StorageBusy", id="503"),
        pytest.param("429/x", "StorageBusy", id="429"),
    ],
)
def test_an_answer_is_told(rig: Rig, answer: str, reason: str, *, put: bool) -> None:
    """Its status is in the message; only what may pass is tried again."""
    status, code = answer.split("/")
    error = rig.fails(rig.place(f"/status/{answer}"), put=put)
    assert error.reason == reason
    named = code if code.isalpha() else "no code"
    assert f"it answers {status} ({named})" in str(error)
    assert len(rig.seen.requests) == (3 if reason == "StorageBusy" else 1)


@pytest.mark.parametrize(
    ("path", "reason", "why"),
    [
        pytest.param("/status/404/", "BlobNotFound", "not there", id="no code"),
        pytest.param("/cut", "StorageUnreachable", "connection was lost", id="cut"),
        pytest.param("/silent", "StorageUnreachable", "silent for 0.5 s", id="silent"),
        pytest.param("/stalls", "StorageUnreachable", "silent for 0.5 s", id="stalls"),
        pytest.param("/drips", "StorageTimeout", "not through after 2 s", id="drips"),
        pytest.param("/endless", "DumpTooLarge", "than the 1048576", id="endless"),
        pytest.param("/no-http", "StorageUnreachable", "no HTTP", id="no HTTP"),
        pytest.param("/page", "InvalidDump", "no RDB file", id="a page"),
    ],
)
def test_a_bad_server_is_told(rig: Rig, path: str, reason: str, why: str) -> None:
    """Nothing hangs, and no part of a dump stays."""
    error = rig.fails(rig.place(path))
    assert (error.reason, why in str(error)) == (reason, True), str(error)


def test_a_silent_server_takes_no_dump(rig: Rig) -> None:
    """Sending ends, too."""
    error = rig.fails(rig.place("/silent"), put=True)
    assert error.reason == "StorageUnreachable"


def test_a_missing_container_is_told(rig: Rig) -> None:
    """Also by a server that answers 404 without a code."""
    error = rig.fails(rig.place("/status/404/-"), put=True)
    assert error.reason == "ContainerNotFound"


def test_sending_ends_in_time(rig: Rig) -> None:
    """What is not through by then is not sent any more."""
    storage = Storage(rig.folder, Limits(dump_seconds=0.0))
    saved = rig.folder / "saved.rdb"
    saved.write_bytes(DUMP)
    with pytest.raises(ErrandError, match="too slow") as failure:
        storage.store(rig.place("/c"), "night.rdb", saved)
    assert failure.value.reason == "StorageTimeout"
    assert rig.seen.stored == {}


def test_a_large_dump_is_not_begun(rig: Rig) -> None:
    """The server says how long it is."""
    with pytest.raises(ErrandError, match="more than the 1000 bytes"):
        rig.fetch(rig.place("/stalls"), 1000)
    assert not any(rig.folder.iterdir())


def test_nobody_else_is_asked(rig: Rig) -> None:
    """A redirection could lead to where the user never wanted to go."""
    with socket.create_server(("127.0.0.2", 0)) as other:
        error = rig.fails(rig.place(f"/moved/{other.getsockname()[1]}"))
        other.settimeout(0)
        with pytest.raises(BlockingIOError):
            other.accept()
    assert (error.reason, "302" in str(error)) == ("StorageRefused", True)


@pytest.mark.parametrize("put", [False, True], ids=["fetch", "store"])
@pytest.mark.parametrize(
    ("base", "why"),
    [
        pytest.param("http://127.0.0.1:1", "Connection refused", id="refused"),
        pytest.param("http://no.invalid", "", id="no such host"),
        pytest.param("http://" + "x" * 70, "", id="a name that cannot be one"),
        pytest.param("http://*.invalid", "", id="not a name"),
    ],
)
def test_an_unreachable_server_is_told(
    rig: Rig, base: str, why: str, *, put: bool
) -> None:
    """The message has what the system says, and where to look."""
    error = rig.fails(rig.place("/c", base), put=put)
    assert error.reason == "StorageUnreachable"
    assert f"cannot be reached: {why}" in str(error)
    assert "REQUESTS_CA_BUNDLE" in str(error)


def test_a_server_without_tls_is_told(rig: Rig) -> None:
    """The scheme was a mistake, and the message has what TLS says."""
    error = rig.fails(rig.place("/dump", rig.base.replace("http:", "https:")))
    assert (error.reason, "SSL" in str(error)) == ("StorageUnreachable", True)
