"""How a place in the sky stood when it was observed: above the horizon, from the Moon, from the plane of the Galaxy."""

from __future__ import annotations

import math
from dataclasses import dataclass

import erfa
import numpy as np
from numpy.typing import NDArray

from detection.numerics.ephemerides.observer import METRES_PER_AU, from_centre_au, on_earth, tdb_of
from observations.numerics.barycentre import Place

Floats = NDArray[np.float64]

_JD_OF_MJD_0 = 2400000.5


@dataclass(frozen=True)
class Moon:
    """The Moon as seen from the site: altitude (None where the site is not known), distance from the place, degrees.

    illuminated : share of its disc that the Sun lights, 0 to 1.
    """

    altitude_deg: float | None
    separation_deg: float
    illuminated: float


def galactic_latitude_deg(ra: float, dec: float) -> float:
    """Return the galactic latitude of an ICRS position, degrees."""
    _, latitude = erfa.icrs2g(math.radians(ra), math.radians(dec))
    return math.degrees(float(latitude))


def altitude_deg(ra: float, dec: float, mjd_utc: float, place: Place) -> float:
    """Return the altitude of a star without refraction, degrees.

    UT1 is taken for UTC, 15″ at most; proper motion, the pole's motion and diurnal aberration are left out.
    """
    return _altitude_of(_direction(ra, dec), mjd_utc, place)


def airmass_at(altitude: float) -> float | None:
    """Return the airmass at an altitude in degrees; None below the horizon.

    Hardie 1962 would fail near the horizon, this does not: Pickering 2002 (DIO 12, 1, page 20), which takes the
    apparent altitude; the difference of the true one is a thousandth above 10°.
    """
    if altitude <= 0.0:
        return None
    return 1.0 / math.sin(math.radians(altitude + 244.0 / (165.0 + 47.0 * altitude**1.1)))


def moon_at(ra: float, dec: float, mjd_utc: float, place: Place | None) -> Moon:
    """Return the Moon at a time, from the site, or from the Earth's centre where that is not known.

    Its place is that of Meeus's abridged ELP2000-82 (erfa's moon98, 10″); light travels a second from there, in which
    it moves by half an arcsecond, and the Sun's place is good to 5 km.
    """
    whole, part = erfa.taitt(*erfa.utctai(_JD_OF_MJD_0, mjd_utc))
    geocentric = np.asarray(erfa.moon98(whole, part)["p"], dtype=np.float64)
    heliocentric, _ = erfa.epv00(_JD_OF_MJD_0, tdb_of(mjd_utc))
    to_sun = -np.asarray(heliocentric["p"], dtype=np.float64)
    site = on_earth(place) if place is not None else None
    seen = geocentric - from_centre_au(site, mjd_utc)
    apart = _angle_deg(seen, _direction(ra, dec))
    # The angle at the Moon between the Sun and who looks.
    phase = _angle_deg(to_sun - geocentric, -seen)
    altitude = None if place is None else _altitude_of(seen, mjd_utc, place)
    return Moon(altitude, apart, (1.0 + math.cos(math.radians(phase))) / 2.0)


def _direction(ra: float, dec: float) -> Floats:
    return np.asarray(erfa.s2c(math.radians(ra), math.radians(dec)), dtype=np.float64)


def _angle_deg(one: Floats, other: Floats) -> float:
    return math.degrees(float(erfa.sepp(one, other)))


def _altitude_of(seen: Floats, mjd_utc: float, place: Place) -> float:
    """Return the angle between a direction, axes of the ICRS, and the horizon of the ellipsoid."""
    longitude, latitude = math.radians(place.longitude_deg), math.radians(place.latitude_deg)
    up = np.asarray(erfa.s2c(longitude, latitude), dtype=np.float64)
    # A metre straight up, turned with the Earth to the axes of the sky.
    zenith = from_centre_au(up * METRES_PER_AU, mjd_utc)
    return 90.0 - _angle_deg(seen, zenith)
