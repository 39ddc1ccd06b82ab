"""Reasoning that spans modules stands in Notes, and each citation has its Note."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# A Note is defined by its name, underlined; the same words anywhere else cite it. A
# citation may run on in the next line, behind its indent and a comment's sign.
_DEFINED = re.compile(r"^(?:# )?Note \[(?P<name>[^]]+)\]\n(?:# )?~+$", re.MULTILINE)
_CITED = re.compile(r"Note\s+(?:# )?\[(?P<name>[^]]+)\](?!\n(?:# )?~)")


def _names(pattern: re.Pattern[str], text: str) -> list[str]:
    found = (match["name"] for match in pattern.finditer(text))
    return [re.sub(r"\s+(?:# )?", " ", name) for name in found]


def _texts() -> dict[Path, str]:
    folders = ("api", "controller", "tests")
    paths = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return {path: path.read_text() for path in paths if path != Path(__file__)}


def test_every_cited_note_is_written_once() -> None:
    """Whoever follows a citation finds one Note, and only one."""
    texts = _texts()
    defined = Counter(
        name for text in texts.values() for name in _names(_DEFINED, text)
    )
    lost = {
        f"{path.relative_to(ROOT)}: Note [{name}]"
        for path, text in texts.items()
        for name in _names(_CITED, text)
        if defined[name] != 1
    }
    assert lost == set()
    assert [name for name, count in defined.items() if count > 1] == []


@pytest.mark.parametrize(
    ("text", "defined", "cited"),
    [
        pytest.param("Note [Ends]\n~~~~\n", ["Ends"], [], id="defined"),
        pytest.param("# Note [Ends]\n# ~~~~\n", ["Ends"], [], id="in a comment"),
        pytest.param("see Note [Ends].", [], ["Ends"], id="cited"),
        pytest.param("see Note\n    [Both ends]", [], ["Both ends"], id="wrapped"),
        pytest.param("# Note [Both\n# ends]", [], ["Both ends"], id="wrapped inside"),
    ],
)
def test_notes_are_told_from_citations(
    text: str, defined: list[str], cited: list[str]
) -> None:
    """What the check reads is what people read."""
    assert (_names(_DEFINED, text), _names(_CITED, text)) == (defined, cited)
