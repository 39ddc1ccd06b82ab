"""Dumps in the state directory are stored and fetched whole, and nothing leads out."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from controller.errors import ErrandError
from controller.places import CONTAINERS, Local, read_place
from controller.storage import Limits, Storage

DUMP = b"REDIS0011" + bytes(200_000)
MUCH = 1 << 20


def listed(folder: Path) -> list[str]:
    """Name what is in a folder."""
    return sorted(each.name for each in folder.iterdir())


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Make a state directory, with things beside it."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/dump.rdb").write_bytes(DUMP)
    (tmp_path / "saved.rdb").write_bytes(DUMP)
    state = tmp_path / "state"
    state.mkdir()
    return state


@pytest.fixture
def storage(state: Path) -> Storage:
    """Open it."""
    return Storage(state, Limits())


@pytest.mark.parametrize(
    ("container", "path"),
    [
        pytest.param("mine", f"{CONTAINERS}/mine/n/night.rdb", id="bare name"),
        pytest.param("mine/deep", f"{CONTAINERS}/mine/deep/n/night.rdb", id="folders"),
        pytest.param("file://{}/exports", "exports/n/night.rdb", id="file"),
        pytest.param("file://{}", "n/night.rdb", id="the state directory"),
    ],
)
def test_a_dump_comes_back(
    storage: Storage, state: Path, container: str, path: str
) -> None:
    """What an export has left is what an import of it gets; folders are made."""
    place = read_place(container.format(state))
    shown = storage.store(place, "n/night.rdb", state.parent / "saved.rdb")
    stored = state / path
    assert (shown, stored.read_bytes()) == (stored.as_uri(), DUMP)
    assert stored.stat().st_mode & 0o077 == 0
    target = state / "fetched.rdb"
    storage.fetch(place.below("n/night.rdb"), target, MUCH)
    assert target.read_bytes() == DUMP
    storage.fetch(read_place(shown), target, MUCH)


def test_an_export_takes_the_place_of_an_older_one(
    storage: Storage, state: Path
) -> None:
    """There are never two, nor a half one."""
    for body in (DUMP, b"VALKEY080" + b"new"):
        (state.parent / "saved.rdb").write_bytes(body)
        storage.store(read_place("c"), "d.rdb", state.parent / "saved.rdb")
        assert (state / CONTAINERS / "c/d.rdb").read_bytes() == body
    assert listed(state / CONTAINERS / "c") == ["d.rdb"]


def _link_out(state: Path) -> str:
    (state / CONTAINERS).mkdir()
    (state / CONTAINERS / "c").symlink_to(state.parent / "outside")
    return "c"


def _link_to_state(state: Path) -> str:
    (state / CONTAINERS).mkdir()
    (state / CONTAINERS / "c").symlink_to(state)
    return "c"


def _link_in_an_address(state: Path) -> str:
    (state / "c").symlink_to(state.parent / "outside")
    return f"file://{state}/c"


def _outside(state: Path) -> str:
    return f"file://{state.parent}/outside"


def _beside(state: Path) -> str:
    (state.parent / "state2").mkdir()
    return f"file://{state}2"


WAYS_OUT = [
    pytest.param(_link_out, CONTAINERS, id="link of a bare name"),
    pytest.param(_link_to_state, CONTAINERS, id="link to the state directory"),
    pytest.param(_link_in_an_address, "", id="link in an address"),
    pytest.param(_outside, "", id="another folder"),
    pytest.param(_beside, "", id="a folder with a longer name"),
]


@pytest.mark.parametrize(("way", "allowed"), WAYS_OUT)
def test_nothing_leads_out(
    storage: Storage, state: Path, way: object, allowed: str
) -> None:
    """Neither reads nor writes do; the message names the folder that is allowed."""
    assert callable(way)
    place = read_place(way(state))
    before = sorted(state.parent.rglob("*"))
    with pytest.raises(ErrandError) as stored:
        storage.store(place, "dump.rdb", state.parent / "saved.rdb")
    with pytest.raises(ErrandError) as fetched:
        storage.fetch(place.below("dump.rdb"), state / "fetched.rdb", MUCH)
    assert {stored.value.reason, fetched.value.reason} == {"PlaceNotAllowed"}
    assert f"outside of {state / allowed}, and only" in str(stored.value)
    assert sorted(state.parent.rglob("*")) == before


def test_a_linked_state_directory_is_one(tmp_path: Path, state: Path) -> None:
    """What is in it is inside, by either of its names."""
    (tmp_path / "link").symlink_to(state)
    storage = Storage(tmp_path / "link", Limits())
    for name in ("link", "state"):
        place = read_place(f"file://{tmp_path}/{name}/c")
        storage.store(place, f"{name}.rdb", tmp_path / "saved.rdb")
        assert (state / f"c/{name}.rdb").exists()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"REDIS0001", id="Redis"),
        pytest.param(b"REDIS0011\xfa", id="Valkey 8"),
        pytest.param(b"VALKEY080\xfa", id="Valkey 9"),
        pytest.param(b"", id="empty: no dump"),
        pytest.param(b"REDIS001", id="short: no dump"),
        pytest.param(b"redis0011", id="small: no dump"),
        pytest.param(b"VALKEY08x", id="letters: no dump"),
        pytest.param(b" REDIS0011", id="moved: no dump"),
        pytest.param(b"*1\r\n$4\r\nPING\r\n", id="AOF: no dump"),
        pytest.param(
            "REDIS\u0660\u0660\u0661\u0661".encode(), id="other digits: no dump"
        ),
    ],
)
def test_what_is_no_dump_is_refused(
    storage: Storage, state: Path, body: bytes, request: pytest.FixtureRequest
) -> None:
    """It goes neither out nor in, and leaves what was there."""
    good = "no dump" not in request.node.callspec.id
    target = state / "fetched.rdb"
    target.write_bytes(b"old")
    (state / "given.rdb").write_bytes(body)
    given = read_place(f"file://{state}/given.rdb")
    if good:
        storage.store(read_place("c"), "d.rdb", state / "given.rdb")
        storage.fetch(given, target, MUCH)
        assert target.read_bytes() == body
        return
    with pytest.raises(ErrandError, match="is no RDB file") as stored:
        storage.store(read_place("c"), "d.rdb", state / "given.rdb")
    with pytest.raises(ErrandError, match="is no RDB file") as fetched:
        storage.fetch(given, target, MUCH)
    assert {stored.value.reason, fetched.value.reason} == {"InvalidDump"}
    assert target.read_bytes() == b"old"
    assert listed(state) == ["fetched.rdb", "given.rdb"]


def _nothing(_: Path) -> None:
    pass


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("make", [_nothing, _folder, _pipe])
def test_only_files_are_fetched(storage: Storage, state: Path, make: object) -> None:
    """What is not there says so, and a pipe does not hang."""
    assert callable(make)
    make(state / "d.rdb")
    with pytest.raises(ErrandError, match="no file") as failure:
        storage.fetch(Local(PurePosixPath(state / "d.rdb")), state / "f", MUCH)
    assert failure.value.reason == "BlobNotFound"


@pytest.mark.parametrize(
    ("most", "fits"), [(len(DUMP), True), (len(DUMP) - 1, False), (0, False)]
)
def test_a_dump_may_be_too_large(
    storage: Storage, state: Path, most: int, *, fits: bool
) -> None:
    """It fits to the byte, or nothing of it stays."""
    storage.store(read_place("c"), "d.rdb", state.parent / "saved.rdb")
    if fits:
        storage.fetch(read_place("c/d.rdb"), state / "f", most)
        return
    with pytest.raises(ErrandError, match=f"more than the {most} bytes") as failure:
        storage.fetch(read_place("c/d.rdb"), state / "f", most)
    assert failure.value.reason == "DumpTooLarge"
    assert listed(state) == [CONTAINERS]


def test_trouble_with_files_is_told(storage: Storage, state: Path) -> None:
    """It names the path and what the system says."""
    saved = state.parent / "saved.rdb"
    (state / "taken").write_text("a file where a folder should be")
    (state / "a").symlink_to("b")
    (state / "b").symlink_to("a")
    for container, source, why in (
        (f"file://{state}/taken", saved, "File exists|Not a directory"),
        (f"file://{state}/a", saved, "Symlink loop|Too many levels"),
        ("c", state / "missing.rdb", "missing.rdb cannot be used: No such file"),
        ("n" * 300, saved, "File name too long"),
    ):
        with pytest.raises(ErrandError, match=why) as failure:
            storage.store(read_place(container), "d.rdb", source)
        assert failure.value.reason == "FileNotUsable"
