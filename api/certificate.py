"""The API's own certificate, and what clients need to trust it."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import falcon

from api.front.tls import server_context
from controller.certificates import Authority
from controller.pki import public_roots
from controller.settings import Settings
from controller.statedir import StateError

# The longest wait for the moment to renew: the clock may be set meanwhile.
LOOK_SECONDS = 3600.0

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1", "host.docker.internal")
_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 (addresses that nobody connects to)


def own_names(settings: Settings) -> tuple[str, ...]:
    """Give the names and addresses under which clients reach the API."""
    host = () if settings.host in _EVERYWHERE else (settings.host,)
    hostname = (settings.hostname,) if settings.hostname else ()
    return (*LOCAL_NAMES, *host, *hostname, *settings.tls_names)


def given(certificate: Path, key: Path) -> ssl.SSLContext:
    """Use a certificate that somebody else signed, or raise `StateError`."""
    try:
        return server_context(certificate.read_bytes(), key.read_bytes())
    except OSError as error:  # what is no PEM is an SSLError, which is one of these
        raise StateError(
            f"the certificate {certificate} with the key {key} cannot be used: {error}"
        ) from error


class OwnCertificate:
    """Signed by the emulator's authority, and renewed at two thirds of its life."""

    def __init__(self, authority: Authority, names: tuple[str, ...]) -> None:
        self._authority = authority
        self._names = names
        self._leaf = authority.issue(names, datetime.now(UTC))

    def context(self) -> ssl.SSLContext:
        """Give what a server speaks TLS with."""
        return server_context(self._leaf.certificate_pem, self._leaf.key_pem)

    def renew(self, use: Callable[[ssl.SSLContext], None]) -> None:
        """Hand a new certificate to ``use`` whenever it is time; never returns."""
        pause = threading.Event()
        while not pause.wait(LOOK_SECONDS):
            now = datetime.now(UTC)
            if now >= self._leaf.renew_at:
                self._leaf = self._authority.issue(self._names, now)
                use(self.context())


class Pem:
    """``/_emulator/ca.pem`` and ``ca-bundle.pem``: what to trust, for everybody."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Give the file."""
        resp.content_type = "application/x-pem-file"
        resp.data = self._content


def trust_routes(authority: Authority) -> Mapping[str, object]:
    """Give the routes under which clients fetch what to trust."""
    return {
        "/_emulator/ca.pem": Pem(authority.certificate_pem),
        "/_emulator/ca-bundle.pem": Pem(authority.bundle(public_roots())),
    }
