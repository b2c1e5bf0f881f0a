"""Whole frames as small pictures: the sky grey, stars bright, what has no data in a colour that is no grey."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

import numpy as np
from numpy.typing import NDArray

NO_DATA = (46, 16, 101)


def step_of(shape: tuple[int, int], most_px: int) -> int:
    """Return the side of the blocks, in pixels, whose means fill at most `most_px` on each side."""
    return max(ceil(max(shape) / most_px), 1)


def shrink(bands: Iterable[NDArray[np.float32]], step: int) -> NDArray[np.float32]:
    """Return the means of blocks of step² pixels, what has no data left out.

    Parameters
    ----------
    bands : (rows, nx) each, one below the other; all but the last have a multiple of `step` rows. NaN or infinite where
        there is no data.
    step : side of a block, pixels. Those at the far edges hold what is left there.

    Returns
    -------
    (ceil(ny / step), ceil(nx / step)); NaN where a whole block has no data.
    """
    return np.concatenate([_block_means(band, step) for band in bands])


def draw(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Draw an image on the zscale; the FITS origin is lower left.

    Parameters
    ----------
    image : (ny, nx) in any unit; NaN where there is no data.

    Returns
    -------
    (ny, nx, 3) uint8, first row at the top. An image without any data is all of one colour.

    Notes
    -----
    zscale is that of IRAF, by astropy.
    """
    from astropy.visualization import ZScaleInterval  # here, for it loads Matplotlib

    known = np.isfinite(image)
    colours = np.empty((*image.shape, 3), dtype=np.uint8)
    colours[:] = NO_DATA
    if known.any():
        low, high = (float(end) for end in ZScaleInterval().get_limits(image[known]))
        # Of a frame that is all but flat zscale makes one level: what lies above it is white.
        width = high - low if high > low else max(abs(low), 1.0) * float(np.finfo(np.float32).eps)
        grey = np.clip((image[known].astype(np.float64) - low) / width, 0.0, 1.0)
        colours[known] = np.round(255.0 * grey).astype(np.uint8)[:, None]
    return colours[::-1]


def _block_means(band: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    known = np.isfinite(band)
    rows, columns = (np.arange(0, size, step) for size in band.shape)

    def sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
        below: NDArray[np.float64] = np.add.reduceat(values, rows, axis=0)
        blocks: NDArray[np.float64] = np.add.reduceat(below, columns, axis=1)
        return blocks

    count = sums(known.astype(np.float64))
    total = sums(np.where(known, band, 0.0).astype(np.float64))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
