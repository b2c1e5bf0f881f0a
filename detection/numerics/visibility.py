"""When a place in the sky can be observed in one night from one site: darkness, altitude, hour angle, Moon."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import erfa
import numpy as np
from numpy.typing import NDArray

from detection.numerics.ephemerides.observer import METRES_PER_AU, on_earth
from observations.numerics.barycentre import Place

Floats = NDArray[np.float64]

_JD_OF_MJD_0 = 2400000.5
# Five minutes, in which the sky turns by 1.25 degrees: maxima of altitudes are good to 0.01 degrees.
_STEPS_PER_NIGHT = 288
# The Sun's altitude at the ends of astronomical and of nautical twilight, degrees.
ASTRONOMICAL_DEG, NAUTICAL_DEG = -18.0, -12.0


@dataclass(frozen=True)
class Night:
    """One night, from noon to noon of mean solar time, in steps of five minutes.

    mjd : (n,) UTC. to_earth : (n, 3, 3) from axes of the ICRS to those that turn with the Earth. up : (3,) the zenith
    in the latter. sun, moon : (n, 3) directions, the Moon's as seen from the site. illuminated : (n,) share of the
    Moon's disc.
    """

    place: Place
    mjd: Floats
    to_earth: Floats
    up: Floats
    sun: Floats
    moon: Floats
    illuminated: Floats

    @cached_property
    def zenith(self) -> Floats:
        """Return the zenith in axes of the ICRS: (n, 3)."""
        return np.asarray(np.einsum("nij,i->nj", self.to_earth, self.up))

    @cached_property
    def sun_altitude_deg(self) -> Floats:
        """Return the altitude of the Sun's middle, without refraction: (n,)."""
        return _altitude(np.einsum("nj,nj->n", self.sun, self.zenith))

    @cached_property
    def moon_altitude_deg(self) -> Floats:
        """Return the altitude of the Moon's middle, without refraction: (n,)."""
        return _altitude(np.einsum("nj,nj->n", self.moon, self.zenith))

    @property
    def twilight_deg(self) -> float | None:
        """Return below which altitude of the Sun it counts as dark; None in a night that is never dark.

        Astronomical darkness where there is such, else nautical.
        """
        lowest = float(self.sun_altitude_deg.min())
        return next((limit for limit in (ASTRONOMICAL_DEG, NAUTICAL_DEG) if lowest < limit), None)

    def dark_between(self, below_deg: float) -> tuple[float, float] | None:
        """Return when (MJD, UTC) the Sun goes below an altitude, and when it comes up to it; None where it does not.

        Ends that lie beyond noon, near the poles, are noon.
        """
        below = np.flatnonzero(self.sun_altitude_deg < below_deg)
        if not below.size:
            return None
        return self._crossing(below[0] - 1, below_deg), self._crossing(below[-1], below_deg)

    def _crossing(self, k: int, altitude_deg: float) -> float:
        """Return when the Sun passes an altitude between two steps."""
        if k < 0 or k + 1 >= self.mjd.size:
            return float(self.mjd[max(k, 0)])
        a, b = self.sun_altitude_deg[[k, k + 1]]
        return float(self.mjd[k] + (altitude_deg - a) / (b - a) * (self.mjd[k + 1] - self.mjd[k]))


def night_of_place(mjd_utc: float, place: Place) -> Night:
    """Return the night from noon to noon that holds a time.

    Altitudes are good to 0.01 degrees: UT1 is taken for UTC (15″ at most), aberration (20″) and the pole's motion are
    left out. The Sun's place is good to 20″ for the same reason, the Moon's to 15″ (erfa's epv00 and moon98).
    """
    noon = math.floor(mjd_utc + place.longitude_deg / 360.0 - 0.5) + 0.5 - place.longitude_deg / 360.0
    return _times(noon + np.arange(_STEPS_PER_NIGHT + 1) / _STEPS_PER_NIGHT, place)


def moment(mjd_utc: float, place: Place) -> Night:
    """Return one time alone, as a night of one step."""
    return _times(np.array([mjd_utc]), place)


def _times(mjd: Floats, place: Place) -> Night:
    whole, part = erfa.taitt(*erfa.utctai(_JD_OF_MJD_0, mjd))
    to_earth = np.asarray(erfa.c2t06a(whole, part, _JD_OF_MJD_0, mjd, 0.0, 0.0), dtype=np.float64)
    site = np.einsum("nij,i->nj", to_earth, on_earth(place)) / METRES_PER_AU
    heliocentric, _ = erfa.epv00(whole, part)
    to_sun = -np.asarray(heliocentric["p"], dtype=np.float64)
    to_moon = np.asarray(erfa.moon98(whole, part)["p"], dtype=np.float64)
    # The angle at the Moon between the Sun and who looks.
    phase = erfa.sepp(to_sun - to_moon, site - to_moon)
    longitude, latitude = math.radians(place.longitude_deg), math.radians(place.latitude_deg)
    return Night(
        place, mjd, to_earth, np.asarray(erfa.s2c(longitude, latitude), dtype=np.float64),
        _unit(to_sun), _unit(to_moon - site), (1.0 + np.cos(phase)) / 2.0,
    )  # fmt: skip


def directions(ra: Floats, dec: Floats) -> Floats:
    """Return unit vectors (n, 3) of ICRS positions in degrees."""
    return np.asarray(erfa.s2c(np.radians(ra), np.radians(dec)), dtype=np.float64)


def altitudes_deg(night: Night, towards: Floats) -> Floats:
    """Return altitudes without refraction, degrees: (targets, steps) of directions (targets, 3)."""
    return _altitude(towards @ night.zenith.T)


def moon_distances_deg(night: Night, towards: Floats) -> Floats:
    """Return how far directions (targets, 3) are from the Moon, degrees: (targets, steps)."""
    return np.asarray(np.degrees(np.arccos(np.clip(towards @ night.moon.T, -1.0, 1.0))))


def hour_angles_h(night: Night, towards: Floats) -> Floats:
    """Return hour angles, -12 to 12, west positive: (targets, steps) of directions (targets, 3)."""
    turned = np.einsum("nij,tj->tni", night.to_earth, towards)
    east = np.degrees(np.arctan2(turned[..., 1], turned[..., 0]))
    return np.asarray(((night.place.longitude_deg - east + 180.0) % 360.0 - 180.0) / 15.0)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def _altitude(cosine: Floats) -> Floats:
    return np.asarray(np.degrees(np.arcsin(np.clip(cosine, -1.0, 1.0))))
