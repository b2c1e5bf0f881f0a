"""How far apart refraction may set one star in two frames: along the difference of their directions to the zenith.

Air spreads a star into a spectrum that points at the zenith, and a band's light sits where the star is brightest in it:
stars of another colour than the mean stand elsewhere, by the tangent of the zenith distance. What two frames share of
it cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray

from observations.numerics.site import greenwich_sidereal_deg

Vector = NDArray[np.float64]

ARCSEC = 206_264.8
# Middle and full width of bands, micrometres.
BANDS = {
    "U": (0.36, 0.06), "B": (0.44, 0.10), "V": (0.55, 0.09), "R": (0.65, 0.14), "I": (0.80, 0.15),
    "u": (0.355, 0.06), "g": (0.48, 0.14), "r": (0.62, 0.14), "i": (0.76, 0.15), "z": (0.90, 0.12), "y": (0.96, 0.09),
    "G": (0.62, 0.40), "BP": (0.51, 0.25), "RP": (0.78, 0.30), "L": (0.55, 0.30), "Blue": (0.45, 0.10),
    "Green": (0.53, 0.10), "Red": (0.64, 0.10),
}  # fmt: skip
# Of any other it is as much as without a filter, the most that silicon sees; of narrow ones it is nothing.
CLEAR = (0.60, 0.45)
NARROW = ("Ha", "OIII", "SII")
# How steeply a spectrum falls for each magnitude of B - V: 0.921 in the logarithm over the bands' distance, 0.11 um.
STEEPER_PER_MAG = 0.921 / 0.11
# Stars of B - V from -0.3 to 1.9, about a mean of 0.8.
MOST_COLOUR_MAG = 1.1
# Nearer to the horizon the tangent is no good law.
LARGEST_ZENITH_DISTANCE_DEG = 80.0


@dataclass(frozen=True)
class Exposed:
    """Where and when a frame was taken: middle of the exposure, site (east and north positive), and its own middle."""

    mjd_utc: float
    latitude_deg: float
    longitude_deg: float
    ra_deg: float
    dec_deg: float


def zenith_pull(frame: Exposed) -> Vector | None:
    """Return the tangent of the zenith distance towards the zenith, (east, north); None near or below the horizon.

    The direction is that of the parallactic angle (Meeus 1998, eq. 14.1).
    """
    hour_angle = np.radians(greenwich_sidereal_deg(frame.mjd_utc) + frame.longitude_deg - frame.ra_deg)
    latitude, dec = np.radians(frame.latitude_deg), np.radians(frame.dec_deg)
    height = np.sin(latitude) * np.sin(dec) + np.cos(latitude) * np.cos(dec) * np.cos(hour_angle)
    if height < np.cos(np.radians(LARGEST_ZENITH_DISTANCE_DEG)):
        return None
    # The zenith's direction on the sky about the frame, its length the sine of the zenith distance.
    east = np.cos(latitude) * np.sin(hour_angle)
    north = np.sin(latitude) * np.cos(dec) - np.cos(latitude) * np.sin(dec) * np.cos(hour_angle)
    return np.array([east, north]) / height


def shift_per_colour(band: str) -> float:
    """Return by how many arcseconds a star shifts in a band at a zenith distance of 45°, for each magnitude of B - V.

    Its mean wavelength shifts by the variance of the band's wavelengths times the slope of its spectrum, and R by the
    slope of the refraction there (air as of Filippenko 1982, PASP 94, 715, eq. 1, at sea level: an upper bound).
    """
    if band in NARROW:
        return 0.0
    middle, width = BANDS.get(band, CLEAR)
    step = 0.005
    slope = abs(_refraction_arcsec(middle + step) - _refraction_arcsec(middle - step)) / (2 * step)
    return float(slope * width**2 / 12 * STEEPER_PER_MAG)


def _refraction_arcsec(micrometres: float) -> float:
    """Return the refraction at a zenith distance of 45°."""
    s2 = micrometres**-2
    return ARCSEC * 1e-6 * (64.328 + 29_498.1 / (146 - s2) + 255.4 / (41 - s2))


def largest_shift_px(science: Exposed, reference: Sequence[Exposed], band: str, wcs: WCS) -> Vector | None:
    """Return the largest shift of a static star between a frame and its reference that refraction makes, px in x, y.

    A star may shift by any part of it, and in the opposite direction, as it is redder or bluer than the mean.

    Parameters
    ----------
    science, reference : the frame, and those that the reference is the mean of. band : of all of them.
    wcs : of the science frame.

    Returns
    -------
    (2,) px; None where a frame stood near the horizon, or nothing is known of the reference's.
    """
    pulls = [zenith_pull(frame) for frame in reference]
    own = zenith_pull(science)
    known = [pull for pull in pulls if pull is not None]
    if own is None or not known or len(known) < len(pulls):
        return None
    east, north = shift_per_colour(band) * MOST_COLOUR_MAG / 3600.0 * (own - np.mean(known, axis=0))
    ra, dec = science.ra_deg, science.dec_deg
    there = wcs.all_world2pix([ra, ra + east / np.cos(np.radians(dec))], [dec, dec + north], 0)
    return np.array([float(np.diff(axis)[0]) for axis in there])
