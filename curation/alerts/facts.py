"""What is known of a source, as numbers for programs; what is not known is None."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from curation.alerts.words import DOUBTS
from curation.detections.light_curve import NEAR_ARCSEC
from curation.numerics.footprint import covers
from detection.models import Detection, Source
from detection.sources.photometry import magnitude
from differencing.models import Candidate
from observations.models import Observation, ObservationStatus
from observations.numerics.site import time_of
from preprocessing.models import PreprocessRun

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
    run = PreprocessRun.objects.newest_for(observation)
    mag, error = magnitude(best, run)
    first = min((row.observation for row in detections), key=lambda row: row.mjd_utc)
    return {
        "source": str(source.pk),
        "designation": source.name or None,
        "ra_deg": source.ra,
        "dec_deg": source.dec,
        "position_error_arcsec": source.position_error_arcsec,
        "wcs_quality": observation.wcs_quality,
        "mid_time": time_of(observation.mjd_utc).isoformat(),
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
        "flags": [flag.name for flag in candidate.flags if flag.name in DOUBTS] if candidate else [],
        **_motion(candidate),
        "detections": [str(row.pk) for row in detections],
        "epochs": len({row.observation_id for row in detections}),
        "nights": len({row.observation.night for row in detections}),
        "first_detected_at": time_of(first.mjd_utc).isoformat(),
        "last_non_detection": _last_non_detection(source, first),
        "detection_type": detection_type,
        "label": label or None,
    }


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
    run = PreprocessRun.objects.newest_for(row)
    limit = run.limiting_magnitude if run else None
    return {"mid_time": time_of(row.mjd_utc).isoformat(), "frame": row.original_name, "limiting_mag": limit}
