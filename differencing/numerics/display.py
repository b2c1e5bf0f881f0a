"""Whole differences as pictures: science and reference in the same greys, difference and score symmetric about zero."""

from __future__ import annotations

from math import ceil

import numpy as np
from astropy.visualization import AsinhStretch, ZScaleInterval
from numpy.typing import NDArray

NO_DATA = (46, 16, 101)
# The difference and the score are linear between these.
DIFFERENCE_SIGMA, SCORE_SIGMA = 5.0, 8.0
_MAD_TO_SIGMA = 1.4826  # of a normal distribution

Image = NDArray[np.floating]
Greys = NDArray[np.float64]


def shared_greys(science: Image, reference: Image) -> tuple[Greys, Greys]:
    """Return both images (ny, nx) as greys from 0 to 1, the same count the same grey in both; NaN stays NaN.

    The scale is zscale of the science image, its top raised so that stars keep their shape, stretched by asinh.
    """
    known = science[np.isfinite(science)]
    low, high = ZScaleInterval().get_limits(known) if known.size else (0.0, 1.0)
    top = max(high + 4.0 * (high - low), low + np.finfo(np.float32).tiny)
    stretch = AsinhStretch(0.1)

    def grey(image: Image) -> Greys:
        level = np.clip((np.asarray(image, dtype=np.float64) - low) / (top - low), 0.0, 1.0)
        greys: Greys = stretch(level, clip=False)
        return greys

    return grey(science), grey(reference)


def symmetric_grey(image: Image, half_range: float | None = None) -> Greys:
    """Return an image (ny, nx) as greys from 0 to 1 with zero in the middle; NaN stays NaN.

    Parameters
    ----------
    image : in any unit.
    half_range : what is white; without it five robust sigma of the image.
    """
    if half_range is None:
        known = image[np.isfinite(image)]
        sigma = _MAD_TO_SIGMA * float(np.median(np.abs(known - np.median(known)))) if known.size else 0.0
        half_range = DIFFERENCE_SIGMA * sigma
    half_range = max(half_range, float(np.finfo(np.float32).tiny))
    return np.clip(0.5 + np.asarray(image, dtype=np.float64) / (2.0 * half_range), 0.0, 1.0)


def painted(greys: Greys, most_px: int) -> NDArray[np.uint8]:
    """Return (rows, columns, 3) uint8, the FITS origin at the lower left; blocks of pixels averaged where it is larger.

    NaN has a colour that is no grey. The last row or column of blocks is whole: less than a block is cut.
    """
    step = ceil(max(greys.shape) / most_px)
    rows, columns = (size // step for size in greys.shape)
    blocks = greys[: rows * step, : columns * step].reshape(rows, step, columns, step)
    known = np.isfinite(blocks)
    count = known.sum(axis=(1, 3))
    means = np.where(known, blocks, 0.0).sum(axis=(1, 3)) / np.maximum(count, 1)
    colours = np.repeat(np.round(255.0 * means).astype(np.uint8)[:, :, None], 3, axis=2)
    colours[count == 0] = NO_DATA
    return colours[::-1]
