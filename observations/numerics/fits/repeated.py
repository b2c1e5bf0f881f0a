"""Keywords that stand twice in a header with different values: programs that read it differ in which they take."""

from __future__ import annotations

import re

from observations.numerics.fits.cards import Card, Cards
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.keywords import KEYWORDS, POINTING_KEYWORDS, TIME_KEYWORDS

_WCS = re.compile(r"C(TYPE|RVAL|RPIX|DELT|ROTA)\d$|(CD|PC)\d_\d$|RADE[CS]|EQUINOX$")
# Facts that a repeated card may move by more than is trusted.
_FACTS = (
    ("time", {name for name, _, _ in TIME_KEYWORDS}),
    ("time", {*KEYWORDS["clock"], *KEYWORDS["clock_mid"], *KEYWORDS["clock_end"]}),
    ("exposure", {*KEYWORDS["exposure_s"]}),
    ("position", {name for pair in POINTING_KEYWORDS for name in pair}),
    ("band", {*KEYWORDS["filter"]}),
    ("gain", {*KEYWORDS["gain_e_per_adu"]}),
    ("kind", {*KEYWORDS["kind"]}),
)  # fmt: skip


def doubt_repeated(cards: Cards, notes: Notes) -> None:
    """Doubt each fact whose keyword stands twice with different values; the first was used."""
    for keyword, second in cards.repeated.items():
        named = "position" if _WCS.match(keyword) else next((fact for fact, names in _FACTS if keyword in names), None)
        if named is not None and not (named == "position" and _is_one_place(cards.get(keyword), second)):
            notes.doubt(
                "keyword_repeated", named, keyword, str(second.value),
                f"{keyword} stands twice in the header, as {cards.text(keyword)} and as {second.value}: the first "
                "was used.",
                blocks=named in ("time", "exposure", "position"),
            )  # fmt: skip


def _is_one_place(first: Card | None, second: Card) -> bool:
    """Whether two numbers of degrees are one for all purposes; those of a matrix are smaller."""
    values = [card.value for card in (first, second) if card is not None]
    numbers = [float(value) for value in values if isinstance(value, (int, float))]
    return len(numbers) == 2 and abs(numbers[1] - numbers[0]) * 3600 < 1.0 < abs(numbers[0])
