"""Numbers of a normal distribution that every measurement shares."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

# A median absolute deviation times this is a sigma.
MAD_TO_SIGMA = 1.4826
# A Gaussian's full width at half maximum in sigma.
FWHM_PER_SIGMA = 2.3548
# Magnitudes for each share of a flux: the error of a magnitude over the relative error of its flux.
MAG_PER_SHARE = 2.5 / math.log(10.0)


def centroid_error(fwhm: float, snr: ArrayLike) -> NDArray[np.float64]:
    """Return the error of centroids by noise alone, 1 sigma in one axis, in the unit of `fwhm`.

    Of least squares with a Gaussian PSF: sqrt(2) sigma over the S/N; one below 1 counts as 1, whatever its sign.
    """
    return np.asarray(np.sqrt(2.0) * fwhm / FWHM_PER_SIGMA / np.maximum(np.abs(snr), 1.0))
