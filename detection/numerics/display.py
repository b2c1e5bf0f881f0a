"""Cutouts in the greys that astronomers expect: science and reference alike, the difference symmetric about zero."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from differencing.numerics.display import (
    DIFFERENCE_SIGMA,
    MASKED,
    MASKED_SHARE,
    NO_DATA,
    robust_sigma,
    shared_scale,
)

Image = NDArray[np.float32]
Colours = NDArray[np.uint8]

# White is the brightest but four of 2 × 63² pixels, and never so near the sky that noise alone fills the range.
WHITE_PERCENTILE, LEAST_WHITE_SIGMA = 99.95, 12.0


def side_by_side(cutouts: Image, *, size: int, scale: int, gap: int = 4) -> Colours:
    """Draw science, reference and difference beside each other, each pixel as a square of `scale` dots.

    The FITS origin is at the lower left; nothing is turned. Masked pixels have a tint, those without data a colour.

    Parameters
    ----------
    cutouts : (4, n, n), counts: science, reference, difference, mask (above 0 = bad); NaN = no data.
    size : pixels on a side that are shown, in the middle, at most n. The greys are those of the whole.
    scale : dots per pixel.
    gap : black dots between two images.

    Returns
    -------
    (size * scale, 3 * size * scale + 2 * gap, 3) uint8, first row at the top.
    """
    science, reference, difference = panels(cutouts, size=size, scale=scale)
    between = np.zeros((science.shape[0], gap, 3), dtype=np.uint8)
    return np.concatenate([science, between, reference, between, difference], axis=1)


def panels(cutouts: Image, *, size: int, scale: int) -> list[Colours]:
    """Draw science, reference and difference as three images, as `side_by_side` does, each (size * scale)² × 3."""
    first = max((cutouts.shape[-1] - size) // 2, 0)
    shown = slice(first, cutouts.shape[-1] - first)
    return [image[shown, shown][::-1].repeat(scale, axis=0).repeat(scale, axis=1) for image in painted(cutouts)]


def painted(cutouts: Image) -> list[Colours]:
    """Paint science, reference and difference as (n, n, 3), first row at the bottom; bad pixels are in no grey."""
    science, reference, difference = cutouts[:3]
    mask = cutouts[3] > 0
    greys = (*shared_grey(science, reference, mask), symmetric_grey(difference, mask))
    return [_painted(values, grey, mask) for values, grey in zip(cutouts[:3], greys, strict=True)]


def shared_grey(science: Image, reference: Image, mask: NDArray[np.bool_]) -> tuple[Colours, Colours]:
    """Return both images in greys (n, n) of one asinh scale, so that the same count is the same grey in both."""
    known = [image[np.isfinite(image) & ~mask] for image in (science, reference)]
    share = shared_scale(known, WHITE_PERCENTILE, LEAST_WHITE_SIGMA)
    greys = [np.nan_to_num(share(image)) for image in (science, reference)]
    first, second = (np.rint(255 * np.clip(grey, 0, 1)).astype(np.uint8) for grey in greys)
    return first, second


def symmetric_grey(difference: Image, mask: NDArray[np.bool_]) -> Colours:
    """Return a difference in greys (n, n): linear, zero in the middle, ±5 robust sigma at the ends."""
    good = difference[np.isfinite(difference) & ~mask]
    share = np.nan_to_num(difference / (DIFFERENCE_SIGMA * robust_sigma(good)))
    return np.rint(127.5 + 127.5 * np.clip(share, -1, 1)).astype(np.uint8)


def _painted(values: Image, grey: Colours, mask: NDArray[np.bool_]) -> Colours:
    colours = np.repeat(grey[:, :, None], 3, axis=2)
    tint = (1 - MASKED_SHARE) * colours[mask] + MASKED_SHARE * np.array(MASKED)
    colours[mask] = np.rint(tint).astype(np.uint8)
    colours[~np.isfinite(values)] = NO_DATA
    return colours
