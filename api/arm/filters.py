"""``$filter`` of ARM's lists: comparisons that are joined by ``and``; pure.

Source: "Resources - List", api-version 2021-04-01. Names and values have no case,
except those of tags, whose values have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

from api.errors import ArmError

_TEXT = r"'(?P<value>(?:[^']|'')*)'"  # a quote in a text is doubled
_COMPARISON = re.compile(
    r"\s*(?P<name>\w+)\s+(?P<operator>eq|ne)\s+" + _TEXT + r"\s*",
    re.IGNORECASE,
)
_STARTS_WITH = re.compile(
    r"\s*(?P<operator>startswith)\s*\(\s*(?P<name>\w+)\s*,\s*" + _TEXT + r"\s*\)\s*",
    re.IGNORECASE,
)
_AND = re.compile(r"and\b", re.IGNORECASE)

_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "eq": str.__eq__,
    "ne": str.__ne__,
    "startswith": str.startswith,
}


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison; ``name`` and ``operator`` are in lower case."""

    name: str
    operator: str
    value: str

    def holds(self, has: str) -> bool:
        """Compare with what a resource has."""
        wanted = self.value
        if self.name != "tagvalue":
            has, wanted = has.lower(), wanted.lower()
        return _TESTS[self.operator](has, wanted)


@dataclass(frozen=True, slots=True)
class Filter:
    """A whole ``$filter``; one without terms takes everything."""

    terms: tuple[Term, ...]

    def takes(self, members: Mapping[str, str], tags: Mapping[str, str]) -> bool:
        """Tell whether a resource passes; ``members`` have lower-case names."""
        plain = (term for term in self.terms if not term.name.startswith("tag"))
        if not all(term.holds(members[term.name]) for term in plain):
            return False
        about_tags = [term for term in self.terms if term.name.startswith("tag")]
        return not about_tags or any(_fits(about_tags, *tag) for tag in tags.items())


def parse(text: str, names: frozenset[str]) -> Filter:
    """Read a ``$filter`` on ``names`` and on tags; `ArmError` for any other."""
    return Filter(tuple(_terms(text, names | {"tagname", "tagvalue"})))


def _terms(text: str, names: frozenset[str]) -> Iterator[Term]:
    rest = text.strip()
    while rest:
        found = _COMPARISON.match(rest) or _STARTS_WITH.match(rest)
        if found is None or found["name"].lower() not in names:
            _refuse(text)
        yield Term(
            found["name"].lower(),
            found["operator"].lower(),
            found["value"].replace("''", "'"),
        )
        rest = rest[found.end() :]
        joint = _AND.match(rest)
        if rest and (joint is None or not rest[joint.end() :].strip()):
            _refuse(text)
        rest = rest[joint.end() :] if joint else rest


def _fits(terms: list[Term], name: str, value: str) -> bool:
    """Tell whether one tag has the name and the value that are asked for."""
    return all(term.holds(name if term.name == "tagname" else value) for term in terms)


def _refuse(text: str) -> NoReturn:
    raise ArmError(
        400,
        "InvalidFilterInQueryString",
        f"Invalid $filter '{text}' specified in the query string. Compare name, "
        "location, resourceType, resourceGroup, tagName or tagValue with a text in "
        "quotes, and join comparisons with 'and'.",
        gateway=True,
    )
