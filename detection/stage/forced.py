"""Measure every source, and everything that moves, in every difference that shows its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import numpy as np
from django.db.models import Max, Q, QuerySet

from catalog.configuration.values import snapshot
from catalog.work import jobs
from detection.models import ForcedPhotometry, Source
from detection.numerics.motion import predicted
from detection.stage.forced_pixels import Target, Work, rows_of
from differencing.ids import field_and_night
from differencing.models import DifferenceRun, Tracklet
from observations.models import Field, Observation, ObservationStatus, WcsQuality
from observations.numerics.footprint import covers
from observations.numerics.sphere import separation_deg
from preprocessing.models import PreprocessRun

# What a measurement that is made again writes anew.
_VALUES = (
    "difference_run", "ra", "dec", "position_error_arcsec", "flux", "flux_error", "limiting_flux", "total_flux",
    "total_flux_error", "reason", "mjd_utc", "bjd_tdb", "is_geocentric", "zero_point_mag", "zero_point_error",
    "zero_point_system", "updated_at",
)  # fmt: skip
_ROWS_AT_ONCE = 1000
# Differences whose measurements are looked up with one query.
_RUNS_AT_ONCE = 200

_Moving = Mapping[UUID, Sequence[Target]]


class _Done(NamedTuple):
    """By which difference, when, with which zero point and where a place was measured."""

    run: UUID
    at: datetime
    zero_point_mag: float | None
    ra: float
    dec: float


def run(key: str) -> None:
    """Measure what is left to measure for "<field id>/<date>".

    In the differences of that field and night: all sources, and what moves where it was not detected. In all other
    differences of the place: the sources that were detected on that night. A measurement is made again when its frame
    was compared or calibrated anew, or when the source turns out to be elsewhere by more than its error. It replaces
    the one against the same reference, and stands beside those against others.
    """
    field_id, night = field_and_night(key)
    for work in _works(Field.objects.get(pk=field_id), night):
        rows = rows_of(work)
        with jobs.writing():
            # Compared anew while these were measured: then they are of images that are gone.
            same = DifferenceRun.objects.filter(pk=work.run.pk, completed_at=work.run.completed_at)
            if same.select_for_update().exists():
                _store([row for row in rows if row.source_id is not None], "source")
                _store([row for row in rows if row.tracklet_id is not None], "tracklet")


def _store(rows: list[ForcedPhotometry], of: str) -> None:
    ForcedPhotometry.objects.bulk_create(
        rows,
        batch_size=_ROWS_AT_ONCE,
        update_conflicts=True,
        unique_fields=(of, "observation", "reference"),
        update_fields=_VALUES,
    )


def _works(field: Field, night: date) -> Iterator[Work]:
    """Yield the differences in which something is left to measure: those of the night, then all others."""
    sources = _sources_at(field)
    compared = Observation.objects.filter(status=ObservationStatus.DIFFERENCED).defer("header", "header_conflicts")
    own = compared.filter(field=field, night=night)
    yield from _left(own, sources, _moving(field, night, own))
    detected = Source.objects.filter(detections__observation__field=field, detections__observation__night=night)
    keys = set(detected.values_list("pk", flat=True))
    others = compared.filter(field__in=_overlapping(field)).exclude(field=field, night=night)
    yield from _left(others, [target for target in sources if target.key in keys], {})


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
            # The floor is what the association tolerates, and far more than what the WCS of most frames adds.
            error_arcsec=float(np.sqrt(max(source.position_error_arcsec**2 - floor**2, 0.0))),
            reach_arcsec=source.position_error_arcsec,
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


def _moving(field: Field, night: date, frames: QuerySet[Observation]) -> dict[UUID, list[Target]]:
    """Return, by frame, where that night's tracklets should be among the frames in which they were not detected."""
    found: dict[UUID, list[Target]] = {}
    for tracklet in Tracklet.objects.filter(field=field, night=night):
        members = list(tracklet.members.select_related("observation"))
        seen = {member.observation_id for member in members}
        ra, dec = (np.array([getattr(member, name) for member in members]) for name in ("ra", "dec"))
        mjd = np.array([member.observation.mjd_utc for member in members])
        for frame in frames.exclude(pk__in=seen):
            place = predicted(ra, dec, mjd, frame.mjd_utc, tracklet.rms_arcsec)
            nominal_in = field.pk if frame.wcs_quality == WcsQuality.NOMINAL else None
            target = Target(tracklet.pk, *place, reach_arcsec=place[2], nominal_in=nominal_in, is_moving=True)
            found.setdefault(frame.pk, []).append(target)
    return found


def _left(frames: QuerySet[Observation], targets: Sequence[Target], moving: _Moving) -> Iterator[Work]:
    """Yield the newest difference of each frame with those targets that it shows and that are not yet measured."""
    newest = DifferenceRun.objects.filter(observation__in=frames).newest_of_each()
    keys = list(newest.values_list("pk", flat=True)) if targets or moving else []
    for first in range(0, len(keys), _RUNS_AT_ONCE):
        runs = DifferenceRun.objects.filter(pk__in=keys[first : first + _RUNS_AT_ONCE])
        loaded = list(runs.select_related("observation__telescope").defer("observation__header"))
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
