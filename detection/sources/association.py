"""Join detections to the astronomical objects that they belong to."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import numpy as np
from django.db import connection
from django.db.models import Q

from catalog.configuration.values import Snapshot
from detection.models import Detection, Source
from observations.models import Observation, WcsQuality
from observations.numerics.statistics import FWHM_PER_SIGMA
from preprocessing.models import PreprocessRun

# One process at a time joins detections to sources, so that one star never becomes two.
_ASSOCIATION_LOCK = 7311


def associate(detections: list[Detection], observation: Observation, config: Snapshot) -> None:
    """Give each detection its source, in the caller's transaction: a known one within the combined error, or a new one.

    A detection keeps the source that it has. Nominal positions are joined within their own field only, whose
    frames share one anchor; nothing else may be matched with them.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ASSOCIATION_LOCK])
    touched: set[UUID] = set()
    for detection in sorted(detections, key=lambda d: -d.confidence_score):
        if detection.source_id is None:
            error = position_error_arcsec(detection, observation, config)
            detection.source = _nearest(detection, observation, error, config) or _new(detection, observation, error)
            detection.save(update_fields=["source", "updated_at"])
        if detection.source_id is not None:
            touched.add(detection.source_id)
    for source in Source.objects.filter(pk__in=touched):
        _refresh(source, config)


def position_error_arcsec(detection: Detection, observation: Observation, config: Snapshot) -> float:
    """Return the 1-sigma error of a detection's position: its centroid's and the floor of the registration."""
    candidate, run = detection.candidate, PreprocessRun.objects.newest_for(observation)
    floor = config["detection.association_floor_arcsec"] / config["detection.association_sigma"]
    if candidate is None or run is None or not run.fwhm_px or not observation.pixel_scale:
        return float(floor)
    # A centroid's error is about sigma / (S/N); the floor of the configuration holds what the WCS adds.
    centroid = run.fwhm_px * observation.pixel_scale / FWHM_PER_SIGMA / max(abs(candidate.snr), 1.0)
    return float(np.hypot(centroid, floor))


def _nearest(detection: Detection, observation: Observation, error: float, config: Snapshot) -> Source | None:
    """Return the nearest source within the combined error; never one that this observation already gave to another."""
    sigma = config["detection.association_sigma"]
    widest = sigma * np.hypot(error, 10.0 * error)
    near = Source.objects.cone(detection.ra, detection.dec, max(widest, config["detection.association_floor_arcsec"]))
    if observation.wcs_quality == WcsQuality.NOMINAL:
        near = near.filter(Q(wcs_quality=WcsQuality.NOMINAL), detections__observation__field=observation.field)
    else:
        near = near.exclude(wcs_quality=WcsQuality.NOMINAL)
    taken = Detection.objects.filter(observation=observation, source__isnull=False).values("source")
    near = near.exclude(pk__in=taken)
    best, best_pull = None, sigma
    for source in near.distinct():
        east = ((source.ra - detection.ra + 180.0) % 360.0 - 180.0) * np.cos(np.radians(detection.dec))
        distance = 3600.0 * float(np.hypot(east, source.dec - detection.dec))
        pull = distance / float(np.hypot(error, source.position_error_arcsec))
        if pull <= best_pull:
            best, best_pull = source, pull
    return best


def _new(detection: Detection, observation: Observation, error: float) -> Source:
    return Source.objects.create(
        name="" if observation.wcs_quality == WcsQuality.NOMINAL else designation(detection.ra, detection.dec),
        ra=detection.ra,
        dec=detection.dec,
        position_error_arcsec=error,
        wcs_quality=observation.wcs_quality,
    )


def designation(ra: float, dec: float) -> str:
    """Return the IAU-style name of a position, truncated and not rounded: J041008.80+225022.5."""
    tenths_s, tenths_arcsec = int(ra / 15.0 * 3600.0 * 100.0), int(abs(dec) * 3600.0 * 10.0)
    hours, minutes, seconds = tenths_s // 360_000, tenths_s // 6_000 % 60, tenths_s % 6_000
    degrees, arcmin, arcsec = tenths_arcsec // 36_000, tenths_arcsec // 600 % 60, tenths_arcsec % 600
    sign = "-" if dec < 0 else "+"
    return (
        f"J{hours:02d}{minutes:02d}{seconds // 100:02d}.{seconds % 100:02d}"
        f"{sign}{degrees:02d}{arcmin:02d}{arcsec // 10:02d}.{arcsec % 10}"
    )


def _refresh(source: Source, config: Snapshot) -> None:
    """Derive position, error, times and count from the detections."""
    members = list(Detection.objects.filter(source=source).select_related("observation", "candidate"))
    if not members:
        return
    errors = np.array([position_error_arcsec(d, d.observation, config) for d in members])
    weights = 1.0 / errors**2
    east = np.array([((d.ra - members[0].ra + 180.0) % 360.0) - 180.0 for d in members])
    source.ra = float((members[0].ra + np.average(east, weights=weights)) % 360.0)
    source.dec = float(np.average([d.dec for d in members], weights=weights))
    floor = config["detection.association_floor_arcsec"] / config["detection.association_sigma"]
    # The registration's floor is common to all epochs and does not average out.
    source.position_error_arcsec = float(max(np.sqrt(1.0 / weights.sum()), floor))
    middles = [d.observation.observation_time + timedelta(seconds=d.observation.exposure_time / 2) for d in members]
    source.first_detected_at, source.last_detected_at = min(middles), max(middles)
    source.detection_count = len(members)
    source.save()


def forget_empty_sources() -> None:
    """Delete sources that no detection belongs to any more."""
    Source.objects.filter(detections__isnull=True).delete()
