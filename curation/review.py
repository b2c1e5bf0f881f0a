"""All that a person looks at to judge a detection, read with a few queries for several of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from catalog.models import User
from curation.light_curve import NEAR_ARCSEC, moment_of
from curation.models import ValidationEvent
from curation.numerics.footprint import covers
from curation.numerics.sparkline import Frame, Mark, Sample, Sparkline, sparkline
from curation.services import answers_about
from detection.cutouts import version_of
from detection.models import Detection
from detection.numerics.orientation import Turn
from detection.photometry import magnitude, zero_points
from detection.viewing import turn_of
from differencing.models import Candidate
from observations.models import Observation, ObservationStatus
from preprocessing.models import PreprocessRun

# Of one source's history the latest so many detections, and frames without it, are drawn.
_MOST_EPOCHS = 60
# Where points lie in the picture of a light curve, 300 × 84.
_PICTURE = Frame(left=40.0, top=6.0, right=292.0, bottom=66.0)


@dataclass(frozen=True)
class Epoch:
    """One detection of a source; `mag` is None without a zero point, or where light is missing."""

    detection: Detection
    mag: float | None
    mag_error: float | None


@dataclass(frozen=True)
class Limit:
    """A frame of the same field and band that shows the place and nothing in it."""

    mjd_utc: float
    mag: float | None


@dataclass(frozen=True)
class Curve:
    """The light curve of a source, placed in the picture that pages draw; `unseen` counts the frames without it."""

    plot: Sparkline
    seen: list[Mark]
    now: Mark | None
    is_in_magnitudes: bool
    first: datetime
    last: datetime
    unseen: int

    @property
    def decimals(self) -> int:
        """Return how many decimals the axis has."""
        return 1 if self.is_in_magnitudes else 0

    @property
    def dots(self) -> str:
        """Return the points as one path, of lines without length and with round ends."""
        return "".join(f"M{mark.x} {mark.y}h0" for mark in self.seen)

    @property
    def bars(self) -> str:
        """Return the error bars as one path."""
        return "".join(f"M{mark.x} {mark.low}V{mark.high}" for mark in self.seen)

    @property
    def limits(self) -> str:
        """Return triangles that point down, as one path."""
        return "".join(f"M{mark.x} {mark.y}m-3 -4h6l-3 5z" for mark in self.plot.limits)


@dataclass(frozen=True)
class Review:
    """One detection with its evidence.

    epochs : of its source, by time, this one among them. limits : by time. answers : what people say, by time; None
    where it is hidden until the person has answered. version : of the file of cutouts, None where it is gone.
    """

    detection: Detection
    run: PreprocessRun | None
    turn: Turn
    version: str | None
    epochs: list[Epoch]
    limits: list[Limit]
    answers: list[ValidationEvent] | None
    own: ValidationEvent | None

    @property
    def now(self) -> Epoch:
        """Return this detection among the epochs."""
        return next(epoch for epoch in self.epochs if epoch.detection.pk == self.detection.pk)

    @property
    def curve(self) -> Curve | None:
        """Return the light curve in magnitudes where they are known, else in counts; None for a first and only look."""
        in_magnitudes = any(epoch.mag is not None for epoch in self.epochs)
        samples = [_sample(epoch, in_magnitudes) for epoch in self.epochs]
        limits = [Sample(limit.mjd_utc, limit.mag if in_magnitudes else None) for limit in self.limits]
        plot = sparkline(samples, limits, _PICTURE, is_magnitude=in_magnitudes)
        if plot is None or len(samples) + len(limits) < 2:
            return None
        days = [sample.mjd_utc for sample in (*samples, *limits)]
        seen = [mark for mark in plot.marks if mark is not None]
        now = plot.marks[self.epochs.index(self.now)]
        return Curve(plot, seen, now, in_magnitudes, moment_of(min(days)), moment_of(max(days)), len(limits))


def reviews(keys: Collection[UUID], user: User, *, is_blind: bool) -> list[Review]:
    """Return the evidence about detections that this person may see, in the order of the keys."""
    related = ("observation__field", "candidate__difference_run", "source")
    rows = {row.pk: row for row in Detection.objects.visible_to(user).filter(pk__in=keys).select_related(*related)}
    found = [rows[key] for key in keys if key in rows]
    history = {row.pk: _history(row) for row in found}
    frames = _frames(found)
    seen = [row.observation_id for past in history.values() for row in past]
    runs = zero_points({*seen, *(frame.pk for some in frames.values() for frame in some)})
    answers = answers_about([row.pk for row in found])
    return [
        _review(
            row, history[row.pk], frames.get(_series(row), []), runs, _shown(answers.get(row.pk, []), user, is_blind)
        )
        for row in found
    ]


_Shown = tuple[list[ValidationEvent] | None, ValidationEvent | None]


def _shown(answers: list[ValidationEvent], user: User, is_blind: bool) -> _Shown:
    """Return the answers that a person may see, and their own."""
    own = next((event for event in answers if event.validator_id == user.pk), None)
    return (None if is_blind and own is None else answers), own


def _review(
    row: Detection, history: list[Detection], frames: list[Observation], runs: dict[UUID, PreprocessRun], shown: _Shown
) -> Review:
    epochs = [Epoch(past, *magnitude(past, runs.get(past.observation_id))) for past in history]
    answers, own = shown
    return Review(
        detection=row,
        run=runs.get(row.observation_id),
        turn=turn_of(row),
        version=version_of(row.cutouts_path),
        epochs=sorted(epochs, key=lambda epoch: epoch.detection.observation.mjd_utc),
        limits=_limits(row, frames, runs),
        answers=answers,
        own=own,
    )


def _sample(epoch: Epoch, in_magnitudes: bool) -> Sample:
    mjd, candidate = epoch.detection.observation.mjd_utc, epoch.detection.candidate
    if in_magnitudes:
        return Sample(mjd, epoch.mag, epoch.mag_error)
    return Sample(mjd, candidate.flux, candidate.flux_error) if candidate else Sample(mjd, None)


def _history(row: Detection) -> list[Detection]:
    """Return the latest detections of a source, the given one among them."""
    if row.source_id is None:
        return [row]
    others = (
        Detection.objects.filter(source=row.source_id).exclude(pk=row.pk).select_related("observation", "candidate")
    )
    return [row, *others.order_by("-created_at")[:_MOST_EPOCHS]]


def _series(row: Detection) -> tuple[UUID | None, str]:
    return row.observation.field_id, row.observation.filter_band


def _frames(rows: Iterable[Detection]) -> dict[tuple[UUID | None, str], list[Observation]]:
    """Return the latest differenced frames of each field and band that the detections are of."""
    compared = Observation.objects.filter(status=ObservationStatus.DIFFERENCED).order_by("-mjd_utc")
    compared = compared.only("mjd_utc", "footprint")
    return {
        (field, band): list(compared.filter(field=field, filter_band=band)[:_MOST_EPOCHS])
        for field, band in {_series(row) for row in rows}
        if field is not None
    }


def _limits(row: Detection, frames: list[Observation], runs: dict[UUID, PreprocessRun]) -> list[Limit]:
    place = row.source or row
    near = set(Candidate.objects.cone(place.ra, place.dec, NEAR_ARCSEC).values_list("observation", flat=True))
    empty = [frame for frame in frames if frame.pk not in near and covers(frame.footprint, place.ra, place.dec)]
    limits = ((frame.mjd_utc, runs.get(frame.pk)) for frame in reversed(empty))
    return [Limit(mjd, run.limiting_magnitude if run else None) for mjd, run in limits]
