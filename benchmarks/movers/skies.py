"""Asteroids on their orbits as a telescope sees them in several nights, among tracklets that chance has made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from differencing.numerics.movers import Tracklets, two_points
from differencing.numerics.orbits import propagate
from observations.numerics.barycentre import Place, heliocentric_au

Array = NDArray[np.float64]

MAIN_BELT, NEAR_EARTH, DISTANT = "main belt", "near-Earth", "trans-Neptunian"
_MU = 0.01720209895**2
_LIGHT_DAYS_PER_AU = 499.004783836 / 86400.0
_OBLIQUITY = np.radians(23.4393)
_ECLIPTIC_POLE = np.array([0.0, -np.sin(_OBLIQUITY), np.cos(_OBLIQUITY)])
# Where and when: a winter's night, the fields near opposition.
PLACE = Place(37.2, -2.5, 2000.0)
FIRST_MJD = 61050.95
# Semi-major axis in au, eccentricity, scatter of the inclination in degrees.
_ELEMENTS = {
    MAIN_BELT: ((2.1, 3.3), (0.0, 0.25), 8.0),
    NEAR_EARTH: ((0.9, 2.6), (0.1, 0.65), 12.0),
    DISTANT: ((39.0, 47.0), (0.0, 0.2), 8.0),
}
_NEAR_EARTH_AU = (0.08, 0.5)
# Chance lines have any rate up to this, arcsec per minute; every other one moves like an asteroid of the belt.
_CHANCE_RATES = (0.05, 3.0)


@dataclass(frozen=True)
class SkyParameters:
    """What is seen: how many of each kind, on which nights (days), and how many tracklets of each are chance's.

    error_arcsec : of a position in one axis. frames, hours : of a night. side_deg : of the field.
    """

    seed: int
    kinds: tuple[str, ...] = (MAIN_BELT,) * 6 + (NEAR_EARTH,) * 3 + (DISTANT,)
    nights: tuple[int, ...] = (0, 2, 5)
    chance: int = 10
    error_arcsec: float = 0.25
    frames: int = 4
    hours: float = 1.5
    side_deg: float = 0.5


class _Orbit(NamedTuple):
    """Place and velocity at the first date, au and au per day from the Sun."""

    position: Array
    velocity: Array


class _Line(NamedTuple):
    """What moved in one night: whose it is (-1: chance's), night, and where it was at each time, degrees."""

    owner: int
    night: int
    mjd: Array
    ra: Array
    dec: Array


def sky_of(p: SkyParameters) -> tuple[Tracklets, NDArray[np.int64]]:
    """Return the tracklets of all nights, and which asteroid each is of, -1 for those of chance."""
    rng = np.random.default_rng(p.seed)
    earth = heliocentric_au(np.array([FIRST_MJD]), None)[0][0]
    ra, dec = _angles(earth[None])
    ra, dec = ra + rng.uniform(-10.0, 10.0), dec + rng.uniform(-5.0, 5.0)
    asteroids = [_orbit(rng, kind, earth, _beside(rng, ra, dec, p.side_deg)) for kind in p.kinds]
    lines = list(_lines(p, rng, asteroids, earth, (ra, dec)))
    points = []
    for line in lines:
        east, north = rng.normal(0.0, p.error_arcsec / 3600.0, (2, p.frames))
        ra = line.ra + east / np.cos(np.radians(line.dec))
        points.append(two_points(line.mjd, ra, line.dec + north, np.full(p.frames, p.error_arcsec)))
    mjd, right, declination = (np.array([each[k] for each in points]) for k in range(3))
    error = np.array([[each[3]] * 2 for each in points])
    observer = np.stack([heliocentric_au(each, PLACE)[0] for each in mjd])
    night = np.array([line.night for line in lines])
    return Tracklets(right, declination, mjd, error, night, observer), np.array([line.owner for line in lines])


def path_of(seed: int, kind: str, mjd: Array) -> tuple[Array, Array]:
    """Return where one asteroid of a kind is seen, in degrees, within weeks of the first date."""
    rng = np.random.default_rng(seed)
    earth = heliocentric_au(np.array([FIRST_MJD]), None)[0][0]
    return _seen(_orbit(rng, kind, earth, _beside(rng, *_angles(earth[None]), 0.5)), mjd)


def _lines(
    p: SkyParameters, rng: np.random.Generator, asteroids: Sequence[_Orbit], earth: Array, centre: tuple[Array, Array]
) -> Iterator[_Line]:
    sky = list(zip(("ra", "dec"), centre, strict=True))
    for night in p.nights:
        mjd = FIRST_MJD + night + np.linspace(0.0, p.hours / 24.0, p.frames)
        own = [_Line(k, night, mjd, *_seen(orbit, mjd)) for k, orbit in enumerate(asteroids)]
        yield from own
        # The field follows the asteroids.
        middle = [np.mean([getattr(line, name) for line in own]) if own else at[0] for name, at in sky]
        for k in range(p.chance):
            if k % 2:
                ra, dec = _seen(_orbit(rng, MAIN_BELT, earth, _beside(rng, *centre, 0.0)), mjd)
                ra, dec = ra - ra.mean(), dec - dec.mean()
            else:
                rate, angle = rng.uniform(*_CHANCE_RATES) * 0.4, rng.uniform(0.0, 2.0 * np.pi)
                ra, dec = (rate * (mjd - mjd.mean()) * turn for turn in (np.sin(angle), np.cos(angle)))
                ra = ra / np.cos(np.radians(middle[1]))
            east, north = p.side_deg * rng.uniform(-0.5, 0.5, 2)
            yield _Line(-1, night, mjd, ra + middle[0] + east / np.cos(np.radians(middle[1])), dec + middle[1] + north)


def _beside(rng: np.random.Generator, ra: Array, dec: Array, side_deg: float) -> Array:
    """Return a direction in a square about one in degrees."""
    east, north = side_deg * rng.uniform(-0.5, 0.5, 2)
    a, d = np.radians(ra[0] + east / np.cos(np.radians(dec[0]))), np.radians(dec[0] + north)
    return np.array([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])


def _orbit(rng: np.random.Generator, kind: str, earth: Array, towards: Array) -> _Orbit:
    """Draw an orbit of a kind on which the asteroid is seen in a direction at the first date."""
    axes, eccentricities, tilt = _ELEMENTS[kind]
    while True:
        a, e, tilted = rng.uniform(*axes), rng.uniform(*eccentricities), np.radians(rng.normal(0.0, tilt))
        if kind == NEAR_EARTH:
            away = float(np.exp(rng.uniform(*np.log(_NEAR_EARTH_AU))))
        else:
            r = a * (1.0 - e * np.cos(rng.uniform(0.0, 2.0 * np.pi)))
            along = float(earth @ towards)
            away = float(-along + np.sqrt(along**2 - earth @ earth + r**2))
        position = earth + away * towards
        r = float(np.linalg.norm(position))
        if a * (1.0 - e) < r < a * (1.0 + e):
            break
    across = np.sqrt(_MU * a * (1.0 - e**2)) / r
    radial = np.sqrt(max(_MU * (2.0 / r - 1.0 / a) - across**2, 0.0)) * rng.choice([-1.0, 1.0])
    up = position / r
    east = np.cross(_ECLIPTIC_POLE, up)
    east = east / np.linalg.norm(east)
    velocity = radial * up + across * (np.cos(tilted) * east + np.sin(tilted) * np.cross(up, east))
    return _Orbit(position, velocity)


def _seen(orbit: _Orbit, mjd: Array) -> tuple[Array, Array]:
    """Return the apparent places, degrees."""
    observer, _ = heliocentric_au(mjd, PLACE)
    late = np.zeros(len(mjd))
    for _ in range(3):
        start = [np.broadcast_to(each, (len(mjd), 3)) for each in orbit]
        towards = propagate(start[0], start[1], mjd - FIRST_MJD - late) - observer
        late = _LIGHT_DAYS_PER_AU * np.linalg.norm(towards, axis=1)
    return _angles(towards)


def _angles(towards: Array) -> tuple[Array, Array]:
    r = np.linalg.norm(towards, axis=-1)
    ra = np.degrees(np.arctan2(towards[..., 1], towards[..., 0])) % 360.0
    return ra, np.degrees(np.arcsin(towards[..., 2] / r))
