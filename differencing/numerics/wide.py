"""Measure what is round and wider than a star: a coma's place, light and width, by a profile as wide as it is."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from differencing.numerics.profiles import COMA_ON_SKY, NUMBERS, POINT, Fitted, Peak, Profile, Scene, window_about
from observations.numerics.statistics import FWHM_PER_SIGMA

Array = NDArray[np.float64]

# What is wider fits better than a star by so much in chi², which noise does not reach, and by so many times what an
# error of the PSF of this share leaves of a star's S/N².
LEAST_CHI2_GAIN, PSF_ERROR, PSF_ERROR_TIMES = 12.0, 0.05, 4.0
# FWHM over the star's: what is narrower is a star, what is wider is no source but a patch of light.
NARROWEST, WIDEST = 1.25, 8.0
# First guesses of the FWHM, in those of a star: the second is for what is too faint for the first to grow.
_STARTS = (1.8, 3.5)
# A window of a wider profile is cut where it comes out so many times wider than the window was made for.
_TOO_WIDE = 1.5


@dataclass(frozen=True)
class Comas:
    """One entry per peak, NaN where nothing is wider than a star; px and counts.

    position_error : 1 sigma in one axis. flux : of the whole profile. fwhm : of what is seen, the air's blur included.
    chi2_gain : by how much it fits better than a star on the same sky, one number more.
    """

    x: Array
    y: Array
    position_error: Array
    flux: Array
    flux_error: Array
    fwhm: Array
    chi2_gain: Array


def no_comas(count: int) -> Comas:
    """Return as many entries without a coma."""
    return Comas(*(np.full(count, np.nan) for _ in fields(Comas)))


def fit_coma(scene: Scene, peak: Peak, psf: Array, fwhm_psf: float) -> tuple[float, ...] | None:
    """Fit something round and wider than a star to a peak; return the numbers of `Comas`, or None where it is a star.

    The model is the PSF blurred by a Gaussian of any width, on a level of sky of its own: a coma's middle by a star's
    narrow profile is where noise is highest, twice to four times as far off as need be. Errors are those of least
    squares, with the noise of the sky and of the source's own photons; masked pixels take no part. A place that leaves
    the peak by more than half the FWHM is that of something else.

    Parameters
    ----------
    psf : odd square array of sum 1, of the difference. fwhm_psf : px.
    """
    if scene.sigma <= 0.0 or not peak.flux > 0.0:
        return None
    width = _STARTS[1] * fwhm_psf
    best: tuple[Fitted, Fitted] | None = None
    for _ in range(2):
        window = window_about(scene, peak, 0.0, 0.6 * width)
        found = _best(Profile(psf, window, _start(peak, _STARTS[0], fwhm_psf)), peak, fwhm_psf)
        width_found = _fwhm(found[1], fwhm_psf)
        best = found
        if width_found < _TOO_WIDE * width:
            break
        width = min(width_found, WIDEST * fwhm_psf)
    if best is None:
        return None
    star, coma = best
    numbers, fwhm, gain = coma.numbers, _fwhm(coma, fwhm_psf), 2.0 * (star.cost - coma.cost)
    covariance = coma.covariance()
    moved = np.hypot(numbers[1] - (peak.x - window.centre[0]), numbers[2] - (peak.y - window.centre[1]))
    if covariance is None or numbers[0] <= 0.0 or moved > 0.5 * fwhm or not NARROWEST < fwhm / fwhm_psf < WIDEST:
        return None
    error = float(np.sqrt(covariance[0, 0]))
    of_star = star.covariance()
    snr = 0.0 if of_star is None else star.numbers[0] / float(np.sqrt(of_star[0, 0]))
    if gain < LEAST_CHI2_GAIN + PSF_ERROR_TIMES * (PSF_ERROR * snr) ** 2:
        return None
    place = float(np.sqrt(0.5 * (covariance[1, 1] + covariance[2, 2])))
    x, y = numbers[1] + window.centre[0], numbers[2] + window.centre[1]
    return (float(x), float(y), place, float(numbers[0]), error, fwhm, gain)


def _start(peak: Peak, width: float, fwhm_psf: float) -> Array:
    """Return first numbers of a profile of some FWHM over a star's; its flux is the more, the wider it is."""
    out = np.zeros(NUMBERS)
    out[0] = peak.flux * 0.5 * (1.0 + width**2)
    out[1:3] = peak.x - round(peak.x), peak.y - round(peak.y)
    out[5] = fwhm_psf * np.sqrt(width**2 - 1.0) / FWHM_PER_SIGMA
    return out


def _best(profile: Profile, peak: Peak, fwhm_psf: float) -> tuple[Fitted, Fitted]:
    """Return the best star and the best coma."""
    star = _start(peak, 1.0, fwhm_psf)
    comas = [profile.fit(_start(peak, width, fwhm_psf), COMA_ON_SKY) for width in _STARTS]
    return profile.fit(star, (*POINT, 6)), min(comas, key=lambda each: each.cost)


def _fwhm(coma: Fitted, fwhm_psf: float) -> float:
    return float(np.hypot(fwhm_psf, FWHM_PER_SIGMA * coma.numbers[5]))
