"""Peaks that are one pixel or two of one frame, and no light that came through its optics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from differencing.numerics.difference import Difference
from differencing.numerics.peaks import Peaks
from preprocessing.numerics.photometry import psf_radius_px
from preprocessing.numerics.psf_shape import shift_stamps

Array = NDArray[np.float64]
Cube = NDArray[np.float64]

# Pixels within so many FWHM of a peak are compared, three at least.
REACH_FWHM = 1.5
# A spike must explain the pixels better than a point source by this much chi², the price of choosing its pixels freely.
LEAST_GAIN = 6.0
# The pixels about the peak that a spike may start from, and where the one beside it may lie.
NEAR = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
# Steps of a reference's spike, which resampling has put between pixels.
PARTS = (-0.35, 0.0, 0.35)


def are_spikes(difference: Difference, peaks: Peaks) -> NDArray[np.bool_]:
    """Tell which peaks are hot pixels or particle hits that no mask has caught.

    What one pixel of a frame holds becomes in D that pixel convolved with the other frame's PSF (and the noise's
    whitening), what came through the optics becomes P_D. Both are fitted to D around the peak, whose noise is white; a
    spike may be of one pixel and one of its neighbours, a spike of the resampled reference lies between pixels.

    Returns
    -------
    (n,) bool. Peaks whose surroundings leave the frame are none.
    """
    out = np.zeros(len(peaks), dtype=bool)
    ny, nx = difference.score.shape
    for k in range(len(peaks)):
        psf = difference.psf_d(peaks.x[k], peaks.y[k])
        spike = difference.spike(peaks.x[k], peaks.y[k], bool(peaks.is_negative[k]))
        reach = min(max(3, round(REACH_FWHM * 2.0 * psf_radius_px(psf))), psf.shape[0] // 2 - 2)
        column, row = round(peaks.x[k]), round(peaks.y[k])
        if not (reach <= column < nx - reach and reach <= row < ny - reach):
            continue
        window = (slice(row - reach, row + reach + 1), slice(column - reach, column + reach + 1))
        good = ~difference.mask[window].ravel()
        data = difference.difference[window].astype(np.float64).ravel()[good]
        models = _models(psf, spike, (peaks.x[k] - column, peaks.y[k] - row), reach, good, bool(peaks.is_negative[k]))
        gain = _misfit(data, models[0]) - min(_misfit(data, model) for model in models[1:])
        out[k] = gain > LEAST_GAIN * difference.noise**2
    return out


def _models(
    psf: Array, spike: Array, offset: tuple[float, float], reach: int, good: NDArray[np.bool_], is_negative: bool
) -> list[Array]:
    """Return the columns (pixels, terms) of a point source, and of each spike that is tried."""

    def moved(stamp: Array, dx: Array, dy: Array) -> Array:
        half = stamp.shape[0] // 2
        cut = stamp[half - reach - 2 : half + reach + 3, half - reach - 2 : half + reach + 3]
        stamps = shift_stamps(np.broadcast_to(cut, (dx.size, *cut.shape)), dx, dy)[:, 2:-2, 2:-2]
        return stamps.reshape(dx.size, -1)[:, good].T

    point = moved(psf, np.array([offset[0]]), np.array([offset[1]]))
    if is_negative:
        dx, dy = (a.ravel() + o for a, o in zip(np.meshgrid(PARTS, PARTS), offset, strict=True))
        return [point, *(column[:, None] for column in moved(spike, dx, dy).T)]
    steps = np.array(NEAR, dtype=float)
    around = np.array([(y, x) for y in range(-2, 3) for x in range(-2, 3)], dtype=float)
    pixels = dict(zip(map(tuple, around), moved(spike, around[:, 1], around[:, 0]).T, strict=True))
    pairs = {frozenset({tuple(a), (a[0] + b[0], a[1] + b[1])}) for a in steps for b in steps}
    return [point, *(np.stack([pixels[p] for p in pair], axis=1) for pair in pairs)]


def _misfit(data: Array, columns: Array) -> float:
    """Return the sum of squares that a linear fit leaves."""
    solution, *_ = np.linalg.lstsq(columns, data, rcond=None)
    return float(np.sum((data - columns @ solution) ** 2))
