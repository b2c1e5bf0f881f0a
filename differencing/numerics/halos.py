"""Rings around bright stars: what halos that differ from frame to frame leave, taken off as a sky of their own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from observations.numerics.frame import Image, Mask
from observations.numerics.statistics import MAD_TO_SIGMA

# A star whose static signal is above this, over the noise of the sky, has wings that no PSF model holds to the noise;
# a saturated one has them earlier, since its core tells nothing.
BRIGHT_SNR, SATURATED_SNR = 1000.0, 20.0
# A mask wider than this is a saturated core and no single defect.
SMALLEST_CORE_FWHM = 1.0
MOST_STARS = 100
# Rings of one FWHM are looked at out to here, and no further than where so many in a row show nothing.
FARTHEST_FWHM, QUIET_RINGS = 30.0, 3
# A ring with more than so many times the error of the sky, within the reach of a core that is guessed, tells nothing of
# those beyond it by its silence.
CLEAR = 2.0
# So many FWHM² of a score are one independent value, and a ring of fewer than three says nothing.
NEIGHBOURS, FEWEST_FREE = 1.2, 3.0
NOTHING = (0.0, 0.0, 1.0)
# A mask larger than this share of the frame is no star.
LARGEST_CORE_SHARE = 0.02
# Masks in windows of more pixels are looked at in steps.
LARGE_WINDOW_PX = 250_000
# A ring says something beyond so many errors of its median, or of its scatter.
SURE_SIGMA = 3.0


@dataclass(frozen=True)
class Halos:
    """Images with the halos of their bright stars; (ny, nx) float32 but the mask.

    difference, score : D and S. error : of S. mask : True = bad.
    """

    difference: Image
    score: Image
    error: Image
    mask: Mask


def take_off(halos: Halos, significance: Image, fwhm_px: float) -> None:
    """Take the median of every ring around a bright star from D and S, and widen the error to the ring's scatter.

    The halo of a saturated star reaches far beyond any PSF that the frame's other stars tell, and haze or a sky that
    moves changes it: what is left of it is round, and smooth over a FWHM. A source in the ring is too small to move its
    median. Rings that show nothing are left alone.

    Parameters
    ----------
    halos : as they are; the images are written to. significance : the fainter of both frames' scores over the noise of
    the sky. fwhm_px : of the wider PSF.
    """
    clear = CLEAR * float(np.median(halos.error[::8, ::8]))
    for star in _bright_stars(halos.mask, significance, fwhm_px):
        _one_star(halos, star, fwhm_px, clear)


def _bright_stars(mask: Mask, significance: Image, fwhm_px: float) -> list[tuple[float, float, float]]:
    """Return x, y and the radius of the core of each bright star, brightest first."""
    reach = max(1, round(fwhm_px))
    found: list[tuple[float, float, float, float]] = []
    labels, count = ndimage.label(mask)
    for k, window in enumerate(ndimage.find_objects(labels, count)):
        core = labels[window] == k + 1
        area = float(np.count_nonzero(core))
        if area < np.pi / 4 * (SMALLEST_CORE_FWHM * fwhm_px) ** 2 or area > LARGEST_CORE_SHARE * mask.size:
            continue
        (row, column), radius = _deepest(core)
        x, y = float(column + window[1].start), float(row + window[0].start)
        around = _window(mask.shape, x, y, radius + 2 * reach)
        if float(significance[around].max()) > SATURATED_SNR:
            found.append((1e6 * area, x, y, radius))
    rows, columns = np.nonzero((significance > BRIGHT_SNR) & ~mask)
    order = np.argsort(-significance[rows, columns])
    taken = np.zeros(mask.shape, dtype=bool)
    for _, x, y, radius in found:
        taken[_window(mask.shape, x, y, radius + 3 * reach)] = True
    for i in order:
        row, column = int(rows[i]), int(columns[i])
        if not taken[row, column]:
            taken[_window(mask.shape, column, row, 3 * reach)] = True
            found.append((float(significance[row, column]), float(column), float(row), 0.0))
    found.sort(reverse=True)
    return [(x, y, radius) for _, x, y, radius in found[:MOST_STARS]]


def _deepest(core: Mask) -> tuple[tuple[int, int], float]:
    """Return the pixel of a core that is farthest from its rim, and how far: bled columns are long, the star is there.

    Where a trail has its window reach over the frame, every so-many-th pixel tells.
    """
    step = max(1, round((core.size / LARGE_WINDOW_PX) ** 0.5))
    depth = ndimage.distance_transform_edt(np.pad(core[::step, ::step], 1), sampling=step)[1:-1, 1:-1]
    row, column = np.unravel_index(int(np.argmax(depth)), depth.shape)
    return (int(row) * step, int(column) * step), float(depth.max())


def _window(shape: tuple[int, ...], x: float, y: float, reach: float) -> tuple[slice, slice]:
    rows, columns = (
        slice(max(0, round(c - reach)), min(n, round(c + reach) + 1)) for c, n in zip((y, x), shape, strict=True)
    )
    return rows, columns


def _one_star(halos: Halos, star: tuple[float, float, float], fwhm_px: float, clear: float) -> None:
    """Correct the rings of one star, from its core outwards; `clear` : error of a clear sky."""
    x, y, inner = star
    window = _window(halos.mask.shape, x, y, inner + FARTHEST_FWHM * fwhm_px)
    v, u = np.ogrid[window]
    radius = np.hypot(u - x, v - y)
    number = np.where(halos.mask[window] | (radius < inner), -1, (radius - inner) / fwhm_px).astype(np.int16).ravel()
    score, error, difference = halos.score[window], halos.error[window], halos.difference[window]
    ordered = np.argsort(number, kind="stable")
    ends = np.searchsorted(number, np.arange(int(FARTHEST_FWHM) + 1), sorter=ordered)
    rings, quiet = [], 0
    for first, last in pairwise(ends):
        which = np.unravel_index(ordered[first:last], score.shape)
        rings.append(_ring(score[which] / error[which], difference[which], fwhm_px))
        is_clear = last > first and float(error[which].mean()) < clear
        quiet = 0 if rings[-1] != NOTHING else quiet + is_clear
        if quiet == QUIET_RINGS:
            break
    if all(ring == NOTHING for ring in rings):
        return
    middles = inner + fwhm_px * (np.arange(len(rings) + 1) + 0.5)
    pull, level, width = (
        np.interp(radius, middles, values).astype(np.float32) for values in zip(*rings, NOTHING, strict=True)
    )
    score -= pull * error
    difference -= level
    error *= width


def _ring(pull: NDArray[np.float32], difference: NDArray[np.float32], fwhm_px: float) -> tuple[float, float, float]:
    """Return what is off in one ring: median of the score over its error, median of D, scatter of the score."""
    free = pull.size / (NEIGHBOURS * fwhm_px**2)
    if free < FEWEST_FREE:
        return NOTHING
    middle = float(np.median(pull))
    width = float(MAD_TO_SIGMA * np.median(np.abs(pull - middle)))
    is_off = abs(middle) > SURE_SIGMA * 1.25 * max(width, 1.0) / np.sqrt(free)
    is_wide = width > 1.0 + SURE_SIGMA * 1.2 / np.sqrt(2.0 * free)
    pull_off, level_off = (middle, float(np.median(difference))) if is_off else NOTHING[:2]
    return pull_off, level_off, width if is_wide else NOTHING[2]
