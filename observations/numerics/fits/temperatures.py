"""How cold a detector was: Celsius, from whatever unit a card is in."""

from __future__ import annotations

import re

from observations.numerics.fits.cards import Cards
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.keywords import BOUNDS, KEYWORDS

# A number with its unit, written as text.
_TEMPERATURE = re.compile(
    r"([+-]?\d+(?:\.\d*)?)\s*(?:deg(?:rees)?\.?\s*)?°?\s*([CKF])(?:elsius|elvin|ahrenheit)?$", re.I
)
_DEGREES = r"(?:deg(?:rees?|s)?\.?[ _-]*)"


def _said(unit: str, name: str) -> re.Pattern[str]:
    """What says a unit in a comment: its name, or its letter in brackets, after a word or alone."""
    letter = unit.lower()
    ways = (
        name, rf"[\[(]{_DEGREES}?{letter}[\])]", rf"\b{_DEGREES}{letter}\b", rf"\b(?:in|units?)\W+{letter}\b",
        rf"^\W*{letter}\W*$", rf"[,/] ?{letter}$",
    )  # fmt: skip
    return re.compile("|".join(ways), re.I)


_UNITS = tuple(
    (unit, _said(unit, name)) for unit, name in (("K", "kelvin|kevlin"), ("F", "fahren"), ("C", "cel[sc]ius|centigr"))
)
_SCALED = re.compile(
    r"\b(?:tenths?|hundredths?|milli\w*|centi(?!grade)\w*|mdeg\w*|mk)\b|\b0\.0*1\b|\b1/10+|[x*] ?10+\b", re.I
)
# A cooler holds what was set to within some tenths.
_SAME_C = 0.6
# Uncooled cameras in the sun; nitrogen boils at 77 K.
_WARMEST_C = 60.0
# Detectors whose temperature is written in kelvin and without a unit.
_KELVIN_KEYWORDS = ("ESO INS TEMP-DETSW",)


def find_temperature(cards: Cards, notes: Notes) -> float | None:
    """Return Celsius, from kelvin and Fahrenheit too, by a word, or by a number that no detector has in Celsius."""
    for keyword in KEYWORDS["ccd_temperature"]:
        worded = _TEMPERATURE.match(cards.text(keyword) or "")
        value = float(worded[1]) if worded else cards.number(keyword)
        if value is None:
            continue
        unit = worded[2].upper() if worded else _unit_said(cards, keyword)
        low, high = BOUNDS["ccd_temperature_c"]
        other = _other_unit(cards, keyword, value, unit)
        if other is not None:
            notes.doubt(
                "temperature_unit_unsaid", "ccd_temperature", keyword, value,
                f"{keyword} = {value:g} {other}: it was not used.",
            )  # fmt: skip
            continue
        # Some observatories write kelvin; a detector at +100 C does not exist, so larger numbers are kelvin as well.
        is_kelvin = unit == "K" or (unit != "F" and value > high)
        celsius = value - 273.15 if is_kelvin else (value - 32) / 1.8 if unit == "F" else value
        if low <= celsius <= high and not (is_kelvin and value <= 0):
            return celsius
        notes.impossible("ccd_temperature", keyword, cards.text(keyword))
    return None


def _other_unit(cards: Cards, keyword: str, value: float, unit: str | None) -> str | None:
    """Why a number of degrees is in a unit that is not known; None where it is not."""
    if _SCALED.search(cards.comment(keyword)):
        return "is in parts of a degree"
    if unit is not None:
        return None
    if _WARMEST_C < value <= BOUNDS["ccd_temperature_c"][1]:
        return "is no detector's temperature in Celsius, and does not say whether it is in kelvin or in Fahrenheit"
    asked = cards.number("SET-TEMP")
    is_fahrenheit = asked is not None and abs((value - 32) / 1.8 - asked) < _SAME_C
    if is_fahrenheit and abs(value - (asked or 0.0)) > 5 * _SAME_C:
        return f"is in Fahrenheit what SET-TEMP = {asked:g} is in Celsius, and neither says its unit"
    return None


def _unit_said(cards: Cards, keyword: str) -> str | None:
    """C, K or F as the comment says; None where it does not."""
    if keyword in _KELVIN_KEYWORDS:
        return "K"
    comment = cards.comment(keyword).strip()
    return next((unit for unit, words in _UNITS if words.search(comment)), None)
