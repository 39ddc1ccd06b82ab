"""Issuing tokens: signing them, and letting those that are for caches open caches."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from api.arm.principals import Principal, Token, access_claims, id_claims
from api.arm.signing import Signer
from controller.spec import KeyDigest, Secret

# Whom a token for caches is meant for. Source: "Use Microsoft Entra for cache
# authentication", which names the first two; the third is that of its preview, and
# with those of other clouds it is what Spring Cloud Azure asks for.
CACHES = frozenset(
    {
        "https://redis.azure.com",
        "acca5fbb-b7e4-4009-81f1-37e38fd66d78",
        "https://*.cacheinfra.windows.net:10225/appid",
        "https://*.cacheinfra.windows.net.china:10225/appid",
        "https://*.cacheinfra.windows.net.germany:10225/appid",
        "https://*.cacheinfra.windows.us.government.net:10225/appid",
    }
)

# Takes an object id, the digest of a token, and when it expires in Unix time; is back
# when the token works.
Grant = Callable[[str, KeyDigest, float], None]


@dataclass(frozen=True, slots=True)
class Issued:
    """An access token: what it claims, and what clients send."""

    token: Token
    text: str


class Mint:
    """Makes every token that the emulator issues, each good for ``lifetime_seconds``.

    Access tokens for caches are told to ``grant`` before anybody has them.
    """

    def __init__(self, signer: Signer, lifetime_seconds: int, grant: Grant) -> None:
        self._signer = signer
        self._lifetime_seconds = lifetime_seconds
        self._grant = grant

    def issue(self, who: Principal, issuer: str, audience: str) -> Issued:
        """Make an access token."""
        token = Token(
            principal=who,
            issuer=issuer,
            audience=audience,
            issued_at=int(time.time()),
            lifetime_seconds=self._lifetime_seconds,
        )
        text = self._signer.sign(access_claims(token))
        if opens_caches(audience):
            self._grant(who.object_id, Secret(text).digest, token.expires_at)
        return Issued(token, text)

    def identify(self, token: Token, nonce: str) -> str:
        """Make the ID token to an access token; it opens nothing."""
        return self._signer.sign(id_claims(token, nonce))


def opens_caches(audience: str) -> bool:
    """Tell whether a token with this ``aud`` is for Azure Cache for Redis."""
    return audience.lower().rstrip("/") in CACHES
