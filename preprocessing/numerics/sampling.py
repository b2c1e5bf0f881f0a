"""Stars sharper than pixels can show: smoothed to a width that can be moved, fitted and subtracted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from observations.numerics.frame import Image, Mask
from observations.numerics.statistics import FWHM_PER_SIGMA
from preprocessing.numerics.masks import grow

# Measured widths hold the pixel's own. Below 1.8 px (1.65 px without it) fluxes by a shifted PSF are off by 5 % and
# more, depending on where in its pixel a star lies; from 2 px on by less than 1 %.
WELL_SAMPLED_PX = 1.8
# Each pixel gives so much to each neighbour along an axis. It leaves an eighth of the finest structure that pixels
# hold, and makes stars of .8 to 1.8 px 1.95 to 2.5 px wide, with 5 % of scatter at the sharpest.
SHARE = 0.22
# A single pixel comes out as 1.72 px; the sharpest of stars, .8 px, never below 1.85.
SHARPEST_PX = 1.78
# By so much, in quadrature, cores become wider: 1.62 to 1.66 px for stars of 1.8 to .8 px.
SPREAD_PX = 1.64
# Of the noise of a pixel this is left in it.
PIXEL_NOISE = (1.0 - 2.0 * SHARE) ** 2 + 2.0 * SHARE**2
# Stars that were well sampled before are wider than this.
WIDEST_PX = 2.55


def smoothed(image: Image, share: float = SHARE) -> Image:
    """Return a finite image with each pixel's light spread over its neighbours; its sum stays, but for the edge."""
    return _spread(image, kernel_of(share))


def kernel_of(share: float) -> NDArray[np.float32]:
    """Return what a pixel gives along an axis: so much to each neighbour, the rest to itself."""
    return np.array([share, 1.0 - 2.0 * share, share], dtype=np.float32)


def _spread(image: Image, kernel: NDArray[np.float32]) -> Image:
    once = ndimage.convolve1d(image, kernel, axis=0, mode="nearest")
    return np.asarray(ndimage.convolve1d(once, kernel, axis=1, mode="nearest"), dtype=np.float32)


def smoothed_mask(mask: Mask) -> Mask:
    """Return the pixels that hold light of masked ones after smoothing, diagonal neighbours' twentieth left out."""
    return grow(mask, 1)


def smoothed_variance(variance: Image) -> Image:
    """Return the variance of smoothed pixels."""
    return _spread(variance, kernel_of(SHARE) ** 2)


def width_before(fwhm_px: float) -> float:
    """Return the width, px, that stars of a smoothed image had before."""
    return float(np.sqrt(max(fwhm_px**2 - SPREAD_PX**2, 0.0)))


def noise_share(fwhm_px: float, share: float = SHARE) -> float:
    """Return the noise, of a pixel's before smoothing, by which fluxes of point sources have their true error after it.

    Neighbours share noise, so that its scatter tells too little: 1 / (1 + k² / s²)^½ for Gaussians of variance s², the
    stars' after smoothing, and k², the smoothing's, under the matched filter of the former.
    """
    return float((1.0 + 2.0 * share * (FWHM_PER_SIGMA / fwhm_px) ** 2) ** -0.5)
