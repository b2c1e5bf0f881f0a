"""Electrons per ADU and read noise, of one amplifier or of several, in whatever unit their cards have."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from observations.numerics.fits import camera
from observations.numerics.fits.bounds import value_in_bounds
from observations.numerics.fits.cards import Cards
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.keywords import AMPLIFIER_GAINS, AMPLIFIER_READ_NOISES, BOUNDS, KEYWORDS

_ELECTRON = r"(?:photo-?)?(?:electrons?|photons?|e-?)"
_COUNT = r"(?:adus?|dns?|counts?|data numbers?)"
_PER_COUNT = re.compile(rf"\b{_ELECTRON}\s*(?:/|per)\s*{_COUNT}\b|\be-?\s*adu(?:\^|\*\*)?-1", re.I)
_PER_ELECTRON = re.compile(
    rf"\b{_COUNT}\s*(?:/|per)\s*(?:photo-?)?(?:e|photon)|\badu\s*e-?(?:\^|\*\*)?-1|\binverse gain\b"
    r"|\b1 ?/ ?gain\b",
    re.I,
)
# What makes counts of electrons is counts per electron; not everybody who writes so means that.
_TO_COUNTS = re.compile(rf"\b{_ELECTRON}\s*(?:-*>|to|into)\s*{_COUNT}\b", re.I)
# Thousandths of electrons, gains times a hundred.
_SCALED = re.compile(r"\bmilli|\bme-|[x*] ?10+\b|\b(?:tenths?|hundredths?|thousandths?)\b|\b0\.0*1\b|/ ?10+\b", re.I)
_SQUARED = re.compile(r"\^2|\*\*2|\bvariance\b|squared", re.I)
# Noise is measured to some per cent, and gains of one camera are written with as many.
_SAME_SHARE = 0.05
# Keywords of a number that is counts per electron by definition, whatever their comments say.
_INVERSE = re.compile(r"ESO DET OUT\d+ GAIN$")
IN_ELECTRONS = re.compile(r"\be-(?!\d)|\[e\]|electrons?\b", re.I)
_IN_COUNTS = re.compile(r"\b(?:adus?|dns?|counts?|(?:digital|data) (?:units?|numbers?))\b", re.I)


def find_gain(cards: Cards, notes: Notes) -> float | None:
    """Return electrons per ADU; GAIN alone is believed where it can be that, and not an amplifier's setting.

    None for pixels that count electrons: the gain was applied already.
    """
    if camera.pixel_unit(cards) in ("electron", "electron/s"):
        return None
    multiplied = camera.multiplier(cards)
    if multiplied is not None:
        notes.doubt(
            "electrons_multiplied", "gain", multiplied, cards.number(multiplied),
            f"{multiplied} = {cards.text(multiplied)}: the electrons were multiplied before they were counted, and no "
            "gain was used: the noise is measured in the pixels alone.",
        )  # fmt: skip
        return None
    gain = _stated_gain(cards, notes)
    if gain is None:
        gain = _gain_of_amplifiers(cards, notes)
    else:
        _note_other_gains(cards, gain, notes)
    return _gain_if_said(cards, notes) if gain is None else gain


def _note_other_gains(cards: Cards, gain: float, notes: Notes) -> None:
    """Doubt a gain beside which another keyword gives another; the saved bit depth has one of its own."""
    source = notes.origins["gain"].source
    if source == "EGAINSAV":
        return
    others = {keyword: [keyword] for keyword in KEYWORDS["gain_e_per_adu"] if keyword not in (source, "GAIN")}
    others |= {keywords[0]: list(keywords) for keywords in AMPLIFIER_GAINS}
    for first, keywords in others.items():
        values = [value for value in (_one_gain(cards, keyword, Notes()) for keyword in keywords) if value]
        mean = sum(values) / len(values) if values else gain
        if abs(mean / gain - 1) > _SAME_SHARE and mean <= camera.LARGEST_PLAIN_GAIN:
            notes.doubt(
                "gain_contradicted", "gain", first, mean,
                f"{first} gives {mean:.4g} electrons per ADU, {source} gives {gain:.4g}: {source} was used.",
            )  # fmt: skip


def _stated_gain(cards: Cards, notes: Notes) -> float | None:
    for keyword in KEYWORDS["gain_e_per_adu"]:
        if keyword == "GAIN" and camera.gain_is_setting(cards):
            text = cards.text("GAIN")
            notes.doubt(
                "gain_is_a_setting", "gain", "GAIN", cards.number("GAIN") if cards.number("GAIN") is not None else text,
                f"GAIN = {text} is a camera setting, not electrons per ADU, and was not used as that: without EGAIN "
                "the noise is measured in the pixels alone.",
            )  # fmt: skip
            continue
        listed = _listed(cards.text(keyword) or "")
        if len(listed) > 1:
            return _mean_gain(keyword, listed, notes)
        gain = _one_gain(cards, keyword, notes)
        if gain is not None:
            notes.came_from("gain", keyword, cards.text(keyword))
            return gain
    return None


def _one_gain(cards: Cards, keyword: str, notes: Notes) -> float | None:
    """Electrons per ADU of one card; None where it is absent, impossible, or of no known direction."""
    value = value_in_bounds(cards, keyword, "gain_e_per_adu", notes)
    comment = cards.comment(keyword)
    if value is None:
        return None
    if _SCALED.search(comment):
        _note_unsaid(cards, keyword, notes)
        return None
    if _INVERSE.match(keyword):
        return 1.0 / value
    if _PER_COUNT.search(comment) or keyword.startswith("ESO "):
        return value
    if _PER_ELECTRON.search(comment):
        return 1.0 / value
    if _TO_COUNTS.search(comment):
        _note_unsaid(cards, keyword, notes)
        return None
    return value


def _gain_of_amplifiers(cards: Cards, notes: Notes) -> float | None:
    for keywords in AMPLIFIER_GAINS:
        present = [keyword for keyword in keywords if cards.number(keyword)]
        is_setting = any((cards.number(keyword) or 0.0) > camera.LARGEST_PLAIN_GAIN for keyword in present)
        values = [] if is_setting else [_one_gain(cards, keyword, notes) for keyword in present]
        known = [value for value in values if value is not None]
        if known:
            return _mean_gain(present[0], known, notes)
    return None


def _gain_if_said(cards: Cards, notes: Notes) -> float | None:
    """Of keywords that are a conversion in one camera and a setting in the next: the first whose comment says which."""
    for keyword in KEYWORDS["gain_if_said"]:
        if cards.number(keyword) is None:
            continue
        if not (_PER_COUNT.search(cards.comment(keyword)) or _PER_ELECTRON.search(cards.comment(keyword))):
            _note_unsaid(cards, keyword, notes)
            continue
        gain = _one_gain(cards, keyword, notes)
        if gain is not None:
            notes.came_from("gain", keyword, cards.text(keyword))
            return gain
    return None


def _note_unsaid(cards: Cards, keyword: str, notes: Notes) -> None:
    notes.doubt(
        "gain_unit_unsaid", "gain", keyword, cards.text(keyword),
        f"{keyword} = {cards.text(keyword)} does not say whether it is electrons per ADU, ADU per electron or a "
        "setting, and was not used: the noise is measured in the pixels alone.",
    )  # fmt: skip


def _listed(text: str) -> list[float]:
    """The numbers of a list such as [3.3,3.4,3.3,3.4]; empty where the text is none."""
    try:
        return [float(word) for word in text.strip().strip("[]()").replace(",", " ").split()]
    except ValueError:
        return []


def _mean_gain(keyword: str, values: Sequence[float], notes: Notes) -> float | None:
    """The mean of the amplifiers' gains, doubted where they differ."""
    low, high = BOUNDS["gain_e_per_adu"]
    if not all(low <= value <= high for value in values):
        notes.impossible("gain", keyword, str(values))
        return None
    mean = sum(values) / len(values)
    notes.came_from("gain", keyword, str(values), f"the mean of {len(values)} amplifiers" if len(values) > 1 else "")
    if max(values) - min(values) > 0.01 * mean:
        notes.doubt(
            "gain_of_amplifiers", "gain", keyword, mean,
            f"{keyword} gives {len(values)} amplifiers from {min(values):g} to {max(values):g} electrons per ADU: "
            f"their mean of {mean:.4g} was used for all pixels.",
        )  # fmt: skip
    return mean


def find_read_noise(cards: Cards, gain: float | None, notes: Notes) -> float | None:
    """Return the read noise in electrons, of several amplifiers the root of the mean square.

    What a comment puts into counts is multiplied by the gain; of a variance it is the root.
    """
    for keywords in (*((keyword,) for keyword in KEYWORDS["read_noise_e"]), *AMPLIFIER_READ_NOISES):
        listed = _listed(cards.text(keywords[0]) or "")
        values = listed if len(listed) > 1 else _noises(cards, keywords, notes)
        if not values:
            continue
        if _SQUARED.search(cards.comment(keywords[0])):
            values = [math.sqrt(value) for value in values]
        noise = math.sqrt(sum(value * value for value in values) / len(values))
        note = f"the root of the mean square of {len(values)} amplifiers" if len(values) > 1 else ""
        notes.came_from("read_noise_e", keywords[0], str(values) if note else cards.text(keywords[0]), note)
        comment = cards.comment(keywords[0])
        if not _IN_COUNTS.search(comment) or IN_ELECTRONS.search(comment):
            return noise
        notes.came_from("read_noise_e", keywords[0], noise, "in counts, multiplied by the gain")
        return None if gain is None else noise * gain
    return None


def _noises(cards: Cards, keywords: Sequence[str], notes: Notes) -> list[float]:
    values = (value_in_bounds(cards, keyword, "read_noise_e", notes) for keyword in keywords)
    return [value for value in values if value is not None]
