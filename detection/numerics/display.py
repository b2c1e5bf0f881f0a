"""Cutouts in the greys that astronomers expect: science and reference alike, the difference symmetric about zero."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Colours = NDArray[np.uint8]

MAD_TO_SIGMA = 1.4826  # of a normal distribution
# Science and reference: black 3 sigma below the sky, linear up to 3 sigma, logarithmic above.
BLACK_SIGMA, LINEAR_SIGMA = 3.0, 3.0
# White is the brightest but four of 2 × 63² pixels, and never so near the sky that noise alone fills the range.
WHITE_PERCENTILE, LEAST_WHITE_SIGMA = 99.95, 12.0
# The difference: linear between these.
DIFFERENCE_SIGMA = 5.0
MASKED = (214, 51, 132)  # a tint over the pixel, which still shows
MASKED_SHARE = 0.6
NO_DATA = (46, 16, 101)


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
    science, reference, difference = cutouts[:3]
    mask = cutouts[3] > 0
    greys = (*shared_grey(science, reference, mask), symmetric_grey(difference, mask))
    painted = [_painted(values, grey, mask) for values, grey in zip(cutouts[:3], greys, strict=True)]
    first = max((science.shape[0] - size) // 2, 0)
    shown = slice(first, science.shape[0] - first)
    return [image[shown, shown][::-1].repeat(scale, axis=0).repeat(scale, axis=1) for image in painted]


def shared_grey(science: Image, reference: Image, mask: NDArray[np.bool_]) -> tuple[Colours, Colours]:
    """Return both images in greys (n, n) of one asinh scale, so that the same count is the same grey in both."""
    known = [image[np.isfinite(image) & ~mask] for image in (science, reference)]
    good = np.concatenate([*known, np.zeros(0 if any(part.size for part in known) else 1, dtype=np.float32)])
    sky = float(np.median(good))
    sigma = max(_sigma(part) for part in known)  # of the noisier image, whose sky would be salt and pepper otherwise
    black = sky - BLACK_SIGMA * sigma
    white = max(float(np.percentile(good, WHITE_PERCENTILE)), sky + LEAST_WHITE_SIGMA * sigma)

    def level(values: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.arcsinh((np.asarray(values, dtype=np.float64) - sky) / (LINEAR_SIGMA * sigma))

    low, high = (float(level(np.array(end))) for end in (black, white))
    greys = [np.nan_to_num((level(image) - low) / (high - low)) for image in (science, reference)]
    first, second = (np.rint(255 * np.clip(grey, 0, 1)).astype(np.uint8) for grey in greys)
    return first, second


def symmetric_grey(difference: Image, mask: NDArray[np.bool_]) -> Colours:
    """Return a difference in greys (n, n): linear, zero in the middle, ±5 robust sigma at the ends."""
    good = difference[np.isfinite(difference) & ~mask]
    share = np.nan_to_num(difference / (DIFFERENCE_SIGMA * _sigma(good)))
    return np.rint(127.5 + 127.5 * np.clip(share, -1, 1)).astype(np.uint8)


def _painted(values: Image, grey: Colours, mask: NDArray[np.bool_]) -> Colours:
    colours = np.repeat(grey[:, :, None], 3, axis=2)
    tint = (1 - MASKED_SHARE) * colours[mask] + MASKED_SHARE * np.array(MASKED)
    colours[mask] = np.rint(tint).astype(np.uint8)
    colours[~np.isfinite(values)] = NO_DATA
    return colours


def _sigma(values: NDArray[np.floating]) -> float:
    """Return the robust scatter about the median, 1 where there is none to measure."""
    if values.size == 0:
        return 1.0
    return MAD_TO_SIGMA * float(np.median(np.abs(values - np.median(values)))) or 1.0
