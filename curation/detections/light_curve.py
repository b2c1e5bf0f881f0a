"""How bright a source was in each frame: measured where it was detected, a limit where nothing is seen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from catalog.writing import number, utc
from curation.numerics.plot import Axis, days_axis, values_axis
from detection.models import Detection
from detection.sources.photometry import magnitude, zero_points
from differencing.models import Candidate
from observations.models import Observation, ObservationStatus
from observations.numerics.footprint import covers
from observations.numerics.site import time_of
from observations.sky import SkyRecord
from preprocessing.models import PreprocessRun

# A candidate this near, however it was scored, may be the source: then it is no proof that there was nothing.
NEAR_ARCSEC = 3.0
# Frames of a field among which those without a source are looked for: a field of years has tens of thousands.
_MOST_FRAMES = 400


@dataclass(frozen=True)
class Frame:
    """What an epoch needs to know of its frame."""

    pk: UUID
    mjd_utc: float
    band: str
    name: str

    @property
    def middle(self) -> datetime:
        """Return the middle of the exposure."""
        return time_of(self.mjd_utc)


@dataclass(frozen=True)
class Epoch:
    """A source in one frame. Without a detection `limiting_mag` is 5 sigma; what is not known is None.

    flux, flux_error : beyond the reference, signed, in counts of this frame. fwhm_px : of the frame's stars.
    """

    frame: Frame
    detection: Detection | None = None
    mag: float | None = None
    mag_error: float | None = None
    system: str = ""
    flux: float | None = None
    flux_error: float | None = None
    limiting_mag: float | None = None
    fwhm_px: float | None = None


def epochs_of(place: SkyRecord, detections: Sequence[Detection]) -> list[Epoch]:
    """Return the epochs of one source in order of time, as `epochs_of_each` does."""
    [epochs] = epochs_of_each([(place, detections)])
    return epochs


def epochs_of_each(
    histories: Sequence[tuple[SkyRecord, Sequence[Detection]]], most_frames: int = _MOST_FRAMES
) -> list[list[Epoch]]:
    """Return the epochs of sources in order of time, with a few queries for several of them.

    Parameters
    ----------
    histories : each source, or a detection that has none, with its detections; candidate and observation are loaded.
    most_frames : frames without it are looked for among so many of each field that the detections are of, the latest.
    """
    fields = {field for _, rows in histories for field in _fields(rows)}
    compared = {field: _compared(field, most_frames) for field in fields}
    without = [_frames_without(place, rows, compared) for place, rows in histories]
    seen = {row.observation_id for _, rows in histories for row in rows}
    runs = zero_points(seen | {frame.pk for frames in without for frame in frames})
    return [_epochs(rows, frames, runs) for (_, rows), frames in zip(histories, without, strict=True)]


def _epochs(
    detections: Sequence[Detection], without: Sequence[Observation], runs: Mapping[UUID, PreprocessRun]
) -> list[Epoch]:
    epochs = []
    for row in detections:
        run, candidate = runs.get(row.observation_id), row.candidate
        mag, error = magnitude(row, run)
        epochs.append(
            Epoch(
                _frame(row.observation),
                row,
                mag,
                error,
                run.zero_point_system if run and mag is not None else "",
                candidate.flux if candidate else None,
                candidate.flux_error if candidate else None,
                fwhm_px=run.fwhm_px if run else None,
            )
        )
    for frame in without:
        run = runs.get(frame.pk)
        epochs.append(Epoch(_frame(frame), limiting_mag=run.limiting_magnitude if run else None))
    return sorted(epochs, key=lambda epoch: epoch.frame.mjd_utc)


def _fields(detections: Iterable[Detection]) -> set[UUID]:
    return {row.observation.field_id for row in detections if row.observation.field_id is not None}


def _compared(field: UUID, most: int) -> list[Observation]:
    """Return the latest frames of a field that were compared."""
    frames = Observation.objects.filter(field=field, status=ObservationStatus.DIFFERENCED).order_by("-mjd_utc")
    return list(frames.only("mjd_utc", "filter_band", "original_name", "observation_id", "footprint", "field")[:most])


def _frames_without(
    place: SkyRecord, detections: Collection[Detection], compared: Mapping[UUID, Collection[Observation]]
) -> list[Observation]:
    """Return the frames that show the place and have nothing there."""
    near = set(Candidate.objects.cone(place.ra, place.dec, NEAR_ARCSEC).values_list("observation", flat=True))
    near |= {row.observation_id for row in detections}
    frames = [frame for field in _fields(detections) for frame in compared[field]]
    return [frame for frame in frames if frame.pk not in near and covers(frame.footprint, place.ra, place.dec)]


def _frame(row: Observation) -> Frame:
    return Frame(row.pk, row.mjd_utc, row.filter_band, row.shown_name)


@dataclass(frozen=True)
class Mark:
    """An epoch in a plot, in per cent from the left and from the top; `low` and `high` are the ends of its error bar.

    kind : "measured", "limit", or "unseen" where not even a limit is known.
    shape : number of its band's shape. words : when, in what band, and how bright.
    """

    epoch: Epoch
    kind: str
    shape: int
    words: str
    x: float
    y: float = 100.0
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Drawing:
    """A light curve to be drawn: marks, and what stands at the axes; all places in per cent of the plot."""

    is_in_magnitudes: bool
    systems: tuple[str, ...]
    bands: tuple[tuple[int, str], ...]
    marks: tuple[Mark, ...]
    days: tuple[tuple[float, str], ...]
    values: tuple[tuple[float, str], ...]
    zero: float | None


def drawing_of(epochs: Sequence[Epoch]) -> Drawing | None:
    """Draw epochs in magnitudes where one is known, else in counts; None where no brightness is known at all."""
    is_in_magnitudes = any(epoch.mag is not None for epoch in epochs)
    measured = [epoch for epoch in epochs if _value(epoch, is_in_magnitudes) is not None]
    if not measured:
        return None
    shown = [*measured, *(epoch for epoch in epochs if epoch.detection is None)]
    bands = sorted({epoch.frame.band for epoch in shown})
    days = days_axis([epoch.frame.mjd_utc for epoch in shown])
    values = values_axis(_extent(shown, is_in_magnitudes))

    def height(value: float) -> float:
        """Bright is up: small magnitudes, large counts."""
        return values.percent(value) if is_in_magnitudes else 100.0 - values.percent(value)

    marks = [_mark(epoch, bands.index(epoch.frame.band), days, height, is_in_magnitudes) for epoch in shown]
    return Drawing(
        is_in_magnitudes,
        tuple(sorted({epoch.system for epoch in measured if epoch.system})),
        tuple(enumerate(bands)),
        tuple(sorted(marks, key=lambda mark: mark.x)),
        tuple((days.percent(mark), _day_text(mark, days)) for mark in days.marks),
        tuple((height(mark), f"{mark:.{values.decimals}f}".replace("-", "−")) for mark in values.marks),
        height(0.0) if not is_in_magnitudes and values.low < 0.0 < values.high else None,
    )


def _mark(epoch: Epoch, shape: int, days: Axis, height: Callable[[float], float], is_in_magnitudes: bool) -> Mark:
    x = days.percent(epoch.frame.mjd_utc)
    value = _value(epoch, is_in_magnitudes)
    words = _words(epoch, is_in_magnitudes)
    if value is not None:
        error = (epoch.mag_error if is_in_magnitudes else epoch.flux_error) or 0.0
        return Mark(epoch, "measured", shape, words, x, height(value), height(value - error), height(value + error))
    if is_in_magnitudes and epoch.limiting_mag is not None:
        return Mark(epoch, "limit", shape, words, x, height(epoch.limiting_mag))
    return Mark(epoch, "unseen", shape, words, x)


def _words(epoch: Epoch, is_in_magnitudes: bool) -> str:
    """Return what a mark says where it is pointed at, or read aloud."""
    when = f"{utc(epoch.frame.middle)} UTC, {epoch.frame.band or 'band unknown'}"
    if is_in_magnitudes and epoch.mag is not None:
        return f"{when}: {number(epoch.mag)} ± {number(epoch.mag_error)} mag"
    if not is_in_magnitudes and epoch.flux is not None:
        return f"{when}: {number(epoch.flux, 0)} ± {number(epoch.flux_error, 0)} ADU"
    if is_in_magnitudes and epoch.limiting_mag is not None:
        return f"{when}: not detected to {number(epoch.limiting_mag, 1)} mag"
    return f"{when}: not detected, limit unknown"


def _value(epoch: Epoch, is_in_magnitudes: bool) -> float | None:
    return epoch.mag if is_in_magnitudes else epoch.flux


def _extent(epochs: Sequence[Epoch], is_in_magnitudes: bool) -> list[float]:
    """Return everything that the axis of values must hold."""
    pairs = [(epoch.mag, epoch.mag_error) if is_in_magnitudes else (epoch.flux, epoch.flux_error) for epoch in epochs]
    ends = [value + sign * (error or 0.0) for value, error in pairs if value is not None for sign in (-1.0, 1.0)]
    if not is_in_magnitudes:
        return [*ends, 0.0]
    return ends + [epoch.limiting_mag for epoch in epochs if epoch.limiting_mag is not None]


def _day_text(mjd_utc: float, days: Axis) -> str:
    """Return a date, with the time of day where the marks are closer than days."""
    # Of a mark that is a hair before its minute, by rounding.
    moment = time_of(mjd_utc) + timedelta(seconds=30)
    return f"{moment:%Y-%m-%d}" if days.step >= 1.0 else f"{moment:%m-%d %H:%M}"
