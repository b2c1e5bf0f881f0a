"""Which known places are not measured yet, and in which differences: no pixel is read here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import numpy as np
from django.db.models import Max, Q, QuerySet
from numpy.typing import NDArray

from catalog.configuration.values import snapshot
from detection.models import ForcedPhotometry, Source
from detection.numerics.motion import predicted
from differencing.models import DifferenceRun, Tracklet, TrackletKind
from observations.models import Field, Observation, ObservationStatus, WcsQuality
from observations.numerics.footprint import covers
from observations.numerics.sphere import separation_deg
from preprocessing.models import PreprocessRun

# Differences whose measurements are looked up with one query.
_RUNS_AT_ONCE = 200
# Where no frame knows its pixel scale.
_USUAL_SEEING_ARCSEC = 3.0

Column = NDArray[np.float64]


@dataclass(frozen=True)
class Target:
    """A place in the sky to measure at: a source's, or that of something that moves at the time of one frame.

    error_arcsec : of the position alone, 1 sigma in each axis. reach_arcsec : another place this near is the same one.
    nominal_in : the field in whose nominal frames alone the position holds; None where it is known in the sky.
    """

    key: UUID
    ra: float
    dec: float
    error_arcsec: float
    reach_arcsec: float
    nominal_in: UUID | None = None
    is_moving: bool = False


@dataclass(frozen=True)
class Work:
    """One difference with the calibration of its frame, and all that is to be measured in it."""

    run: DifferenceRun
    reference: UUID
    preprocessed: PreprocessRun
    targets: Sequence[Target]


_Moving = Mapping[UUID, Sequence[Target]]


class _Done(NamedTuple):
    """By which difference, when, with which zero point and where a place was measured."""

    run: UUID
    at: datetime
    zero_point_mag: float | None
    ra: float
    dec: float


def of_night(field: Field, night: date) -> Iterator[Work]:
    """Yield the differences of a field's night in which something is left: sources, and what moves and was missed."""
    frames = _compared().filter(field=field, night=night)
    yield from _left(frames, _sources_at(field), _moving(field, night, frames))


def elsewhere(field: Field, night: date) -> Iterator[Work]:
    """Yield all other differences, the latest first, in which sources detected on that night are left to measure."""
    detected = Source.objects.filter(detections__observation__field=field, detections__observation__night=night)
    keys = set(detected.values_list("pk", flat=True))
    frames = _compared().filter(field__in=_overlapping(field)).exclude(field=field, night=night)
    yield from _left(frames, [target for target in _sources_at(field) if target.key in keys], {})


def at_places(field: Field, targets: Sequence[Target], *, but: Observation) -> Iterator[Work]:
    """Yield all differences that show places which nothing stands at, but one frame's, the latest first."""
    yield from _left(_compared().filter(field__in=_overlapping(field)).exclude(pk=but.pk), targets, {})


def is_left_elsewhere(field: Field, night: date) -> bool:
    """Tell whether `elsewhere` has anything."""
    return next(elsewhere(field, night), None) is not None


def _compared() -> QuerySet[Observation]:
    return Observation.objects.filter(status=ObservationStatus.DIFFERENCED)


def _sources_at(field: Field) -> list[Target]:
    """Return the sources in the circle around the field's frames; of nominal positions those of this field only."""
    config = snapshot()
    floor = config["detection.association_floor_arcsec"] / config["detection.association_sigma"]
    near = Source.objects.cone(field.ra, field.dec, 3600.0 * field.radius_deg)
    nominal = Q(wcs_quality=WcsQuality.NOMINAL)
    own = near.filter(nominal, detections__observation__field=field).distinct()
    return [
        Target(
            source.pk,
            source.ra,
            source.dec,
            error_arcsec=source.position_error_arcsec,
            # What the association takes for one place is one place here.
            reach_arcsec=float(np.hypot(source.position_error_arcsec, floor)),
            nominal_in=field.pk if source.wcs_quality == WcsQuality.NOMINAL else None,
        )
        for source in (*near.exclude(nominal), *own)
    ]


def _overlapping(field: Field) -> list[UUID]:
    """Return the fields whose frames may show the same places."""
    widest = Field.objects.aggregate(Max("radius_deg"))["radius_deg__max"]
    near = Field.objects.cone(field.ra, field.dec, 3600.0 * (field.radius_deg + widest))
    return [
        other.pk
        for other in near
        if separation_deg(other.ra, other.dec, field.ra, field.dec) <= field.radius_deg + other.radius_deg
    ]


class _Seen(NamedTuple):
    """Positions of something that moves: degrees, MJD, 1-sigma error of each in one axis; frames that detected it."""

    ra: Column
    dec: Column
    mjd: Column
    error_arcsec: float
    detected_in: set[UUID]


def _moving(field: Field, night: date, frames: QuerySet[Observation]) -> dict[UUID, list[Target]]:
    """Return, by frame, where that night's tracklets should be among the frames in which they were not detected."""
    found: dict[UUID, list[Target]] = {}
    for tracklet in Tracklet.objects.filter(field=field, night=night):
        seen = _added(tracklet, frames) if tracklet.kind == TrackletKind.STACKED else _linked(tracklet)
        if len(set(seen.mjd)) < 2:
            continue
        for frame in frames.exclude(pk__in=seen.detected_in):
            place = predicted(seen.ra, seen.dec, seen.mjd, frame.mjd_utc, seen.error_arcsec)
            nominal_in = field.pk if frame.wcs_quality == WcsQuality.NOMINAL else None
            target = Target(tracklet.pk, *place, reach_arcsec=place[2], nominal_in=nominal_in, is_moving=True)
            found.setdefault(frame.pk, []).append(target)
    return found


def _linked(tracklet: Tracklet) -> _Seen:
    """Return the positions of candidates; three leave a scatter that may be less than their errors by chance."""
    members = list(tracklet.members.select_related("observation"))
    ra, dec, mjd = np.array([(m.ra, m.dec, m.observation.mjd_utc) for m in members]).reshape(-1, 3).T
    errors = [(m.position_error_px or 0.0) * (m.observation.pixel_scale or 0.0) for m in members]
    error = max(tracklet.rms_arcsec or 0.0, float(np.mean(errors)) if errors else 0.0)
    return _Seen(ra, dec, mjd, error, {m.observation_id for m in members})


def _added(tracklet: Tracklet, frames: QuerySet[Observation]) -> _Seen:
    """Return the places of what only the sum of the frames shows: in each, its S/N is a share of the sum's."""
    places = tracklet.positions
    ra, dec, mjd = np.array([(p["ra"], p["dec"], p["mjd_utc"]) for p in places]).reshape(-1, 3).T
    seeing = [value for value in frames.values_list("seeing", flat=True) if value]
    snr = (tracklet.stack_score or 1.0) / max(len(places), 1) ** 0.5
    # A centroid's error, for a Gaussian PSF.
    error = 0.6 * float(np.median(seeing or [_USUAL_SEEING_ARCSEC])) / snr
    return _Seen(ra, dec, mjd, error, set())


def _left(frames: QuerySet[Observation], targets: Sequence[Target], moving: _Moving) -> Iterator[Work]:
    """Yield the newest difference of each frame with what it shows and is not yet measured, the latest frame first."""
    newest = DifferenceRun.objects.filter(observation__in=frames).newest_of_each()
    times = newest.values_list("observation__mjd_utc", "pk") if targets or moving else []
    keys = [key for _, key in sorted(times, reverse=True)]
    for first in range(0, len(keys), _RUNS_AT_ONCE):
        runs = DifferenceRun.objects.filter(pk__in=keys[first : first + _RUNS_AT_ONCE])
        runs = runs.select_related("observation__telescope").order_by("-observation__mjd_utc", "-pk")
        loaded = list(runs.defer("observation__header", "observation__facts"))
        here = {row.observation_id for row in loaded}
        calibrated = {
            row.observation_id: row for row in PreprocessRun.objects.filter(observation__in=here).newest_of_each()
        }
        done = _done(here, [*targets, *(target for of_frame in moving.values() for target in of_frame)])
        for row in loaded:
            own = calibrated.get(row.observation_id)
            if own is None or row.reference_id is None:
                continue
            every = (*targets, *moving.get(row.observation_id, ()))
            left = [t for t in every if not _is_done(t, done.get((t.key, row.observation_id)), row, own)]
            shown = [t for t in left if _shows(row.observation, t)]
            if shown:
                yield Work(row, row.reference_id, own, shown)


def _shows(frame: Observation, target: Target) -> bool:
    """Tell whether a place lies in a frame whose positions can be compared with its own."""
    nominal_in = frame.field_id if frame.wcs_quality == WcsQuality.NOMINAL else None
    return target.nominal_in == nominal_in and covers(frame.footprint, target.ra, target.dec)


def _done(frames: set[UUID], targets: Sequence[Target]) -> dict[tuple[UUID, UUID], _Done]:
    """Return what was measured in these frames: the newest of each target and frame."""
    of_each = ({t.key for t in targets if t.is_moving is moves} for moves in (False, True))
    sources, tracklets = of_each
    rows = ForcedPhotometry.objects.filter(Q(source__in=sources) | Q(tracklet__in=tracklets), observation__in=frames)
    values = rows.order_by("updated_at").values_list(
        "source", "tracklet", "observation", "difference_run", "updated_at", "zero_point_mag", "ra", "dec"
    )
    return {(source or tracklet, frame): _Done(*more) for source, tracklet, frame, *more in values}


def _is_done(target: Target, done: _Done | None, run: DifferenceRun, calibrated: PreprocessRun) -> bool:
    if done is None or done.run != run.pk or run.completed_at is None or done.at < run.completed_at:
        return False
    moved_arcsec = 3600.0 * float(separation_deg(done.ra, done.dec, target.ra, target.dec))
    return done.zero_point_mag == calibrated.zero_point_mag and moved_arcsec <= target.reach_arcsec
