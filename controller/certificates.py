"""X.509: an authority that may sign for local names only, and what it signs.

Note [Name constraints]
~~~~~~~~~~~~~~~~~~~~~~~
People put this authority among those that their machine trusts, so a stolen key must
not open the internet: the certificate names what it may sign for, and clients refuse
the rest. A permitted DNS name covers itself and all names below it (RFC 5280, section
4.2.1.10). It cannot say "any name without a dot", so the bare name of a container has
to be configured; and one name too many makes clients refuse a certificate for all its
names, so `Authority.permits` tells beforehand. OpenSSL (and so Python, Node, curl) and
Go keep to it, as was tried; Java takes no constraint of an authority that it trusts.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Names = tuple[x509.GeneralName, ...]

AUTHORITY_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=397)  # the most that clients take: CA/B Forum, 6.3.2
BACKDATED = timedelta(hours=24)  # for clients and containers whose clock is late

LOCAL = (  # what every authority may sign for; see Note [Name constraints]
    "localhost",
    "redis.cache.windows.net",
    "redis.internal",  # what containers are named below; see Note [Name constraints]
    "host.docker.internal",
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1/128",
    "fc00::/7",
)

_LABEL = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"  # containers may have an underscore
_HOST = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A server's certificate and the key to it, both PEM; the key is never shown."""

    certificate_pem: bytes
    key_pem: bytes = field(repr=False)
    not_after: datetime
    renew_at: datetime  # at two thirds of its life

    @property
    def digest(self) -> str:
        """Name the certificate by its content, for file names; 16 hex digits."""
        return hashlib.sha256(self.certificate_pem).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Authority:
    """The certificate that clients trust, and the key that signs for it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def certificate_pem(self) -> bytes:
        """What a client has to trust."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def permitted(self) -> Names:
        """What clients accept this authority's word on; names and networks."""
        constraints = self.certificate.extensions.get_extension_for_class(
            x509.NameConstraints
        )
        return tuple(constraints.value.permitted_subtrees or ())

    def permits(self, name: str) -> bool:
        """Tell whether a certificate may carry this name or address."""
        return any(_covers(each.value, name.lower()) for each in self.permitted)

    def bundle(self, roots: bytes) -> bytes:
        """Add itself to ``roots``: a client's own CA file *replaces* the system's."""
        return roots.rstrip() + b"\n" + self.certificate_pem

    def issue(self, names: Iterable[str], now: datetime) -> Leaf:
        """Sign for a server of these names and addresses, with a new key.

        Raises `ValueError` for a name that is none, or that clients would refuse.
        """
        wanted = tuple(dict.fromkeys(name.lower() for name in names))
        refused = [name for name in wanted if not self.permits(name)]
        if refused:
            raise ValueError(
                f"no certificate can be signed for {', '.join(refused)}: clients take "
                f"it only for {', '.join(str(each.value) for each in self.permitted)}"
            )
        key = ec.generate_private_key(ec.SECP256R1())
        starts = now - BACKDATED
        ends = min(starts + LEAF_LIFE, self.certificate.not_valid_after_utc)
        certificate = (
            _begin(_common_name(wanted[0][:64]), key, starts, ends)
            .issuer_name(self.certificate.subject)
            .add_extension(
                x509.BasicConstraints(ca=False, path_length=None), critical=True
            )
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([_san(name) for name in wanted]),
                critical=False,
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(
                    self.key.public_key()
                ),
                critical=False,
            )
            .sign(self.key, hashes.SHA256())
        )
        return Leaf(
            certificate_pem=certificate.public_bytes(Encoding.PEM),
            key_pem=key_pem(key),
            not_after=certificate.not_valid_after_utc,
            renew_at=starts + (ends - starts) * 2 / 3,
        )


def new_authority(
    key: ec.EllipticCurvePrivateKey, permitted: Names, now: datetime
) -> Authority:
    """Let ``key`` sign for what is permitted, for ten years."""
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    # two emulators' authorities in one trust store are told apart by name
    name = _common_name(f"Azure Redis emulator, local CA {identifier.digest.hex()[:8]}")
    starts = now - BACKDATED
    certificate = (
        _begin(name, key, starts, starts + AUTHORITY_LIFE)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def constraint(text: str) -> x509.GeneralName:
    """Read what an authority may sign for: a name, an address or a network.

    Raises `ValueError` for other text.
    """
    try:
        return x509.IPAddress(ipaddress.ip_network(text))
    except ValueError:
        pass
    name = text.lower()
    if not _HOST.fullmatch(name) or name.startswith("*"):
        raise ValueError(
            f"{text!r} is neither a host name nor an address or a network; a name "
            f"covers those below it, so write redis.test for *.redis.test"
        )
    return x509.DNSName(name)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Write a key in the form that every server reads: PKCS #8, not encrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _covers(permitted: object, name: str) -> bool:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        named = isinstance(permitted, str) and _HOST.fullmatch(name)
        return bool(named) and f".{name}".endswith(f".{permitted}")
    networks = (ipaddress.IPv4Network, ipaddress.IPv6Network)
    return isinstance(permitted, networks) and address in permitted


def _san(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _begin(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    starts: datetime,
    ends: datetime,
) -> x509.CertificateBuilder:
    """Fill in what an authority and a leaf have in common."""
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    servers_only = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts)
        .not_valid_after(ends)
        .add_extension(identifier, critical=False)
        .add_extension(servers_only, critical=False)
    )


def _common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(
    *,
    digital_signature: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
