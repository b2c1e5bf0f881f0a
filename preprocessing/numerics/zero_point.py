"""The magnitude of one count, from catalogue stars; never guessed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from observations.numerics.statistics import MAD_TO_SIGMA

Column = NDArray[np.float64]

FEWEST_STARS = 5
CLIP_SIGMA = 3.0
CLIP_ROUNDS = 5
# Fainter stars are the lucky ones of their kind: at S/N 10 those that were found are 1 % too bright, at 7 already 3 %.
FAINTEST_SNR = 10.0
# Catalogue magnitudes of variables and of other colours scatter by this even where photon noise is nil.
SCATTER_FLOOR_MAG = 0.01


@dataclass(frozen=True)
class ZeroPoint:
    """magnitude = mag - 2.5 log10(counts), with what it rests on."""

    mag: float
    error_mag: float
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
    flux, flux_error : (n,) counts of the frame's stars, total (PSF) fluxes. NaN and less than 10 sigma take no part.
    photometry : catalogue magnitudes of the same stars.

    Returns
    -------
    ZeroPoint or None
        weighted mean of magnitude + 2.5 log10(flux), clipped at 3 sigma of the robust scatter. Weights and error
        hold the photon noise of each star and what the stars scatter beyond it (DerSimonian & Laird 1986, Controlled
        Clinical Trials 7, 177, eq. 8).
    """
    magnitude = np.asarray(photometry.magnitude, dtype=float)
    usable = np.isfinite(magnitude) & (flux > 0) & (flux > FAINTEST_SNR * np.abs(flux_error))
    if np.count_nonzero(usable) < FEWEST_STARS:
        return None
    value = magnitude[usable] + 2.5 * np.log10(flux[usable])
    error = np.hypot(1.0857 * flux_error[usable] / flux[usable], SCATTER_FLOOR_MAG)
    keep = np.ones(value.size, dtype=bool)
    for _ in range(CLIP_ROUNDS):
        middle = float(np.median(value[keep]))
        spread = max(MAD_TO_SIGMA * float(np.median(np.abs(value[keep] - middle))), SCATTER_FLOOR_MAG)
        keep = np.abs(value - middle) < CLIP_SIGMA * np.maximum(spread, error)
        if np.count_nonzero(keep) < FEWEST_STARS:
            return None
    value, error = value[keep], error[keep]
    weight = 1 / (error**2 + _excess_variance(value, error))
    mag = float((weight * value).sum() / weight.sum())
    names = (photometry.catalogue, photometry.band, photometry.system)
    return ZeroPoint(mag, float(weight.sum() ** -0.5), *names)


def _excess_variance(value: Column, error: Column) -> float:
    """Return the variance beyond the errors: (chi2 - (n - 1)) / (sum w - sum w2 / sum w) with w = 1 / error2, or 0."""
    weight = 1 / error**2
    middle = (weight * value).sum() / weight.sum()
    excess = (weight * (value - middle) ** 2).sum() - (value.size - 1)
    return max(0.0, float(excess / (weight.sum() - (weight**2).sum() / weight.sum())))


def limiting_magnitude(depth_flux: float, zero_point_mag: float) -> float:
    """Return the magnitude of a flux in counts."""
    return float(zero_point_mag - 2.5 * np.log10(depth_flux))
