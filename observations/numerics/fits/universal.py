"""Whether a header says that its times are Universal Time, or of another scale that is no local one."""

from __future__ import annotations

from observations.numerics.fits.cards import Cards
from observations.numerics.fits.clocks import parse_calendar, scale_named
from observations.numerics.fits.keywords import KEYWORDS, TIME_KEYWORDS
from observations.numerics.fits.time_words import is_universal, scale_said

_TIMES = (
    *(keyword for keyword, _, _ in TIME_KEYWORDS),
    *(keyword for fact in ("clock", "clock_mid", "clock_end") for keyword in KEYWORDS[fact]),
)


def is_said_universal(cards: Cards) -> bool:
    """Tell whether TIMESYS, the name or the comment of a time, or an offset written with one says so."""
    if scale_named(cards.text("TIMESYS") or "LOCAL") not in (None, "local"):
        return True
    return any(_says(cards, keyword) for keyword in _TIMES)


def _says(cards: Cards, keyword: str) -> bool:
    text = cards.text(keyword)
    if text is None:
        return False
    if keyword.startswith(("UT", "TAI", "TU-", "TDB")) or "UTC" in keyword:
        return True
    parsed, comment = parse_calendar(text), cards.comment(keyword)
    return is_universal(comment) or scale_said(comment) is not None or (parsed is not None and parsed[2])
