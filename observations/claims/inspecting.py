"""What is understood of files before they are taken in: the facts of their headers, and what is doubtful about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from observations.claims.profiles import facts_for_people
from observations.claims.reading import reading_with
from observations.delivery.rows import printable
from observations.numerics.doubts import Doubt
from observations.numerics.fits.facts import FitsRefused, Overrides
from observations.numerics.fits.images import Examined, examine_beginning, examine_images
from observations.numerics.fits.profile import suggested


@dataclass(frozen=True)
class Line:
    """One fact: its value as text, and where it comes from."""

    fact: str
    value: str
    source: str
    note: str

    @property
    def label(self) -> str:
        """The fact in words; units stand with the value."""
        return self.fact.removesuffix("_e").replace("_", " ")


@dataclass(frozen=True)
class Inspected:
    """One image as it is understood; `profile` would answer its doubts."""

    name: str
    facts: tuple[Line, ...]
    doubts: tuple[Doubt, ...]
    refusal: str
    profile: dict[str, object]

    def as_document(self) -> dict[str, object]:
        """Return it as JSON holds it."""
        return asdict(self)


def inspect_file(path: Path, given: Overrides) -> list[Inspected]:
    """Return each image of a file as it is understood, with the profiles in use; nothing is stored."""
    name = printable(path.name)
    try:
        found = examine_images(path, reading=reading_with(given))
    except FitsRefused as refusal:
        return [Inspected(name, (), (), str(refusal), suggested((), {}))]
    except FileNotFoundError:
        return [Inspected(name, (), (), "There is no such file.", suggested((), {}))]
    return list(_inspected(name, found))


def inspect_beginning(name: str, content: bytes, given: Overrides) -> list[Inspected]:
    """Return the same of a file of which only the first bytes are here."""
    try:
        found = examine_beginning(content, reading=reading_with(given))
    except FitsRefused as refusal:
        return [Inspected(printable(name), (), (), str(refusal), suggested((), {}))]
    return list(_inspected(printable(name), found))


def _inspected(name: str, found: list[Examined]) -> Iterable[Inspected]:
    for one in found:
        doubts = one.facts.doubts if one.facts is not None else ()
        lines = (Line(fact, text, origin.source, origin.note) for fact, text, origin in facts_for_people(one))
        label = name if len(found) == 1 else f"{name} HDU {one.hdu_index}"
        yield Inspected(label, tuple(lines), doubts, one.refusal, suggested(doubts, one.header))
