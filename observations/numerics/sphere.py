"""Angles and projections on the sky."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Degrees = NDArray[np.float64]


def separation_deg(ra: Degrees | float, dec: Degrees | float, ra_0: float, dec_0: float) -> Degrees:
    """Return the great-circle distances of positions from one, all in degrees.

    The haversine: exact for small angles, at the poles and across RA 0.
    """
    half_dec = np.sin(np.radians(np.subtract(dec, dec_0)) / 2.0)
    half_ra = np.sin(np.radians(np.subtract(ra, ra_0)) / 2.0)
    haversine = half_dec**2 + np.cos(np.radians(dec)) * np.cos(np.radians(dec_0)) * half_ra**2
    return np.asarray(np.degrees(2.0 * np.arcsin(np.sqrt(np.minimum(haversine, 1.0)))), dtype=np.float64)


def project(ra_deg: Degrees, dec_deg: Degrees, ra0_deg: float, dec0_deg: float) -> tuple[Degrees, Degrees]:
    """Return gnomonic coordinates (xi, eta) in degrees about a tangent point; NaN on the far hemisphere.

    Calabretta & Greisen 2002 (A&A 395, 1077), section 5.1.3.
    """
    ra, dec = np.radians(np.asarray(ra_deg) - ra0_deg), np.radians(dec_deg)
    dec0 = np.radians(dec0_deg)
    cosine = np.sin(dec0) * np.sin(dec) + np.cos(dec0) * np.cos(dec) * np.cos(ra)
    cosine = np.where(cosine > 1e-6, cosine, np.nan)
    xi = np.cos(dec) * np.sin(ra) / cosine
    eta = (np.cos(dec0) * np.sin(dec) - np.sin(dec0) * np.cos(dec) * np.cos(ra)) / cosine
    return np.degrees(xi), np.degrees(eta)
