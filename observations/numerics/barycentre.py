"""Times of light at the Solar System's barycentre, to which the Earth's own motion adds nothing."""

from __future__ import annotations

from dataclasses import dataclass

import erfa
import numpy as np
from numpy.typing import NDArray

from observations.numerics.site import greenwich_sidereal_deg

_JD_OF_MJD_0 = 2400000.5
_SECONDS_PER_DAY = 86400.0
# One astronomical unit at the speed of light (IAU 2012 Resolution B2 over the SI's c), seconds.
_LIGHT_SECONDS_PER_AU = 499.004783836
_METRES_PER_AU = 149597870700.0
_WGS84 = 1


@dataclass(frozen=True)
class Place:
    """Where on Earth light was gathered: degrees, east positive, and metres above the ellipsoid."""

    latitude_deg: float
    longitude_deg: float
    height_m: float = 0.0


def bjd_tdb(
    mjd_utc: float, ra: NDArray[np.float64], dec: NDArray[np.float64], place: Place | None
) -> NDArray[np.float64]:
    """Return when the light of sources passed the barycentre, as Julian Date in Barycentric Dynamical Time.

        BJD = JD(TDB) + r · n / c

    with r the observer's barycentric position (erfa's epv00, good to 13 km or 40 µs) and n the direction of the
    source (Eastman, Siverd & Gaudi 2010, PASP 122, 935, doi:10.1086/655938). The source is taken to be infinitely far;
    the Einstein delay of the observer's place (2 µs) and the Shapiro delay (20 µs) are left out. The precession since
    2000 of the observer's place, which is never further than 21 ms from the Earth's centre, is left out (0.1 ms).

    Parameters
    ----------
    mjd_utc : middle of the exposure. ra, dec : (n,) ICRS degrees. place : None for the Earth's centre.

    Returns
    -------
    (n,) Julian dates; a float64 holds them to 40 µs.
    """
    terrestrial = erfa.taitt(*erfa.utctai(_JD_OF_MJD_0, mjd_utc))
    # TDB - TT at the Earth's centre; UT matters by 2 µs only.
    offset_s = float(erfa.dtdb(*terrestrial, mjd_utc % 1.0, 0.0, 0.0, 0.0))
    day, fraction = float(terrestrial[0]), float(terrestrial[1]) + offset_s / _SECONDS_PER_DAY
    _, barycentric = erfa.epv00(day, fraction)
    position = np.asarray(barycentric["p"], dtype=np.float64)
    if place is not None:
        position = position + from_centre_au(place, mjd_utc)
    a, d = np.radians(ra), np.radians(dec)
    direction = np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], axis=-1)
    delay_s = _LIGHT_SECONDS_PER_AU * (direction @ position)
    return np.asarray(day + (fraction + delay_s / _SECONDS_PER_DAY), dtype=np.float64)


def heliocentric_au(
    mjd_utc: NDArray[np.float64], place: Place | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where the observer is, seen from the Sun, and the velocity of the Earth's centre: (n, 3), ICRS axes.

    au and au per day, good to 5 km; the precession since 2000 of the observer's place, which is left out, makes 40 km.
    place : None for the Earth's centre.
    """
    heliocentric, _ = erfa.epv00(*erfa.taitt(*erfa.utctai(_JD_OF_MJD_0, mjd_utc)))
    position, velocity = (np.asarray(heliocentric[part], dtype=np.float64) for part in ("p", "v"))
    if place is not None:
        position = position + np.array([from_centre_au(place, float(each)) for each in mjd_utc])
    return position, velocity


def from_centre_au(place: Place, mjd_utc: float) -> NDArray[np.float64]:
    """Return the observer's place seen from the Earth's centre, turned with the Earth."""
    local = erfa.gd2gc(_WGS84, np.radians(place.longitude_deg), np.radians(place.latitude_deg), place.height_m)
    angle = np.radians(greenwich_sidereal_deg(mjd_utc))
    x, y, z = (float(value) / _METRES_PER_AU for value in local)
    return np.array([np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y, z])
