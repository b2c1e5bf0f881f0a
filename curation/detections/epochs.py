"""How bright a source was in each frame: as detected, else as measured at its place, with a limit below 3 sigma."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import numpy as np
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef

from catalog.models import Visitor
from curation.injected.rows import histories_of
from detection.models import Detection, ForcedPhotometry, ForcedReason, Source
from detection.numerics.baseline import Baseline, fit_baseline
from detection.numerics.significance import DETECTED_SIGMA, LIMIT_SIGMA
from detection.sources.photometry import magnitude_of, zero_points
from differencing.models import Tracklet
from observations.models import Observation
from observations.numerics.site import time_of
from observations.sky import SkyRecord
from preprocessing.models import PreprocessRun

# Measurements of one source that are looked at, the latest: a field of years has tens of thousands of frames.
_MOST_FRAMES = 400
# Fluxes of different frames are compared in counts at this zero point.
COMMON_ZERO_POINT_MAG = 25.0


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
class Correction:
    """What was taken off the fluxes against one reference, which holds light of the source: counts at 25 mag."""

    band: str
    version: int
    baseline: Baseline


@dataclass(frozen=True)
class ZeroPoint:
    """Magnitude of one count of a frame, its error, and in which system."""

    mag: float
    error: float | None
    system: str

    @classmethod
    def of(cls, row: PreprocessRun | Measured | None) -> ZeroPoint | None:
        """Return what a row knows of it."""
        if row is None or row.zero_point_mag is None:
            return None
        return cls(row.zero_point_mag, row.zero_point_error, row.zero_point_system)

    @property
    def to_common(self) -> float:
        """Return what counts of a frame are multiplied by to be counts at the common zero point."""
        return float(10.0 ** (0.4 * (COMMON_ZERO_POINT_MAG - self.mag)))


@dataclass(frozen=True)
class Measured:
    """Forced photometry in one frame, as its row holds it."""

    frame: Frame
    flux: float | None
    flux_error: float | None
    limiting_flux: float | None
    total_flux: float | None
    total_flux_error: float | None
    zero_point_mag: float | None
    zero_point_error: float | None
    zero_point_system: str
    reason: str
    reference_version: int

    @classmethod
    def of(cls, row: ForcedPhotometry) -> Measured:
        """Return a row that was never saved so."""
        numbers = {name: getattr(row, name) for name in _NUMBERS}
        return cls(frame=_frame(row.observation), reference_version=row.reference.version, **numbers)


# What is read of a row: a light curve may have a hundred thousand.
_NUMBERS = (
    "flux", "flux_error", "limiting_flux", "total_flux", "total_flux_error", "zero_point_mag", "zero_point_error",
    "zero_point_system", "reason",
)  # fmt: skip
_COLUMNS = (
    "source", "tracklet", "observation", "observation__mjd_utc", "observation__filter_band",
    "observation__original_name", "observation__observation_id", *_NUMBERS, "reference__version",
)  # fmt: skip


@dataclass(frozen=True)
class Epoch:
    """A source in one frame. Without a detection it is forced photometry; what is not known is None.

    flux, flux_error : beyond the reference, signed, in counts of this frame. limiting_flux : 5 sigma, where nothing was
    detected and the flux is below 3. total_flux : with the star that the reference holds there. trouble : why nothing
    could be measured. reference_version : of the flux. fwhm_px : of the frame's stars.
    """

    frame: Frame
    detection: Detection | None = None
    flux: float | None = None
    flux_error: float | None = None
    limiting_flux: float | None = None
    total_flux: float | None = None
    total_flux_error: float | None = None
    zero_point: ZeroPoint | None = None
    trouble: str = ""
    reference_version: int | None = None
    correction: Correction | None = None
    fwhm_px: float | None = None

    @property
    def mag(self) -> float | None:
        """Return the magnitude; None of a limit, and where light is missing or the zero point is not known."""
        return None if self.limiting_flux is not None else self._magnitude(self.flux, self.flux_error)[0]

    @property
    def mag_error(self) -> float | None:
        return None if self.mag is None else self._magnitude(self.flux, self.flux_error)[1]

    @property
    def system(self) -> str:
        """Return the system of the magnitude, "" without one."""
        return self.zero_point.system if self.zero_point is not None and self.mag is not None else ""

    @property
    def limiting_mag(self) -> float | None:
        return self._magnitude(self.limiting_flux, 0.0)[0]

    @property
    def total_mag(self) -> float | None:
        return self._magnitude(self.total_flux, self.total_flux_error)[0]

    @property
    def total_mag_error(self) -> float | None:
        return self._magnitude(self.total_flux, self.total_flux_error)[1]

    def _magnitude(self, flux: float | None, error: float | None) -> tuple[float | None, float | None]:
        zero_point = self.zero_point
        return (None, None) if zero_point is None else magnitude_of(flux, error, zero_point.mag, zero_point.error)


def epochs_of(place: SkyRecord, detections: Sequence[Detection], user: Visitor) -> list[Epoch]:
    """Return the epochs of one source in order of time, as `epochs_of_each` does."""
    [epochs] = epochs_of_each([(place, detections)], user)
    return epochs


def epochs_of_each(
    histories: Sequence[tuple[SkyRecord | Tracklet, Sequence[Detection]]],
    user: Visitor,
    most_frames: int = _MOST_FRAMES,
) -> list[list[Epoch]]:
    """Return the epochs of sources in order of time, with a few queries for several of them.

    Parameters
    ----------
    histories : each source or tracklet, or a detection that has neither, with its detections; candidate and observation
    are loaded.
    user : who is shown them; what is of surveys that are hidden from them is left out of the measurements.
    most_frames : so many measurements of each source are looked at, the latest.
    """
    forced = _forced([place for place, _ in histories if isinstance(place, Source | Tracklet)], user, most_frames)
    if injected := [row.pk for _, rows in histories for row in rows if row.is_injected]:
        for place, rows in histories_of(injected, user).items():
            forced[place] = {key: Measured.of(row) for key, row in rows.items()}
    runs = zero_points({row.observation_id for _, rows in histories for row in rows})
    return [_epochs(rows, forced.get(place.pk, {}), runs) for place, rows in histories]


def _forced(places: Sequence[Source | Tracklet], user: Visitor, most: int) -> dict[UUID, dict[UUID, Measured]]:
    """Return the measurements of each source and tracklet by frame, those by the newest difference."""
    keys: list[UUID] = []
    for owner in {type(place) for place in places}:
        keys += _latest(owner, [place.pk for place in places if isinstance(place, owner)], user, most)
    rows = ForcedPhotometry.objects.filter(pk__in=keys).order_by("difference_run__completed_at")
    found: dict[UUID, dict[UUID, Measured]] = {}
    for source, tracklet, observation, mjd_utc, band, name, other_name, *numbers in rows.values_list(*_COLUMNS):
        frame = Frame(observation, mjd_utc, band, name or other_name)
        found.setdefault(source or tracklet, {})[observation] = Measured(frame, *numbers)
    return found


def _latest(owner: type[Source] | type[Tracklet], places: Collection[UUID], user: Visitor, most: int) -> Iterator[UUID]:
    """Yield the keys of the latest measurements of each, so many of one, which may have tens of thousands."""
    of_one = ForcedPhotometry.objects.not_hidden_from(user).filter(**{str(owner._meta.model_name): OuterRef("pk")})
    latest = of_one.exclude(reason=ForcedReason.OUTSIDE).order_by("-mjd_utc").values("pk")[:most]
    for keys in owner.objects.filter(pk__in=places).values_list(ArraySubquery(latest), flat=True):
        yield from keys


def _epochs(
    detections: Sequence[Detection], forced: Mapping[UUID, Measured], runs: Mapping[UUID, PreprocessRun]
) -> list[Epoch]:
    seen = {row.observation_id for row in detections}
    epochs = [_detected(row, forced.get(row.observation_id), runs.get(row.observation_id)) for row in detections]
    epochs += [_measured(row) for frame, row in forced.items() if frame not in seen]
    return _corrected(sorted(epochs, key=lambda epoch: epoch.frame.mjd_utc))


def _detected(row: Detection, forced: Measured | None, run: PreprocessRun | None) -> Epoch:
    """Return an epoch with the numbers of its detection."""
    candidate = row.candidate
    return Epoch(
        _frame(row.observation),
        row,
        flux=candidate.flux if candidate else None,
        flux_error=candidate.flux_error if candidate else None,
        total_flux=forced.total_flux if forced else None,
        total_flux_error=forced.total_flux_error if forced else None,
        zero_point=ZeroPoint.of(run),
        reference_version=forced.reference_version if forced else None,
        fwhm_px=run.fwhm_px if run else None,
    )


def _measured(row: Measured) -> Epoch:
    """Return an epoch without a detection."""
    return Epoch(
        row.frame,
        flux=row.flux,
        flux_error=row.flux_error,
        limiting_flux=row.limiting_flux,
        total_flux=row.total_flux,
        total_flux_error=row.total_flux_error,
        zero_point=ZeroPoint.of(row),
        trouble=ForcedReason(row.reason).label if row.reason else "",
        reference_version=row.reference_version,
    )


def _corrected(epochs: list[Epoch]) -> list[Epoch]:
    """Take off what the references hold of the source, by epochs outside the time in which it shone."""
    shone = [epoch.frame.mjd_utc for epoch in epochs if epoch.detection is not None and (epoch.flux or 0.0) > 0.0]
    if not shone:
        return epochs
    groups: dict[tuple[str, int], list[Epoch]] = {}
    for epoch in epochs:
        if epoch.reference_version is not None and epoch.zero_point is not None and epoch.flux is not None:
            groups.setdefault((epoch.frame.band, epoch.reference_version), []).append(epoch)
    corrections = {
        key: Correction(*key, baseline)
        for key, group in groups.items()
        if (baseline := _baseline(group, (min(shone), max(shone)))) is not None
    }
    return [_without(epoch, corrections.get((epoch.frame.band, epoch.reference_version or 0))) for epoch in epochs]


def _baseline(epochs: Sequence[Epoch], event: tuple[float, float]) -> Baseline | None:
    scale = np.array([epoch.zero_point.to_common if epoch.zero_point else 1.0 for epoch in epochs])
    flux, error = (np.array([getattr(epoch, name) for epoch in epochs]) for name in ("flux", "flux_error"))
    return fit_baseline(np.array([epoch.frame.mjd_utc for epoch in epochs]), flux * scale, error * scale, event)


def _without(epoch: Epoch, correction: Correction | None) -> Epoch:
    """Return an epoch whose flux is less by the baseline; without a detection, below 3 sigma, it is a limit."""
    if correction is None or epoch.zero_point is None or epoch.flux is None or epoch.flux_error is None:
        return epoch
    scale = epoch.zero_point.to_common
    flux = epoch.flux - correction.baseline.flux / scale
    error = math.hypot(epoch.flux_error, correction.baseline.flux_error / scale)
    is_limit = epoch.detection is None and abs(flux) < DETECTED_SIGMA * error
    limit = LIMIT_SIGMA * error if is_limit else None
    return replace(epoch, flux=flux, flux_error=error, limiting_flux=limit, correction=correction)


def _frame(row: Observation) -> Frame:
    return Frame(row.pk, row.mjd_utc, row.filter_band, row.shown_name)
