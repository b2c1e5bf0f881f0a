"""Whole frames as small pictures: the sky grey, stars bright, what has no data in a colour that is no grey."""

from __future__ import annotations

from math import ceil

import numpy as np
from astropy.visualization import ZScaleInterval
from numpy.typing import NDArray

NO_DATA = (46, 16, 101)


def preview(pixels: NDArray[np.float32], most_px: int) -> NDArray[np.uint8]:
    """Draw a frame on the zscale, blocks of pixels averaged until it is small enough; the FITS origin is lower left.

    Parameters
    ----------
    pixels : (ny, nx) in any unit; NaN where there is no data, which a block's mean leaves out.
    most_px : longest side of the picture.

    Returns
    -------
    (rows, columns, 3) uint8, first row at the top. A frame without any data is all of one colour.

    Notes
    -----
    zscale is that of IRAF, by astropy. The last block of a row or column is whole: up to one block less a pixel is cut.
    """
    step = ceil(max(pixels.shape) / most_px)
    small = _block_means(pixels, step)
    known = np.isfinite(small)
    colours = np.empty((*small.shape, 3), dtype=np.uint8)
    colours[:] = NO_DATA
    if known.any():
        low, high = ZScaleInterval().get_limits(small[known])
        # Of a frame that is all but flat zscale makes one level: what lies above it is white.
        width = high - low if high > low else max(abs(low), 1.0) * np.finfo(np.float32).eps
        grey = np.clip((small[known].astype(np.float64) - low) / width, 0.0, 1.0)
        colours[known] = np.round(255.0 * grey).astype(np.uint8)[:, None]
    return colours[::-1]


def _block_means(pixels: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    rows, columns = (size // step for size in pixels.shape)
    blocks = pixels[: rows * step, : columns * step].reshape(rows, step, columns, step)
    known = np.isfinite(blocks)
    count = known.sum(axis=(1, 3))
    total = np.where(known, blocks, 0.0).sum(axis=(1, 3), dtype=np.float64)
    with np.errstate(invalid="ignore"):
        means = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return means.astype(np.float32)
