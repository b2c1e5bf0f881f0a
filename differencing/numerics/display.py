"""Whole images of a subtraction as pictures: one scale for science and reference, zero in the middle of the others."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from observations.numerics.statistics import MAD_TO_SIGMA

Image = NDArray[np.floating]
Mask = NDArray[np.bool_]
Codes = NDArray[np.uint8]

# Science and reference: black 3 sigma below the sky, linear up to 3 sigma, logarithmic above.
BLACK_SIGMA, LINEAR_SIGMA = 3.0, 3.0
# White is the brightest but one of a thousand pixels, and never so near the sky that noise alone fills the range.
WHITE_PERCENTILE, LEAST_WHITE_SIGMA = 99.9, 20.0
# Difference and score: linear between these.
DIFFERENCE_SIGMA, SCORE_SIGMA = 5.0, 8.0
# As in the cutouts: masked pixels are tinted and still show, those without data have a colour of their own.
MASKED, MASKED_SHARE, NO_DATA = (214, 51, 132), 0.6, (46, 16, 101)
# Entries of the palette: greys, an odd number so that zero has one of its own; tinted greys; no data.
GREYS, TINTS = 201, 54
NO_DATA_CODE = GREYS + TINTS
# Pixels from which the statistics of an image are taken, at most about so many.
_SAMPLE = 1_000_000
# Rows that are averaged at a time, so that a mapped image is never in memory as a whole, nor beyond a processor's own.
_ROWS_AT_ONCE = 64


def palette() -> list[int]:
    """Return the colours of the codes, red, green and blue of each of the 256 one after the other."""
    greys = np.repeat(np.rint(np.linspace(0, 255, GREYS))[:, None], 3, axis=1)
    below = np.repeat(np.linspace(0, 255, TINTS)[:, None], 3, axis=1)
    tinted = np.rint((1 - MASKED_SHARE) * below + MASKED_SHARE * np.array(MASKED))
    return [int(value) for value in np.concatenate([greys, tinted, [NO_DATA]]).ravel()]


def factor_for(shape: tuple[int, int], most_px: int) -> int:
    """Return how many pixels on a side are averaged so that no side of the picture is longer than `most_px`."""
    return max(math.ceil(max(shape) / most_px), 1)


def block_mean(image: NDArray[np.number], mask: Mask | NDArray[np.number] | None, factor: int) -> tuple[Image, Mask]:
    """Average blocks of `factor` pixels on a side, those at the far edges over what there is of them.

    Parameters
    ----------
    image : (ny, nx) counts or sigma; NaN = no data. May be mapped from a file.
    mask : (ny, nx), above 0 = bad; None where nothing is.

    Returns
    -------
    mean of the good pixels of each block, of the bad ones where there are no good, NaN where no pixel has data;
    and whether more than half of those with data are bad. Both (ceil(ny / factor), ceil(nx / factor)).
    """
    rows, columns = (math.ceil(side / factor) for side in image.shape)
    means, are_bad = np.empty((rows, columns), dtype=np.float32), np.empty((rows, columns), dtype=bool)
    at_once = max(_ROWS_AT_ONCE // factor, 1)
    for first in range(0, rows, at_once):
        last = min(first + at_once, rows)
        part = slice(first * factor, min(last * factor, image.shape[0]))
        values = np.asarray(image[part], dtype=np.float32)
        known = np.isfinite(values)
        good = known if mask is None else known & (np.asarray(mask[part]) <= 0)
        counts, all_counts = _blocks(good, factor), _blocks(known, factor)
        sums = _blocks(np.where(good, values, np.float32(0)), factor)
        are_all = counts == 0
        if are_all.any():
            sums[are_all] = _blocks(np.where(known, values, np.float32(0)), factor)[are_all]
        with np.errstate(invalid="ignore"):
            means[first:last] = sums / np.where(are_all, all_counts, counts)
        are_bad[first:last] = (all_counts > 0) & (2 * counts < all_counts)
    return means, are_bad


def shared_codes(science: tuple[Image, Mask], reference: tuple[Image, Mask]) -> tuple[Codes, Codes]:
    """Return both images, each with its mask, as codes of one asinh scale: the same count is the same grey in both."""
    share = shared_scale([_sample(*one) for one in (science, reference)], WHITE_PERCENTILE, LEAST_WHITE_SIGMA)
    first, second = (_codes(share(image), mask) for image, mask in (science, reference))
    return first, second


def shared_scale(
    known: Sequence[NDArray[np.floating]], white_percentile: float, least_white_sigma: float
) -> Callable[[Image], NDArray[np.float64]]:
    """Return the asinh scale that images share: what turns counts into 0 (black) to 1 (white), and beyond.

    Parameters
    ----------
    known : good pixels of each image, counts.
    white_percentile : of all of them is white, but at least so many sigma above the sky.
    """
    good = np.concatenate(known) if any(part.size for part in known) else np.zeros(1)
    sky = float(np.median(good))
    # Of the noisier image, whose sky would be salt and pepper otherwise.
    sigma = max(robust_sigma(part) for part in known)
    white = max(float(np.percentile(good, white_percentile)), sky + least_white_sigma * sigma)

    def level(values: Image | float) -> NDArray[np.float64]:
        return np.arcsinh((np.asarray(values, dtype=np.float64) - sky) / (LINEAR_SIGMA * sigma))

    low, high = level(sky - BLACK_SIGMA * sigma), level(white)
    return lambda image: (level(image) - low) / (high - low)


def robust_sigma(values: NDArray[np.floating]) -> float:
    """Return the robust scatter about the median, 1 where there is none to measure."""
    if values.size == 0:
        return 1.0
    return MAD_TO_SIGMA * float(np.median(np.abs(values - np.median(values)))) or 1.0


def difference_codes(image: Image, mask: Mask) -> Codes:
    """Return a difference as codes: zero in the middle, ±5 robust sigma at the ends."""
    return _symmetric(image, mask, DIFFERENCE_SIGMA * robust_sigma(_sample(image, mask)))


def score_codes(image: Image, mask: Mask) -> Codes:
    """Return a score, which is in sigma, as codes: zero in the middle, ±8 at the ends."""
    return _symmetric(image, mask, SCORE_SIGMA)


def _symmetric(image: Image, mask: Mask, end: float) -> Codes:
    return _codes(0.5 + 0.5 * np.asarray(image, dtype=np.float64) / end, mask)


def _codes(share: NDArray[np.float64], mask: Mask) -> Codes:
    """Turn 0 (black) to 1 (white) into codes with the first row of the file at the bottom."""
    share = np.clip(share, 0, 1)
    code = np.where(mask, GREYS + np.rint((TINTS - 1) * share), np.rint((GREYS - 1) * share))
    return np.where(np.isfinite(share), code, NO_DATA_CODE).astype(np.uint8)[::-1]


def _blocks(values: NDArray[np.generic], factor: int) -> NDArray[np.float64]:
    """Return the sums over blocks, of whole rows first, which lie in memory one after the other."""
    down, across = (np.arange(0, side, factor) for side in values.shape)
    if values.dtype == np.bool_ and values.all():
        tall, wide = (np.minimum(factor, side - np.arange(0, side, factor)) for side in values.shape)
        return np.outer(tall, wide).astype(np.float64)
    rows = np.add.reduceat(values, down, axis=0, dtype=np.float32)
    return np.add.reduceat(rows, across, axis=1, dtype=np.float64)


def _sample(image: Image, mask: Mask) -> NDArray[np.floating]:
    """Return good pixels, evenly spread."""
    step = max(math.isqrt(image.size // _SAMPLE), 1)
    thin = (slice(None, None, step), slice(None, None, step))
    values = np.asarray(image[thin])
    return values[np.isfinite(values) & ~mask[thin]]
