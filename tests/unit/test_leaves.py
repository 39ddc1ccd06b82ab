"""The certificates of caches: one each, and another one in time."""

from __future__ import annotations

from dataclasses import replace

from cryptography import x509

from controller.leaves import Leaves
from tests import builders as b


def leaves() -> Leaves:
    """Give certificates that name the cache."""
    return Leaves(b.AUTHORITY, lambda key: ("localhost", key.azure_host))


def test_a_certificate_names_its_cache() -> None:
    """In lower case, as names of hosts are compared."""
    leaf = leaves().of(b.record(), b.START)
    certificate = x509.load_pem_x509_certificate(leaf.certificate_pem)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert "cache1.redis.cache.windows.net" in names.value.get_values_for_type(
        x509.DNSName
    )


def test_a_certificate_is_kept_until_two_thirds_of_its_life() -> None:
    """Then there is another one, and the same from then on."""
    these = leaves()
    first = these.of(b.record(), b.START)
    assert these.of(b.record(), b.START) == first
    second = these.of(b.record(), first.renew_at)
    assert second.digest != first.digest
    assert second.not_after > first.not_after
    assert these.of(b.record(), first.renew_at) == second


def test_caches_share_no_certificate() -> None:
    """Not even a later cache of the same name."""
    these = leaves()
    first = these.of(b.record(), b.START)
    assert these.of(replace(b.record(), uid="uid-2"), b.START) != first
    these.forget("uid-1")
    assert these.of(b.record(), b.START) != first
