"""How long an exposure was: seconds, whatever unit its card is in, and what contradicts it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from observations.numerics.fits.cards import Card, Cards
from observations.numerics.fits.clocks import parse_clock
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.keywords import BOUNDS, KEYWORDS

# Names of units, and the seconds in them; those of the second row are units as words only, not as letters.
_SECONDS_IN: Mapping[str, float] = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "usec": 1e-6, "musec": 1e-6, "ms": 1e-3, "msec": 1e-3, "cs": 1e-2,
    "s": 1.0, "sec": 1.0, "secs": 1.0, "m": 60.0, "min": 60.0, "mins": 60.0, "h": 3600.0, "hr": 3600.0, "hrs": 3600.0,
    "d": 86400.0,
    "nanosec": 1e-9, "microsec": 1e-6, "millisec": 1e-3, "centisec": 1e-2, "decisec": 1e-1, "second": 1.0,
    "minute": 60.0, "hour": 3600.0, "day": 86400.0,
}  # fmt: skip
_STEM = (
    r"(?:(?:nano|micro|milli|centi|deci)[- ]?)?sec(?:ond)?s?|minutes?|hours?|days?|[num\xb5]?s|[mun]?secs?|musec|cs"
    r"|mins?|hrs?|h|d"
)
_COUNT = r"(?:(?P<count>\d+(?:\.\d+)?)(?:/(?P<parts>\d+))?(?:th)?[ ]?(?:of a )?)?"
# A unit that is said to be one: in brackets, after "in" or "unit", after a stroke, or alone.
_SAID = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        rf"[\[(]\s*{_COUNT}(?P<unit>{_STEM})\.?\s*[\])]",
        rf"\b(?:in|units?\b(?: (?:of|is))?)[ :=]+(?:units of )?{_COUNT}(?P<unit>{_STEM})\b",
        rf"/{_COUNT}(?P<unit>{_STEM})$",
        rf"[x*] ?{_COUNT}(?P<unit>{_STEM})$",
        rf"^\W*{_COUNT}(?P<unit>{_STEM})\W*$",
    )
)
_HUNDREDTHS = re.compile(r"\b(?P<share>hundredths?|tenths?|thousandths?) of (?:a )?seconds?\b", re.I)
_SHARES = {"hundredth": 1e-2, "tenth": 1e-1, "thousandth": 1e-3}
# A unit among other words; not the day or the hour of something, nor the minimum.
_AMONG_WORDS = re.compile(
    r"\b(?P<unit>(?:(?:nano|micro|milli|centi|deci)[- ]?)?sec(?:ond)?s?|[um]sec|musec|[um\xb5]s|mins?(?=\.?$)|minutes?"
    r"|hours?|hrs|days)\b",
    re.I,
)
# What cameras count instead of time; how long one is stands nowhere.
_NO_TIME = re.compile(
    r"\bin (?:units of )?(lines?|rows?|ticks?|frames?|clocks?)\b|^\W*(lines?|rows?|ticks?|frames?)\W*$", re.I
)
_WORDED = re.compile(rf"(\d+(?:[.,]\d*)?|\.\d+|\d+/\d+)\s*[\[(]?({_STEM}|m)?\.?[\])]?$", re.I)
_ELAPSED = ("TELAPSE", "ELAPTIME", "ELAPSED")
# Values of one exposure that differ by less were rounded, or one of them leaves out the shutter's way.
_AGREE_SHARE, _AGREE_S = 0.01, 0.01
_THOUSANDS = (1e3, 1e6)
# Nobody follows a field for longer in one exposure: stacks are longer, and numbers of another unit.
LONGEST_EXPOSURE_S = 3600.0
# What counts exposures is not their length.
_COUNTED = re.compile(r"\b(?:number|count)\b(?! of (?:\w*sec|s\b|ms\b|min|hour|day))|\bindex\b", re.I)


def seconds_per_unit(card: Card, otherwise: float = 1.0) -> float:
    """Return the seconds in the unit that a card's comment names."""
    said = [found for pattern in _SAID if (found := pattern.search(card.comment))]
    share = _HUNDREDTHS.search(card.comment)
    if said:
        first = min(said, key=lambda found: found.start())
        return float(first["count"] or 1) / float(first["parts"] or 1) * _seconds_in(first["unit"])
    if share:
        return _SHARES[share["share"].lower().rstrip("s")]
    named = _AMONG_WORDS.search(card.comment)
    return _seconds_in(named["unit"]) if named else otherwise


def _seconds_in(unit: str) -> float:
    name = unit.lower().replace("-", "").replace(" ", "")
    stem = re.sub(r"(?<=sec)onds?$", "", name) if name not in ("second", "seconds") else "second"
    stem = stem if stem in _SECONDS_IN else stem.removesuffix("s")
    return _SECONDS_IN[stem]


def find_exposure(cards: Cards, notes: Notes, unit_s: float | None = None) -> float | None:
    """Return the exposure time in seconds: of the first keyword with a possible value above 0, else 0 if one says so.

    unit_s : seconds in the unit that the keywords have, whatever their comments say.
    """
    units = dict.fromkeys(KEYWORDS["exposure_s"], 1.0) | _in_unit_of_times(cards) | _IN_OTHER_UNITS
    found = _found(cards, units, notes, unit_s)
    asked = _found(cards, dict.fromkeys(KEYWORDS["exposure_asked_s"], 1.0), notes, unit_s)
    if not any(found.values()):
        found |= asked
    positive = {keyword: seconds for keyword, seconds in found.items() if seconds > 0}
    if not positive:
        return 0.0 if found else None
    chosen, exposure = next(iter(positive.items()))
    # Written twice, once in milli- or microseconds without saying so: the smaller is in seconds.
    elapsed = _found(cards, dict.fromkeys((*_ELAPSED, "DARKTIME"), 1.0), Notes(), unit_s)
    for keyword, seconds in (elapsed | asked | positive).items():
        if seconds and any(abs(exposure / seconds / times - 1) < 1e-6 for times in _THOUSANDS):
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


def _in_unit_of_times(cards: Cards) -> dict[str, float]:
    """The keywords that FITS puts into the unit of TIMEUNIT (4.0, 9.4.2), which is seconds where it is absent."""
    unit = (cards.text("TIMEUNIT") or "").lower()
    return dict.fromkeys(("XPOSURE", "TELAPSE"), _SECONDS_IN[unit]) if unit in _SECONDS_IN else {}


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
    counted = _NO_TIME.search(card.comment)
    if counted is not None and given_unit is None:
        _unusable(
            notes, keyword, cards.text(keyword), f"is counted in {counted[1] or counted[2]}, whose length is not known"
        )
        return None
    if value is None:
        seconds = _written_seconds(cards.text(keyword) or "", given_unit or seconds_per_unit(card, unit))
    else:
        seconds = value * (given_unit or seconds_per_unit(card, unit))
    low, high = BOUNDS["exposure_s"]
    if seconds is None:
        if any(letter.isdigit() for letter in cards.text(keyword) or ""):
            _unusable(notes, keyword, cards.text(keyword), "is no length of time that can be read")
        return None
    if low <= seconds <= high:
        return seconds
    notes.impossible("exposure", keyword, cards.text(keyword))
    return None


def _unusable(notes: Notes, keyword: str, text: str | None, reason: str) -> None:
    notes.doubt("unreadable_exposure", "exposure", keyword, text, f"{keyword} = {text} {reason}: it was not used.")


def _written_seconds(text: str, unit_s: float) -> float | None:
    """Seconds of a length that is written as text: hh:mm:ss, or a number or a fraction with its unit."""
    if text.count(":") == 1:
        # Minutes and seconds, or hours and minutes.
        return None
    clock = parse_clock(text)
    if clock is not None:
        return clock[0]
    worded = _WORDED.match(text.strip())
    if worded is None:
        return None
    number, _, parts = worded[1].replace(",", ".").partition("/")
    if parts and float(parts) == 0:
        return None
    return float(number) / float(parts or 1) * (_seconds_in(worded[2]) if worded[2] else unit_s)


def _unit_note(seconds: float, value: float | None) -> str:
    if not value or abs(seconds / value - 1.0) < 1e-9:
        return ""
    return f"its unit is {seconds / value:g} s"
