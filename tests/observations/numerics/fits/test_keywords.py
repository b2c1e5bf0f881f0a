"""What docs/ says of keywords and doubts is what is read and doubted."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from observations.numerics.fits import keywords

REPOSITORY = Path(__file__).resolve().parents[4]
HEADING = "## What is read from which keyword\n"


@pytest.fixture(scope="module")
def section() -> str:
    """The section of docs/ that tells what is read from which keyword."""
    (text,) = [text for path in (REPOSITORY / "docs").glob("*.md") if HEADING in (text := path.read_text())]
    return re.split(r"^## ", text.split(HEADING, 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def listed(names: tuple[str, ...]) -> str:
    return " ".join(f"`{name}`" for name in names)


@pytest.mark.parametrize("fact", list(keywords.KEYWORDS))
def test_the_keywords_of_each_fact_are_documented_in_their_order(section, fact):
    assert f"| {listed(keywords.KEYWORDS[fact])} |" in section


@pytest.mark.parametrize("moment", ["start", "mid", "end"])
def test_the_time_keywords_of_each_moment_are_documented_in_their_order(section, moment):
    names = tuple(name for name, known, _ in keywords.TIME_KEYWORDS if known == moment)
    assert f"| {listed(names)} |" in section


@pytest.mark.parametrize("table", ["POINTING_KEYWORDS", "BINNING_KEYWORDS", "WINDOW_KEYWORDS"])
def test_pairs_are_documented_in_their_order(section, table):
    assert " ".join(f"`{first}`/`{second}`" for first, second in getattr(keywords, table)) in section


def test_what_says_that_something_was_taken_off_is_documented(section):
    assert listed(tuple(keywords.CALIBRATED_KEYWORDS)) in section
    assert listed(tuple(name for names in keywords.AMPLIFIER_GAINS for name in names)) in section


def doubted() -> Iterator[tuple[str, bool]]:
    """Every code that reading a header notes, and whether it may hold back a publication."""
    for path in Path(keywords.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            is_doubt = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "doubt"
            if is_doubt and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value, any(word.arg == "blocks" for word in node.keywords)


def test_every_doubt_is_documented_with_whether_it_holds_back_and_no_other(section):
    rows = re.findall(r"^\| `(\w+)` \| [^|]* \| ([^|]*) \|", section.split("### Doubts")[1], flags=re.MULTILINE)
    documented = {code: held.strip() not in ("no", "refusal") for code, held in rows}
    found: dict[str, bool] = {}
    for code, may_hold in doubted():
        found[code] = found.get(code, False) or may_hold
    assert documented == found
