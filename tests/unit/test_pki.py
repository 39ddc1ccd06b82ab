"""The local certificate authority: who trusts it, for what, and for how long."""

from __future__ import annotations

import ssl
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from api.front.tls import server_context
from controller.certificates import (
    LOCAL,
    Authority,
    Leaf,
    constraint,
    key_pem,
    new_authority,
)
from controller.pki import load_or_create_authority
from controller.statedir import StateError

NOW = datetime.now(UTC)  # as the clients of these tests have no other clock
STRICT = ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Give an authority that may sign for one configured name besides."""
    return load_or_create_authority(tmp_path, ["emulator"], NOW)


def shake_hands(trusted_pem: bytes, leaf: Leaf, name: str) -> None:
    """Connect a client that trusts one authority to a server; raises `SSLError`."""
    context = ssl.create_default_context(cadata=trusted_pem.decode())
    context.verify_flags |= STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname=name)
    server = server_context(leaf.certificate_pem, leaf.key_pem).wrap_bio(
        to_server, to_client, server_side=True
    )
    for side in (client, server, client):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "my-app.localhost",
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "10.0.0.7",
        "172.17.0.1",
        "192.168.178.2",
        "fd00::2",
        "host.docker.internal",
        "my-cache.redis.cache.windows.net",
        "emulator",
    ],
)
def test_clients_accept_local_names(authority: Authority, name: str) -> None:
    """A strict client which trusts the authority accepts its leaf for a local name."""
    leaf = authority.issue([name, "localhost"], NOW)
    shake_hands(authority.certificate_pem, leaf, name)


@pytest.mark.parametrize(
    "name",
    ["example.com", "management.azure.com", "windows.net", "8.8.8.8", "notlocalhost"],
)
def test_a_stolen_key_opens_no_public_name(authority: Authority, name: str) -> None:
    """What the authority's key signs for a public name, clients refuse."""
    thief = new_authority(authority.key, (constraint(name),), NOW)
    leaf = thief.issue([name], NOW)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree"):
        shake_hands(authority.certificate_pem, leaf, name)


@pytest.mark.parametrize(
    "name",
    [
        "example.com",
        "my-container",
        "8.8.8.8",
        "https://localhost",
        "a b.localhost",
        "",
    ],
)
def test_refused_names_are_not_signed(authority: Authority, name: str) -> None:
    """A name that would spoil the certificate is refused, and the refusal names it."""
    assert not authority.permits(name)
    with pytest.raises(ValueError, match=f"for {name}: .*localhost.*emulator"):
        authority.issue(["localhost", name], NOW)


def test_a_leaf_lives_a_year_and_begins_a_day_ago(authority: Authority) -> None:
    """A leaf is valid from a day ago for 397 days, and is renewed at two thirds."""
    leaf = authority.issue(["localhost"], NOW)
    certificate = x509.load_pem_x509_certificate(leaf.certificate_pem)
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    assert begin == (NOW - timedelta(days=1)).replace(microsecond=0)
    assert end - begin == timedelta(days=397)
    assert leaf.not_after == end
    assert abs(leaf.renew_at - (begin + (end - begin) * 2 / 3)) < timedelta(seconds=1)


def test_the_authority_outlives_a_restart(tmp_path: Path) -> None:
    """A second start in the same folder finds the same authority."""
    first = load_or_create_authority(tmp_path, [], NOW)
    again = load_or_create_authority(tmp_path, [], NOW + timedelta(days=30))
    assert again.certificate_pem == first.certificate_pem
    assert key_pem(again.key) == key_pem(first.key)


def test_the_key_is_private_and_the_certificate_public(tmp_path: Path) -> None:
    """Only the owner can read the key; everybody can read what clients need."""
    load_or_create_authority(tmp_path, [], NOW)
    modes = {
        each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.glob("*.pem")
    }
    assert modes == {"ca-key.pem": 0o600, "ca.pem": 0o644, "ca-bundle.pem": 0o644}


def test_the_key_is_not_shown(authority: Authority) -> None:
    """Neither an authority nor a leaf shows its key when printed."""
    leaf = authority.issue(["localhost"], NOW)
    assert "PRIVATE" not in repr(leaf)
    assert "EllipticCurvePrivateKey" not in repr(authority)


def test_processes_that_start_at_once_share_one_authority(tmp_path: Path) -> None:
    """Four processes that find an empty folder end up with the same authority."""
    program = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path;"
        "from controller.pki import load_or_create_authority as load;"
        "made = load(Path(sys.argv[1]), [], datetime.now(UTC));"
        "print(made.certificate_pem.decode())"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "new")],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(4)
    ]
    printed = {process.communicate(timeout=60)[0] for process in running}
    assert len(printed) == 1
    assert b"BEGIN CERTIFICATE" in printed.pop()


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(timedelta(days=3650 - 300), id="near its end"),
        pytest.param(timedelta(days=4000), id="expired"),
        pytest.param(timedelta(days=-2), id="not begun"),
    ],
)
def test_an_ending_authority_is_renewed(tmp_path: Path, later: timedelta) -> None:
    """An authority that could not sign a full leaf is renewed, with the same key."""
    old = load_or_create_authority(tmp_path, ["emulator"], NOW - later)
    new = load_or_create_authority(tmp_path, [], NOW)
    assert new.certificate_pem != old.certificate_pem
    assert key_pem(new.key) == key_pem(old.key)
    assert new.permits("emulator")
    assert new.issue(["localhost"], NOW).not_after > NOW + timedelta(days=395)


def test_a_name_configured_later_is_permitted(tmp_path: Path) -> None:
    """A new name is signed for at once; who trusts the old file keeps local names."""
    old = load_or_create_authority(tmp_path, ["one"], NOW)
    new = load_or_create_authority(tmp_path, ["Two.test", "100.64.0.0/10"], NOW)
    shake_hands(
        new.certificate_pem, new.issue(["two.test", "one", "100.64.1.1"], NOW), "one"
    )
    shake_hands(old.certificate_pem, new.issue(["localhost"], NOW), "localhost")


def test_a_lost_certificate_is_made_anew(tmp_path: Path) -> None:
    """Without its certificate the key gets a new one, as after a crash between both."""
    old = load_or_create_authority(tmp_path, [], NOW)
    (tmp_path / "ca.pem").unlink()
    new = load_or_create_authority(tmp_path, [], NOW)
    assert (tmp_path / "ca.pem").read_bytes() == new.certificate_pem
    shake_hands(old.certificate_pem, new.issue(["localhost"], NOW), "localhost")


def _foreign_key(directory: Path) -> None:
    key = key_pem(ec.generate_private_key(ec.SECP256R1()))
    (directory / "ca-key.pem").write_bytes(key)


def _foreign_certificate(directory: Path) -> None:
    leaf = load_or_create_authority(directory / "other", [], NOW).issue(LOCAL[:1], NOW)
    (directory / "ca.pem").write_bytes(leaf.certificate_pem)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        pytest.param(
            lambda folder: (folder / "ca-key.pem").unlink(),
            "ca-key.pem cannot be used: it is missing",
            id="key lost",
        ),
        pytest.param(
            lambda folder: (folder / "ca-key.pem").write_text("c2VjcmV0"),
            "ca-key.pem cannot be used: it is damaged",
            id="key damaged",
        ),
        pytest.param(
            _foreign_key, "ca.pem cannot be used: it does not belong", id="other key"
        ),
        pytest.param(
            lambda folder: (folder / "ca.pem").write_text("oops"),
            "ca.pem cannot be used: it is damaged",
            id="certificate damaged",
        ),
        pytest.param(
            _foreign_certificate, "or not this emulator's", id="other certificate"
        ),
    ],
)
def test_damage_is_told_and_left_alone(
    tmp_path: Path, damage: Callable[[Path], object], told: str
) -> None:
    """Damaged files are told with what to do; no new authority replaces them."""
    load_or_create_authority(tmp_path, [], NOW)
    damage(tmp_path)
    before = {each: each.read_bytes() for each in tmp_path.glob("*.pem")}
    with pytest.raises(StateError, match="move both away") as caught:
        load_or_create_authority(tmp_path, [], NOW)
    assert told in str(caught.value)
    assert "c2VjcmV0" not in str(caught.value)
    assert before == {each: each.read_bytes() for each in tmp_path.glob("*.pem")}


def test_an_unusable_folder_is_told(tmp_path: Path) -> None:
    """A folder that cannot be had is told with what to do."""
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="name another state directory"):
        load_or_create_authority(tmp_path / "file", [], NOW)


@pytest.mark.parametrize(
    "name", ["https://emulator", "*.test", "10.0.0.1/8", "a..b", "-a", "emulator:4577"]
)
def test_a_configured_name_must_be_one(tmp_path: Path, name: str) -> None:
    """What is no name is refused before anything is written."""
    with pytest.raises(ValueError, match="neither a host name nor"):
        load_or_create_authority(tmp_path, [name], NOW)
    assert not list(tmp_path.iterdir())


def test_the_bundle_trusts_the_public_roots_too(tmp_path: Path) -> None:
    """A client with the bundle trusts the emulator besides everybody else."""
    authority = load_or_create_authority(tmp_path, [], NOW)
    context = ssl.create_default_context(cafile=str(tmp_path / "ca-bundle.pem"))
    trusted = context.get_ca_certs(binary_form=True)
    own = ssl.PEM_cert_to_DER_cert(authority.certificate_pem.decode())
    assert own in trusted
    assert len(trusted) > 50
