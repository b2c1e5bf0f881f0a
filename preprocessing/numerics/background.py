"""The sky under the stars: level and noise of every pixel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from observations.numerics.compiled import by_strips, compiled
from observations.numerics.frame import Image, Mask
from preprocessing.numerics.mesh import QUARTILES_TO_SIGMA, STRIP_ROWS, Cells, Grid, expand, measure_cells, smooth_cells

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
# A cell whose noise is this much above that between neighbouring pixels holds light that the mesh does not follow. Real
# frames have a tenth of such cells at most, a galaxy that fills the frame makes nine tenths.
ROUGH_RATIO, MOST_ROUGH = 1.3, 0.1
# A nebula makes more than half of the cells rough, and the next finer mesh may not mend that though the finest does.
MOSTLY_ROUGH = 0.5
# Then meshes are halved until less than a tenth of the frame has its level moved by half the noise.
MOVED_SIGMA, MOST_MOVED = 0.5, 0.1
# Rows of a cell that tell the noise between neighbours: 256 pairs know it to 8 %.
ROUGH_ROWS = 4


class NoBackgroundError(ValueError):
    """No usable pixel is left to measure the sky on."""


@dataclass(frozen=True)
class Background:
    """Sky of one image: `level` and `noise` (rms of one pixel), both (ny, nx) float32 in the image's unit.

    finer_px : side of the cells where the usual ones did not follow the light (see `follow_background`), else None.
    """

    level: Image
    noise: Image
    finer_px: int | None = None

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
    return _estimate(data, mask, mesh_px)


def _estimate(data: Image, mask: Mask, mesh_px: int, every: int = 1) -> Background:
    level, residual, without = _level_cells(data, mask, mesh_px, every)
    # The noise without gradients.
    noise_grid = smooth_cells(_measure(residual, without, level.shape, every).noise)
    del residual
    noise = expand(noise_grid, data.shape)
    np.clip(noise, np.float32(noise_grid.min()), np.float32(noise_grid.max()), out=noise)
    return Background(level=expand(level, data.shape), noise=noise)


def follow_background(data: Image, mask: Mask, *, mesh_px: int = 64) -> Background:
    """Estimate the sky as `estimate_background` does, on a mesh halved as long as that follows the light better.

    Galaxies, nebulae and twilight that fill a frame are smooth, but not over the cells of the usual mesh: the light
    that it leaves is taken for trails, bad rows and noise. Arguments and errors are those of `estimate_background`.
    """
    return _followed(data, mask, mesh_px, lambda cell: estimate_background(data, mask, mesh_px=cell))


def _followed(data: Image, mask: Mask, mesh_px: int, estimate: Callable[[int], Background]) -> Background:
    sky = estimate(mesh_px)
    rough = _rough_share(data, mask, sky, mesh_px)
    if rough <= MOST_ROUGH:
        return sky
    some = np.s_[::4, ::4]
    cell, moved = min(mesh_px, min(data.shape) // 4), 1.0
    while moved > MOST_MOVED and cell // 2 >= SMALLEST_MESH_PX:
        cell //= 2
        finer = estimate(cell)
        # Noise that neighbours share, as after resampling, is rough on every mesh, a nebula on all but the finest.
        if _rough_share(data, mask, finer, mesh_px) > 0.5 * rough:
            if rough < MOSTLY_ROUGH:
                break
            continue
        moved = float(np.mean(np.abs(finer.level[some] - sky.level[some]) > MOVED_SIGMA * finer.noise[some]))
        sky = replace(finer, finer_px=cell)
    return sky


def _rough_share(data: Image, mask: Mask, sky: Background, cell_px: int) -> float:
    """Return the share of an image's cells whose noise is far above that between neighbouring pixels."""
    ny, nx = (length // cell_px for length in data.shape)
    if min(ny, nx) < 1:
        return 0.0
    every = max(1, cell_px // ROUGH_ROWS)
    some = np.s_[: ny * cell_px : every, : nx * cell_px]
    flat = np.where(mask[some], np.float32(np.nan), data[some] - sky.level[some])
    step = np.diff(flat.reshape(ny, -1, nx, cell_px), axis=-1).swapaxes(1, 2).reshape(ny, nx, -1)
    good = np.isfinite(step).sum(axis=-1) >= FEWEST_GOOD_PIXELS
    if not good.any():
        return 0.0
    low, high = np.nanpercentile(step[good], (25.0, 75.0), axis=-1)
    between = QUARTILES_TO_SIGMA * (high - low) / np.sqrt(2.0)
    noise = sky.noise[cell_px // 2 :: cell_px, cell_px // 2 :: cell_px][:ny, :nx][good]
    return float(np.mean(noise > ROUGH_RATIO * between))


def rough_background(data: Image, mask: Mask, *, mesh_px: int = 64) -> Background:
    """Estimate the sky as `follow_background` does, from every other row: arguments and errors are the same.

    It is for finding what stands above the sky, where 0.05 sigma do not matter.
    """
    return _followed(data, mask, mesh_px, lambda cell: _estimate(data, mask, cell, every=2))


def _level_cells(data: Image, mask: Mask, mesh_px: int, every: int = 1) -> tuple[Grid, Image, Mask]:
    """Return the level by cells, what is left above a first estimate of it (0 where bad), and what is no sky."""
    bad = mask | ~np.isfinite(data)
    good_count = bad.size - int(np.count_nonzero(bad))
    if good_count < FEWEST_GOOD_PIXELS:
        raise NoBackgroundError(f"only {good_count} of {bad.size} pixels are finite and unmasked")
    image = as_plain_image(data)
    cells = _cell_count(data.shape, mesh_px)
    first = _measure(image, bad, cells, every)
    level = smooth_cells(first.mode)
    residual = expand(level, data.shape)
    np.subtract(image, residual, out=residual)
    residual[bad] = 0
    sources = _source_pixels(residual, expand(smooth_cells(first.noise), data.shape))
    if np.count_nonzero(sources & ~bad) > MOST_SOURCE_SHARE * good_count:
        return level, residual, bad
    sources |= bad
    # Again from the image itself, whose quantisation the median sees through.
    return smooth_cells(_measure(image, sources, cells, every).mode), residual, sources


def _cell_count(shape: tuple[int, ...], mesh_px: int) -> tuple[int, int]:
    cell = max(SMALLEST_MESH_PX, min(mesh_px, min(shape) // 4))
    return max(1, round(shape[0] / cell)), max(1, round(shape[1] / cell))


def _measure(image: Image, bad: Mask, cells: tuple[int, int], every: int = 1) -> Cells:
    """Return the statistics of the cells; where none has enough good pixels, of the image as one cell."""
    found = measure_cells(image, bad, cells, fewest=FEWEST_GOOD_PIXELS // 2, share=FEWEST_GOOD_SHARE, every=every)
    if np.isfinite(found.median).any():
        return found
    return measure_cells(image, bad, (1, 1), fewest=1, share=0.0)


def _source_pixels(residual: Image, noise: Image) -> Mask:
    """Return where the smoothed residual, 0 where bad, stands out, and what lies within two steps of there."""
    sources = np.zeros(residual.shape, dtype=bool)
    by_strips(lambda top, bottom: _mark_sources(residual, noise, top, bottom, sources), len(residual), STRIP_ROWS)
    return sources


@compiled
def _mark_sources(residual: Image, noise: Image, top: int, bottom: int, sources: Mask) -> None:
    """Mark the sources of the rows from `top` to `bottom`."""
    ny, nx = residual.shape
    half = SMOOTH_BOX_PX // 2
    cut = np.float32(SOURCE_CUT_SIGMA * SMOOTH_BOX_PX)
    column = np.zeros(nx + 2 * half, dtype=np.float32)
    for y in range(max(top - 2, 0), min(bottom + 2, ny)):
        column[:] = 0
        for row in range(y - half, y + half + 1):
            # Beyond the edge the image is reflected.
            inside = min(max(-row - 1 if row < 0 else 2 * ny - row - 1 if row >= ny else row, 0), ny - 1)
            for x in range(nx):
                column[x + half] += residual[inside, x]
        for k in range(half):
            column[half - 1 - k] = column[min(half + k, nx + half - 1)]
            column[nx + half + k] = column[max(nx + half - 1 - k, half)]
        for x in range(nx):
            total = np.float32(0)
            for k in range(SMOOTH_BOX_PX):
                total += column[x + k]
            if total > cut * noise[y, x]:
                for row in range(max(y - 2, top), min(y + 3, bottom)):
                    reach = 2 - abs(row - y)
                    sources[row, max(x - reach, 0) : min(x + reach + 1, nx)] = True
