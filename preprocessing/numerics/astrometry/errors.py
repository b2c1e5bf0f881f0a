"""How far the positions of a frame's WCS may be off."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from observations.numerics.frame import Stars
from observations.numerics.statistics import MAD_TO_SIGMA, centroid_error

Array = NDArray[np.float64]


def centroid_errors_px(stars: Stars) -> Array:
    """Return the error of each star's centroid by noise alone, 1 sigma in one axis, pixels."""
    return centroid_error(stars.fwhm_px, stars.flux / np.maximum(stars.flux_error, 1e-30))


def match_error_px(residuals_px: Array, error_px: Array, terms: int) -> float:
    """Return the error of positions that a transform fitted to matched stars gives, 1 sigma in one axis.

    What of the stars' scatter their own errors do not explain (refraction, distortion, seeing) holds at any other place
    as well; beside it stands the error of the fit. The better measured half of the stars tells the scatter.

    Parameters
    ----------
    residuals_px : (n, 2) where the transform puts each star less where it is. error_px : (n,) of that difference by the
        centroids' noise, in one axis. terms : coefficients of the transform for one axis.
    """
    best = np.argsort(error_px)[: max(3, len(error_px) // 2)]
    scatter = float(MAD_TO_SIGMA * np.median(np.abs(residuals_px[best])))
    own = float(np.median(error_px[best]))
    return float(np.hypot(np.sqrt(max(scatter**2 - own**2, 0.0)), scatter * np.sqrt(terms / len(error_px))))


def solution_error_px(rms_px: float, stars: int) -> float:
    """Return the error of a solution's fit to the sky, 1 sigma in one axis, from the distance by which stars miss it.

    Three coefficients are fitted in each axis.
    """
    return float(rms_px * np.sqrt(3.0 / (2.0 * max(stars, 3))))
