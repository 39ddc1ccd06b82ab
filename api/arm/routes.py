"""The routes of this folder, by the surface that `api.guard` checks them as."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from api.arm.authorize import Authorize
from api.arm.groups import GroupCollection, GroupOperation, GroupResource
from api.arm.issuing import Mint
from api.arm.managed_identity import ManagedIdentity
from api.arm.metadata import Endpoints
from api.arm.openid import AUTHORITIES, Discovery, Keys
from api.arm.providers import ProviderCollection, ProviderRegistration, ProviderResource
from api.arm.regions import LocationCollection
from api.arm.resources import ResourceCollection
from api.arm.scopes import Scopes
from api.arm.signing import Signer
from api.arm.subscriptions import (
    SubscriptionAlias,
    SubscriptionCollection,
    SubscriptionResource,
)
from api.arm.tenants import TenantCollection
from api.arm.tokens import DeviceCode, TokenEndpoint
from api.guard import Surface
from api.parts import Parts
from api.redis.sign_in import let_in

SUBSCRIPTION = "/subscriptions/{subscription}"
GROUPS = SUBSCRIPTION + "/resourcegroups"
GROUP = GROUPS + "/{group}"


def routes(
    parts: Parts, scopes: Scopes, signer: Signer
) -> Mapping[Surface, Mapping[str, object]]:
    """Give every route around the cache: template → resource."""
    mint = Mint(signer, parts.token_lifetime_seconds, partial(let_in, parts))
    return {
        Surface.ARM: _arm(parts, scopes),
        Surface.OPEN: {
            "/metadata/endpoints": Endpoints(),
            "/metadata/identity/oauth2/token": ManagedIdentity(mint, "Metadata"),
            "/msi/token": ManagedIdentity(mint, "X-IDENTITY-HEADER"),
            **dict(_sign_in(signer, mint)),
        },
    }


def _arm(parts: Parts, scopes: Scopes) -> Mapping[str, object]:
    return {
        "/tenants": TenantCollection(),
        "/subscriptions": SubscriptionCollection(scopes),
        SUBSCRIPTION: SubscriptionResource(),
        SUBSCRIPTION + "/locations": LocationCollection(),
        SUBSCRIPTION + "/operationresults/{operation}": GroupOperation(scopes),
        SUBSCRIPTION + "/resources": ResourceCollection(parts),
        SUBSCRIPTION + "/providers": ProviderCollection(),
        SUBSCRIPTION + "/providers/{namespace}": ProviderResource(),
        SUBSCRIPTION + "/providers/{namespace}/register": ProviderRegistration(),
        GROUPS: GroupCollection(scopes),
        GROUP: GroupResource(scopes),
        GROUP + "/resources": ResourceCollection(parts),
        "/providers": ProviderCollection(),
        "/providers/{namespace}": ProviderResource(),
        "/providers/microsoft.subscription/aliases/{alias}": SubscriptionAlias(scopes),
    }


def _sign_in(signer: Signer, mint: Mint) -> Iterator[tuple[str, object]]:
    """Give the routes of every form of a tenant's URLs."""
    for each in AUTHORITIES:
        yield each.discovery, Discovery(each)
        yield each.keys, Keys(signer)
        yield each.endpoint("token"), TokenEndpoint(each, mint)
        yield each.endpoint("devicecode"), DeviceCode()
        yield each.endpoint("authorize"), Authorize()
