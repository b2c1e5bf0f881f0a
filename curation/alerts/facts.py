"""The metadata of an alert laid out for people: each fact with its name, in words and units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MISSING = "not known"
_SOLUTIONS = {"solved": "solved against a catalogue", "header": "by the frame's header"}
_GROUNDS = {"human": "the judgement of people", "automatic": "the score alone, before any person had looked"}


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
        ("Motion", _motion(number)),
        ("Seen in", f"frames: {number('epochs', 'g')}, nights: {number('nights', 'g')}"),
        ("First detected", _moment(facts.get("first_detected_at"))),
        ("Last frame without it", _before(facts.get("last_non_detection"))),
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


def _motion(number: _Numbers) -> str:
    rate = number("rate_arcsec_per_min", ".2f", "″ a minute")
    if rate == MISSING:
        return "none seen"
    angle = number("motion_angle_deg", ".0f", "° east of north")
    return f"{rate}, towards {angle}, from {number('tracklet_size', 'g')} positions"


def _before(missed: Any) -> str:
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
