"""What an archive is asked for, as its row keeps it: places, bands, collections of SIA 2, names and depth of lists."""

from __future__ import annotations

import math
from dataclasses import dataclass

from catalog.json_classes import as_json, read_as
from observations.models import Archive, ArchiveKind

MOST_ROWS, LEAST_ROWS = 100_000, 10
DEEPEST = 6
# Of a shape of SIA 2: how many numbers follow.
_SHAPES = {"CIRCLE": 3, "RANGE": 4}
_LEAST_CORNERS = 6


class QuestionRefused(ValueError):
    """This cannot be asked; the text says why."""


@dataclass(frozen=True)
class Question:
    """Which images are wanted. Empty parts ask for all.

    positions : shapes of SIA 2, ICRS degrees, such as "CIRCLE 83.63 22.01 0.5". band_from_nm, band_to_nm : wavelengths.
    most_rows : MAXREC, what one answer may hold. pattern : names of files, with * and ?. depth : levels of folders
    below an index page.
    """

    positions: tuple[str, ...] = ()
    band_from_nm: float | None = None
    band_to_nm: float | None = None
    collections: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    calib_levels: tuple[int, ...] = ()
    most_rows: int = 2000
    pattern: str = ""
    depth: int = 2

    @property
    def band_m(self) -> tuple[float, float] | None:
        """Wavelengths in metres; None where all are wanted."""
        if self.band_from_nm is None and self.band_to_nm is None:
            return None
        low = 0.0 if self.band_from_nm is None else self.band_from_nm * 1e-9
        return low, math.inf if self.band_to_nm is None else self.band_to_nm * 1e-9


def question_of(archive: Archive) -> Question:
    """Return what an archive is asked."""
    return read_as(Question, {**vars(Question()), **archive.question})


def written(question: Question) -> object:
    """Return a question as its row keeps it, or raise QuestionRefused."""
    for text in question.positions:
        shape_of(text)
    band = question.band_m
    if band is not None and not 0.0 <= band[0] < band[1]:
        raise QuestionRefused("A band needs two wavelengths, the shorter one first.")
    if any(level not in range(5) for level in question.calib_levels):
        raise QuestionRefused("Calibration levels are 0 (raw) to 4.")
    return as_json(question)


def shape_of(text: str) -> tuple[str, tuple[float, ...]]:
    """Return the shape and the numbers of a position of SIA 2, ICRS degrees, or raise QuestionRefused."""
    name, *words = text.upper().replace(",", " ").split() or [""]
    try:
        numbers = tuple(float(word) for word in words)
    except ValueError as error:
        raise QuestionRefused(f"{text!r} holds something that is no number.") from error
    if name not in (*_SHAPES, "POLYGON"):
        raise QuestionRefused(f"{text!r} is no position: write CIRCLE ra dec radius, RANGE or POLYGON, in degrees.")
    is_whole = len(numbers) == _SHAPES.get(name, max(len(numbers) // 2 * 2, _LEAST_CORNERS))
    if not is_whole or any(math.isnan(number) for number in numbers):
        raise QuestionRefused(f"{text!r} needs {_SHAPES.get(name, 'six or more, pairs of')} numbers.")
    _check_numbers(text, name, numbers)
    return name, numbers


def _check_numbers(text: str, name: str, numbers: tuple[float, ...]) -> None:
    if name == "CIRCLE":
        right, dec, radius = numbers
        fits = 0.0 <= right <= 360.0 and -90.0 <= dec <= 90.0 and 0.0 < radius <= 90.0
    elif name == "RANGE":
        west, east, south, north = numbers
        fits = 0.0 <= west <= east <= 360.0 and -90.0 <= south <= north <= 90.0
    else:
        fits = all(0.0 <= value <= 360.0 for value in numbers[::2]) and all(
            abs(value) <= 90.0 for value in numbers[1::2]
        )
    if not fits:
        raise QuestionRefused(f"{text!r} is not on the sky: RA 0 to 360, Dec -90 to 90, the smaller one first.")


def in_words(archive: Archive) -> list[tuple[str, str]]:
    """Return what is asked, for people: names and values, without what is left open."""
    question = question_of(archive)
    if archive.kind == ArchiveKind.FOLDER:
        return []
    if archive.kind == ArchiveKind.LIST:
        depth = str(question.depth or 0)
        return [("Names", question.pattern or "all FITS files"), ("Folders below an index page", f"{depth} levels")]
    band = question.band_m
    lines = [
        ("Positions", "; ".join(question.positions) or "the whole sky"),
        ("Wavelengths", f"{band[0] * 1e9:g} to {band[1] * 1e9:g} nm" if band else ""),
        ("Collections", ", ".join(question.collections)),
        ("Instruments", ", ".join(question.instruments)),
        ("Calibration levels", ", ".join(map(str, question.calib_levels))),
        ("Most rows in one answer", str(question.most_rows)),
    ]
    return [(name, value) for name, value in lines if value]
