"""Join detections to the astronomical objects that they belong to."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple
from uuid import UUID

import numpy as np
from django.db import connection
from django.db.models import Q

from catalog.configuration.values import Snapshot
from detection.models import Detection, Source
from observations.models import Observation, WcsQuality
from observations.numerics.statistics import centroid_error
from observations.places import middle_of
from preprocessing.models import PreprocessRun

# One process at a time joins detections to sources, so that one star never becomes two.
_ASSOCIATION_LOCK = 7311


def alone() -> None:
    """Wait until no other process judges candidates or joins detections to sources, to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ASSOCIATION_LOCK])


def associate(detections: list[Detection], observation: Observation, config: Snapshot) -> None:
    """Give each detection its source, in the caller's transaction: a known one within the combined error, or a new one.

    A detection keeps the source that it has. Nominal positions are joined within their own field only, whose
    frames share one anchor; nothing else may be matched with them.
    """
    alone()
    run = PreprocessRun.objects.newest_for(observation)
    homeless = sorted((d for d in detections if d.source_id is None), key=lambda d: -d.confidence_score)
    placed = [_Placed(d, _error_of(d, observation, run), _floor_arcsec(config)) for d in homeless]
    near, new = _near(placed, observation, config), []
    for place in placed:
        source = _nearest(place, near, config)
        if source is None:
            source = _new(place, observation)
            new.append(source)
        else:
            # What one detection of a frame belongs to, another one of it does not.
            near.remove(source)
        place.detection.source = source
    Source.objects.bulk_create(new)
    Detection.objects.bulk_update(homeless, ["source"])
    refresh({d.source_id for d in detections if d.source_id is not None} - {s.pk for s in new})


class _Error(NamedTuple):
    """1-sigma errors of a position in each axis, arcseconds: by the centroid's noise, and by the frame's WCS."""

    centroid: float
    wcs: float

    @property
    def whole(self) -> float:
        return float(np.hypot(self.centroid, self.wcs))


class _Placed(NamedTuple):
    """A detection with the error of its position, and the one that is tolerated in any case."""

    detection: Detection
    error: _Error
    floor_arcsec: float

    @property
    def tolerance_arcsec(self) -> float:
        return float(np.hypot(self.error.whole, self.floor_arcsec))

    def reach_arcsec(self, config: Snapshot) -> float:
        """Return how far away its source may be known to be, where that has ten times its error."""
        widest = config["detection.association_sigma"] * np.hypot(1.0, 10.0) * self.tolerance_arcsec
        return float(max(widest, config["detection.association_floor_arcsec"]))


# Where nothing is known of a centroid's error, or of the scale: a pixel of a common camera.
_UNKNOWN = _Error(1.0, 0.0)


def _floor_arcsec(config: Snapshot) -> float:
    """Return the error that positions are allowed when they are joined, however small their own."""
    return float(config["detection.association_floor_arcsec"] / config["detection.association_sigma"])


def _error_of(detection: Detection, observation: Observation, run: PreprocessRun | None) -> _Error:
    candidate, scale = detection.candidate, observation.pixel_scale
    if candidate is None or candidate.snr is None or run is None or not run.fwhm_px or not scale:
        return _UNKNOWN
    centroid = candidate.position_error_px
    if centroid is None:
        # Of earlier versions: that of a Gaussian PSF.
        centroid = float(centroid_error(run.fwhm_px, candidate.snr))
    return _Error(scale * centroid, scale * run.wcs_error_px)


def _near(placed: list[_Placed], observation: Observation, config: Snapshot) -> list[Source]:
    """Return the sources within reach of any of the places that none of this observation's detections belongs to."""
    cones = [(p.detection.ra, p.detection.dec, p.reach_arcsec(config)) for p in placed]
    near = Source.objects.within(cones)
    if observation.wcs_quality == WcsQuality.NOMINAL:
        near = near.filter(Q(wcs_quality=WcsQuality.NOMINAL), detections__observation__field=observation.field)
    else:
        near = near.exclude(wcs_quality=WcsQuality.NOMINAL)
    taken = Detection.objects.filter(observation=observation, source__isnull=False).values("source")
    return list(near.exclude(pk__in=taken).distinct())


def _nearest(place: _Placed, sources: list[Source], config: Snapshot) -> Source | None:
    """Return the source that is nearest in units of the combined error, and within it."""
    if not sources:
        return None
    ra, dec, error = np.array([(s.ra, s.dec, s.position_error_arcsec) for s in sources]).T
    error = np.hypot(error, place.floor_arcsec)
    detection = place.detection
    east = ((ra - detection.ra + 180.0) % 360.0 - 180.0) * np.cos(np.radians(detection.dec))
    distance = 3600.0 * np.hypot(east, dec - detection.dec)
    pull = np.where(distance <= place.reach_arcsec(config), distance / np.hypot(place.tolerance_arcsec, error), np.inf)
    best = int(np.argmin(pull))
    return sources[best] if pull[best] <= config["detection.association_sigma"] else None


def _new(place: _Placed, observation: Observation) -> Source:
    """Return a source, not saved, of one detection."""
    detection, is_nominal = place.detection, observation.wcs_quality == WcsQuality.NOMINAL
    name = "" if is_nominal else designation(detection.ra, detection.dec)
    source = Source(name=name, wcs_quality=observation.wcs_quality)
    _derive(source, [(detection, observation)], [place.error])
    return source


def source_of_one(detection: Detection) -> Source:
    """Return the source, not saved, that a detection without one would make; its frame and candidate are loaded."""
    frame = detection.observation
    error = _error_of(detection, frame, PreprocessRun.objects.newest_for(frame))
    return _new(_Placed(detection, error, 0.0), frame)


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


def refresh(keys: set[UUID]) -> None:
    """Derive position, error, times and count of sources from their detections."""
    members: dict[UUID, list[Detection]] = defaultdict(list)
    for detection in Detection.objects.filter(source__in=keys).select_related("observation", "candidate"):
        members[detection.source_id].append(detection)
    observations = {d.observation_id for of_source in members.values() for d in of_source}
    newest = PreprocessRun.objects.filter(observation__in=observations).newest_of_each()
    runs = {run.observation_id: run for run in newest}
    sources = list(Source.objects.filter(pk__in=members))
    for source in sources:
        own = members[source.pk]
        errors = [_error_of(d, d.observation, runs.get(d.observation_id)) for d in own]
        _derive(source, [(d, d.observation) for d in own], errors)
    names = ["ra", "dec", "position_error_arcsec", "first_detected_at", "last_detected_at", "detection_count"]
    Source.objects.bulk_update(sources, names)


def _derive(source: Source, members: list[tuple[Detection, Observation]], errors: list[_Error]) -> None:
    """Give a source the weighted mean of its detections' positions, and what follows from all of them."""
    weights = np.array([error.whole for error in errors]) ** -2.0
    first, _ = members[0]
    east = np.array([((d.ra - first.ra + 180.0) % 360.0) - 180.0 for d, _ in members])
    source.ra = float((first.ra + np.average(east, weights=weights)) % 360.0)
    source.dec = float(np.average([d.dec for d, _ in members], weights=weights))
    noise, wcs = np.array(errors).T
    # Noise averages out; what a WCS is off by is common to all frames of a field, as far as anybody knows.
    averaged = (weights**2 * noise**2).sum() / weights.sum() ** 2
    source.position_error_arcsec = float(np.sqrt(averaged + np.average(wcs, weights=weights) ** 2))
    middles = [middle_of(observation) for _, observation in members]
    source.first_detected_at, source.last_detected_at = min(middles), max(middles)
    source.detection_count = len(members)


def forget_empty_sources() -> None:
    """Delete sources that no detection belongs to any more."""
    Source.objects.filter(detections__isnull=True).delete()
