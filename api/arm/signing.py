"""The key that signs every token, and its public half for those who verify them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    generate_private_key,
)
from jwt.algorithms import RSAAlgorithm

ALGORITHM = "RS256"
PUBLIC_EXPONENT = 65537
KEY_BITS = 2048


class Signer:
    """Signs claims with RS256, the one algorithm of Entra's access tokens."""

    def __init__(self, private_key: RSAPrivateKey) -> None:
        self._private_key = private_key
        public = RSAAlgorithm.to_jwk(private_key.public_key(), as_dict=True)
        modulus = {name: public[name] for name in ("e", "kty", "n")}
        self._kid = _thumbprint(modulus)
        self._public = modulus | {"use": "sig", "alg": ALGORITHM, "kid": self._kid}

    @classmethod
    def generate(cls) -> Signer:
        """Make a signer with a key of its own; tokens of an earlier one still pass.

        Nothing in the emulator's ARM API verifies a token, so that clients which
        cached theirs go on working after a restart.
        """
        return cls(generate_private_key(PUBLIC_EXPONENT, KEY_BITS))

    @property
    def keys(self) -> dict[str, Any]:
        """The JSON Web Key Set that verifies what `sign` made."""
        return {"keys": [self._public]}

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Give the claims as a JWT in its compact form."""
        headers = {"kid": self._kid, "x5t": self._kid}
        return jwt.encode(dict(claims), self._private_key, ALGORITHM, headers)


def _thumbprint(public: Mapping[str, str]) -> str:
    """Name a key by its content. Source: RFC 7638."""
    canonical = json.dumps(public, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(canonical.encode()).digest()
    return jwt.utils.base64url_encode(digest).decode()
