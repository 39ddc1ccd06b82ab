"""The emulator's own certificate authority, kept in the state directory.

`KEY_FILE` and `CERTIFICATE_FILE` belong together. The second and `BUNDLE_FILE` are for
clients, who trust either one: the authority alone, or besides the public ones.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from controller.certificates import (
    LEAF_LIFE,
    LOCAL,
    Authority,
    Names,
    constraint,
    key_pem,
    new_authority,
)
from controller.statedir import StateError

CERTIFICATE_FILE = "ca.pem"
BUNDLE_FILE = "ca-bundle.pem"
KEY_FILE = "ca-key.pem"

# Where systems keep the public roots in one file; the first that is there counts
_SYSTEM_ROOTS = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS
)


def load_or_create_authority(
    directory: Path, names: Iterable[str], now: datetime
) -> Authority:
    """Read the authority, or make one; it may sign for `LOCAL` and for ``names``.

    A name that its certificate does not permit yet, or the end of its life being near,
    makes a new certificate for the same key: who trusts the old one goes on doing so.
    Brings the clients' files up to date. Raises `StateError` for files that are damaged
    or cannot be written, `ValueError` for a name that is none.
    """
    permitted = tuple(constraint(name) for name in (*LOCAL, *names))
    try:
        with _alone_in(directory):
            authority = _load_or_create(directory, permitted, now)
            bundle = authority.bundle(public_roots())
            _write_whole(directory / BUNDLE_FILE, bundle, mode=0o644)
            return authority
    except OSError as error:
        raise StateError(
            f"the certificate authority in {directory} cannot be used: {error}. Let "
            f"this user write there, or name another state directory"
        ) from error


def public_roots() -> bytes:
    """Read what the system trusts, or Mozilla's list where it has none; PEM."""
    for path in map(Path, _SYSTEM_ROOTS):
        if path.is_file():
            return path.read_bytes()
    return certifi.contents().encode()


def _load_or_create(directory: Path, permitted: Names, now: datetime) -> Authority:
    key_file, certificate_file = directory / KEY_FILE, directory / CERTIFICATE_FILE
    key = _read_key(key_file)
    certificate = _read_certificate(certificate_file)
    if key is None and certificate is None:
        key = ec.generate_private_key(ec.SECP256R1())
        _write_whole(key_file, key_pem(key), mode=0o600)
    if key is None:
        raise _unusable(key_file, "it is missing")
    if certificate is not None:
        authority = Authority(certificate, key)
        if certificate.public_key() != key.public_key():
            raise _unusable(certificate_file, f"it does not belong to {KEY_FILE}")
        if _serves(authority, permitted, now):
            return authority
        permitted = tuple(dict.fromkeys((*authority.permitted, *permitted)))
    authority = new_authority(key, permitted, now)
    _write_whole(certificate_file, authority.certificate_pem, mode=0o644)
    return authority


def _serves(authority: Authority, permitted: Names, now: datetime) -> bool:
    """Tell whether a leaf of any of these names and of full life can be signed."""
    certificate = authority.certificate
    begun = certificate.not_valid_before_utc <= now
    lasts = now + LEAF_LIFE <= certificate.not_valid_after_utc
    return begun and lasts and set(permitted) <= set(authority.permitted)


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey | None:
    if not path.exists():
        return None
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        # without its cause: nothing of a key may get into a log
        raise _unusable(path, "it is damaged") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise _unusable(path, "it is no key of this emulator's making")
    return key


def _read_certificate(path: Path) -> x509.Certificate | None:
    if not path.exists():
        return None
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        certificate.extensions.get_extension_for_class(x509.NameConstraints)
    except (ValueError, x509.ExtensionNotFound) as error:
        raise _unusable(path, "it is damaged, or not this emulator's") from error
    return certificate


def _unusable(path: Path, why: str) -> StateError:
    return StateError(
        f"{path} cannot be used: {why}. Put {KEY_FILE} and {CERTIFICATE_FILE} back "
        f"from a copy, or move both away to have a new authority made; clients then "
        f"have to trust the new {CERTIFICATE_FILE}"
    )


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """Keep other processes waiting while files are read and made."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "ca.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write_whole(path: Path, content: bytes, *, mode: int) -> None:
    """Write so that a crash leaves the old file or the new one, never a part."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    Path(file.name).replace(path)
