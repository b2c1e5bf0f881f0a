"""A mesh of cells over an image: robust statistics of each cell, and cell values at every pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from observations.numerics.compiled import by_strips, compiled
from observations.numerics.frame import Image, Mask

Grid = NDArray[np.float64]

CLIP_SIGMA = 3.0
CLIP_ROUNDS = 8
# Standard deviation of a unit Gaussian cut at 3 sigma until nothing more is cut.
CLIPPED_GAUSSIAN_STD = 0.9848
# Bertin & Arnouts 1996: the mode formula holds while mean and median differ by less than this share of sigma.
MODE_LIMIT = 0.3
# Interquartile range of a Gaussian to its sigma.
QUARTILES_TO_SIGMA = 0.7413
# Rows of pixels that one thread interpolates at a time.
STRIP_ROWS = 256


@dataclass(frozen=True)
class Cells:
    """Statistics of the values within 3 sigma in each cell, (rows, columns); NaN where too few pixels are good.

    median : sees through quantisation. mean : the least noisy level where nothing is left but noise.
    noise : rms of one pixel.
    """

    median: Grid
    mean: Grid
    noise: Grid

    @property
    def mode(self) -> Grid:
        """The level under sources: 2.5 median - 1.5 mean (Bertin & Arnouts 1996, A&AS 117, 393, section 4.2)."""
        near = np.abs(self.mean - self.median) < MODE_LIMIT * self.noise
        return np.where(near, 2.5 * self.median - 1.5 * self.mean, self.median)


def measure_cells(
    image: Image, bad: Mask, cells: tuple[int, int], *, fewest: int, share: float, every: int = 1
) -> Cells:
    """Return median, mean and noise of the good pixels of each cell of a mesh, clipped at 3 sigma.

    Parameters
    ----------
    image : (ny, nx) float32, any unit; bad pixels may hold anything.
    bad : (ny, nx) bool, True = takes no part.
    cells : rows and columns of the mesh; cells differ by one pixel in size where they do not divide the image.
    fewest, share : number of good pixels, and part of a cell's pixels, that it must hold.
    every : of so many rows one is looked at.

    Notes
    -----
    The clipping starts from the interquartile range: the standard deviation of a cell with a bright star clips nothing.
    """
    ny, nx = image.shape
    rows, columns = edges(ny, cells[0]), edges(nx, cells[1])
    median, mean, noise = np.full(cells, np.nan), np.full(cells, np.nan), np.full(cells, np.nan)
    largest = int(np.diff(columns).max() * -(-np.diff(rows).max() // every))

    def measure(first: int, last: int) -> None:
        values = np.empty((cells[1], largest), dtype=np.float32)
        count = np.empty(cells[1], dtype=np.int64)
        for j in range(first, last):
            window = np.s_[rows[j] : rows[j + 1]]
            _gather(image[window], bad[window], columns, every, values, count)
            values.sort(axis=1)
            enough = np.maximum(fewest, share * np.diff(columns) * -(-(rows[j + 1] - rows[j]) // every))
            _clip(values, count, enough, median[j], mean[j], noise[j])

    by_strips(measure, cells[0], 1)
    return Cells(median, mean, noise)


def smooth_cells(grid: Grid) -> Grid:
    """Fill empty cells from the nearest full ones and take the median of 3 x 3."""
    empty = ~np.isfinite(grid)
    if empty.any():
        nearest = ndimage.distance_transform_edt(empty, return_distances=False, return_indices=True)
        grid = grid[tuple(nearest)]
    # At the rim the window is completed by odd reflection, so that a gradient survives the median.
    padded = np.pad(grid, 1, mode="reflect", reflect_type="odd") if min(grid.shape) > 1 else np.pad(grid, 1, "edge")
    return ndimage.median_filter(padded, size=3)[1:-1, 1:-1]


def expand(grid: Grid, shape: tuple[int, ...], rows: slice = slice(None)) -> Image:
    """Interpolate finite cell values to every pixel by Catmull-Rom cubics, linear beyond the outermost cells.

    shape : of the whole image, also where only some of its rows are wanted.

    No spline: its ringing ran 300 counts below zero beside vignetted corners.
    """
    grid = np.repeat(grid, 2, axis=0) if grid.shape[0] == 1 else grid
    grid = np.repeat(grid, 2, axis=1) if grid.shape[1] == 1 else grid
    # One virtual cell on each side by linear extrapolation.
    wide = np.pad(grid, 1, mode="reflect", reflect_type="odd")
    below, row_kernel = (taps[..., rows] for taps in _taps(grid.shape[0], shape[0]))
    left, column_kernel = _taps(grid.shape[1], shape[1])
    lines = sum(row_kernel[k][:, None] * wide[below + k] for k in range(4)).astype(np.float32)
    image = np.empty((len(lines), shape[1]), dtype=np.float32)
    by_strips(
        lambda a, b: _expand(lines[a:b], left, column_kernel.astype(np.float32), image[a:b]), len(image), STRIP_ROWS
    )
    return image


def edges(length: int, count: int) -> NDArray[np.int64]:
    """Return the `count` + 1 borders of cells along an axis, px."""
    return np.linspace(0, length, count + 1).round().astype(np.int64)


def _taps(cells: int, length: int) -> tuple[NDArray[np.int64], Grid]:
    """Return the first of the four padded cells that each pixel looks at, and their weights, (4, length)."""
    position = (np.arange(length) + 0.5) * cells / length - 0.5
    base = np.clip(np.floor(position), 0, cells - 2).astype(np.int64)
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
    return base, kernel


@compiled
def _gather(
    image: Image, bad: Mask, columns: NDArray[np.int64], every: int, values: Image, count: NDArray[np.int64]
) -> None:
    """Collect the good pixels of each cell in a row of cells; what is left of a line of `values` is infinite."""
    for i in range(columns.size - 1):
        n = 0
        for y in range(0, image.shape[0], every):
            for x in range(columns[i], columns[i + 1]):
                values[i, n] = image[y, x]
                n += not bad[y, x]
        count[i] = n
        values[i, n:] = np.inf


@compiled
def _clip(values: Image, count: NDArray[np.int64], enough: Grid, median: Grid, mean: Grid, noise: Grid) -> None:
    """Write median, mean and rms of the sorted values within 3 sigma of each line, where there are enough."""
    for i in range(count.size):
        n = count[i]
        if n < enough[i] or n == 0:
            continue
        ordered = values[i, :n]
        origin = np.float64(ordered[n // 2])
        quartile = (3 * (n - 1)) // 4
        spread = QUARTILES_TO_SIGMA * (np.float64(ordered[quartile]) - np.float64(ordered[(n - 1) // 4]))
        low, high = np.int64(0), np.int64(n)
        middle = centre = 0.0
        for _ in range(CLIP_ROUNDS):
            reach = CLIP_SIGMA * spread if spread > 0 else np.inf
            new_low = np.searchsorted(ordered, origin + middle - reach, "left")
            new_high = np.searchsorted(ordered, origin + middle + reach, "right")
            if new_high == new_low:
                break
            total = squares = 0.0
            for k in range(new_low, new_high):
                excess = ordered[k] - origin
                total += excess
                squares += excess * excess
            centre = total / (new_high - new_low)
            variance = max(squares / (new_high - new_low) - centre * centre, 0.0)
            spread = np.sqrt(variance) / CLIPPED_GAUSSIAN_STD
            middle = _middle(ordered[new_low:new_high]) - origin
            if new_low == low and new_high == high:
                break
            low, high = new_low, new_high
        median[i], mean[i], noise[i] = origin + middle, origin + centre, spread


@compiled
def _middle(ordered: Image) -> float:
    """Return the median, interpolated inside a run of equal values (quantised data)."""
    n = ordered.size
    value = np.float64(ordered[n // 2])
    first = np.searchsorted(ordered, value, "left")
    last = np.searchsorted(ordered, value, "right")
    if last - first <= 2 or first == 0 or last == n:
        # Of an even number the mean of both in the middle: turning the image's sign turns the level's.
        return 0.5 * (value + np.float64(ordered[(n - 1) // 2]))
    step = 0.5 * (np.float64(ordered[last]) - np.float64(ordered[first - 1]))
    return value + step * ((0.5 * n - first) / (last - first) - 0.5)


@compiled
def _expand(lines: Image, left: NDArray[np.int64], kernel: Image, image: Image) -> None:
    """Interpolate each line of cell values to the pixels of a row."""
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            k = left[x]
            image[y, x] = (
                kernel[0, x] * lines[y, k]
                + kernel[1, x] * lines[y, k + 1]
                + kernel[2, x] * lines[y, k + 2]
                + kernel[3, x] * lines[y, k + 3]
            )
