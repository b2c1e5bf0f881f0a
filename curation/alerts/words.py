"""What an alert says, for people: its title, its message, and its facts laid out with names and units."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from astropy import units
from astropy.coordinates import SkyCoord

from curation.alerts.facts import AlertFacts, Ground, JudgedBy, LastNonDetection, RetractedFacts
from curation.models import AlertType, ValidationEvent
from detection.models import DetectionType
from observations.models import WcsQuality

MISSING = "not known"
# Flags that make a flux doubtful, in words.
_DOUBTS = {"saturated": "near saturated pixels", "blended": "another change is near", "edge": "near the frame's edge"}
_SOLUTIONS = {
    WcsQuality.SOLVED: "solved against a star catalogue",
    WcsQuality.HEADER: "WCS of the frame's header",
    WcsQuality.NOMINAL: "from pointing and optics only",
}
_GROUNDS = {
    Ground.HUMAN: "human review",
    Ground.AUTOMATIC: "the real/bogus score alone, before anybody reviewed it",
}
_KINDS = {
    DetectionType.SUPERNOVA: "Supernova candidate",
    DetectionType.VARIABLE: "Variable",
    DetectionType.TRANSIENT: "Transient",
}
_LONGEST_TITLE = 200


def people_text(answers: Iterable[ValidationEvent], *, is_valid: bool) -> str:
    """Return who judged so and how sure they were; of a person who judged several detections so, the latest."""
    sure = {e.validator.get_username(): e.confidence_level for e in answers if e.is_valid is is_valid}
    return ", ".join(f"{name} ({level} confidence)" for name, level in sure.items()) or "people"


def title_of(kind: AlertType, facts: AlertFacts) -> str:
    """Return one line: what it is, where, how bright."""
    name = facts.designation or position_text(facts)
    if kind == AlertType.RETRACTION:
        return f"Retraction: {name} was reported earlier and is withdrawn"[:_LONGEST_TITLE]
    what = _what(facts)
    lead = f"Update on {what.lower()}" if kind == AlertType.UPDATE else what
    return f"{lead} {name}, {_brightness(facts)}"[:_LONGEST_TITLE]


def message_of(facts: AlertFacts, judgement: str) -> str:
    """Return what an astronomer needs to act: where, when, how bright, how sure, and what is not known."""
    lines = [
        f"{_what(facts)} at {position_text(facts)}, error {_number(facts.position_error_arcsec, '.2f', '″')} "
        f"(1 sigma, {_solution(facts)}).",
        f"{_moment(facts.mid_time)} (MJD {_number(facts.mjd_utc, '.5f')}), {facts.band or 'unknown'} band, "
        f"{_number(facts.exposure_s, 'g', ' s')}: {_brightness(facts)}.",
        f"Detected in {_count(facts.epochs, 'frame')} on {_count(facts.nights, 'night')}, "
        f"first on {_moment(facts.first_detected_at)}; {_before(facts.last_non_detection)}.",
        f"Real/bogus score {_number(facts.score, '.3f')} by {facts.model or 'an unknown model'}. {judgement}",
    ]
    return "\n".join([*lines, *_cautions(facts)])


def retraction_of(facts: RetractedFacts) -> str:
    """Return the message of an alert that withdraws another: which, why, and what to do."""
    because = f" because {'; '.join(facts.reasons)}" if facts.reasons else ""
    return (
        f"Retraction: the source at {position_text(facts)} was reported earlier and is withdrawn{because}. "
        "Stop any follow-up that relies on the earlier alert alone."
    )


def _cautions(facts: AlertFacts) -> list[str]:
    """Return what is not certain, and what would make it so."""
    lines = []
    if facts.rate_arcsec_per_min is not None:
        angle = facts.motion_angle_deg
        towards = "" if angle is None else f" towards {angle:.0f}° east of north"
        lines.append(
            f"It moves by {facts.rate_arcsec_per_min:.2f}″ a minute{towards}, from {facts.tracklet_size} positions "
            "in one night: check for a known minor planet first, and follow it up soon."
        )
    elif facts.epochs == 1:
        lines.append("One frame cannot tell whether it moves: take another, and check for known minor planets.")
    if facts.flags:
        lines.append(f"Its brightness is uncertain: {', '.join(_DOUBTS.get(name, name) for name in facts.flags)}.")
    if facts.is_negative:
        lines.append("It is fainter than in the reference; no magnitude is given for missing light.")
    elif facts.mag is None:
        lines.append("No magnitude: this frame has no zero point.")
    if facts.mag is None and facts.flux_adu is not None:
        error = _number(facts.flux_error_adu, ".0f")
        lines.append(f"Flux relative to the reference {facts.flux_adu:.0f} ± {error} ADU.")
    return lines


def position_text(facts: AlertFacts) -> str:
    """Return a position in sexagesimal and in degrees."""
    if facts.ra_deg is None or facts.dec_deg is None:
        return "an unknown position"
    place = SkyCoord(facts.ra_deg * units.deg, facts.dec_deg * units.deg)
    ra = place.ra.to_string(unit=units.hour, sep=":", precision=2, pad=True)
    dec = place.dec.to_string(sep=":", precision=1, pad=True, alwayssign=True)
    return f"{ra} {dec} ({facts.ra_deg:.5f}, {facts.dec_deg:+.5f})"


def _what(facts: AlertFacts) -> str:
    if facts.rate_arcsec_per_min is not None:
        return "Moving object"
    if facts.is_negative:
        return "Fading source"
    return _KINDS.get(facts.detection_type or DetectionType.UNKNOWN, "New or brighter source")


def _brightness(facts: AlertFacts) -> str:
    snr = "S/N not known" if facts.snr is None else f"S/N {abs(facts.snr):.1f}"
    if facts.mag is None:
        return snr
    error = _number(facts.mag_error, ".2f")
    return f"{facts.mag:.2f} ± {error} mag ({facts.mag_system or 'system unknown'}), {snr}"


def _before(missed: LastNonDetection | None) -> str:
    if missed is None:
        return "no earlier frame in this band was measured at this position without it"
    limit = f" to {missed.limiting_mag:.1f} mag" if missed.limiting_mag is not None else ""
    return f"not detected{limit} on {_moment(missed.mid_time)}"


def _solution(facts: AlertFacts) -> str:
    return _SOLUTIONS[facts.wcs_quality] if facts.wcs_quality else MISSING


def _number(value: float | None, form: str, unit: str = "") -> str:
    return MISSING if value is None else f"{value:{form}}{unit}"


def _count(number: int | None, word: str) -> str:
    return f"{_number(number, 'd')} {word}{'' if number == 1 else 's'}"


def _moment(moment: datetime | None) -> str:
    return MISSING if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def facts_in_words(facts: AlertFacts) -> list[tuple[str, str]]:
    """Return name and value of what an alert is based on, as a page lists them."""
    return [
        ("Source", facts.designation or f"{_figure(facts.ra_deg, '.5f')} {_figure(facts.dec_deg, '+.5f')}"),
        ("Position uncertainty", f"{_figure(facts.position_error_arcsec, '.2f', '″')} (1 sigma), {_solution(facts)}"),
        ("Mid-exposure", f"{_moment(facts.mid_time)}, MJD {_figure(facts.mjd_utc, '.5f')}"),
        ("Band, exposure", f"{facts.band or MISSING}, {_figure(facts.exposure_s, 'g', ' s')}"),
        ("Frame", facts.frame or MISSING),
        ("Magnitude", _magnitude(facts)),
        ("Difference flux", _with_error(facts.flux_adu, facts.flux_error_adu, "+,.0f", " ADU")),
        ("Signal-to-noise ratio", _figure(facts.snr, "+.1f")),
        ("Photometry flags", ", ".join(_DOUBTS.get(name, name) for name in facts.flags) or "none"),
        ("Motion", _motion(facts)),
        ("Detected in", f"{_count(facts.epochs, 'frame')} on {_count(facts.nights, 'night')}"),
        ("First detection", _moment(facts.first_detected_at)),
        ("Last non-detection", _last_non_detection(facts.last_non_detection)),
        ("Real/bogus score", f"{_figure(facts.score, '.3f')} by {facts.model or 'an unknown model'}"),
        ("Reference", f"version {_figure(facts.reference_version, 'd')}"),
        ("Classification", _classification(facts)),
        ("Based on", _GROUNDS.get(facts.basis or Ground.NONE, MISSING)),
        ("Reviewed by", "; ".join(_reviewer(entry) for entry in facts.judged_by) or "nobody yet"),
        *([("Withdrawn because", "; ".join(facts.reasons) or MISSING)] if isinstance(facts, RetractedFacts) else []),
    ]


def _figure(value: float | None, form: str, unit: str = "") -> str:
    """Return a number as print has it, with a true minus sign."""
    return _number(value, form, unit).replace("-", "−")


def _with_error(value: float | None, error: float | None, form: str, unit: str) -> str:
    if value is None:
        return MISSING
    return f"{_figure(value, form)} ± {_figure(error, form.replace('+', ''))}{unit}"


def _magnitude(facts: AlertFacts) -> str:
    if facts.mag is None:
        return "none is given for missing light" if facts.is_negative else "not known: the frame has no zero point"
    by = ", ".join(word for word in (facts.mag_system, facts.mag_catalogue) if word)
    return f"{_with_error(facts.mag, facts.mag_error, '.2f', '')} ({by or 'system not known'})"


def _motion(facts: AlertFacts) -> str:
    if facts.rate_arcsec_per_min is None:
        return "none seen"
    rate = _figure(facts.rate_arcsec_per_min, ".2f", "″ a minute")
    angle = _figure(facts.motion_angle_deg, ".0f", "° east of north")
    return f"{rate}, towards {angle}, from {_figure(facts.tracklet_size, 'd')} positions"


def _last_non_detection(missed: LastNonDetection | None) -> str:
    if missed is None:
        return "no earlier frame in this band was measured at this position without it"
    limit = _figure(missed.limiting_mag, ".1f", " mag (5 sigma)")
    return f"{_moment(missed.mid_time)}, limit {limit}, {missed.frame or MISSING}"


def _classification(facts: AlertFacts) -> str:
    kind = facts.detection_type.value if facts.detection_type else None
    return ", ".join(word.replace("_", " ") for word in (facts.label, kind) if word) or MISSING


def _reviewer(entry: JudgedBy) -> str:
    verdict = {True: "real", False: "not real", None: MISSING}[entry.is_valid]
    level = f"{entry.confidence_level.value} confidence" if entry.confidence_level else "confidence not given"
    return f"{entry.user or 'somebody'}: {verdict} ({level})"
