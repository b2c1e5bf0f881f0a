"""What a header says of camera and conditions: values that are possible, in the units of `FrameFacts`."""

from __future__ import annotations

import re
from dataclasses import replace

from observations.numerics.fits.cards import Cards
from observations.numerics.fits.facts import FrameFacts, Notes
from observations.numerics.fits.keywords import BINNING_KEYWORDS, BOUNDS, KEYWORDS

# Above this, GAIN of an amateur camera is a setting of its amplifier and not electrons per ADU.
_LARGEST_PLAIN_GAIN = 20.0
_SECTION = re.compile(r"\[\s*\d+\s*:\s*\d+\s*,\s*\d+\s*:\s*\d+\s*\]$")


def with_detector(facts: FrameFacts, cards: Cards, notes: Notes) -> FrameFacts:
    saturation, unit = _saturation(cards, notes)
    return replace(
        facts,
        object_name=cards.first_text(KEYWORDS["object_name"]),
        airmass=bounded(cards, "airmass", "airmass", notes),
        seeing_arcsec=_seeing(cards, facts.pixel_scale_arcsec, notes),
        gain_e_per_adu=_gain(cards, notes),
        read_noise_e=bounded(cards, "read_noise_e", "read_noise_e", notes),
        saturation=saturation,
        saturation_unit=unit,
        ccd_temperature_c=_temperature(cards, notes),
        binning=binning(cards),
        camera=cards.first_text(KEYWORDS["camera"]),
        telescope_name=cards.first_text(KEYWORDS["telescope_name"]),
        readout_mode=cards.first_text(KEYWORDS["readout_mode"]),
        bzero=cards.number("BZERO") or 0.0,
        bscale=cards.number("BSCALE") or 1.0,
        pedestal_adu=value_in_bounds(cards, "PEDESTAL", "pedestal_adu", notes),
        biassec=_section(cards, "biassec"),
        trimsec=_section(cards, "trimsec"),
    )


def value_in_bounds(cards: Cards, keyword: str, bounds: str, notes: Notes) -> float | None:
    card = cards.get(keyword)
    if card is None:
        return None
    value = cards.number(keyword)
    low, high = BOUNDS[bounds]
    if value is not None and low <= value <= high:
        return value
    if cards.text(keyword) is not None:
        notes.warn(f"{keyword} = {cards.text(keyword)} is impossible and was not used.")
    return None


def bounded(cards: Cards, fact: str, bounds: str, notes: Notes) -> float | None:
    """The first keyword of a fact whose value is possible."""
    for keyword in KEYWORDS[fact]:
        value = value_in_bounds(cards, keyword, bounds, notes)
        if value is not None:
            return value
    return None


def binning(cards: Cards) -> str | None:
    for x_keyword, y_keyword in BINNING_KEYWORDS:
        x, y = cards.number(x_keyword), cards.number(y_keyword)
        if x is not None and 1 <= x <= 64:
            return f"{int(x)}x{int(y if y is not None and 1 <= y <= 64 else x)}"
    for keyword in ("CCDSUM", "BINNING"):
        match = re.match(r"(\d{1,2})\s*[x,\s]\s*(\d{1,2})$", cards.text(keyword) or "")
        if match:
            return f"{int(match[1])}x{int(match[2])}"
    return None


def _seeing(cards: Cards, scale_arcsec: float | None, notes: Notes) -> float | None:
    """FWHM in arcsec; a value in pixels (its comment says so) is multiplied by the scale."""
    low, high = BOUNDS["seeing_arcsec"]
    for keyword in KEYWORDS["seeing"]:
        value = cards.number(keyword)
        if value is None:
            continue
        if "pix" in cards.comment(keyword).lower():
            if scale_arcsec is None:
                continue
            value *= scale_arcsec
        if low <= value <= high:
            return value
        notes.warn(f"{keyword} = {cards.text(keyword)} is impossible and was not used.")
    return None


def _gain(cards: Cards, notes: Notes) -> float | None:
    """Electrons per ADU; GAIN alone is believed where it can be that, and not an amplifier's setting."""
    for keyword in KEYWORDS["gain_e_per_adu"]:
        value = value_in_bounds(cards, keyword, "gain_e_per_adu", notes)
        if value is None:
            continue
        comment = cards.comment(keyword).lower()
        if re.search(r"(adu|dn|counts?)\s*(/|per)\s*e", comment):
            return 1.0 / value
        if keyword == "GAIN" and value > _LARGEST_PLAIN_GAIN and not re.search(r"\be-?\b|electron", comment):
            notes.warn(f"GAIN = {value:g} is a camera setting, not electrons per ADU, and was not used.")
            continue
        return value
    return None


def _saturation(cards: Cards, notes: Notes) -> tuple[float | None, str | None]:
    """Saturation and its unit: raw ADU where the file rescales its integers, else the data's own."""
    value = bounded(cards, "saturation", "saturation", notes)
    if value is None:
        return None, None
    bscale = cards.number("BSCALE")
    return value, "raw_adu" if bscale is not None and bscale != 1.0 else "data"


def _temperature(cards: Cards, notes: Notes) -> float | None:
    for keyword in KEYWORDS["ccd_temperature"]:
        value = cards.number(keyword)
        if value is None:
            continue
        # Some observatories write kelvin; a detector at +100 C does not exist, so larger numbers are kelvin as well.
        is_kelvin = "kelvin" in cards.comment(keyword).lower() or "[k]" in cards.comment(keyword).lower()
        celsius = value - 273.15 if is_kelvin or value > BOUNDS["ccd_temperature_c"][1] else value
        low, high = BOUNDS["ccd_temperature_c"]
        if low <= celsius <= high and not (is_kelvin and value <= 0):
            return celsius
        notes.warn(f"{keyword} = {cards.text(keyword)} is impossible and was not used.")
    return None


def _section(cards: Cards, fact: str) -> str | None:
    text = cards.first_text(KEYWORDS[fact])
    return text if text is not None and _SECTION.match(text) else None
