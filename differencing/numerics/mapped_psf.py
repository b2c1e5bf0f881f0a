"""The PSF of a resampled frame, from the one that was measured on the frame as it was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from differencing.numerics.area import is_same, kernel_of, pixel_side
from differencing.numerics.spline import PixelMap
from observations.numerics.frame import PsfModel

# Positions along each axis at which a mapped model is fitted: more than its terms, of which 6 is the most.
PLACES = 5
# A stamp whose pixels change their place by less than this over its width is taken as it is.
SAME_PX = 0.02
# A stamp keeps what it shows of the sky on smaller or larger pixels, within these half sides: the core of the sharpest
# star, and the widest stamps that are fitted anywhere.
HALF_SIDES_PX = (5, 31)


def map_psf(psf: PsfModel, pixel_map: PixelMap, shape: tuple[int, int]) -> PsfModel:
    """Return the PSF that a frame has once it is resampled onto another grid by quintic splines.

    The stamps are taken where the map leads and turned, stretched and mirrored as the map does there; larger pixels
    gather what they cover, as `align` has it. What the
    interpolation of the frame does to a star is left out: quintic splines keep a star of FWHM 2 px to 0.3 % of its
    core, and wider ones better, which is less than what measuring the PSF anew on correlated noise costs.

    Parameters
    ----------
    psf : the model of the frame that is resampled.
    pixel_map : target (x, y) -> that frame's (x, y), 0-based.
    shape : (ny, nx) of the target grid.

    Returns
    -------
    PsfModel
        of the same degree on the target grid; sum 1 and centred at every position. What was found on stars held out
        of the model holds for it as before.
    """
    ny, nx = shape
    side = pixel_side(pixel_map, shape)
    x, y = _places(pixel_map, shape, psf, is_whole=is_same(side))
    stamps = psf.at(*pixel_map(x, y))
    cover = kernel_of(side)
    if cover is not None:
        for axis in (1, 2):
            stamps = ndimage.convolve1d(stamps, cover, axis=axis, mode="constant")
    half = _half_side(stamps.shape[1] // 2, side)
    stamps = np.stack([_turned(s, m, half) for s, m in zip(stamps, _jacobians(pixel_map, x, y), strict=True)])
    stamps /= stamps.sum(axis=(1, 2), keepdims=True)
    terms = PsfModel.terms(x, y, psf.degree, shape)
    solution = np.linalg.lstsq(terms, stamps.reshape(x.size, -1), rcond=None)[0]
    coefficients = np.asarray(solution, dtype=np.float64).reshape(-1, *stamps.shape[1:])
    return PsfModel(coefficients, psf.degree, nx, ny, psf.held_out)


def _places(
    pixel_map: PixelMap, shape: tuple[int, int], psf: PsfModel, *, is_whole: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return places over the target, or over what a much smaller frame fills of it: a polynomial leads nowhere beyond.

    is_whole : the frames are of one size on the sky.
    """
    ny, nx = shape
    columns, rows = (0.0, nx - 1.0), (0.0, ny - 1.0)
    if not is_whole:
        u, v = _lattice(columns, rows, 10 * PLACES)
        source_x, source_y = pixel_map(u, v)
        inside = (source_x >= 0) & (source_x < psf.nx) & (source_y >= 0) & (source_y < psf.ny)
        if inside.any():
            columns, rows = ((float(each[inside].min()), float(each[inside].max())) for each in (u, v))
    return _lattice(columns, rows, PLACES)


def _lattice(
    columns: tuple[float, float], rows: tuple[float, float], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = np.meshgrid(np.linspace(*columns, count), np.linspace(*rows, count))
    return x.ravel(), y.ravel()


def _jacobians(pixel_map: PixelMap, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return d(source x, y) / d(target x, y) at each position, (n, 2, 2)."""
    across = np.subtract(pixel_map(x + 0.5, y), pixel_map(x - 0.5, y))
    along = np.subtract(pixel_map(x, y + 0.5), pixel_map(x, y - 0.5))
    return np.stack([across, along], axis=-1).transpose(1, 0, 2)


def _half_side(half: int, side: float) -> int:
    """Return half the side of a stamp on pixels of another side."""
    return half if is_same(side) else int(np.clip(np.ceil(half / side), *HALF_SIDES_PX))


def _turned(stamp: NDArray[np.float64], matrix: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """Return a stamp as it is seen on a grid whose steps are the columns of `matrix`, so far to each side."""
    middle = stamp.shape[0] // 2
    if half == middle and np.abs(matrix - np.eye(2)).max() * half < SAME_PX:
        return stamp
    dy, dx = np.mgrid[-half : half + 1, -half : half + 1]
    x = matrix[0, 0] * dx + matrix[0, 1] * dy + middle
    y = matrix[1, 0] * dx + matrix[1, 1] * dy + middle
    return ndimage.map_coordinates(stamp, [y, x], order=5, mode="grid-constant", cval=0.0)
