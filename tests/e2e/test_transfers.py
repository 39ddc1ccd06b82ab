"""export and import, as the clients of a cache see them."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from tests.emulator import eventually
from tests.faults.rig import RIGS, Rig
from tests.faults.servers import Servers
from tests.redis_data import contents, dump_of, fill
from tests.storage_server import QUERY, serving

CACHE = "moving"
PREMIUM = {"name": "Premium", "family": "P", "capacity": 1}
CAP_BYTES = 64 << 20
SECONDS = 110.0  # for an operation, which has an end in any case


@dataclass(frozen=True, slots=True)
class Moving:
    """A Premium cache that is open by TLS alone, where there is any, and a client."""

    rig: Rig[Servers]
    client: redis.Redis

    def does(self, action: str, body: Mapping[str, object]) -> requests.Response:
        """Have something done, and give the answer to the last poll."""
        emulator = self.rig.emulator
        begun = emulator.call("POST", f"{CACHE}/{action}", body)
        assert begun.status_code == 202, begun.text

        def poll() -> list[requests.Response]:
            answer = emulator.call("GET", begun.headers["Location"])
            return [answer] if answer.status_code != 202 else []

        [ended] = eventually(poll, SECONDS)
        emulator.settled(CACHE)
        return ended

    def exports(self, prefix: str, container: str = "backups") -> str:
        """Export to a container that has a bare name; gives the dump's place."""
        body = {"container": container, "prefix": prefix, "format": "RDB"}
        ended = self.does("export", body)
        assert ended.json()["status"] == "Succeeded", ended.text
        return f"{container}/{prefix}.rdb"

    def imports(self, *files: str) -> None:
        """Import dumps."""
        ended = self.does("import", {"files": files, "format": "RDB"})
        assert ended.json()["status"] == "Succeeded", ended.text

    def file(self, name: str) -> Path:
        """Give the path of what has a bare name."""
        path = self.rig.emulator.directory / "containers" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def settled(self) -> bool:
        """Tell whether nothing of a transfer is left."""
        own = (node for node in self.rig.servers.nodes() if "--import" in node)
        return not [*own, *(self.rig.emulator.directory / "transfers").iterdir()]


@pytest.fixture(scope="module", params=RIGS)
def rig(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rig[Servers]]:
    """Run an emulator with the cache."""
    make: Callable[..., Any] = request.param
    cap = {"FLOCI_AZ_SERVICES_REDIS_MAX_MEMORY": f"{CAP_BYTES >> 20}mb"}
    with make(tmp_path_factory.mktemp("moving"), **cap) as rig:
        rig.emulator.create(CACHE, sku=PREMIUM)
        yield rig


@pytest.fixture
def moving(rig: Rig[Servers]) -> Iterator[Moving]:
    """Begin with an empty cache and one connection, which has to last."""
    key = rig.emulator.keys(CACHE)["primaryKey"]
    with rig.door(CACHE).client(key, single_connection_client=True) as client:
        client.flushall()
        number = client.client_id()
        moving = Moving(rig, client)
        yield moving
        assert client.client_id() == number
        assert client.info("replication")["role"] == "master"
        assert client.set("still", "writable")
        assert moving.settled()


def test_what_was_exported_comes_back(moving: Moving) -> None:
    """All types, in all databases, with the times at which they expire."""
    fill(moving.client)
    before = contents(moving.client)
    dump = moving.exports("night")
    moving.client.flushall()
    moving.client.set("newer", "than the dump")
    moving.imports(dump)
    assert contents(moving.client) == before
    assert moving.rig.serves(CACHE)


def test_an_export_changes_nothing(moving: Moving) -> None:
    """Another one of the same name takes its place, and has the newest data."""
    fill(moving.client)
    for value in ("first", "second"):
        moving.client.set("value", value)
        before = contents(moving.client)
        dump = moving.exports("a/b c")
        assert contents(moving.client) == before
        assert value.encode() in moving.file(dump).read_bytes()


def test_an_export_does_not_outlive_the_server(rig: Rig[Servers]) -> None:
    """The data of a cache that is not durable are gone when its server is."""
    with rig.emulator.connect(CACHE) as client:
        client.set("greeting", "hello")
        Moving(rig, client).exports("night")
    rig.servers.restart(CACHE)
    rig.settle(CACHE)
    with rig.emulator.connect(CACHE) as client:
        assert client.dbsize() == 0


def test_several_files_are_merged(moving: Moving) -> None:
    """The first replaces what was there; a later one counts where both have a key."""
    moving.client.set("only", "first")
    moving.client.set("both", "first", ex=1000)
    first = moving.exports("first")
    moving.client.flushall()
    fill(moving.client)
    moving.client.set("both", "second")
    expected = contents(moving.client)
    second = moving.exports("second")
    moving.client.flushall()
    moving.client.set("neither", "gone")
    moving.imports(first, second)
    found = contents(moving.client)
    assert found.keys() - expected.keys() == {(0, b"only")}
    assert [key for key, value in expected.items() if found[key] != value] == []


def test_the_cache_can_be_read_meanwhile(moving: Moving) -> None:
    """Its old data are there until the new ones are, and nobody is sent away."""
    moving.client.set("greeting", "old")
    dump = moving.file("many.rdb")
    pairs = ((b"%d" % n, b"x") for n in range(300_000))
    dump.write_bytes(b"".join(dump_of([(b"greeting", b"new"), *pairs])))
    emulator = moving.rig.emulator
    begun = emulator.call("POST", f"{CACHE}/import", {"files": ["many.rdb"]})
    assert begun.status_code == 202
    assert emulator.state(CACHE) == "Updating"
    seen: list[Any] = []
    with emulator.connect(CACHE) as reader:  # redis-py hangs up if it is told to wait

        def read() -> bool:
            with contextlib.suppress(redis.exceptions.BusyLoadingError):
                seen.append(reader.get("greeting"))
            return emulator.state(CACHE) == "Succeeded"

        eventually(read, SECONDS)
    assert seen[0] == "old"
    assert set(seen) <= {"old", "new"}
    assert moving.client.get("greeting") == b"new"


def broken(moving: Moving) -> bytes:
    """Give a dump that a server has saved, to be spoilt."""
    moving.client.mset({f"key {n}": secrets.token_bytes(50) for n in range(100)})
    return moving.file(moving.exports("sound")).read_bytes()


def flipped(body: bytes) -> bytes:
    """Change a bit in the middle."""
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


def large(_body: bytes) -> bytes:
    """Give more than the cache may hold."""
    pairs: Iterable[tuple[bytes, bytes]] = (
        (b"%d" % n, bytes(1 << 20)) for n in range((CAP_BYTES >> 20) + 4)
    )
    return b"".join(dump_of(pairs))


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        pytest.param(flipped, "InvalidDump", id="corrupt"),
        pytest.param(lambda body: body[:-100], "InvalidDump", id="truncated"),
        pytest.param(lambda body: body[:9], "InvalidDump", id="header alone"),
        pytest.param(lambda _: b"PK\x03\x04" + bytes(99), "InvalidDump", id="foreign"),
        pytest.param(lambda _: b"", "InvalidDump", id="empty"),
        pytest.param(
            lambda body: b"REDIS9999" + body[9:], "InvalidDump", id="of the future"
        ),
        pytest.param(large, "DumpTooLarge", id="large"),
        pytest.param(None, "BlobNotFound", id="missing"),
    ],
)
def test_a_bad_file_costs_nothing(
    moving: Moving, spoil: Callable[[bytes], bytes] | None, code: str
) -> None:
    """The operation fails with a code and a reason, and the data stay."""
    body = broken(moving)
    if spoil is not None:
        moving.file("bad.rdb").write_bytes(spoil(body))
    else:
        moving.file("bad.rdb").unlink(missing_ok=True)
    before = contents(moving.client)
    for files in (["bad.rdb"], ["backups/sound.rdb", "bad.rdb"]):
        ended = moving.does("import", {"files": files})
        assert ended.status_code == 409, ended.text
        assert ended.json()["error"]["code"] == code, ended.text
        assert len(ended.json()["error"]["message"]) > 40
        assert contents(moving.client) == before


@pytest.mark.parametrize("action", ["import", "export"])
def test_a_wrong_sas_costs_nothing(moving: Moving, action: str) -> None:
    """The operation fails, the data stay, and nobody is told the signature."""
    fill(moving.client)
    before = contents(moving.client)
    with serving() as storage:
        place = f"{storage.base}/status/403/AuthenticationFailed"
        bodies: dict[str, dict[str, object]] = {
            "import": {"files": [f"{place}?{QUERY}"]},
            "export": {"container": f"{place}?{QUERY}", "prefix": "night"},
        }
        ended = moving.does(action, bodies[action])
    assert ended.status_code == 409, ended.text
    assert ended.json()["error"]["code"] == "AuthorizationFailure", ended.text
    assert contents(moving.client) == before
    assert "s3cret" not in moving.rig.emulator.log.read_text() + ended.text
