"""Smooth sky of a difference of two frames, and the noise around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from observations.numerics.frame import Image, Mask
from observations.numerics.statistics import MAD_TO_SIGMA

# The noise changes slowly over a frame; blocks of 128 px know it to 1 %.
NOISE_BLOCK_PX = 128
# A block of ten FWHM holds some fifty PSF areas, so that one star cannot move its median, and adds 1 % to the score's
# noise; smaller ones would follow the stars, larger ones leave dust rings and halos (249 false peaks instead of 154 on
# a hazy frame without a flat).
BLOCK_FWHM, SMALLEST_BLOCK_PX, LARGEST_BLOCK_PX = 10.0, 32, 128
# A block with fewer usable pixels than this share takes its neighbours' value.
MIN_SHARE = 0.15


def _block_statistics(image: Image, use: Mask, block: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return clipped median and robust sigma of every block, NaN where too few pixels are usable."""
    ny, nx = image.shape
    rows, columns = max(1, round(ny / block)), max(1, round(nx / block))
    ys, xs = np.linspace(0, ny, rows + 1).astype(int), np.linspace(0, nx, columns + 1).astype(int)
    level, sigma = np.full((rows, columns), np.nan), np.full((rows, columns), np.nan)
    for i in range(rows):
        for j in range(columns):
            cell = (slice(ys[i], ys[i + 1]), slice(xs[j], xs[j + 1]))
            values = image[cell][use[cell]]
            if values.size < MIN_SHARE * image[cell].size:
                continue
            for _ in range(2):
                centre = np.median(values)
                spread = MAD_TO_SIGMA * np.median(np.abs(values - centre))
                inside = np.abs(values - centre) <= 3.0 * spread
                values = values[inside] if inside.sum() > 8 else values
            level[i, j], sigma[i, j] = np.median(values), MAD_TO_SIGMA * np.median(np.abs(values - np.median(values)))
    return level, sigma


def _filled(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fill the gaps of a block grid from the nearest known block."""
    known = np.isfinite(grid)
    if not known.any():
        raise ValueError("no block of the frame has enough good pixels")
    if known.all():
        return grid
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return grid[tuple(nearest)]


def _expand(grid: NDArray[np.float64], shape: tuple[int, int], *, order: int) -> Image:
    """Fill the gaps of a block grid from the nearest known block, and interpolate it to every pixel."""
    grid = _filled(grid)
    ny, nx = shape
    y = (np.arange(ny) + 0.5) * grid.shape[0] / ny - 0.5
    x = (np.arange(nx) + 0.5) * grid.shape[1] / nx - 0.5
    # The spline's boundary condition keeps a constant to a thousandth only.
    middle = float(np.median(grid))
    rows = ndimage.spline_filter(grid - middle, order=order, mode="nearest") if order > 1 else grid - middle
    return np.float32(middle) + ndimage.map_coordinates(
        rows, np.meshgrid(y, x, indexing="ij"), order=order, mode="nearest", prefilter=False, output=np.float32
    )


def coarse_level(image: Image, use: Mask) -> Image:
    """Estimate a smooth sky from blocks of 128 px, joined by splines.

    Parameters
    ----------
    image : (ny, nx). use : True = pixel of empty sky.

    Returns
    -------
    (ny, nx) float32, in the unit of `image`.

    Raises
    ------
    ValueError : no block has 15 % of usable pixels.
    """
    level, _ = _block_statistics(image, use, NOISE_BLOCK_PX)
    return _expand(level, image.shape, order=3)


def sky_of_difference(difference: Image, use: Mask, *, fwhm_px: float) -> Image:
    """Estimate the sky that is left in a difference, as block medians joined by splines.

    In the difference the PSFs are matched and the noise is white, so that static sources neither lift the medians nor
    colour them. Each block takes the median of itself and its neighbours: what fills one block or two (a comet's coma)
    is kept.

    Parameters
    ----------
    difference : (ny, nx). use : True = pixel without source and not masked. fwhm_px : of the wider PSF.

    Returns
    -------
    (ny, nx) float32, in the unit of `difference`.
    """
    block = round(min(max(BLOCK_FWHM * fwhm_px, SMALLEST_BLOCK_PX), LARGEST_BLOCK_PX))
    level, _ = _block_statistics(difference, use, block)
    return _expand(ndimage.median_filter(_filled(level), size=3, mode="nearest"), difference.shape, order=3)


def noise_map(image: Image, empty: Mask) -> Image:
    """Measure the noise of one pixel on empty sky, block by block, interpolated linearly (never negative).

    Parameters
    ----------
    image : (ny, nx) with its background near 0. empty : True = pixel of empty sky.

    Returns
    -------
    (ny, nx) float32, 1 sigma.

    Raises
    ------
    ValueError : no block has 15 % of empty pixels.
    """
    _, sigma = _block_statistics(image, empty, NOISE_BLOCK_PX)
    return _expand(sigma, image.shape, order=1)
