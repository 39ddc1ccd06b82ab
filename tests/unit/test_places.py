"""Places are read from what requests say, however hostile it is."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.places import (
    CONTAINERS,
    LONGEST_NAME,
    Local,
    Place,
    Remote,
    read_name,
    read_place,
)

SAS = "https://a.test/c?sv=2020-10-02&sig=s3cret%2B%3D"
AZURITE = "http://127.0.0.1:10000/devstoreaccount1/c/d.rdb?sig=s3cret"


def local(path: str) -> Local:
    """Name a place on this machine."""
    return Local(PurePosixPath(path))


@pytest.mark.parametrize(
    ("text", "place", "shown"),
    [
        pytest.param(SAS, Remote(SAS), "https://a.test/c", id="container"),
        pytest.param(AZURITE, Remote(AZURITE), AZURITE[:-11], id="Azurite"),
        pytest.param("HTTP://a/c/", Remote("HTTP://a/c/"), "http://a/c/", id="case"),
        pytest.param("http://[::1]:1/c", Remote("http://[::1]:1/c"), "", id="IPv6"),
        pytest.param("https://a/$root", Remote("https://a/$root"), "", id="root"),
        pytest.param("file:///a/b", local("/a/b"), "/a/b", id="file"),
        pytest.param("FILE:///a/b/", local("/a/b"), "/a/b", id="folder"),
        pytest.param("file:///a%20b/%C3%BC", local("/a b/ü"), "/a b/ü", id="encoded"),
        pytest.param("mine", local("containers/mine"), "containers/mine", id="bare"),
        pytest.param("c/d", local("containers/c/d"), "containers/c/d", id="bare file"),
        pytest.param("a%20", local("containers/a%20"), "containers/a%20", id="literal"),
        pytest.param("..a/b..", local("containers/..a/b.."), None, id="dots"),
    ],
)
def test_a_place_is_read(text: str, place: Place, shown: str | None) -> None:
    """Addresses are kept as they are; bare names are below the folder for them."""
    assert read_place(text) == place
    if shown is not None:
        assert str(place) == (shown or text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("ftp://a.test/c", "scheme", id="ftp"),
        pytest.param("s3:c", "scheme", id="no slashes"),
        pytest.param("javascript:alert(1)", "scheme", id="javascript"),
        pytest.param("localhost:10000/c", "scheme", id="host without scheme"),
        pytest.param("https:///c", "host", id="no host"),
        pytest.param("https:c", "host", id="https without slashes"),
        pytest.param("https://a.test:x/c", "port", id="no port"),
        pytest.param("https://a.test:99999/c", "port", id="port beyond"),
        pytest.param("https://[::1/c", "host", id="half an IPv6 address"),
        pytest.param("https://u@a.test/c", "user name", id="user"),
        pytest.param("https://u:p@a.test/c", "password", id="password"),
        pytest.param("https://a.test/c#d", "'#'", id="fragment"),
        pytest.param("https://a.test", "no container", id="host alone"),
        pytest.param("https://a.test/?sig=s", "no container", id="query alone"),
        pytest.param("https://a.test/c/../d", "dots", id="up"),
        pytest.param("https://a.test/c/%2e%2E/d", "dots", id="up, encoded"),
        pytest.param("https://a.test/c//d", "empty", id="empty step"),
        pytest.param("https://a.test/c%00d", "control", id="NUL in an address"),
        pytest.param("https://a.test/c?sig=a\r\nX: b", "control", id="header"),
        pytest.param(" https://a.test/c", "white space", id="space before"),
        pytest.param("https://a.test/c\n", "control", id="line end"),
        pytest.param("file://a.test/b", "absolute", id="file of a host"),
        pytest.param("file:a", "absolute", id="file without slashes"),
        pytest.param("file:/a", "absolute", id="file with one slash"),
        pytest.param("file:////a/b", "empty", id="file with four slashes"),
        pytest.param("file:///", "empty", id="everything"),
        pytest.param("file:///a?b", "'?'", id="file with a query"),
        pytest.param("file:///a#b", "'#'", id="file with a fragment"),
        pytest.param("file:///a/../../b", "dots", id="file above"),
        pytest.param("file:///a/%2e%2e/b", "dots", id="file above, encoded"),
        pytest.param("file:///a%2F..%2Fb", "dots", id="file above, all encoded"),
        pytest.param("file:///a%00b", "control", id="file with NUL"),
        pytest.param("file:///a\\..\\b", "backslash", id="file with backslashes"),
        pytest.param("", "empty", id="nothing"),
        pytest.param("..", "dots", id="up alone"),
        pytest.param("/etc/passwd", "empty", id="absolute"),
        pytest.param("a/../../b", "dots", id="bare name above"),
        pytest.param("a/%2e%2e/b", "dots", id="bare name above, encoded"),
        pytest.param("%2Fetc", "empty", id="absolute, encoded"),
        pytest.param("a/ .. /b", "dots", id="dots in spaces"),
        pytest.param("a\x00b", "control", id="NUL"),
        pytest.param("a\x7fb", "control", id="DEL"),
        pytest.param("a\u202eb", "control", id="from right to left"),
        pytest.param("a\ud800b", "control", id="half a character"),
        pytest.param("~", None, id="home is a name"),
        pytest.param("$HOME", None, id="variables are names"),
    ],
)
def test_what_is_no_place_is_refused(text: str, why: str | None) -> None:
    """The message says why; what only looks like more than a name is one."""
    if why is None:
        assert read_place(text) == local(f"{CONTAINERS}/{text}")
        return
    with pytest.raises(ValueError, match=why):
        read_place(text)


@given(st.text() | st.text("./\\%2eEfF:ahtps", max_size=30))
def test_no_text_leads_out(text: str) -> None:
    """Whatever is accepted is an address, absolute on purpose, or a bare name."""
    try:
        place = read_place(text)
    except ValueError:
        return
    match place:
        case Remote(url=url):
            assert url == text
        case Local(path=path):
            assert ".." not in path.parts
            assert path.is_absolute() == text.lower().startswith("file:///")
            assert path.is_absolute() or path.parts[0] == CONTAINERS


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("night", None, id="name"),
        pytest.param("2026/11/night", None, id="folders"),
        pytest.param("n" * LONGEST_NAME, None, id="longest"),
        pytest.param("n" * (LONGEST_NAME + 1), "1001 characters", id="too long"),
        pytest.param("../night", "dots", id="up"),
        pytest.param("/night", "empty", id="absolute"),
        pytest.param("a/%2E%2E/night", "dots", id="up, encoded"),
        pytest.param("a\\b", "backslash", id="backslash"),
        pytest.param("a\nb", "control", id="line end"),
        pytest.param("night/", "empty", id="folder"),
    ],
)
def test_a_name_leads_down(text: str, why: str | None) -> None:
    """It may have folders, and stays in its container."""
    if why is None:
        assert read_name(text) == text
        return
    with pytest.raises(ValueError, match=why):
        read_name(text)


@pytest.mark.parametrize(
    ("container", "name", "place"),
    [
        pytest.param(
            Remote("https://a.test/c?sig=s"),
            "n/a b.rdb",
            Remote("https://a.test/c/n/a%20b.rdb?sig=s"),
            id="address",
        ),
        pytest.param(
            Remote("https://a.test/c/?sig=s"),
            "what?.rdb",
            Remote("https://a.test/c/what%3F.rdb?sig=s"),
            id="slash at the end",
        ),
        pytest.param(local("/a"), "n/b.rdb", local("/a/n/b.rdb"), id="folder"),
    ],
)
def test_a_dump_is_below_its_container(
    container: Place, name: str, place: Place
) -> None:
    """A name is only a name there, and the signature stays."""
    assert container.below(name) == place


def test_a_place_shows_no_signature() -> None:
    """Neither as text nor in a repr; equal ones are still equal."""
    place = Remote(SAS)
    assert "s3cret" not in f"{place} {place!r} {[place]}"
    assert place == Remote(SAS) != Remote(SAS + "x")
    assert len({place, Remote(SAS)}) == 1
