"""Frames of one-shot-colour cameras: the mosaic becomes one image of luminance on the same pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from observations.numerics.frame import Image, Mask
from preprocessing.numerics.sampling import kernel_of, smoothed

# (1, 2, 1)/4 along each axis gives every pixel a quarter of red, a half of green and a quarter of blue, wherever in the
# pattern it lies: an image without the pattern, on the mosaic's own pixels, whose sources keep their sum.
SHARE = 0.25
# Noise of a pixel of the mosaic over its scatter in the luminance, where all colours have the same: 1 / (3/8).
SMOOTHING = float(1.0 / np.sum(kernel_of(SHARE) ** 2))
PHASES = tuple((row, column) for row in (0, 1) for column in (0, 1))
# A single pixel that stands so far above the sky, with less than a tenth of that in each pixel beside it, is no star:
# of one 2 px wide in another colour, of which a quarter is seen, more is left there.
LONE_SIGMA, LONE_SHARE = 8.0, 0.1


def levels(data: Image, bad: Mask) -> NDArray[np.float32]:
    """Return the median of each of the four kinds of pixels, (2, 2)."""
    result = np.empty((2, 2), dtype=np.float32)
    for row, column in PHASES:
        part, left_out = data[row::2, column::2], bad[row::2, column::2] | ~np.isfinite(data[row::2, column::2])
        result[row, column] = np.median(part[~left_out]) if not left_out.all() else np.nan
    return result


def levelled(data: Image, bad: Mask) -> Image:
    """Return a mosaic whose kinds of pixels have one sky, that of luminance: differences of level taken off."""
    level = levels(data, bad)
    result = data.copy()
    for row, column in PHASES:
        result[row::2, column::2] -= level[row, column] - np.float32(level.mean())
    return result


def evened(data: Image, bad: Mask) -> Image:
    """Return a mosaic whose kinds of pixels have one response to the sky: divided by their levels."""
    level = levels(data, bad)
    result = data.copy()
    if not (np.isfinite(level).all() and level.min() > 0):
        return result
    for row, column in PHASES:
        result[row::2, column::2] *= np.float32(level.mean()) / level[row, column]
    return result


def lone_pixels(data: Image, bad: Mask) -> Mask:
    """Return the single pixels that stand alone above the sky of their colour: hot ones, and hits."""
    flat = levelled(data, bad)
    level, spread = _robust(flat[~bad & np.isfinite(flat)])
    excess = np.where(bad | ~np.isfinite(flat), np.float32(0), flat - np.float32(level))
    beside = ndimage.maximum_filter(excess, footprint=np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]]), mode="nearest")
    noise = np.float32(max(spread, 1e-12))
    return np.asarray((excess > LONE_SIGMA * noise) & (beside < LONE_SHARE * excess + 3 * noise))


def noise_of(data: Image, bad: Mask) -> float:
    """Return the scatter of the sky's pixels about the level of their colour."""
    flat = levelled(data, bad)
    return _robust(flat[~bad & np.isfinite(flat)])[1]


def brightest(raw: Image) -> Image:
    """Return of each pixel the brightest that goes into its luminance."""
    return np.asarray(ndimage.maximum_filter(raw, size=3, mode="nearest"), dtype=np.float32)


def _robust(values: NDArray[np.float32]) -> tuple[float, float]:
    low, middle, high = np.percentile(values, (25.0, 50.0, 75.0)) if values.size else (0.0, 0.0, 0.0)
    return float(middle), 0.7413 * float(high - low)


def luminance(data: Image, bad: Mask) -> Image:
    """Return the luminance of a mosaic on its own pixels; what is bad is filled from its own colour first.

    Parameters
    ----------
    data : (ny, nx), any unit, sky included. bad : True = not to be used.

    Returns
    -------
    (ny, nx) float32 in the same unit: the sum of a source is that of the mosaic. NaN where the pixel itself is bad and
    none of its colour lies two pixels away.
    """
    finite = ~bad & np.isfinite(data)
    clean = np.where(finite, data, np.float32(0))
    ring = np.zeros((5, 5), dtype=np.float32)
    ring[::2, ::2] = 1.0
    ring[2, 2] = 0.0
    total = ndimage.correlate(clean, ring, mode="constant")
    count = ndimage.correlate(finite.astype(np.float32), ring, mode="constant")
    filled = np.where(finite, clean, np.where(count > 0, total / np.maximum(count, 1), np.float32(np.nan)))
    return smoothed(filled.astype(np.float32), SHARE)
