"""What an alert says, for people: its title, its message, and its facts laid out with names and units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from astropy import units
from astropy.coordinates import SkyCoord

from curation.models import ValidationEvent

# Flags that make a flux doubtful, in words.
DOUBTS = {"saturated": "near saturated pixels", "blended": "another change is near", "edge": "near the frame's edge"}
MISSING = "not known"
_SOLUTIONS = {"solved": "solved against a catalogue", "header": "by the frame's header"}
_GROUNDS = {"human": "the judgement of people", "automatic": "the score alone, before any person had looked"}


def people_text(answers: Iterable[ValidationEvent], *, is_valid: bool) -> str:
    """Return who said so and how sure they were; of a person who said it of several detections, the latest."""
    sure = {e.validator.get_username(): e.confidence_level for e in answers if e.is_valid is is_valid}
    return ", ".join(f"{name} ({level} confidence)" for name, level in sure.items()) or "people"


def title_of(kind: str, facts: dict[str, Any]) -> str:
    """Return one line: what it is, where, how bright."""
    name = facts["designation"] or position_text(facts)
    what = _what(facts)
    if kind == "retraction":
        return f"Retraction: {name} is not what it was taken for"[:200]
    lead = f"Update on {what.lower()}" if kind == "update" else what
    return f"{lead} {name}, {_brightness(facts)}"[:200]


def message_of(kind: str, facts: dict[str, Any], basis: str) -> str:
    """Return what an astronomer needs to act: where, when, how bright, how sure, and what is not known."""
    if kind == "retraction":
        return (
            f"The source at {position_text(facts)} that was told about before no longer stands: it is {basis}. "
            "Stop follow-up that rests on it alone."
        )
    lines = [
        f"{_what(facts)} at {position_text(facts)}, error {facts['position_error_arcsec']:.2f}″ "
        f"(1 sigma, {'solved against a catalogue' if facts['wcs_quality'] == 'solved' else 'by the frame header'}).",
        f"{facts['mid_time'][:19].replace('T', ' ')} UTC (MJD {facts['mjd_utc']:.5f}), band {facts['band']}, "
        f"{facts['exposure_s']:g} s: {_brightness(facts)}.",
        f"Seen in {_count(facts['epochs'], 'frame')} of {_count(facts['nights'], 'night')}, "
        f"first {facts['first_detected_at'][:19].replace('T', ' ')} UTC; {_before(facts['last_non_detection'])}.",
        f"Score {facts['score']:.3f} by {facts['model']}. {basis}",
    ]
    return "\n".join([*lines, *_cautions(facts)])


def _cautions(facts: dict[str, Any]) -> list[str]:
    """Return what is not certain, and what would make it so."""
    lines = []
    if facts["rate_arcsec_per_min"] is not None:
        angle = facts["motion_angle_deg"]
        towards = "" if angle is None else f" towards {angle:.0f}° east of north"
        lines.append(
            f"It moves by {facts['rate_arcsec_per_min']:.2f}″ a minute{towards}, by {facts['tracklet_size']} positions "
            "of one night: look for a known minor planet first, and follow it soon."
        )
    elif facts["epochs"] == 1:
        lines.append("One frame cannot tell whether it moves: take another, and look for known minor planets.")
    if facts["flags"]:
        lines.append(f"Its brightness is uncertain: {', '.join(DOUBTS[name] for name in facts['flags'])}.")
    if facts["is_negative"]:
        lines.append("It is fainter than in the reference; a magnitude of missing light is not given.")
    elif facts["mag"] is None:
        lines.append("No magnitude: the zero point of this frame is not known.")
    if facts["mag"] is None and facts["flux_adu"] is not None:
        lines.append(f"Flux against the reference {facts['flux_adu']:.0f} ± {facts['flux_error_adu']:.0f} ADU.")
    return lines


def position_text(facts: dict[str, Any]) -> str:
    """Return a position in sexagesimal and in degrees."""
    place = SkyCoord(facts["ra_deg"] * units.deg, facts["dec_deg"] * units.deg)
    ra = place.ra.to_string(unit=units.hour, sep=":", precision=2, pad=True)
    dec = place.dec.to_string(sep=":", precision=1, pad=True, alwayssign=True)
    return f"{ra} {dec} ({facts['ra_deg']:.5f}, {facts['dec_deg']:+.5f})"


def _what(facts: dict[str, Any]) -> str:
    if facts["rate_arcsec_per_min"] is not None:
        return "Moving object"
    if facts["is_negative"]:
        return "Fading source"
    kinds = {"supernova": "Supernova candidate", "variable": "Variable", "transient": "Transient"}
    return kinds.get(facts["detection_type"], "New or brighter source")


def _brightness(facts: dict[str, Any]) -> str:
    snr = "S/N not known" if facts["snr"] is None else f"S/N {abs(facts['snr']):.1f}"
    if facts["mag"] is None:
        return snr
    return f"{facts['mag']:.2f} ± {facts['mag_error']:.2f} mag ({facts['mag_system'] or 'system unknown'}), {snr}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _before(missed: dict[str, Any] | None) -> str:
    if missed is None:
        return "no earlier frame of this place and band was compared"
    limit = f" to {missed['limiting_mag']:.1f} mag" if missed["limiting_mag"] is not None else ""
    return f"not seen{limit} {missed['mid_time'][:19].replace('T', ' ')} UTC"


def facts_in_words(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return name and value of what an alert rests on; what is not known is said to be so.

    The metadata of alerts that others wrote may hold anything: what is no number is shown as missing.
    """
    number = _Numbers(facts)
    return [
        ("Source", _text(facts.get("designation")) or number.pair("ra_deg", "dec_deg")),
        ("Position error", f"{number('position_error_arcsec', '.2f', '″')} (1 sigma), {_position_by(facts)}"),
        ("Middle of the exposure", f"{_moment(facts.get('mid_time'))}, MJD {number('mjd_utc', '.5f')}"),
        ("Band, exposure", f"{_text(facts.get('band')) or MISSING}, {number('exposure_s', 'g', ' s')}"),
        ("Frame", _text(facts.get("frame")) or MISSING),
        ("Magnitude", _magnitude(facts, number)),
        ("Flux beyond the reference", number.with_error("flux_adu", "flux_error_adu", "+,.0f", " ADU")),
        ("Signal to noise", number("snr", "+.1f")),
        ("Doubtful for", ", ".join(_texts(facts.get("flags"))) or "nothing"),
        ("Motion", _motion_text(number)),
        ("Seen in", f"frames: {number('epochs', 'g')}, nights: {number('nights', 'g')}"),
        ("First detected", _moment(facts.get("first_detected_at"))),
        ("Last frame without it", _before_text(facts.get("last_non_detection"))),
        ("Score", f"{number('score', '.3f')} by {_text(facts.get('model')) or 'an unknown model'}"),
        ("Reference", f"version {number('reference_version', 'g')}"),
        ("Taken for", _taken_for(facts)),
        ("Rests on", _GROUNDS.get(_text(facts.get("basis")), MISSING)),
        ("Judged by", "; ".join(_judges(facts.get("judged_by"))) or "nobody yet"),
        *_taken_back(facts),
    ]


class _Numbers:
    """Writes the numbers among facts."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._facts = facts

    def __call__(self, name: str, form: str, unit: str = "") -> str:
        value = self._facts.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return MISSING
        return f"{value:{form}}{unit}".replace("-", "−")

    def pair(self, ra: str, dec: str) -> str:
        return f"{self(ra, '.5f')} {self(dec, '+.5f')}"

    def with_error(self, name: str, error: str, form: str, unit: str) -> str:
        value = self(name, form)
        return value if value == MISSING else f"{value} ± {self(error, form.replace('+', ''))}{unit}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> list[str]:
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def _moment(value: Any) -> str:
    return f"{_text(value)[:19].replace('T', ' ')} UTC" if _text(value) else MISSING


def _position_by(facts: Mapping[str, Any]) -> str:
    return _SOLUTIONS.get(_text(facts.get("wcs_quality")), "from pointing and optics only")


def _magnitude(facts: Mapping[str, Any], number: _Numbers) -> str:
    if number("mag", "g") == MISSING:
        is_missing_light = facts.get("is_negative") is True
        return "none is given for missing light" if is_missing_light else "not known: the frame has no zero point"
    by = ", ".join(word for word in (_text(facts.get("mag_system")), _text(facts.get("mag_catalogue"))) if word)
    return f"{number.with_error('mag', 'mag_error', '.2f', '')} ({by or 'system not known'})"


def _motion_text(number: _Numbers) -> str:
    rate = number("rate_arcsec_per_min", ".2f", "″ a minute")
    if rate == MISSING:
        return "none seen"
    angle = number("motion_angle_deg", ".0f", "° east of north")
    return f"{rate}, towards {angle}, from {number('tracklet_size', 'g')} positions"


def _before_text(missed: Any) -> str:
    if not isinstance(missed, dict):
        return "no earlier frame of this place and band was compared"
    limit = _Numbers(missed)("limiting_mag", ".1f", " mag (5 sigma)")
    return f"{_moment(missed.get('mid_time'))}, limit {limit}, {_text(missed.get('frame')) or MISSING}"


def _taken_for(facts: Mapping[str, Any]) -> str:
    label, kind = _text(facts.get("label")), _text(facts.get("detection_type"))
    return ", ".join(word.replace("_", " ") for word in (label, kind) if word) or MISSING


def _judges(judged_by: Any) -> list[str]:
    entries = [entry for entry in judged_by if isinstance(entry, dict)] if isinstance(judged_by, list) else []
    return [
        f"{_text(entry.get('user')) or 'somebody'}: {'real' if entry.get('is_valid') is True else 'not real'}"
        f" ({_text(entry.get('confidence_level')) or 'confidence not said'})"
        for entry in entries
    ]


def _taken_back(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    reasons = _texts(facts.get("reasons"))
    return [("Taken back because it is", "; ".join(reasons))] if reasons else []
