"""Bodies of PUT and PATCH; what is wrong in them by itself is found here.

What is wrong only for this cache or beside another value is for `api.redis.rules`.
Source: RedisCreateParameters and RedisUpdateParameters, api-version 2024-11-01.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from api import locations, mistakes
from api.errors import Detail
from api.fields import Address, Body, any_case, without_nulls
from api.forms import Form
from api.redis.configuration import RedisConfiguration
from api.redis.identity import Identity
from api.tags import Tags
from controller.sizing import SIZES, size_of
from controller.spec import Sku, Tier

SkuName = Literal["Basic", "Standard", "Premium"]
Access = Literal["Enabled", "Disabled"]
Channel = Literal["Stable", "Preview"]
ZonalPolicy = Literal["Automatic", "UserDefined", "NoZones"]
TlsVersion = Literal["1.0", "1.1", "1.2"]
Zone = Literal["1", "2", "3"]
# Source: recorded. 4 is retired, yet the published examples still ask for it.
REDIS_VERSIONS = {"6": "6.0", "6.0": "6.0", "latest": "6.0", "4": "4.0", "4.0": "4.0"}

SUBNET_ID = Form(
    pattern="/subscriptions/[^/]*/resourceGroups/[^/]*/providers"
    r"/Microsoft\.(ClassicNetwork|Network)/virtualNetworks/[^/]*/subnets/[^/]*",
    any_case=True,
    hint="It is the resource id of a subnet: /subscriptions/{id}/resourceGroups/"
    "{name}/providers/Microsoft.Network/virtualNetworks/{name}/subnets/{name}",
)


def _known_location(value: str) -> str:
    """Give the display name of a region."""
    found = locations.find(value)
    if found is None:
        known = ",".join(each.name for each in locations.LOCATIONS)
        raise mistakes.in_words(
            mistakes.LOCATION_UNKNOWN,
            f"The provided location '{value[:64]}' is not available for resource type "
            "'Microsoft.Cache/redis'. List of available regions for the resource type "
            f"is '{known}'.",
        )
    return found.display_name


def _redis_version(value: str) -> str:
    """Give the version that answers show, whatever runs underneath."""
    shown = REDIS_VERSIONS.get(value.lower())
    if shown is None:
        raise ValueError(f"It is one of {', '.join(REDIS_VERSIONS)}")
    return shown


def _distinct(value: list[str]) -> list[str]:
    if len(set(value)) < len(value):
        raise ValueError("Each zone is named once")
    return value


Region = Annotated[
    str,
    AfterValidator(_known_location),
    Field(json_schema_extra={"enum": [*locations.SPELLINGS]}),
]
Zones = Annotated[
    list[Zone],
    AfterValidator(_distinct),
    Field(json_schema_extra={"uniqueItems": True}),
]
RedisVersion = Annotated[
    str,
    AfterValidator(_redis_version),
    Field(json_schema_extra={"enum": [*REDIS_VERSIONS]}),
]
Replicas = Annotated[int, Field(ge=1, le=3)]


def _sold(schema: dict[str, Any]) -> None:
    """Write down which of the three values go together."""
    schema["anyOf"] = [
        {
            "properties": {
                "name": {"const": tier},
                "family": {"const": family},
                "capacity": {"enum": [int(s[1:]) for s in SIZES if s[0] == family]},
            }
        }
        for tier, family in ((tier, Sku(tier, 0).family) for tier in Tier)
    ]


class SkuBody(Body, json_schema_extra=_sold):
    """``properties.sku``: a size that is sold."""

    name: Annotated[SkuName, any_case(SkuName)]
    family: str
    capacity: int

    @property
    def value(self) -> Sku:
        """The SKU in the controller's words."""
        return Sku(Tier(self.name), self.capacity)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.family.upper() != self.value.family or size_of(self.value) is None:
            raise mistakes.in_words(
                mistakes.BAD_REQUEST,
                f"{mistakes.SKU_FAMILY} Basic and Standard go with family C and "
                "capacity 0 to 6, Premium with family P and capacity 1 to 5.",
            )
        return self


class Properties(Body):
    """What a PUT and a PATCH may set."""

    sku: SkuBody | None = None
    redis_configuration: RedisConfiguration | None = None
    redis_version: RedisVersion | None = None
    enable_non_ssl_port: bool | None = None
    replicas_per_master: Replicas | None = None
    replicas_per_primary: Replicas | None = None
    tenant_settings: dict[str, str] | None = None
    shard_count: Annotated[int, Field(ge=1, le=10)] | None = None
    minimum_tls_version: TlsVersion | None = None
    public_network_access: Annotated[Access, any_case(Access)] | None = None
    update_channel: Annotated[Channel, any_case(Channel)] | None = None
    disable_access_key_authentication: bool | None = None
    zonal_allocation_policy: Annotated[ZonalPolicy, any_case(ZonalPolicy)] | None = None
    subnet_id: Annotated[str, SUBNET_ID] | None = None
    static_ip: Address | None = Field(default=None, alias="staticIP")


class CacheBody(Body):
    """Body of a PATCH; members that are absent or null leave the cache as it is."""

    location: Region | None = None
    tags: Tags | None = None
    zones: Zones | None = None
    identity: Identity | None = None
    properties: Properties = Properties()


class CreateProperties(Properties):
    """What a PUT has to set besides."""

    sku: SkuBody


class CreateBody(CacheBody):
    """Body of a PUT."""

    location: Region
    properties: CreateProperties


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for, as far as it can be understood.

    ``mistakes`` are all that was found in the body alone; a value that is wrong
    counts as absent in ``body``, so that the rest can be judged too.
    """

    body: CacheBody
    mistakes: tuple[Detail, ...]


def read(raw: Mapping[str, Any], model: type[CacheBody]) -> Asked:
    """Read a body as ``model``: `CreateBody` for PUT, `CacheBody` for PATCH."""
    plain = without_nulls(raw)
    try:
        return Asked(model.model_validate(plain), ())
    except ValidationError as error:
        return Asked(_understood(plain), mistakes.of_body(error))


def _understood(raw: dict[str, Any]) -> CacheBody:
    """Read what is left without the members that are wrong."""
    left = copy.deepcopy(raw)
    while True:
        try:
            return CacheBody.model_validate(left)
        except ValidationError as error:
            for each in error.errors(include_url=False, include_input=False):
                missing = each["type"] == "missing"
                _drop(left, each["loc"][:-1] if missing else each["loc"])


def _drop(members: dict[str, Any], loc: tuple[int | str, ...]) -> None:
    """Remove the member at a place, or the innermost one that contains it."""
    name, *rest = map(str, loc)
    inner = members.get(name)
    if isinstance(inner, dict) and rest and rest != ["[key]"]:
        _drop(inner, tuple(rest))
    else:
        members.pop(name, None)
