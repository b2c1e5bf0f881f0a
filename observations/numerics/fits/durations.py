"""How long an exposure was: seconds, whatever unit its card is in, and what contradicts it."""

from __future__ import annotations

import re

from observations.numerics.fits.cards import Card, Cards
from observations.numerics.fits.clocks import parse_clock
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.keywords import BOUNDS, KEYWORDS

# The unit as a comment names it, in brackets or as a word; the keyword's own unit is seconds.
_UNITS = (
    (re.compile(r"\[\s*(us|µs|usec|microsec\w*)\s*\]|\bmicro-?sec\w*|\busec\b", re.I), 1e-6),
    (re.compile(r"\[\s*(ms|msec|millisec\w*)\s*\]|\bmilli-?sec\w*|\b(ms|msec)\b", re.I), 1e-3),
    (re.compile(r"\[\s*(s|sec|secs|seconds?)\s*\]|\bsec(?:ond)?s?\b", re.I), 1.0),
    (re.compile(r"\[\s*(min|mins|minutes?)\s*\]|\bmin(?:ute)?s\b|\bin min\b", re.I), 60.0),
    (re.compile(r"\[\s*(h|hr|hrs|hours?)\s*\]|\b(?:hours|hrs)\b", re.I), 3600.0),
    (re.compile(r"\[\s*(d|day|days)\s*\]|\bdays\b", re.I), 86400.0),
)
_ELAPSED = ("TELAPSE", "ELAPTIME", "ELAPSED")
# Values of one exposure that differ by less were rounded, or one of them leaves out the shutter's way.
_AGREE_SHARE, _AGREE_S = 0.01, 0.01
_THOUSANDS = (1e3, 1e6)
# What counts exposures is not their length.
_COUNTED = re.compile(r"\b(?:number|count)\b(?! of (?:\w*sec|s\b|ms\b|min|hour|day))|\bindex\b", re.I)


def seconds_per_unit(card: Card, otherwise: float = 1.0) -> float:
    """Return the seconds in the unit that a card's comment names."""
    return next((seconds for pattern, seconds in _UNITS if pattern.search(card.comment)), otherwise)


def find_exposure(cards: Cards, notes: Notes, unit_s: float | None = None) -> float | None:
    """Return the exposure time in seconds: of the first keyword with a possible value above 0, else 0 if one says so.

    unit_s : seconds in the unit that the keywords have, whatever their comments say.
    """
    units = dict.fromkeys(KEYWORDS["exposure_s"], 1.0) | _IN_OTHER_UNITS
    found = _found(cards, units, notes, unit_s) or _found(
        cards, dict.fromkeys(KEYWORDS["exposure_asked_s"], 1.0), notes, unit_s
    )
    positive = {keyword: seconds for keyword, seconds in found.items() if seconds > 0}
    if not positive:
        return 0.0 if found else None
    chosen, exposure = next(iter(positive.items()))
    # Written twice, once in milli- or microseconds without saying so: the smaller is in seconds.
    for keyword, seconds in positive.items():
        if any(abs(exposure / seconds / times - 1) < 1e-6 for times in _THOUSANDS):
            chosen, exposure = keyword, seconds
    notes.came_from("exposure", chosen, cards.text(chosen), _unit_note(exposure, cards.number(chosen)))
    for keyword, seconds in found.items():
        # What passed between start and end is no shorter than the exposure, and may be longer.
        if keyword in _ELAPSED and seconds >= exposure * (1 - _AGREE_SHARE):
            continue
        if seconds and any(abs(seconds / exposure / times - 1) < 1e-6 for times in _THOUSANDS):
            continue
        if abs(seconds - exposure) > max(_AGREE_SHARE * exposure, _AGREE_S):
            notes.doubt(
                "exposure_contradicted", "exposure", keyword, seconds,
                f"{keyword} says {seconds:g} s, {chosen} says {exposure:g} s: {chosen} was used.",
                # Where it is the middle that moves; a value of 0 beside another was left empty.
                blocks=seconds > 0 and abs(seconds - exposure) / 2 > 1.0,
            )  # fmt: skip
    return exposure


def _found(cards: Cards, units: dict[str, float], notes: Notes, unit_s: float | None) -> dict[str, float]:
    values = {keyword: _seconds(cards, keyword, unit, notes, unit_s) for keyword, unit in units.items()}
    return {keyword: seconds for keyword, seconds in values.items() if seconds is not None}


def elapsed_s(cards: Cards) -> float | None:
    """Return the seconds from start to end where a keyword gives them."""
    for keyword in _ELAPSED:
        seconds = _seconds(cards, keyword, 1.0, Notes())
        if seconds:
            return seconds
    return None


def is_uninterrupted(cards: Cards, exposure_s: float | None) -> bool:
    """Tell whether a header says that an exposure took no longer than it lasted: no pauses."""
    taken = [_seconds(cards, keyword, 1.0, Notes()) for keyword in (*_ELAPSED, "DARKTIME")]
    exposure = exposure_s or 0.0
    return any(seconds and abs(seconds - exposure) <= max(0.5, _AGREE_SHARE * exposure) for seconds in taken)


# Keywords whose name says their unit.
_IN_OTHER_UNITS = {"EXPOINUS": 1e-6, "EXP-US": 1e-6, "EXPMS": 1e-3, "EXP-MS": 1e-3}


def _seconds(cards: Cards, keyword: str, unit: float, notes: Notes, given_unit: float | None = None) -> float | None:
    card, value = cards.get(keyword), cards.number(keyword)
    if card is None or _COUNTED.search(card.comment):
        return None
    clock = None if value is not None else parse_clock(cards.text(keyword) or "")
    if value is None and clock is None:
        return None
    seconds = clock[0] if clock else (value or 0.0) * (given_unit or seconds_per_unit(card, unit))
    low, high = BOUNDS["exposure_s"]
    if low <= seconds <= high:
        return seconds
    notes.impossible("exposure", keyword, cards.text(keyword))
    return None


def _unit_note(seconds: float, value: float | None) -> str:
    if not value or abs(seconds / value - 1.0) < 1e-9:
        return ""
    return f"its unit is {seconds / value:g} s"
