"""The sky under the stars: level and noise of every pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from observations.numerics.frame import Image, Mask

Grid = NDArray[np.float64]

# Cells smaller than this hold too few pixels for a clipped mode: 16² = 256 pixels give the level to sigma/16.
SMALLEST_MESH_PX = 16
FEWEST_GOOD_PIXELS = 64
# A cell with less than a fifth of its pixels left says more about what was masked than about the sky.
FEWEST_GOOD_SHARE = 0.2
# A source is cut out of the second pass above this excess over the smoothed sky: 3.5 sigma of a 5 px boxcar is
# 0.7 sigma per pixel, so that the wings go too. At 2.5 the cut bit into pure noise: level -0.02 sigma, noise -2 %.
SOURCE_CUT_SIGMA = 3.5
SMOOTH_BOX_PX = 5
# Above this share of source pixels a field is crowded or nebulous: then the clipped mode of all pixels does better.
MOST_SOURCE_SHARE = 0.6
CLIP_SIGMA = 3.0
CLIP_ROUNDS = 8
# Standard deviation of a unit Gaussian cut at 3 sigma until nothing more is cut.
CLIPPED_GAUSSIAN_STD = 0.9848
# Bertin & Arnouts 1996: the mode formula holds while mean and median differ by less than this share of sigma.
MODE_LIMIT = 0.3


class NoBackgroundError(ValueError):
    """No usable pixel is left to measure the sky on."""


@dataclass(frozen=True)
class Background:
    """Sky of one image: `level` and `noise` (rms of one pixel), both (ny, nx) float32 in the image's unit."""

    level: Image
    noise: Image

    @property
    def median_level(self) -> float:
        return float(np.median(self.level[::4, ::4]))

    @property
    def median_noise(self) -> float:
        return float(np.median(self.noise[::4, ::4]))


def as_plain_image(data: NDArray[np.generic]) -> Image:
    """Return the image as C-contiguous native float32, the only layout that sep takes."""
    return np.ascontiguousarray(data, dtype=np.float32)


def estimate_background(data: Image, mask: Mask, *, mesh_px: int = 64) -> Background:
    """Estimate the sky level and the noise of every pixel on a mesh.

    Two passes: the second leaves out what stands above the first and measures the noise on the levelled image, so
    that a gradient is not taken for noise. Masked and non-finite pixels take no part; cells without enough good
    pixels are filled from their neighbours, so level and noise are finite everywhere.

    Parameters
    ----------
    data : (ny, nx) image, any unit; NaN allowed. Not changed.
    mask : (ny, nx) bool, True = bad.
    mesh_px : side of one cell in px; shrunk to a quarter of the shorter side on small images.

    Returns
    -------
    Background
        level and noise (rms per pixel, of the unsmoothed image), (ny, nx) float32, unit of `data`.

    Raises
    ------
    NoBackgroundError
        if fewer than 64 pixels are finite and unmasked.

    Notes
    -----
    Clipped mode 2.5 median - 1.5 mean of Bertin & Arnouts 1996 (A&AS 117, 393, section 4.2), a 3 x 3 median over the
    cells and local cubic interpolation. Departures: a source mask; a median that sees through quantisation (12-bit
    frames have a noise of one count); no spline, whose ringing ran 300 counts below zero beside vignetted corners.
    """
    bad = mask | ~np.isfinite(data)
    good_count = bad.size - int(np.count_nonzero(bad))
    if good_count < FEWEST_GOOD_PIXELS:
        raise NoBackgroundError(f"only {good_count} of {bad.size} pixels are finite and unmasked")
    image = np.where(bad, np.float32(0), as_plain_image(data))
    cells = _cell_count(data.shape, mesh_px)
    first_level, first_noise = _mesh(image, bad, cells)
    residual = image - _expand(first_level, data.shape)
    sources = _source_pixels(residual, _expand(first_noise, data.shape), bad)
    crowded = np.count_nonzero(sources & ~bad) > MOST_SOURCE_SHARE * good_count
    without = bad if crowded else bad | sources
    # The level again from the image itself, whose quantisation the median sees through; the noise without gradients.
    level = first_level if crowded else _mesh(image, without, cells)[0]
    noise_grid = _mesh(residual, without, cells)[1]
    noise = np.clip(_expand(noise_grid, data.shape), noise_grid.min(), noise_grid.max())
    return Background(level=_expand(level, data.shape), noise=noise.astype(np.float32))


def _cell_count(shape: tuple[int, ...], mesh_px: int) -> tuple[int, int]:
    cell = max(SMALLEST_MESH_PX, min(mesh_px, min(shape) // 4))
    return max(1, round(shape[0] / cell)), max(1, round(shape[1] / cell))


def _edges(length: int, count: int) -> NDArray[np.intp]:
    return np.linspace(0, length, count + 1).round().astype(np.intp)


def _mesh(image: Image, bad: Mask, cells: tuple[int, int]) -> tuple[Grid, Grid]:
    """Return level and noise of each cell, gaps filled and 3 x 3 median-filtered."""
    rows, columns = _edges(image.shape[0], cells[0]), _edges(image.shape[1], cells[1])
    level = np.full(cells, np.nan)
    noise = np.full(cells, np.nan)
    for j in range(cells[0]):
        for i in range(cells[1]):
            window = np.s_[rows[j] : rows[j + 1], columns[i] : columns[i + 1]]
            values = image[window][~bad[window]]
            if values.size >= max(FEWEST_GOOD_PIXELS // 2, FEWEST_GOOD_SHARE * bad[window].size):
                level[j, i], noise[j, i] = _clipped_mode(values)
    if not np.isfinite(level).any():
        level[:], noise[:] = _clipped_mode(image[~bad])
    return _smooth_grid(level), _smooth_grid(noise)


def _clipped_mode(values: Image) -> tuple[float, float]:
    """Return mode and rms of the values within 3 sigma, from one sort and running sums."""
    ordered = np.sort(values).astype(np.float64)
    origin = ordered[ordered.size // 2]
    ordered -= origin
    sums = np.concatenate(([0.0], np.cumsum(ordered)))
    squares = np.concatenate(([0.0], np.cumsum(ordered * ordered)))
    low, high = 0, ordered.size
    # The interquartile range starts the clipping: the standard deviation of a cell with a bright star clips nothing.
    spread = 0.7413 * (ordered[int(0.75 * (high - 1))] - ordered[int(0.25 * (high - 1))])
    middle, mean = 0.0, 0.0
    for _ in range(CLIP_ROUNDS):
        reach = CLIP_SIGMA * max(spread, 1e-30) if spread > 0 else np.inf
        new_low = int(np.searchsorted(ordered, middle - reach, "left"))
        new_high = int(np.searchsorted(ordered, middle + reach, "right"))
        count = max(new_high - new_low, 1)
        mean = (sums[new_high] - sums[new_low]) / count
        spread = np.sqrt(max((squares[new_high] - squares[new_low]) / count - mean * mean, 0.0)) / CLIPPED_GAUSSIAN_STD
        middle = _smooth_median(ordered[new_low:new_high])
        if (new_low, new_high) == (low, high):
            break
        low, high = new_low, new_high
    mode = 2.5 * middle - 1.5 * mean if abs(mean - middle) < MODE_LIMIT * spread else middle
    return float(origin + mode), float(spread)


def _smooth_median(ordered: NDArray[np.float64]) -> float:
    """Return the median, interpolated inside a run of equal values (quantised data)."""
    half = ordered.size // 2
    value = ordered[half]
    low = int(np.searchsorted(ordered, value, "left"))
    high = int(np.searchsorted(ordered, value, "right"))
    if high - low <= 2 or low == 0 or high == ordered.size:
        return float(value)
    step = 0.5 * (ordered[high] - ordered[low - 1])
    return float(value + step * ((0.5 * ordered.size - low) / (high - low) - 0.5))


def _smooth_grid(grid: Grid) -> Grid:
    """Fill empty cells from the nearest full ones and take the median of 3 x 3."""
    empty = ~np.isfinite(grid)
    if empty.any():
        nearest = ndimage.distance_transform_edt(empty, return_distances=False, return_indices=True)
        grid = grid[tuple(nearest)]
    # At the rim the window is completed by odd reflection, so that a gradient survives the median.
    padded = np.pad(grid, 1, mode="reflect", reflect_type="odd") if min(grid.shape) > 1 else np.pad(grid, 1, "edge")
    return ndimage.median_filter(padded, size=3)[1:-1, 1:-1]


def _expand(grid: Grid, shape: tuple[int, ...]) -> Image:
    """Interpolate cell values to every pixel."""
    rows, columns = _weights(grid.shape[0], shape[0]), _weights(grid.shape[1], shape[1])
    return np.ascontiguousarray(rows @ grid.astype(np.float32) @ columns.T, dtype=np.float32)


def _weights(cells: int, length: int) -> NDArray[np.float32]:
    """Return the (length, cells) matrix of Catmull-Rom interpolation, linear beyond the outermost cells."""
    if cells == 1:
        return np.ones((length, 1), dtype=np.float32)
    position = (np.arange(length) + 0.5) * cells / length - 0.5
    base = np.clip(np.floor(position), 0, cells - 2).astype(np.intp)
    t = np.clip(position - base, -0.5, 1.5)
    inside = np.clip(t, 0, 1)
    kernel = 0.5 * np.stack(
        [
            -inside + 2 * inside**2 - inside**3,
            2 - 5 * inside**2 + 3 * inside**3,
            inside + 4 * inside**2 - 3 * inside**3,
            -(inside**2) + inside**3,
        ]
    )
    beyond = t - inside
    kernel[1] -= beyond
    kernel[2] += beyond
    # One virtual cell on each side by linear extrapolation: g[-1] = 2 g[0] - g[1].
    wide = np.zeros((length, cells + 2))
    np.add.at(wide, (np.arange(length)[None, :], base[None, :] + np.arange(4)[:, None]), kernel)
    weights = wide[:, 1:-1].copy()
    weights[:, 0] += 2 * wide[:, 0]
    weights[:, 1] -= wide[:, 0]
    weights[:, -1] += 2 * wide[:, -1]
    weights[:, -2] -= wide[:, -1]
    return weights.astype(np.float32)


def _source_pixels(residual: Image, noise: Image, bad: Mask) -> Mask:
    smooth = ndimage.uniform_filter(np.where(bad, np.float32(0), residual), SMOOTH_BOX_PX)
    above = smooth * np.float32(SMOOTH_BOX_PX) > np.float32(SOURCE_CUT_SIGMA) * noise
    return ndimage.binary_dilation(above, iterations=2)
