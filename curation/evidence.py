"""What is known of a source, as numbers for programs and as sentences for astronomers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any

from astropy import units
from astropy.coordinates import SkyCoord
from astropy.time import Time

from detection.models import Detection, Source
from differencing.models import Tracklet
from observations.models import Observation, ObservationStatus
from preprocessing.models import PreprocessRun
from preprocessing.services import latest_run

# A flux error of this share is one of so many magnitudes: 2.5 / ln 10.
_MAG_PER_SHARE = 2.5 / math.log(10.0)


def facts_of(source: Source, detections: Sequence[Detection], best: Detection) -> dict[str, Any]:
    """Return the facts behind an alert; what is not known is None.

    `best` is the detection that is told about, `detections` are all of the source's that count, by time.
    """
    candidate, observation = best.candidate, best.observation
    run = latest_run(observation)
    mag, error = magnitude(best, run)
    track = Tracklet.objects.filter(members=candidate).first() if candidate else None
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
        "rate_arcsec_per_min": track.rate_arcsec_per_min if track else None,
        "detections": [str(row.pk) for row in detections],
        "epochs": len({row.observation_id for row in detections}),
        "nights": len({row.observation.night for row in detections}),
        "first_detected_at": _middle(first).isoformat(),
        "last_non_detection": _last_non_detection(first),
        "detection_type": best.detection_type,
        "label": best.human_label or None,
    }


def magnitude(detection: Detection, run: PreprocessRun | None) -> tuple[float | None, float | None]:
    """Return magnitude and error of the difference's flux; None without a zero point, or where light is missing."""
    candidate = detection.candidate
    if candidate is None or run is None or run.zero_point_mag is None or candidate.flux <= 0.0:
        return None, None
    shares = math.hypot(_MAG_PER_SHARE * candidate.flux_error / candidate.flux, run.zero_point_error or 0.0)
    return run.zero_point_mag - 2.5 * math.log10(candidate.flux), shares


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
            f"The source at {position_text(facts)} that was alerted before no longer stands: {basis} "
            "Stop follow-up that rests on it alone."
        )
    lines = [
        f"{_what(facts)} at {position_text(facts)}, error {facts['position_error_arcsec']:.2f}″ "
        f"({'solved against a catalogue' if facts['wcs_quality'] == 'solved' else 'by the frame header'}).",
        f"{facts['mid_time'][:19].replace('T', ' ')} UTC (MJD {facts['mjd_utc']:.5f}), band {facts['band']}, "
        f"{facts['exposure_s']:g} s: {_brightness(facts)}.",
        f"Seen in {_count(facts['epochs'], 'frame')} of {_count(facts['nights'], 'night')}, "
        f"first {facts['first_detected_at'][:19].replace('T', ' ')} UTC; {_before(facts['last_non_detection'])}.",
        f"Score {facts['score']:.3f} by {facts['model']}. {basis}",
    ]
    if facts["rate_arcsec_per_min"] is not None:
        lines.append(f"It moves by {facts['rate_arcsec_per_min']:.2f}″ a minute: look for a known minor planet first.")
    if facts["mag"] is None:
        lines.append("No magnitude: the zero point of this frame is not known, or the source has faded.")
    return "\n".join(lines)


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


def _last_non_detection(first: Observation) -> dict[str, Any] | None:
    """Return the latest compared frame of the field and band before the first detection."""
    earlier = Observation.objects.filter(
        field=first.field_id,
        filter_band=first.filter_band,
        status=ObservationStatus.DIFFERENCED,
        observation_time__lt=first.observation_time - timedelta(seconds=1),
    )
    row = earlier.order_by("-observation_time").first()
    if row is None:
        return None
    run = latest_run(row)
    limit = run.limiting_magnitude if run else None
    return {"mid_time": _middle(row).isoformat(), "frame": row.original_name, "limiting_mag": limit}
