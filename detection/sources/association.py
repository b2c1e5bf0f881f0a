"""Join detections to the astronomical objects that they belong to."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import numpy as np
from django.db import connection
from django.db.models import Q
from numpy.typing import NDArray

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
    run = PreprocessRun.objects.newest_for(observation)
    homeless = sorted((d for d in detections if d.source_id is None), key=lambda d: -d.confidence_score)
    placed = [_Placed(d, _position_error_arcsec(d, observation, run, config)) for d in homeless]
    near, new = _near(placed, observation, config), []
    for place in placed:
        source = _nearest(place, near, config)
        if source is None:
            source = _new(place, observation, config)
            new.append(source)
        else:
            # What one detection of a frame belongs to, another one of it does not.
            near.remove(source)
        place.detection.source = source
    Source.objects.bulk_create(new)
    Detection.objects.bulk_update(homeless, ["source"])
    _refresh({d.source_id for d in detections if d.source_id is not None} - {s.pk for s in new}, config)


class _Placed(NamedTuple):
    """A detection with the 1-sigma error of its position."""

    detection: Detection
    error_arcsec: float

    def reach_arcsec(self, config: Snapshot) -> float:
        """Return how far away its source may be known to be, where that has ten times its error."""
        widest = config["detection.association_sigma"] * np.hypot(self.error_arcsec, 10.0 * self.error_arcsec)
        return float(max(widest, config["detection.association_floor_arcsec"]))


def position_error_arcsec(detection: Detection, observation: Observation, config: Snapshot) -> float:
    """Return the 1-sigma error of a detection's position: its centroid's and the floor of the registration."""
    return _position_error_arcsec(detection, observation, PreprocessRun.objects.newest_for(observation), config)


def _position_error_arcsec(
    detection: Detection, observation: Observation, run: PreprocessRun | None, config: Snapshot
) -> float:
    candidate = detection.candidate
    floor = config["detection.association_floor_arcsec"] / config["detection.association_sigma"]
    if candidate is None or run is None or not run.fwhm_px or not observation.pixel_scale:
        return float(floor)
    # A centroid's error is about sigma / (S/N); the floor of the configuration holds what the WCS adds.
    centroid = run.fwhm_px * observation.pixel_scale / FWHM_PER_SIGMA / max(abs(candidate.snr), 1.0)
    return float(np.hypot(centroid, floor))


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
    detection = place.detection
    east = ((ra - detection.ra + 180.0) % 360.0 - 180.0) * np.cos(np.radians(detection.dec))
    distance = 3600.0 * np.hypot(east, dec - detection.dec)
    pull = np.where(distance <= place.reach_arcsec(config), distance / np.hypot(place.error_arcsec, error), np.inf)
    best = int(np.argmin(pull))
    return sources[best] if pull[best] <= config["detection.association_sigma"] else None


def _new(place: _Placed, observation: Observation, config: Snapshot) -> Source:
    """Return a source, not saved, of one detection."""
    detection, is_nominal = place.detection, observation.wcs_quality == WcsQuality.NOMINAL
    name = "" if is_nominal else designation(detection.ra, detection.dec)
    source = Source(name=name, wcs_quality=observation.wcs_quality)
    _derive(source, [(detection, observation)], np.array([place.error_arcsec]), config)
    return source


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


def _refresh(keys: set[UUID], config: Snapshot) -> None:
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
        errors = [_position_error_arcsec(d, d.observation, runs.get(d.observation_id), config) for d in own]
        _derive(source, [(d, d.observation) for d in own], np.array(errors), config)
    names = ["ra", "dec", "position_error_arcsec", "first_detected_at", "last_detected_at", "detection_count"]
    Source.objects.bulk_update(sources, names)


def _derive(
    source: Source, members: list[tuple[Detection, Observation]], errors: NDArray[np.float64], config: Snapshot
) -> None:
    weights = 1.0 / errors**2
    first, _ = members[0]
    east = np.array([((d.ra - first.ra + 180.0) % 360.0) - 180.0 for d, _ in members])
    source.ra = float((first.ra + np.average(east, weights=weights)) % 360.0)
    source.dec = float(np.average([d.dec for d, _ in members], weights=weights))
    floor = config["detection.association_floor_arcsec"] / config["detection.association_sigma"]
    # The registration's floor is common to all epochs and does not average out.
    source.position_error_arcsec = float(max(np.sqrt(1.0 / weights.sum()), floor))
    middles = [o.observation_time + timedelta(seconds=o.exposure_time / 2) for _, o in members]
    source.first_detected_at, source.last_detected_at = min(middles), max(middles)
    source.detection_count = len(members)


def forget_empty_sources() -> None:
    """Delete sources that no detection belongs to any more."""
    Source.objects.filter(detections__isnull=True).delete()
