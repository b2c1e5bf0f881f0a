"""Stamps around candidates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Stamps = NDArray[np.float32]

STAMP_SIZE_PX = 63  # the size of ZTF's public stamps, so that imported packets and our own frames share one network
CHANNELS = ("science", "reference", "difference", "mask")

# No detector counts so far: surveys fill with the largest number where they know nothing.
BEYOND_COUNTS = 1e30


def cut_stamps(
    science: NDArray[np.number],
    reference: NDArray[np.number],
    difference: NDArray[np.number],
    mask: NDArray[np.bool_],
    positions: tuple[ArrayLike, ArrayLike],
    size: int = STAMP_SIZE_PX,
) -> Stamps:
    """Cut raw stamps out of three images on one grid and their mask.

    The stamp's central pixel is the one that holds the position; values are copied, never resampled. Beyond the
    image the three images are NaN and the mask is 1 (bad).

    Parameters
    ----------
    science, reference, difference : (ny, nx), counts; NaN allowed. Mapped ones will do: only what is cut out is read.
    mask : (ny, nx) bool, True = bad.
    positions : x and y, each (n,), pixels, 0-based centres.
    size : odd number of pixels.

    Returns
    -------
    (n, 4, size, size) float32 in the order of `CHANNELS`; the mask is 0 or 1.

    Raises
    ------
    ValueError : the images differ in shape, `size` is even, or a position is not finite.
    """
    x, y = (np.atleast_1d(np.asarray(axis, dtype=np.float64)) for axis in positions)
    if size < 1 or size % 2 == 0:
        raise ValueError(f"a stamp has a central pixel, so its size is odd: {size} is not")
    if len({image.shape for image in (science, reference, difference, mask)}) != 1:
        raise ValueError("science, reference, difference and mask must share one grid")
    if x.shape != y.shape or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("positions need as many finite x as y")
    stamps = np.full((x.size, len(CHANNELS), size, size), np.nan, dtype=np.float32)
    stamps[:, 3] = 1.0
    ny, nx = science.shape
    left = np.rint(x).astype(int) - size // 2
    bottom = np.rint(y).astype(int) - size // 2
    for stamp, x0, y0 in zip(stamps, left, bottom, strict=True):
        columns = slice(max(x0, 0), min(x0 + size, nx))
        rows = slice(max(y0, 0), min(y0 + size, ny))
        if columns.start >= columns.stop or rows.start >= rows.stop:
            continue
        inside = (slice(rows.start - y0, rows.stop - y0), slice(columns.start - x0, columns.stop - x0))
        for channel, image in enumerate((science, reference, difference, mask)):
            stamp[channel][inside] = image[rows, columns]
    return stamps
