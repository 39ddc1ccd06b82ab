"""Regions of Azure: how they are spelled, and which have availability zones.

Source: "Azure regions list" and "Azure services with availability zone support",
public cloud only.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Location:
    """One region; ``display_name`` is what answers show, such as ``West Europe``."""

    display_name: str
    zones: bool = True

    @property
    def name(self) -> str:
        """The spelling of identifiers, such as ``westeurope``."""
        return _folded(self.display_name)


def _folded(text: str) -> str:
    return "".join(text.split()).lower()


_ZONAL = (
    "Australia East",
    "Austria East",
    "Belgium Central",
    "Brazil South",
    "Canada Central",
    "Central India",
    "Central US",
    "Chile Central",
    "Denmark East",
    "East Asia",
    "East US",
    "East US 2",
    "France Central",
    "Germany West Central",
    "Indonesia Central",
    "Israel Central",
    "Italy North",
    "Japan East",
    "Japan West",
    "Korea Central",
    "Malaysia West",
    "Mexico Central",
    "New Zealand North",
    "North Europe",
    "Norway East",
    "Poland Central",
    "Qatar Central",
    "South Africa North",
    "South Central US",
    "Southeast Asia",
    "Spain Central",
    "Sweden Central",
    "Switzerland North",
    "UAE North",
    "UK South",
    "West Europe",
    "West US 2",
    "West US 3",
)

_SINGLE = (
    "Australia Central",
    "Australia Central 2",
    "Australia Southeast",
    "Brazil Southeast",
    "Canada East",
    "France South",
    "Germany North",
    "Jio India Central",
    "Jio India West",
    "Korea South",
    "North Central US",
    "Norway West",
    "South Africa West",
    "South India",
    "Sweden South",
    "Switzerland West",
    "UAE Central",
    "UK West",
    "West Central US",
    "West India",
    "West US",
)

LOCATIONS: tuple[Location, ...] = tuple(
    sorted(
        (
            *(Location(name) for name in _ZONAL),
            *(Location(name, zones=False) for name in _SINGLE),
        ),
        key=lambda location: location.display_name,
    )
)

SPELLINGS: tuple[str, ...] = tuple(
    spelling for each in LOCATIONS for spelling in (each.name, each.display_name)
)

_BY_NAME = {location.name: location for location in LOCATIONS}


def find(text: str) -> Location | None:
    """Look a region up by either spelling, in any case; `None`: there is none."""
    return _BY_NAME.get(_folded(text))


def has_zones(text: str) -> bool:
    """Tell whether there is a region of that name, with availability zones."""
    found = find(text)
    return found is not None and found.zones
