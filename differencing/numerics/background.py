"""Smooth sky of a frame or a difference, and the noise around it, by cells of a mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from observations.numerics.frame import Column, Image, Mask
from preprocessing.numerics.mesh import STRIP_ROWS, Grid, expand, measure_cells, smooth_cells

# The noise changes slowly over a frame; cells of 128 px know it to 1 %.
COARSE_PX = 128
# A cell of twenty FWHM holds two hundred PSF areas and adds a third of a per cent to the score's noise; smaller ones
# follow what is extended (of a coma of 4 FWHM cells of ten take 4 %), larger ones leave dust rings and halos.
CELL_FWHM, SMALLEST_CELL_PX, LARGEST_CELL_PX = 20.0, 64, 128
# Of so many rows one tells the noise, to 0.4 % with the neighbouring cells.
NOISE_ROWS = 2
# A cell with fewer usable pixels than this share takes its neighbours' value.
MIN_SHARE = 0.15


@dataclass(frozen=True)
class Level:
    """A smooth sky by cells, in the unit of the image that it was measured on: never as large as that.

    cells : (rows, columns), finite. shape : (ny, nx) of the image.
    """

    cells: Grid
    shape: tuple[int, int]

    def rows(self, rows: slice = slice(None)) -> Image:
        """Return it at every pixel of some rows, float32."""
        return expand(self.cells, self.shape, rows)

    def take_off(self, image: Image) -> None:
        """Subtract it from an image, in place."""
        for top in range(0, len(image), STRIP_ROWS):
            rows = slice(top, top + STRIP_ROWS)
            image[rows] -= self.rows(rows)


def coarse_level(image: Image, bad: Mask) -> Level:
    """Estimate the smooth sky of an image in cells of 128 px.

    Parameters
    ----------
    image : (ny, nx). bad : True = pixel of a source, or masked.

    Raises
    ------
    ValueError : no cell has 15 % of usable pixels.
    """
    return _level(image, bad, COARSE_PX)


def sky_of_difference(difference: Image, bad: Mask, *, fwhm_px: float) -> Level:
    """Estimate the sky that is left in a difference.

    In the difference the PSFs are matched and the noise is white, so that static sources neither lift the level of a
    cell nor colour it. Each cell takes the median of itself and its neighbours: what fills one cell or two (a comet's
    coma) is kept.

    Parameters
    ----------
    difference : (ny, nx). bad : True = pixel of a source, or masked. fwhm_px : of the wider PSF; cells are twenty
        times that, 64 to 128 px.

    Raises
    ------
    ValueError : no cell has 15 % of usable pixels.
    """
    return _level(difference, bad, round(min(max(CELL_FWHM * fwhm_px, SMALLEST_CELL_PX), LARGEST_CELL_PX)))


@dataclass(frozen=True)
class NoiseMesh:
    """Noise of one pixel of empty sky, by cells; interpolated linearly between their middles.

    sigma : (rows, columns), finite and positive. shape : (ny, nx) of the frame.
    """

    sigma: Image
    shape: tuple[int, int]

    def at(self, x: Column, y: Column) -> Image:
        """Return the noise at n places, (n,)."""
        (low_x, high_x, share_x), (low_y, high_y, share_y) = self.between(1, x), self.between(0, y)
        below = self.sigma[low_y, low_x] * (1 - share_x) + self.sigma[low_y, high_x] * share_x
        above = self.sigma[high_y, low_x] * (1 - share_x) + self.sigma[high_y, high_x] * share_x
        return np.asarray(below * (1 - share_y) + above * share_y, dtype=np.float32)

    def between(self, axis: int, position: Column) -> tuple[NDArray[np.int64], NDArray[np.int64], Image]:
        """Return the two cells between whose middles each position lies, and how far from the first to the second."""
        cells = self.sigma.shape[axis]
        place = np.clip((position + 0.5) * cells / self.shape[axis] - 0.5, 0, cells - 1)
        low = np.floor(place).astype(np.int64)
        return low, np.minimum(low + 1, cells - 1), (place - low).astype(np.float32)

    @property
    def median(self) -> float:
        return float(np.median(self.sigma))


def measure_noise(image: Image, bad: Mask, *, cell_px: int = COARSE_PX) -> NoiseMesh:
    """Measure the noise of one pixel of empty sky.

    Parameters
    ----------
    image : (ny, nx) with its background near 0. bad : (ny, nx) bool, True = pixel of a source, or masked.
    cell_px : side of the cells; smaller ones where the photons of a galaxy make the noise.

    Returns
    -------
    NoiseMesh, in the unit of `image`.

    Raises
    ------
    ValueError : no cell has 15 % of empty pixels.
    """
    ny, nx = image.shape
    noise = measure_cells(image, bad, _cells(image, cell_px), fewest=8, share=MIN_SHARE, every=NOISE_ROWS).noise
    _require_some(noise)
    known = noise[np.isfinite(noise)]
    return NoiseMesh(np.clip(smooth_cells(noise), known.min(), known.max()).astype(np.float32), (ny, nx))


def noise_of_variance(variance: Image, bad: Mask) -> NoiseMesh | None:
    """Return the usual noise that a map of variances tells of empty sky, None where too few pixels are empty.

    Every fourth pixel of every fourth row is looked at: variances are as smooth as the sky.
    """
    sparse, rest = np.ascontiguousarray(variance[::4, ::4]), np.ascontiguousarray(bad[::4, ::4])
    usual = measure_cells(sparse, rest, _cells(variance, COARSE_PX), fewest=8, share=MIN_SHARE).median
    if not (np.isfinite(usual) & (usual > 0)).any():
        return None
    known = usual[np.isfinite(usual) & (usual > 0)]
    sigma = np.sqrt(np.clip(smooth_cells(usual), known.min(), known.max())).astype(np.float32)
    return NoiseMesh(sigma, (variance.shape[0], variance.shape[1]))


def _level(image: Image, bad: Mask, cell_px: int) -> Level:
    level = measure_cells(image, bad, _cells(image, cell_px), fewest=8, share=MIN_SHARE).median
    _require_some(level)
    return Level(smooth_cells(level), (image.shape[0], image.shape[1]))


def _cells(image: Image, cell_px: int) -> tuple[int, int]:
    return max(1, round(image.shape[0] / cell_px)), max(1, round(image.shape[1] / cell_px))


def _require_some(grid: Grid) -> None:
    if not np.isfinite(grid).any():
        raise ValueError("no cell of the frame has enough good pixels")
