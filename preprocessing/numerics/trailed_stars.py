"""Stars that are lines, since the telescope followed something else or nothing: where their middles are."""

from __future__ import annotations

import numpy as np
import sep
from numpy.typing import NDArray

from observations.numerics.frame import Image, Mask, Stars
from observations.numerics.statistics import FWHM_PER_SIGMA
from preprocessing.numerics.background import as_plain_image
from preprocessing.numerics.stars import gaussian_kernel

Column = NDArray[np.float64]

# Stars are lines from here on: twice as long as wide, where a frame's gate draws the line too.
TRAILED_ELLIPTICITY = 0.5
# A kernel that bridges the gaps which noise makes in a line of up to forty pixels, and is not wider than it has to be.
KERNEL_FWHM_PX = 10.0
THRESHOLD_SIGMA = 5.0
# Noise along a line is no second star.
DEBLEND_CONTRAST = 0.05


def are_trailed(stars: Stars) -> bool:
    """Tell whether a frame's stars are lines, by the median of what was measured of their cores."""
    return len(stars) > 0 and float(np.median(stars.ellipticity)) > TRAILED_ELLIPTICITY


def find_lines(
    data: Image, mask: Mask, *, background: Image | float, noise: Image | float
) -> tuple[NDArray[np.float64], Column]:
    """Find stars that are lines, each as one; return the middles (n, 2) px and their light (n,).

    A wide kernel joins what a narrow one finds of a line in pieces, and the barycentre of the whole is its middle: a
    window as wide as the seeing would wander along it. Masked and non-finite pixels take no part.

    Parameters
    ----------
    data : (ny, nx) image, background included. mask : (ny, nx) bool, True = bad.
    background, noise : sky level and rms per pixel, (ny, nx) or one number, unit of `data`.
    """
    image = as_plain_image(data) - np.asarray(background, dtype=np.float32)
    bad = mask | ~np.isfinite(image)
    image[bad] = 0
    rms = np.ascontiguousarray(np.broadcast_to(np.asarray(noise, dtype=np.float32), image.shape))
    threshold = THRESHOLD_SIGMA / (np.sqrt(np.pi) * KERNEL_FWHM_PX / FWHM_PER_SIGMA)
    found = sep.extract(
        image, threshold, err=np.maximum(rms, np.float32(1e-30)), mask=bad, minarea=5, filter_type="conv",
        filter_kernel=gaussian_kernel(KERNEL_FWHM_PX), deblend_cont=DEBLEND_CONTRAST,
    )  # fmt: skip
    order = np.argsort(-found["flux"], kind="stable")
    return np.column_stack([found["x"], found["y"]])[order].astype(np.float64), found["flux"][order].astype(np.float64)
