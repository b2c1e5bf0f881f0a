"""Where something that moves will be: on along its line, or on its orbit about the Sun, and how far that may be off."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from differencing.numerics.orbits import Array, Frame, Sights, fit, frame_of, seen
from observations.numerics.barycentre import Place, heliocentric_au

_ARCSEC = math.pi / 648000.0
_MINUTES = 1440.0
# What a straight line leaves out, as 1 sigma: half of what `movers` allows at most from one night to another. The
# telescope turns with the Earth (arcsec per minute, reached after a quarter of a day), and the motion changes by a
# share of itself each day.
_TURNING = 0.05
_TURNED_DAYS = 0.25
_CHANGE_PER_DAY = 0.05
# Differences for the slopes of orbits, in the order of their numbers, and the rate's: days.
_DIFFERENCES = np.array([1e-7, 1e-7, 1e-8, 1e-8, 1e-4, 1e-6])
_RATE_DAYS = 0.01
# What is known of any orbit before it is seen, 1 sigma: the logarithm of the depth, and its change per day.
_DEPTH_SIGMA, _APPROACH_SIGMA = 2.0, 0.02
# Sightings five times as far from the orbit as their errors are not of one thing.
_MOST_CHI2 = 25.0


@dataclass(frozen=True)
class Expected:
    """Where something is expected: ICRS degrees; motion in arcsec per minute (the first RA times cos Dec).

    The ellipse of 1 sigma: half axes in arcsec, and the long one's angle from north by east, degrees.
    """

    ra: float
    dec: float
    rate_ra: float
    rate_dec: float
    major_arcsec: float
    minor_arcsec: float
    angle_deg: float


@dataclass(frozen=True)
class Seen:
    """Sightings of one thing: (n,) times (MJD, UTC), ICRS degrees, and 1-sigma errors of an axis in arcsec."""

    mjd: Array
    ra: Array
    dec: Array
    error_arcsec: Array


def along_line(sightings: Seen, mjd: float) -> Expected:
    """Return where a straight, uniform motion leads.

    The line is fitted on a tangent plane, each sighting weighted by its error. To the errors of the fit comes what a
    line leaves out, which grows with the square of the time at first.

    Raises ValueError for fewer than two times.
    """
    if np.ptp(sightings.mjd) <= 0.0:
        raise ValueError("a motion needs sightings at two times")
    frame = frame_of(sightings.ra, sightings.dec)
    x, y = _on_plane(frame, sightings.ra, sightings.dec)
    weight = 1.0 / (sightings.error_arcsec * _ARCSEC) ** 2
    mean = float(np.average(sightings.mjd, weights=weight))
    days = sightings.mjd - mean
    spread = float((weight * days**2).sum())
    place = np.array([np.average(q, weights=weight) for q in (x, y)])
    motion = np.array([(weight * days * q).sum() / spread for q in (x, y)])
    ahead = mjd - mean
    by_fit = 1.0 / weight.sum() + ahead**2 / spread
    turning = _TURNING * _MINUTES * _ARCSEC * abs(ahead) * min(1.0, abs(ahead) / _TURNED_DAYS)
    change = 0.5 * _CHANGE_PER_DAY * float(np.hypot(*motion)) * ahead**2
    variance = by_fit + turning**2 + change**2
    return _expected(frame, place + motion * ahead, motion, np.eye(2) * variance)


@dataclass(frozen=True)
class Orbit:
    """An orbit about the Sun as `orbits.state_of` has it, with its covariance (6, 6); `sights` are what it fits."""

    numbers: Array
    covariance: Array
    frame: Frame
    sights: Sights

    def expected(self, mjd: float, place: Place | None) -> Expected:
        """Return where it leads, as seen from a place; None for the Earth's centre."""
        then = _at(self.sights, mjd + np.array([0.0, -_RATE_DAYS, _RATE_DAYS]), place)
        x, y = (each[0, 0] for each in seen(self.numbers[None, None], then, self.frame))
        ahead = _slopes(self.numbers, then, self.frame)[:2]
        motion = np.array([x[2] - x[1], y[2] - y[1]]) / (2.0 * _RATE_DAYS)
        return _expected(self.frame, np.array([x[0], y[0]]), motion, ahead @ self.covariance @ ahead.T)


def fitted(sightings: Seen, place: Place | None) -> Orbit | None:
    """Fit an orbit about the Sun to sightings of several nights, in a third of a second; None where none explains them.

    place : where they were made; None for the Earth's centre. The errors are those of the fit, made larger where the
    sightings lie farther from the orbit than theirs.
    """
    frame = frame_of(sightings.ra, sightings.dec)
    sights = _sights(sightings, frame, place)
    orbits, chi2 = fit(sights, frame)
    free = 2 * len(sightings.mjd) - 6
    worse = float(chi2[0]) / free if free > 0 else float(chi2[0])
    if not worse <= _MOST_CHI2:
        return None
    slopes = _slopes(orbits[0], sights, frame) / sights.error[0].repeat(2)[:, None]
    normal = slopes.T @ slopes
    normal[4, 4] += 1.0 / _DEPTH_SIGMA**2
    normal[5, 5] += 1.0 / _APPROACH_SIGMA**2
    scale = np.sqrt(np.diag(normal))
    covariance = np.linalg.inv(normal / np.outer(scale, scale)) / np.outer(scale, scale)
    return Orbit(orbits[0], covariance * max(1.0, worse), frame, sights)


def _on_plane(frame: Frame, ra: Array, dec: Array) -> tuple[Array, Array]:
    a, d = np.radians(ra), np.radians(dec)
    along, east, north = frame.axes @ np.array([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])
    return np.asarray(east / along), np.asarray(north / along)


def _sights(sightings: Seen, frame: Frame, place: Place | None) -> Sights:
    """Return the sightings as one group."""
    x, y = _on_plane(frame, sightings.ra, sightings.dec)
    observer, _ = heliocentric_au(sightings.mjd, place)
    middle = np.array([sightings.mjd.mean()])
    earth = np.concatenate(heliocentric_au(middle, None), axis=1)
    error = sightings.error_arcsec * _ARCSEC
    return Sights(x[None], y[None], error[None], sightings.mjd[None], observer[None], earth, middle)


def _at(sights: Sights, mjd: Array, place: Place | None) -> Sights:
    """Return other times of the same orbit."""
    observer, _ = heliocentric_au(mjd, place)
    nothing = np.zeros((1, mjd.size))
    return Sights(nothing, nothing, nothing + 1.0, mjd[None], observer[None], sights.earth, sights.middle)


def _slopes(orbit: Array, sights: Sights, frame: Frame) -> Array:
    """Return how places on the plane change with the numbers of an orbit: x, y of each point in turn, (2 n, 6)."""
    tried = np.concatenate([orbit[None], orbit + np.diag(_DIFFERENCES)])
    x, y = (each[0] for each in seen(tried[None], sights, frame))
    moved = np.stack([x[1:] - x[0], y[1:] - y[0]], axis=-1) / _DIFFERENCES[:, None, None]
    return np.asarray(moved.reshape(6, -1).T)


def _expected(frame: Frame, at: Array, motion: Array, covariance: Array) -> Expected:
    """Return a place of the plane (radians), a motion (radians per day) and a covariance as people read them."""
    towards = frame.directions(at[0], at[1])
    length = float(np.linalg.norm(towards))
    unit = towards / length
    ra, dec = math.atan2(unit[1], unit[0]), math.asin(unit[2])
    east = np.array([-math.sin(ra), math.cos(ra), 0.0])
    north = np.cross(unit, east)
    # From the plane, whose east and north are those of its middle, to those of the place.
    turned = np.array([[axis @ along for along in frame.axes[1:]] for axis in (east, north)]) / length
    rate, spread = turned @ motion, turned @ covariance @ turned.T
    values, axes = np.linalg.eigh(spread)
    minor, major = np.sqrt(np.maximum(values, 0.0)) / _ARCSEC
    angle = math.degrees(math.atan2(axes[0, 1], axes[1, 1])) % 180.0
    rate_ra, rate_dec = rate / _ARCSEC / _MINUTES
    return Expected(
        math.degrees(ra) % 360.0, math.degrees(dec), float(rate_ra), float(rate_dec), float(major), float(minor), angle
    )
