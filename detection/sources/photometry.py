"""How bright a detection is: the light beyond the reference, as a magnitude where the frame's zero point is known."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from detection.models import Detection
from observations.numerics.statistics import MAG_PER_SHARE
from preprocessing.models import PreprocessRun

_NUMBERS = ("zero_point_mag", "zero_point_error", "zero_point_system", "limiting_magnitude", "fwhm_px")


@dataclass(frozen=True)
class Brightness:
    """Magnitude, its 1-sigma error and system of a detection; None and "" where it is not known."""

    mag: float | None = None
    mag_error: float | None = None
    system: str = ""


def magnitude(detection: Detection, run: PreprocessRun | None) -> tuple[float | None, float | None]:
    """Return magnitude and error of the difference's flux; None without a zero point, or where light is missing."""
    candidate = detection.candidate
    if candidate is None or run is None:
        return None, None
    return magnitude_of(candidate.flux, candidate.flux_error, run.zero_point_mag, run.zero_point_error)


def magnitude_of(
    flux: float | None, flux_error: float | None, zero_point_mag: float | None, zero_point_error: float | None
) -> tuple[float | None, float | None]:
    """Return magnitude and error of a flux in counts; None where something is not known, or light is missing."""
    if flux is None or flux_error is None or zero_point_mag is None or flux <= 0.0:
        return None, None
    shares = math.hypot(MAG_PER_SHARE * flux_error / flux, zero_point_error or 0.0)
    return zero_point_mag - 2.5 * math.log10(flux), shares


def brightness_of(detections: Iterable[Detection]) -> dict[UUID, Brightness]:
    """Return the brightness of each detection, by key, in one query; their candidates are loaded already."""
    rows = list(detections)
    runs = zero_points({row.observation_id for row in rows})
    found = {}
    for row in rows:
        run = runs.get(row.observation_id)
        mag, error = magnitude(row, run)
        found[row.pk] = Brightness(mag, error, run.zero_point_system if run and mag is not None else "")
    return found


def zero_points(observations: Collection[UUID]) -> dict[UUID, PreprocessRun]:
    """Return the newest completed run of each of these frames that has one, with its photometric numbers only."""
    newest = PreprocessRun.objects.filter(observation__in=observations).newest_of_each()
    return {run.observation_id: run for run in newest.only("observation_id", *_NUMBERS)}
