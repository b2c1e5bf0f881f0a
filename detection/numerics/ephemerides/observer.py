"""When and from where a frame was taken, in the time and the axes in which the planets' motion is given."""

from __future__ import annotations

import erfa
import numpy as np
from numpy.typing import NDArray

from observations.numerics.barycentre import Place

Floats = NDArray[np.float64]

METRES_PER_AU = 149597870700.0
SECONDS_PER_DAY = 86400.0
# The speed of light: au per day.
LIGHT_AU_PER_DAY = 299792458.0 * SECONDS_PER_DAY / METRES_PER_AU
# The Earth's equatorial radius, by which the Minor Planet Center measures its sites' parallax constants.
_EARTH_RADIUS_M = 6378137.0
_JD_OF_MJD_0 = 2400000.5
_WGS84 = 1


def tdb_of(mjd_utc: float) -> float:
    """Return the Barycentric Dynamical Time of a time in UTC, both MJD; the 2 µs that places differ by are left out."""
    whole, part = erfa.taitt(*erfa.utctai(_JD_OF_MJD_0, mjd_utc))
    offset_s = float(erfa.dtdb(whole, part, mjd_utc % 1.0, 0.0, 0.0, 0.0))
    return float(whole) - _JD_OF_MJD_0 + float(part) + offset_s / SECONDS_PER_DAY


def on_earth(place: Place) -> Floats:
    """Return where a place is from the Earth's centre, metres, axes that turn with the Earth."""
    latitude, longitude = np.radians(place.latitude_deg), np.radians(place.longitude_deg)
    return np.asarray(erfa.gd2gc(_WGS84, longitude, latitude, place.height_m), dtype=np.float64)


def of_parallax_constants(longitude_deg: float, rho_cos: float, rho_sin: float) -> Floats:
    """Return the same for a site as the Minor Planet Center lists it."""
    longitude = np.radians(longitude_deg)
    return _EARTH_RADIUS_M * np.array([rho_cos * np.cos(longitude), rho_cos * np.sin(longitude), rho_sin])


def from_centre_au(site: Floats | None, mjd_utc: float) -> Floats:
    """Return where a site is from the Earth's centre at a time, axes of the ICRS; 0 where the site is not known.

    Precession and nutation are IAU 2006/2000A. The pole's motion is left out (10 m), and UT1 is taken for UTC: they
    differ by 0.9 s at most, in which a site at the equator moves by 400 m, an angle of 0.2″ at the Moon's distance and
    of 0.01″ at .05 au.
    """
    if site is None:
        return np.zeros(3)
    whole, part = erfa.taitt(*erfa.utctai(_JD_OF_MJD_0, mjd_utc))
    to_earth = erfa.c2t06a(whole, part, _JD_OF_MJD_0, mjd_utc, 0.0, 0.0)
    return np.asarray(to_earth.T @ site / METRES_PER_AU, dtype=np.float64)


def earth_from_sun(mjd_tdb: float) -> Floats:
    """Return the Earth's centre from the Sun, au, ICRS: good to 5 km, for what need not be better (erfa's epv00)."""
    heliocentric, _ = erfa.epv00(_JD_OF_MJD_0, mjd_tdb)
    return np.asarray(heliocentric["p"], dtype=np.float64)
