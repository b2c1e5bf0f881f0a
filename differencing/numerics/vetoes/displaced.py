"""A static star that only seems to have changed, because it stands a little elsewhere in one of the frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

from differencing.numerics.difference import Difference
from differencing.numerics.measure import Measurements
from differencing.numerics.peaks import fwhm_of
from differencing.numerics.vetoes.drawing import Pen, explained, window_of
from preprocessing.numerics.photometry import filter_fluxes

Array = NDArray[np.float64]

# A star of both frames is looked for within so many FWHM of a peak, and is one where both show it at this S/N.
STAR_FWHM, STAR_SNR = 1.3, 5.0
REACH_FWHM, LEAST_REACH, MOST_REACH = 1.8, 4, 14
# What proper motion and refraction displace a star by, and how many times its scatter the registration is trusted.
FLOOR_PX, REGISTRATION_SIGMA = 0.15, 4.0
# A displacement must be more probable than a new source by this factor's logarithm.
SURE = 3.0


def displacement_px(difference: Difference, measured: Measurements, k: int) -> float:
    """Return by how many px a static star's displacement explains a peak better than a new source; NaN where not.

    A new source adds one number to D, its brightness, and takes S² = chi²(nothing) - chi²(point) away, which is
    distributed as chi² with one degree of freedom where there is none; a star of flux F that stands d elsewhere leaves
    -F d . grad P_D, two numbers, and takes Z² away, with two degrees (Springer et al. 2024, AJ 167, 281: Translient).
    So they are compared as probabilities. That star must be in both frames, and the displacement one that registration,
    proper motion or refraction explain: what moves farther is no static star, however like a dipole it looks.
    """
    x, y = float(measured.x[k]), float(measured.y[k])
    star = _star(difference, measured, k)
    if star is None:
        return float("nan")
    star_x, star_y, flux = star
    reach = _reach(difference, x, y)
    stamp = difference.psf_d(x, y)
    window = window_of(difference.difference, difference.mask, (x, y), reach, difference.noise)
    if window is None or stamp.shape[0] // 2 <= reach:
        return float("nan")
    pen = Pen(stamp, reach)
    nothing = float(((window.data * window.weight) ** 2).sum())
    point = nothing - explained(window, pen.columns(window)[:, :1])[0]
    slopes = pen.columns(window, moved=(star_x - x, star_y - y))[:, 1:]
    left, along = explained(window, slopes)
    distance = float(np.hypot(*along)) / flux
    limit = max(FLOOR_PX, REGISTRATION_SIGMA * difference.diagnostics.registration_rms_px)
    is_likelier = stats.chi2.logsf(nothing - left, 2) + SURE < stats.chi2.logsf(point, 1)
    return distance if is_likelier and distance <= limit else float("nan")


def _reach(difference: Difference, x: float, y: float) -> int:
    return int(np.clip(round(REACH_FWHM * fwhm_of(difference.psf_science(x, y))), LEAST_REACH, MOST_REACH))


def _star(difference: Difference, measured: Measurements, k: int) -> tuple[float, float, float] | None:
    """Return place and flux of the star of both frames nearest to a peak; None without one."""
    x, y = float(measured.x[k]), float(measured.y[k])
    fwhm = fwhm_of(difference.psf_science(x, y))
    reach = int(np.ceil(STAR_FWHM * fwhm)) + 1
    column, row = round(x), round(y)
    rows, columns = slice(max(0, row - reach), row + reach + 1), slice(max(0, column - reach), column + reach + 1)
    static = np.minimum(difference.science[rows, columns], difference.reference[rows, columns]).astype(np.float64)
    static = ndimage.gaussian_filter(np.nan_to_num(static), fwhm / 4.0)
    v, u = np.mgrid[rows.start : rows.start + static.shape[0], columns.start : columns.start + static.shape[1]]
    static[np.hypot(u - x, v - y) > STAR_FWHM * fwhm] = 0.0
    if not static.max(initial=0.0) > 0.0:
        return None
    i, j = np.unravel_index(int(np.argmax(static)), static.shape)
    near = static * (np.hypot(u - u[i, j], v - v[i, j]) <= max(0.6 * fwhm, 1.5))
    place = np.array([(near * u).sum() / near.sum()]), np.array([(near * v).sum() / near.sum()])
    fluxes, errors = [], []
    for image, psf, sigma in (
        (difference.science, difference.psf_science, difference.diagnostics.sigma_science),
        (difference.reference, difference.psf_reference, difference.diagnostics.sigma_reference),
    ):
        flux, error, _ = filter_fluxes(image, difference.mask, psf, *place)
        fluxes.append(float(flux[0]))
        errors.append(float(error[0]) * sigma)
    is_star = all(flux > STAR_SNR * error for flux, error in zip(fluxes, errors, strict=True))
    return (float(place[0][0]), float(place[1][0]), min(fluxes)) if is_star else None
