"""Peaks that are one pixel or two of one frame, and no light that came through its optics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from differencing.numerics.difference import Difference
from differencing.numerics.peaks import Peaks
from preprocessing.numerics.photometry import psf_radius_px
from preprocessing.numerics.psf_shape import shift_stamps

Array = NDArray[np.float64]

# Pixels within so many FWHM of a peak are compared, three at least.
REACH_FWHM = 1.5
# A spike must explain the pixels better than a point source by this much chi², the price of choosing its pixels freely.
LEAST_GAIN = 6.0
# Two columns as alike as this are one; and what is no column at all explains nothing.
ALIKE, TINY = 1e-9, 1e-30
# Steps of a reference's spike, which resampling has put between pixels.
PARTS = (-0.35, 0.0, 0.35)

Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]


def _neighbours() -> Pairs:
    """Return the pairs among `AROUND` of a pixel about the peak and itself, or one beside it."""
    place = {(y, x): k for k, (y, x) in enumerate(np.ndindex(5, 5))}
    near = list(np.ndindex(3, 3))
    pairs = {tuple(sorted((place[y + 1, x + 1], place[y + v, x + u]))) for y, x in near for v, u in near}
    first, second = np.array(sorted(pairs)).T
    return first, second


# Pixels about a peak (y, x): a spike may start from the inner nine, and hold one beside that.
AROUND = np.array(list(np.ndindex(5, 5)), dtype=float) - 2.0
NEIGHBOURS, ALONE = _neighbours(), (np.zeros(1, dtype=np.intp), np.zeros(1, dtype=np.intp))


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
        offset = (peaks.x[k] - column, peaks.y[k] - row)
        point, spikes, pairs = _models(psf, spike, offset, reach, good, bool(peaks.is_negative[k]))
        gain = _explained(data, spikes, pairs) - _explained(data, point, ALONE)
        out[k] = gain > LEAST_GAIN * difference.noise**2
    return out


def _models(
    psf: Array, spike: Array, offset: tuple[float, float], reach: int, good: NDArray[np.bool_], is_negative: bool
) -> tuple[Array, Array, Pairs]:
    """Return the columns (pixels, n) of a point source, those of spikes, and which of the latter go together."""

    def moved(stamp: Array, dx: Array, dy: Array) -> Array:
        half = stamp.shape[0] // 2
        cut = stamp[half - reach - 2 : half + reach + 3, half - reach - 2 : half + reach + 3]
        stamps = shift_stamps(np.broadcast_to(cut, (dx.size, *cut.shape)), dx, dy)[:, 2:-2, 2:-2]
        return stamps.reshape(dx.size, -1)[:, good].T

    point = moved(psf, np.array([offset[0]]), np.array([offset[1]]))
    if is_negative:
        dx, dy = (a.ravel() + o for a, o in zip(np.meshgrid(PARTS, PARTS), offset, strict=True))
        return point, moved(spike, dx, dy), (np.arange(dx.size), np.arange(dx.size))
    return point, moved(spike, AROUND[:, 1], AROUND[:, 0]), NEIGHBOURS


def _explained(data: Array, columns: Array, pairs: Pairs) -> float:
    """Return the most that a linear fit of one pair of columns takes off the sum of squares; a pair may be of one."""
    products, along = columns.T @ columns, columns.T @ data
    i, j = pairs
    own_i, own_j, shared = products[i, i], products[j, j], products[i, j]
    rest = own_i * own_j - shared**2
    is_one = rest <= ALIKE * own_i * own_j
    both = along[i] ** 2 * own_j - 2 * along[i] * along[j] * shared + along[j] ** 2 * own_i
    alone = along[i] ** 2 / np.maximum(own_i, TINY)
    return float(np.where(is_one, alone, both / np.where(is_one, 1.0, rest)).max())
