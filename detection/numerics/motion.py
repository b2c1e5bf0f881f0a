"""Where something that moves will be, or was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def predicted(ra: Array, dec: Array, mjd: Array, at_mjd: float, error_arcsec: float) -> tuple[float, float, float]:
    """Predict a position from a uniform, straight motion through positions of one night.

    The direction's vector is fitted by a line in time and brought back to length 1, so that poles and RA 0 need no
    care; over an hour and a degree, that is a great circle to 0.1″.

    Parameters
    ----------
    ra, dec : (n,) ICRS degrees, n at least 2. mjd : (n,) days, not all the same. at_mjd : when.
    error_arcsec : of each position, 1 sigma in each axis.

    Returns
    -------
    Right ascension and declination, degrees, and the error of the line at that time, arcseconds in each axis.
    """
    a, d = np.radians(ra), np.radians(dec)
    vectors = np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], axis=-1)
    middle = float(np.mean(mjd))
    days = np.asarray(mjd, dtype=np.float64) - middle
    spread = float((days**2).sum())
    x, y, z = vectors.mean(axis=0) + (at_mjd - middle) * (days @ vectors) / spread
    error = error_arcsec * float(np.sqrt(1.0 / len(days) + (at_mjd - middle) ** 2 / spread))
    return float(np.degrees(np.arctan2(y, x)) % 360.0), float(np.degrees(np.arctan2(z, np.hypot(x, y)))), error
