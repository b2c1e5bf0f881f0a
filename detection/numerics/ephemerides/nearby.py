"""Which of all known bodies may be in a part of the sky: two bodies only, fast enough to ask for each frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.numerics.ephemerides.orbits import Orbits, two_body_states
from detection.numerics.ephemerides.uncertainty import DAYS_PER_DECADE

Floats = NDArray[np.float64]

# Beyond so many days the planets' attraction, which is left out here, carries bodies out of the widest margin.
FURTHEST_DAYS = 1000.0
# A body whose orbit leaves it more room than this in the sky, one sigma, cannot be told from another by its place.
WIDEST_SPREAD_DEG = 1.0
# What the planets add in 200 days, in au: of 256 orbits of the main belt the largest was .0053, and it grows with the
# square of the time. What may come near the Earth, or into Jupiter's reach, goes further: see `benchmarks.ephemerides`.
_DRIFT_AU, _DRIFT_DAYS = 0.006, 200.0
_NEAR_EARTH_AU, _NEAR_JUPITER_AU, _NEAR_FACTOR = 1.3, 4.0, 10.0
# The least is several times the way of a body in the time that its light takes, which is left out as well.
_LEAST_MARGIN_DEG, _MOST_MARGIN_DEG = 0.02, 5.0
# Arrays of so many bodies stay in the processor's cache, and need little memory however many there are.
_AT_ONCE = 16384


@dataclass(frozen=True)
class Circle:
    """A part of the sky, ICRS degrees."""

    ra: float
    dec: float
    radius_deg: float


@dataclass(frozen=True)
class Nearby:
    """What may be in a circle: indices of bodies, and how many there are of which the orbits say where they are."""

    chosen: NDArray[np.intp]
    usable: int


@dataclass(frozen=True)
class Quality:
    """How well n orbits are known, (n,) each; NaN where that is not told."""

    runoff: Floats  # Arcseconds in ten years.
    last_observed_mjd: Floats


def find_nearby(orbits: Orbits, quality: Quality, circle: Circle, mjd_tdb: float, observer_au: Floats) -> Nearby:
    """Return the bodies that may be in a circle of the sky, with a margin for what two bodies leave out.

    The margin is what the planets may have added since the epoch, which grows with the square of the time, and three
    times the orbit's own uncertainty. Bodies of which that is a degree or more, and those whose epoch is further away
    than 1 000 days, are left out and not counted as usable, as is what has no finite elements.

    Parameters
    ----------
    orbits, quality : of n bodies. observer_au : (3,) from the Sun, ICRS.

    Returns
    -------
    Indices in ascending order, and the count of usable bodies.
    """
    parts, usable = [], 0
    for start in range(0, len(orbits), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        known = Quality(quality.runoff[some], quality.last_observed_mjd[some])
        is_near, is_usable = _judge(orbits[some], known, circle, mjd_tdb, observer_au)
        parts.append(start + np.flatnonzero(is_near))
        usable += int(np.count_nonzero(is_usable))
    return Nearby(np.concatenate(parts) if parts else np.array([], dtype=np.intp), usable)


def _judge(
    orbits: Orbits, quality: Quality, circle: Circle, mjd_tdb: float, observer_au: Floats
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which bodies may be in the circle, and of which their orbits say where they are."""
    position, _ = two_body_states(orbits, mjd_tdb)
    line = position - observer_au
    distance = np.linalg.norm(line, axis=1)
    days = np.abs(mjd_tdb - orbits.epoch_mjd)
    to_sun = np.linalg.norm(position, axis=1)
    # What was last seen long before its epoch has been running off since.
    unseen = np.fmax(days, np.abs(mjd_tdb - quality.last_observed_mjd))
    spread = quality.runoff / 3600.0 * unseen / DAYS_PER_DECADE * to_sun / distance
    is_usable = np.isfinite(distance) & (spread < WIDEST_SPREAD_DEG) & (days <= FURTHEST_DAYS)
    drift = _DRIFT_AU * (days / _DRIFT_DAYS) ** 2
    # Written so that it holds for parabolas and hyperbolas too.
    is_far_out = orbits.perihelion_au * (1.0 + orbits.eccentricity) > _NEAR_JUPITER_AU * (1.0 - orbits.eccentricity)
    drift = np.where((orbits.perihelion_au < _NEAR_EARTH_AU) | is_far_out, _NEAR_FACTOR * drift, drift)
    margin = np.clip(np.degrees(drift / distance), _LEAST_MARGIN_DEG, _MOST_MARGIN_DEG) + 3.0 * spread
    ra, dec = np.radians(circle.ra), np.radians(circle.dec)
    centre = np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
    apart = np.degrees(np.arccos(np.clip(line @ centre / distance, -1.0, 1.0)))
    return is_usable & (apart <= circle.radius_deg + margin), is_usable
