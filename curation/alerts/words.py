"""What is known of a source, as numbers for programs and as sentences for astronomers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from astropy import units
from astropy.coordinates import SkyCoord
from astropy.time import Time

from curation.detections.light_curve import NEAR_ARCSEC
from curation.models import ValidationEvent
from curation.numerics.footprint import covers
from detection.models import Detection, Source
from detection.sources.photometry import magnitude
from differencing.models import Candidate
from observations.models import Observation, ObservationStatus
from preprocessing.services import latest_run

# Flags that make a flux doubtful, in words.
_DOUBTS = {"saturated": "near saturated pixels", "blended": "another change is near", "edge": "near the frame's edge"}
# Frames before the first detection that are looked at for the last one without the source.
_FRAMES_LOOKED_BACK = 50


@dataclass(frozen=True)
class Known:
    """What an alert tells of: one detection for its numbers, all that count by time, and what people took it for."""

    best: Detection
    live: tuple[Detection, ...]
    type_and_label: tuple[str, str]


def facts_of(source: Source, known: Known) -> dict[str, Any]:
    """Return the facts behind an alert; what is not known is None."""
    best, detections = known.best, known.live
    detection_type, label = known.type_and_label
    candidate, observation = best.candidate, best.observation
    run = latest_run(observation)
    mag, error = magnitude(best, run)
    first = min((row.observation for row in detections), key=lambda row: row.mjd_utc)
    return {
        "source": str(source.pk),
        "designation": source.name or None,
        "ra_deg": source.ra,
        "dec_deg": source.dec,
        "position_error_arcsec": source.position_error_arcsec,
        "wcs_quality": observation.wcs_quality,
        "mid_time": _middle(observation).isoformat(),
        "mjd_utc": observation.mjd_utc,
        "band": observation.filter_band or None,
        "exposure_s": observation.exposure_time,
        "frame": observation.original_name,
        "is_negative": candidate.is_negative if candidate else None,
        "flux_adu": candidate.flux if candidate else None,
        "flux_error_adu": candidate.flux_error if candidate else None,
        "snr": candidate.snr if candidate else None,
        "mag": mag,
        "mag_error": error,
        "mag_system": (run.zero_point_system or None) if run and mag is not None else None,
        "mag_catalogue": (run.zero_point_catalogue or None) if run and mag is not None else None,
        "score": best.confidence_score,
        "model": best.model_version,
        "reference_version": _reference_version(best),
        "flags": [flag.name for flag in candidate.flags if flag.name in _DOUBTS] if candidate else [],
        **_motion(candidate),
        "detections": [str(row.pk) for row in detections],
        "epochs": len({row.observation_id for row in detections}),
        "nights": len({row.observation.night for row in detections}),
        "first_detected_at": _middle(first).isoformat(),
        "last_non_detection": _last_non_detection(source, first),
        "detection_type": detection_type,
        "label": label or None,
    }


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
        lines.append(f"Its brightness is uncertain: {', '.join(_DOUBTS[name] for name in facts['flags'])}.")
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


def _middle(observation: Observation) -> Any:
    return Time(observation.mjd_utc, format="mjd", scale="utc").to_datetime(timezone=UTC)


def _reference_version(detection: Detection) -> int | None:
    run = detection.candidate.difference_run if detection.candidate else None
    return run.reference.version if run is not None and run.reference is not None else None


def _motion(candidate: Candidate | None) -> dict[str, Any]:
    """Return how it moves, by the longest tracklet that it belongs to; None for what stays or was seen too rarely."""
    tracks = [(track.members.count(), track) for track in candidate.tracklets.all()] if candidate else []
    size, track = max(tracks, key=lambda pair: (pair[0], pair[1].pk), default=(None, None))
    return {
        "rate_arcsec_per_min": track.rate_arcsec_per_min if track else None,
        "motion_angle_deg": track.position_angle if track else None,
        "tracklet_size": size,
    }


def _last_non_detection(source: Source, first: Observation) -> dict[str, Any] | None:
    """Return the latest frame of field and band before the first detection that shows the place and nothing in it."""
    near = Candidate.objects.cone(source.ra, source.dec, NEAR_ARCSEC).values("observation")
    earlier = Observation.objects.filter(
        field=first.field_id,
        field__isnull=False,
        filter_band=first.filter_band,
        status=ObservationStatus.DIFFERENCED,
        mjd_utc__lt=first.mjd_utc,
    ).exclude(pk__in=near)
    latest = earlier.order_by("-mjd_utc", "-id")[:_FRAMES_LOOKED_BACK]
    row = next((row for row in latest if covers(row.footprint, source.ra, source.dec)), None)
    if row is None:
        return None
    run = latest_run(row)
    limit = run.limiting_magnitude if run else None
    return {"mid_time": _middle(row).isoformat(), "frame": row.original_name, "limiting_mag": limit}
