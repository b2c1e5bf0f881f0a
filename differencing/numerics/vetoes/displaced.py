"""A static star that only seems to have changed, because it stands a little elsewhere in one of the frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

from differencing.numerics.difference import Difference
from differencing.numerics.measure import Measurements
from differencing.numerics.vetoes.drawing import Pen, explained, window_of
from preprocessing.numerics.photometry import filter_fluxes

Array = NDArray[np.float64]

# A star of both frames is looked for within so many FWHM of a peak, and is one where both show it at this S/N.
STAR_FWHM, STAR_SNR = 1.3, 5.0
REACH_FWHM, LEAST_REACH, MOST_REACH = 1.8, 4, 14
# What proper motion displaces a star by, and how many times its scatter the registration is trusted.
FLOOR_PX, REGISTRATION_SIGMA = 0.15, 4.0
# What is displaced by more of a FWHM is taken for moving, whatever refraction would explain.
MOVING_FWHM = 0.25
# A displacement must be more probable than a new source by this factor's logarithm.
SURE = 3.0


def displacement_px(
    difference: Difference, measured: Measurements, k: int, fwhm: float, refraction_px: Array | None = None
) -> float:
    """Return by how many px a static star's displacement explains a peak better than a new source; NaN where not.

    A new source adds one number to D, its brightness, and takes S² = chi²(nothing) - chi²(point) away, which is
    distributed as chi² with one degree of freedom where there is none; a star of flux F that stands d elsewhere leaves
    -F d . grad P_D, two numbers, and takes Z² away, with two degrees (Springer et al. 2024, AJ 167, 281: Translient).
    So they are compared as probabilities. That star must be in both frames, and the displacement one that registration,
    proper motion or refraction explain: what moves farther is no static star, however like a dipole it looks.

    Parameters
    ----------
    k : which of the measurements. fwhm : of the stars there, px. refraction_px : (2,) the largest shift that
        refraction makes of a star by its colour; any part of it, either way, is explained. None where that is unknown.
    """
    x, y = float(measured.x[k]), float(measured.y[k])
    place = _brightest(difference, x, y, fwhm)
    if place is None:
        return float("nan")
    reach = int(np.clip(round(REACH_FWHM * fwhm), LEAST_REACH, MOST_REACH))
    stamp = difference.psf_d(x, y)
    window = window_of(difference.difference, difference.mask, (x, y), reach, difference.noise)
    if window is None or stamp.shape[0] // 2 <= reach:
        return float("nan")
    pen = Pen(stamp, reach)
    nothing = float(((window.data * window.weight) ** 2).sum())
    point = nothing - explained(window, pen.columns(window)[:, :1])[0]
    slopes = pen.columns(window, moved=(place[0] - x, place[1] - y))[:, 1:]
    left, along = explained(window, slopes)
    if not stats.chi2.logsf(nothing - left, 2) + SURE < stats.chi2.logsf(point, 1):
        return float("nan")
    flux = _static_flux(difference, place)
    if not flux > 0.0:
        return float("nan")
    limit = max(FLOOR_PX, REGISTRATION_SIGMA * difference.diagnostics.registration_rms_px)
    return float(np.hypot(*along)) / flux if _is_explained(along / flux, limit, refraction_px, fwhm) else float("nan")


def _is_explained(shift: Array, limit: float, refraction_px: Array | None, fwhm: float) -> bool:
    """Tell whether a shift lies within the limit of what refraction explains, or of nothing."""
    length = 0.0 if refraction_px is None else float(np.hypot(*refraction_px))
    if refraction_px is None or length == 0.0:
        return bool(np.hypot(*shift) <= limit)
    direction = refraction_px / length
    reach = min(length, max(0.0, MOVING_FWHM * fwhm - limit))
    explained_part = float(np.clip(shift @ direction, -reach, reach)) * direction
    return bool(np.hypot(*(shift - explained_part)) <= limit)


def _brightest(difference: Difference, x: float, y: float, fwhm: float) -> tuple[float, float] | None:
    """Return where both frames have most light in common near a place; None where they have none."""
    reach = int(np.ceil(STAR_FWHM * fwhm)) + 1
    column, row = round(x), round(y)
    rows, columns = slice(max(0, row - reach), row + reach + 1), slice(max(0, column - reach), column + reach + 1)
    static = np.minimum(difference.science[rows, columns], difference.reference[rows, columns]).astype(np.float64)
    static = ndimage.gaussian_filter(np.nan_to_num(static), fwhm / 4.0)
    v, u = np.mgrid[rows.start : rows.start + static.shape[0], columns.start : columns.start + static.shape[1]]
    static[np.hypot(u - x, v - y) > STAR_FWHM * fwhm] = 0.0
    faintest = max(difference.diagnostics.sigma_science, difference.diagnostics.sigma_reference)
    if not static.max(initial=0.0) > faintest:
        return None
    i, j = np.unravel_index(int(np.argmax(static)), static.shape)
    near = static * (np.hypot(u - u[i, j], v - v[i, j]) <= max(0.6 * fwhm, 1.5))
    return float((near * u).sum() / near.sum()), float((near * v).sum() / near.sum())


def _static_flux(difference: Difference, place: tuple[float, float]) -> float:
    """Return the smaller of a star's fluxes in both frames; 0 where one does not show it as a star."""
    x, y = np.array([place[0]]), np.array([place[1]])
    fluxes = []
    for image, psf, sigma in (
        (difference.science, difference.psf_science, difference.diagnostics.sigma_science),
        (difference.reference, difference.psf_reference, difference.diagnostics.sigma_reference),
    ):
        flux, error, _ = filter_fluxes(image, difference.mask, psf, x, y)
        fluxes.append(float(flux[0]) if flux[0] > STAR_SNR * error[0] * sigma else 0.0)
    return min(fluxes)
