"""Find significant peaks of both signs in a score image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from differencing.numerics.difference import Difference
from observations.numerics import polynomial
from observations.numerics.frame import Image

Array = NDArray[np.float64]


# The score is the PSF smoothed by itself. Two equal point sources closer than twice its sigma make one peak of it, so
# that two peaks as close are something extended, which the noise parts.
SEPARATION_FWHM = 1.2


@dataclass(frozen=True)
class PeakParameters:
    """separation_px : two peaks of one sign closer than this are one; None = 1.2 FWHM of the frame that shows them."""

    separation_px: float | None = None
    max_peaks: int = 5000


@dataclass(frozen=True)
class Peaks:
    """Sub-pixel positions (0-based), signed S_corr at the interpolated peak, sign; strongest first."""

    x: Array
    y: Array
    score: Array
    is_negative: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, which: NDArray[np.bool_]) -> Peaks:
        return Peaks(self.x[which], self.y[which], self.score[which], self.is_negative[which])


def find(difference: Difference, *, threshold_sigma: float, parameters: PeakParameters | None = None) -> Peaks:
    """Find local extrema of S_corr beyond the threshold.

    Masked pixels (NaN in the score) are never peaks, nor are pixels that touch one: their extremum may lie under
    the mask. The height and position are those of the parabola through the pixel and its neighbours.

    Parameters
    ----------
    difference : result of `zogy.subtract`. threshold_sigma : smallest |S_corr| of the peak pixel or its parabola.

    Returns
    -------
    Peaks, sorted by falling |S_corr|.
    """
    p = parameters or PeakParameters()
    found = []
    for sign in (1.0, -1.0):
        separation = p.separation_px or SEPARATION_FWHM * psf_fwhm_px(difference, is_negative=sign < 0)
        found.append(_one_sign(difference.score, sign, threshold_sigma, separation))
    x, y, height = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.argsort(-np.abs(height))[: p.max_peaks]
    return Peaks(x[order], y[order], height[order], height[order] < 0)


def psf_fwhm_px(difference: Difference, is_negative: bool) -> float:
    """Return the FWHM at the frame's centre of the PSF that peaks of one sign have: what fades is in the reference."""
    ny, nx = difference.score.shape
    psf = difference.psf_reference if is_negative else difference.psf_science
    return fwhm_of(psf(nx / 2, ny / 2))


def fwhm_of(stamp: NDArray[np.floating]) -> float:
    """Return the FWHM of a PSF array in pixels: the diameter of the circle whose area lies above half maximum."""
    rows, columns = np.nonzero(stamp > 0.3 * stamp.max())
    core = tuple(slice(max(int(k.min()) - 4, 0), int(k.max()) + 5) for k in (rows, columns))
    fine = ndimage.zoom(np.asarray(stamp[core], dtype=np.float64), 5, order=3, mode="nearest", grid_mode=True)
    return 2.0 * float(np.sqrt(np.count_nonzero(fine > 0.5 * fine.max()) / np.pi)) / 5.0


def _one_sign(score: Image, sign: float, threshold: float, separation: float) -> tuple[Array, Array, Array]:
    """Return x, y, signed height of the peaks of one sign."""
    # The parabola can lift a peak by some per cent above its pixel, so that a slightly lower pixel counts too.
    limit = np.float32(0.9 * threshold)
    rows, columns = np.nonzero(score > limit if sign > 0 else score < -limit)
    inside = (rows > 0) & (rows < score.shape[0] - 1) & (columns > 0) & (columns < score.shape[1] - 1)
    rows, columns = rows[inside], columns[inside]
    steps = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    patches = np.stack([sign * score[rows + dy, columns + dx] for dy, dx in steps], axis=-1)
    # Of neighbours of one height only the first counts: a source midway between pixels is one peak.
    is_highest = (patches[:, :4] < patches[:, 4:5]).all(axis=-1) & (patches[:, 5:] <= patches[:, 4:5]).all(axis=-1)
    rows, columns, patches = rows[is_highest], columns[is_highest], patches[is_highest].astype(np.float64)
    dx, dy, height = _parabola(patches)
    x, y = columns + dx, rows + dy
    keep = _leading(x, y, height, separation) & (height >= threshold)
    return x[keep], y[keep], sign * height[keep]


def _leading(x: Array, y: Array, height: Array, separation: float) -> NDArray[np.bool_]:
    """Tell which peaks no higher one leads that is closer than the separation, and is led by none itself."""
    out = np.ones(x.size, dtype=bool)
    pairs = cKDTree(np.column_stack([x, y])).query_pairs(separation, output_type="ndarray") if x.size else None
    if pairs is None or len(pairs) == 0:
        return out
    is_first = height[pairs[:, 0]] >= height[pairs[:, 1]]
    higher = np.where(is_first, pairs[:, 0], pairs[:, 1])
    lower = np.where(is_first, pairs[:, 1], pairs[:, 0])
    for k in np.argsort(-height[higher], kind="stable"):
        if out[higher[k]]:
            out[lower[k]] = False
    return out


def _parabola(patches: Array) -> tuple[Array, Array, Array]:
    """Return offset and height of the extremum of the quadratic fitted to 3 x 3 patches, (n, 9) row by row."""
    if len(patches) == 0:
        return np.empty(0), np.empty(0), np.empty(0)
    v, u = (a.ravel() for a in np.mgrid[-1:2, -1:2].astype(float))
    _, cx, cy, cxx, cxy, cyy = np.linalg.lstsq(polynomial.terms(u, v, 2), patches.T, rcond=None)[0]
    determinant = 4 * cxx * cyy - cxy**2
    safe = np.where(np.abs(determinant) > 1e-12, determinant, np.inf)
    dx = np.clip((cxy * cy - 2 * cyy * cx) / safe, -0.7, 0.7)
    dy = np.clip((cxy * cx - 2 * cxx * cy) / safe, -0.7, 0.7)
    # The least-squares surface runs below the peak of a sharp PSF, so its rise is added to the centre pixel.
    rise = np.maximum(-(cxx * dx**2 + cxy * dx * dy + cyy * dy**2), 0.0)
    return dx, dy, patches[:, 4] + rise
