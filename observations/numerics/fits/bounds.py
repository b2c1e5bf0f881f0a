"""Numbers of a header where they are possible."""

from __future__ import annotations

from observations.numerics.fits.cards import Cards
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.keywords import BOUNDS, KEYWORDS


def value_in_bounds(cards: Cards, keyword: str, bounds: str, notes: Notes) -> float | None:
    """Return the value of a keyword where it is possible; where it is not, that is a doubt."""
    card = cards.get(keyword)
    if card is None:
        return None
    value = cards.number(keyword)
    low, high = BOUNDS[bounds]
    if value is not None and low <= value <= high:
        return value
    if cards.text(keyword) is not None:
        notes.impossible(bounds, keyword, cards.text(keyword))
    return None


def bounded(cards: Cards, fact: str, bounds: str, notes: Notes) -> float | None:
    """Return the value of the first keyword of a fact whose value is possible."""
    for keyword in KEYWORDS[fact]:
        value = value_in_bounds(cards, keyword, bounds, notes)
        if value is not None:
            notes.came_from(fact, keyword, cards.text(keyword))
            return value
    return None
