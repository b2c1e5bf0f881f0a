"""What README and docs/ say of names, values and commands is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from catalog.configuration.keys import DECLARED
from catalog.failures import FailureCode

REPOSITORY = Path(__file__).resolve().parent.parent
TEXTS = [REPOSITORY / "README.md", REPOSITORY / "CHANGELOG.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
# Variables that the tests read, besides those of the settings.
OF_TESTS = {"ASTRID_TEST_DATA"}


def section(name: str, heading: str) -> str:
    """Return the text under a heading up to the next one of the same level."""
    text = (REPOSITORY / "docs" / name).read_text()
    return re.split(r"^## ", text.split(f"## {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> dict[str, list[str]]:
    """Return the rows of Markdown tables whose first cell is code, by that code."""
    lines = re.findall(r"^\| `([^`]+)` \| (.*) \|$", text, flags=re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split(" | ")] for name, rest in lines}


def shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def test_every_declared_configuration_key_is_documented_with_its_default_and_no_other():
    documented = {
        name: (cells[0], cells[2]) for name, cells in rows(section("configuration.md", "System configuration")).items()
    }
    assert documented == {name: (shown(key.default), key.explanation) for name, key in DECLARED.items()}


def test_the_bounds_of_every_configuration_key_are_documented():
    documented = rows(section("configuration.md", "System configuration"))
    for name, key in DECLARED.items():
        if key.is_secret:
            expected = "text"
        elif key.longest:
            expected = f"text of at most {key.longest} characters"
        elif key.choices:
            expected = ", ".join(key.choices)
        elif isinstance(key.default, bool):
            expected = "true, false"
        else:
            expected = f"{key.minimum:.10g} to {key.maximum:.10g}"
        assert documented[name][1] == expected, name


def test_every_environment_variable_of_the_settings_is_documented_and_no_other():
    settings = "".join((REPOSITORY / "astrid_site" / name).read_text() for name in ("settings.py", "running/beat.py"))
    read = set(re.findall(r'env\.\w+\("(\w+)"', settings))
    assert "DATABASE_URL" in read
    documented = set(rows(section("configuration.md", "Environment")))
    assert documented == read | OF_TESTS


def test_every_failure_code_is_documented_with_its_meaning_and_no_other():
    documented = {name: cells[0] for name, cells in rows(section("pipeline.md", "Failure codes")).items()}
    assert documented == {code.value: code.label for code in FailureCode}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_make_targets_and_commands_that_are_named_exist(path):
    text = path.read_text()
    makefile = (REPOSITORY / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    named_targets = set(re.findall(r"(?:^ {4}|`)make ([a-z-]+)", text, flags=re.MULTILINE))
    assert named_targets <= targets
    assert set(re.findall(r"manage\.py (\w+)", text)) <= set(get_commands())


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_links_lead_to_files_and_headings_that_exist(path):
    for link in re.findall(r"\]\(([^)]+)\)", path.read_text()):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.is_file(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(), flags=re.MULTILINE)
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, link


def test_the_pinned_torch_is_the_one_that_the_readme_installs():
    pinned = re.findall(r"^torch==(\S+)$", (REPOSITORY / "requirements.txt").read_text(), flags=re.MULTILINE)
    assert re.findall(r"torch==(\S+)", (REPOSITORY / "README.md").read_text()) == pinned


def test_the_readmes_picture_is_small_enough_to_be_loaded_with_it():
    assert (REPOSITORY / "docs" / "contact-sheet.png").stat().st_size < 400_000
