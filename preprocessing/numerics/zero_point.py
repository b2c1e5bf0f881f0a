"""The magnitude of one count, from catalogue stars; never guessed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]

FEWEST_STARS = 5
CLIP_SIGMA = 3.0
CLIP_ROUNDS = 5
# Catalogue magnitudes of variables and of other colours scatter by this even where photon noise is nil.
SCATTER_FLOOR_MAG = 0.01


@dataclass(frozen=True)
class ZeroPoint:
    """magnitude = mag - 2.5 log10(counts), with what it rests on."""

    mag: float
    error_mag: float
    scatter_mag: float
    star_count: int
    catalogue: str
    band: str
    system: str


@dataclass(frozen=True)
class Photometry:
    """A catalogue's magnitudes for matched stars (NaN = none), and its names for them."""

    magnitude: Column
    catalogue: str
    band: str
    system: str


def zero_point(flux: Column, flux_error: Column, photometry: Photometry) -> ZeroPoint | None:
    """Return the zero point from matched stars, or None with fewer than 5 that agree.

    Parameters
    ----------
    flux, flux_error : (n,) counts of the frame's stars, total (PSF) fluxes. Non-positive and NaN take no part.
    photometry : catalogue magnitudes of the same stars.

    Returns
    -------
    ZeroPoint or None
        weighted mean of magnitude + 2.5 log10(flux), clipped at 3 sigma of the robust scatter; the error is that of
        the mean, from the scatter.
    """
    magnitude = np.asarray(photometry.magnitude, dtype=float)
    usable = np.isfinite(magnitude) & np.isfinite(flux) & (flux > 0) & np.isfinite(flux_error)
    if np.count_nonzero(usable) < FEWEST_STARS:
        return None
    value = magnitude[usable] + 2.5 * np.log10(flux[usable])
    error = np.hypot(1.0857 * flux_error[usable] / flux[usable], SCATTER_FLOOR_MAG)
    keep = np.ones(value.size, dtype=bool)
    for _ in range(CLIP_ROUNDS):
        middle = float(np.median(value[keep]))
        spread = max(1.4826 * float(np.median(np.abs(value[keep] - middle))), SCATTER_FLOOR_MAG)
        keep = np.abs(value - middle) < CLIP_SIGMA * np.maximum(spread, error)
        if np.count_nonzero(keep) < FEWEST_STARS:
            return None
    scatter = float(value[keep].std(ddof=1))
    weight = 1 / (error[keep] ** 2 + scatter**2)
    count = int(np.count_nonzero(keep))
    mag = float((weight * value[keep]).sum() / weight.sum())
    names = (photometry.catalogue, photometry.band, photometry.system)
    return ZeroPoint(mag, scatter / float(np.sqrt(count)), scatter, count, *names)


def limiting_magnitude(depth_flux: float, zero_point_mag: float) -> float:
    """Return the magnitude of a flux in counts."""
    return float(zero_point_mag - 2.5 * np.log10(depth_flux))
