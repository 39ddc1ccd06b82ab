"""How this server speaks TLS."""

from __future__ import annotations

import ssl
import tempfile


def server_context(certificate_pem: bytes, key_pem: bytes) -> ssl.SSLContext:
    """Make a context of a certificate (with its chain) and its key, both PEM.

    Raises `ssl.SSLError` if they are damaged or do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    # OpenSSL reads files only; this one has mode 0600 and is gone at once
    with tempfile.NamedTemporaryFile() as file:
        file.write(key_pem.rstrip() + b"\n" + certificate_pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context
