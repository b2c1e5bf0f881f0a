"""What an alert says, for programs: numbers with their units, and who judged; what is not known is None."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from catalog.json_classes import KeyOf, read_as
from curation.models import Alert, ConfidenceLevel
from detection.models import Detection, DetectionType, ForcedPhotometry, Source
from detection.sources.photometry import magnitude
from differencing.models import Candidate, Tracklet
from observations.models import Observation, Survey, WcsQuality
from observations.numerics.site import time_of
from preprocessing.models import PreprocessRun

# Flags of a candidate that make its flux doubtful.
DOUBTFUL_FLAGS = ("saturated", "blended", "edge")
# Measurements before the first detection that are looked at for the last one without the source.
_MEASUREMENTS_LOOKED_BACK = 50


class Ground(StrEnum):
    """What a detection is told about for."""

    NONE = ""
    AUTOMATIC = "automatic"
    HUMAN = "human"


@dataclass(frozen=True)
class JudgedBy:
    """One person's standing answer about one detection."""

    detection: Annotated[UUID | None, KeyOf("detections")]
    user: str | None
    is_valid: bool | None
    confidence_level: ConfidenceLevel | None
    label: str | None


@dataclass(frozen=True)
class LastNonDetection:
    """The latest frame before the first detection in which nothing was measured at the place.

    `limiting_mag` is 5 sigma at the place itself: forced photometry.
    """

    mid_time: datetime | None
    frame: str | None
    limiting_mag: float | None


@dataclass(frozen=True, kw_only=True)
class AlertFacts:
    """The facts behind an alert; what is stored and published as its metadata, key by key.

    Position and motion are those of the source, ICRS and east of north; times, fluxes and flags those of the detection
    that is told about, the light beyond the reference, signed; `detections` and what is counted those of the source
    without what was rejected or lost. `grounds`: what each detection that counts is told about for, by its key.
    """

    source: Annotated[UUID | None, KeyOf("sources")]
    designation: str | None
    ra_deg: float | None
    dec_deg: float | None
    position_error_arcsec: float | None
    wcs_quality: WcsQuality | None
    mid_time: datetime | None
    mjd_utc: float | None
    band: str | None
    exposure_s: float | None
    frame: str | None
    is_negative: bool | None
    flux_adu: float | None
    flux_error_adu: float | None
    snr: float | None
    mag: float | None
    mag_error: float | None
    mag_system: str | None
    mag_catalogue: str | None
    score: float | None
    model: str | None
    reference_version: int | None
    flags: tuple[str, ...]
    rate_arcsec_per_min: float | None
    motion_angle_deg: float | None
    tracklet_size: int | None
    detections: tuple[Annotated[UUID, KeyOf("detections")], ...]
    epochs: int | None
    nights: int | None
    first_detected_at: datetime | None
    last_non_detection: LastNonDetection | None
    detection_type: DetectionType | None
    label: str | None
    basis: Ground | None
    grounds: Mapping[UUID, Ground]
    judged_by: tuple[JudgedBy, ...]
    updates: Annotated[UUID | None, KeyOf("alerts")]


@dataclass(frozen=True, kw_only=True)
class RetractedFacts(AlertFacts):
    """The facts of an alert that is withdrawn, as they were told, and why it is."""

    retracts: Annotated[UUID | None, KeyOf("alerts")]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """What an alert tells of: one detection for its numbers, all that count by time, and what people took it for.

    updates : the alert that this one brings up to date.
    """

    best: Detection
    live: tuple[Detection, ...]
    detection_type: DetectionType
    label: str
    grounds: Mapping[UUID, Ground]
    judged_by: tuple[JudgedBy, ...]
    updates: UUID | None


def facts_told(alert: Alert) -> AlertFacts:
    """Return what an alert said, whoever wrote it and in which version: what cannot be read is not known."""
    stored = alert.alert_metadata
    is_retraction = isinstance(stored, Mapping) and "retracts" in stored
    return read_as(RetractedFacts if is_retraction else AlertFacts, stored)


def retracted(told: Alert, reasons: tuple[str, ...]) -> RetractedFacts:
    """Return the facts of an alert for the one that withdraws it."""
    facts = facts_told(told)
    same = {entry.name: getattr(facts, entry.name) for entry in fields(AlertFacts)}
    return RetractedFacts(**same, retracts=told.pk, reasons=reasons)


def facts_of(source: Source, known: Known) -> AlertFacts:
    """Return the facts behind an alert."""
    best, candidate, observation = known.best, known.best.candidate, known.best.observation
    run = PreprocessRun.objects.newest_for(observation)
    mag, error = magnitude(best, run)
    # The fluxes of alerts are in whatever unit their survey uses.
    counted = None if candidate is None or candidate.is_imported else candidate
    first = min((row.observation for row in known.live), key=lambda row: row.mjd_utc)
    # An alert goes to whoever may see the frame that it tells of, and is never taken apart again.
    closed = Survey.objects.closed_beside(observation.survey_id)
    rate, angle, tracklet_size = _motion(candidate, closed)
    return AlertFacts(
        source=source.pk,
        designation=source.name or None,
        ra_deg=source.ra,
        dec_deg=source.dec,
        position_error_arcsec=source.position_error_arcsec,
        wcs_quality=WcsQuality(observation.wcs_quality),
        mid_time=time_of(observation.mjd_utc),
        mjd_utc=observation.mjd_utc,
        band=observation.filter_band or None,
        exposure_s=observation.exposure_time,
        frame=observation.shown_name,
        is_negative=candidate.is_negative if candidate else None,
        flux_adu=counted.flux if counted else None,
        flux_error_adu=counted.flux_error if counted else None,
        snr=candidate.snr if candidate else None,
        mag=mag,
        mag_error=error,
        mag_system=(run.zero_point_system or None) if run and mag is not None else None,
        mag_catalogue=(run.zero_point_catalogue or None) if run and mag is not None else None,
        score=best.confidence_score,
        model=best.model_version,
        reference_version=_reference_version(best),
        flags=tuple(flag.name for flag in candidate.flags if flag.name in DOUBTFUL_FLAGS) if candidate else (),
        rate_arcsec_per_min=rate,
        motion_angle_deg=angle,
        tracklet_size=tracklet_size,
        detections=tuple(row.pk for row in known.live),
        epochs=len({row.observation_id for row in known.live}),
        nights=len({row.observation.night for row in known.live}),
        first_detected_at=time_of(first.mjd_utc),
        last_non_detection=_last_non_detection(source, first, closed),
        detection_type=known.detection_type,
        label=known.label or None,
        basis=Ground.HUMAN if Ground.HUMAN in known.grounds.values() else Ground.AUTOMATIC,
        grounds=known.grounds,
        judged_by=known.judged_by,
        updates=known.updates,
    )


def _reference_version(detection: Detection) -> int | None:
    run = detection.candidate.difference_run if detection.candidate else None
    return run.reference.version if run is not None and run.reference is not None else None


def _motion(candidate: Candidate | None, closed: Collection[UUID]) -> tuple[float | None, float | None, int | None]:
    """Return rate, angle and positions by the longest tracklet that it belongs to; None for what stays put."""
    tracks = [(_size(track, closed), track) for track in candidate.tracklets.moving()] if candidate else []
    if not tracks:
        return None, None, None
    size, track = max(tracks, key=lambda pair: (pair[0], pair[1].pk))
    return track.rate_arcsec_per_min, track.position_angle, size


def _size(track: Tracklet, closed: Collection[UUID]) -> int:
    return (track.members.all().outside(closed) if closed else track.members).count()


def _last_non_detection(source: Source, first: Observation, closed: Collection[UUID]) -> LastNonDetection | None:
    row = not_detected_before(source, first, closed)
    return (
        None if row is None else LastNonDetection(time_of(row.mjd_utc), row.observation.original_name, row.limiting_mag)
    )


def not_detected_before(source: Source, first: Observation, closed: Collection[UUID] = ()) -> ForcedPhotometry | None:
    """Return the newest measurement at the place, in the latest earlier frame of the band where it is below 3 sigma;
    none of surveys that are closed."""
    earlier = ForcedPhotometry.objects.measured().filter(
        source=source, observation__filter_band=first.filter_band, mjd_utc__lt=first.mjd_utc
    )
    if closed:
        earlier = earlier.exclude(observation__survey__in=closed)
    latest = earlier.order_by("-mjd_utc", "observation", "-difference_run__completed_at").select_related("observation")
    looked_at: set[UUID] = set()
    for row in latest[:_MEASUREMENTS_LOOKED_BACK]:
        if row.observation_id not in looked_at and row.limiting_flux is not None:
            return row
        looked_at.add(row.observation_id)
    return None
