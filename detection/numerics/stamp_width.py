"""How wide a star is in stamps of a survey that does not tell."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from detection.numerics.stamps import BEYOND_COUNTS, Stamps
from observations.numerics.statistics import MAD_TO_SIGMA

# What is brighter than this, in sigma of the sky, has a width of its own and not one of the noise.
_BRIGHT_SIGMA = 50.0
# Exposures are not better or worse than a survey's typical one by more: what seems so was no star.
_SEEING_RANGE = (0.75, 1.55)


def widths_of(stamps: Stamps, exposure: NDArray[np.generic]) -> NDArray[np.float64]:
    """Estimate the FWHM of a star in stamps of many exposures of one survey, pixels: (n,).

    The seeing of an exposure is known from its few stamps to no better than it differs from the survey's: the middle
    of both is nearer to it than either. An exposure in which nothing is bright has the survey's.

    Parameters
    ----------
    stamps : as of `width_of`. exposure : (n,), what tells exposures apart.

    Raises
    ------
    ValueError : no stamp has anything bright enough.
    """
    common = width_of(stamps)
    widths = np.full(len(stamps), common)
    for one in np.unique(exposure):
        chosen = exposure == one
        with suppress(ValueError):
            ratio = np.clip(width_of(stamps[chosen]) / common, *_SEEING_RANGE)
            widths[chosen] = common * np.sqrt(ratio)
    return widths


def width_of(stamps: Stamps) -> float:
    """Estimate the FWHM of a star in stamps of one survey, pixels, where nobody tells it: good to a fifth.

    It is the median, over stamps, of the width of what is brightest in their science image: of the disc with as many
    pixels as lie above half of its peak. Galaxies and what is saturated are wider, defects narrower; most are stars.

    Parameters
    ----------
    stamps : (n, >=1, size, size) raw stamps, the science image first; NaN = unknown.

    Raises
    ------
    ValueError : no stamp has anything bright enough.
    """
    widths = []
    for image in np.where(np.abs(stamps[:, 0]) < BEYOND_COUNTS, stamps[:, 0], np.nan):
        known = np.isfinite(image)
        if not known.any():
            continue
        sky = np.median(image[known])
        noise = MAD_TO_SIGMA * np.median(np.abs(image[known] - sky))
        light = np.where(known, image - sky, -np.inf)
        peak = np.unravel_index(np.argmax(light), light.shape)
        if not 0.0 < _BRIGHT_SIGMA * noise < light[peak]:
            continue
        parts, _ = ndimage.label(light > 0.5 * light[peak])
        area = np.count_nonzero(parts == parts[peak])
        widths.append(2.0 * np.sqrt(area / np.pi))
    if not widths:
        raise ValueError("nothing in these stamps is bright enough to tell how wide a star is")
    return float(np.median(widths))
