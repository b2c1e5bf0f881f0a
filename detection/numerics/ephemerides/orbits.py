"""Orbits about the Sun: where two bodies alone would be at any time, for all that are known at once."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from detection.numerics.ephemerides.stumpff import stumpff

Floats = NDArray[np.float64]
Selection = NDArray[np.bool_] | NDArray[np.intp] | slice

# The square of Gauss's constant, au³ per day²: the unit in which orbits are published.
GM_SUN = 0.01720209895**2
# Of the ecliptic of J2000 in which elements are given (IAU 1976), as the Minor Planet Center and JPL use it.
OBLIQUITY_RAD = np.radians(84381.448 / 3600.0)
_MOST_STEPS = 60
# Days over au: what is left of the error of a place is this times its distance from the Sun and its velocity.
_TOLERANCE = 1e-11


@dataclass(frozen=True)
class Orbits:
    """Osculating elements of n bodies about the Sun, ecliptic and equinox of J2000; every field has the shape (n,).

    Perihelion distance and its time say the same of ellipses, parabolas and hyperbolas.
    """

    perihelion_au: Floats
    eccentricity: Floats
    inclination_deg: Floats
    node_deg: Floats
    argument_deg: Floats
    perihelion_mjd: Floats  # Barycentric Dynamical Time, as the epoch.
    epoch_mjd: Floats  # When these elements were the body's own.

    def __len__(self) -> int:
        return len(self.perihelion_au)

    def __getitem__(self, chosen: Selection) -> Self:
        return replace(self, **{field.name: getattr(self, field.name)[chosen] for field in fields(self)})


def perihelion_time(mean_anomaly_deg: Floats, semi_major_au: Floats, epoch_mjd: Floats) -> Floats:
    """Return when an ellipse's perihelion nearest to the epoch is passed, MJD."""
    anomaly = np.radians((mean_anomaly_deg + 180.0) % 360.0 - 180.0)
    return np.asarray(epoch_mjd - anomaly * np.sqrt(semi_major_au**3 / GM_SUN), dtype=np.float64)


def two_body_states(orbits: Orbits, mjd_tdb: float | Floats) -> tuple[Floats, Floats]:
    """Return heliocentric positions (au) and velocities (au per day) of bodies that only the Sun attracts.

    From perihelion, with s the time over distance from the Sun that has passed since then (ds = dt / r),

        Δt = q s + μ e G3(s),   r = q + μ e G2(s),   Gk(s) = sᵏ ck(β s²),   β = μ (1 - e) / q

    which holds for every eccentricity (Stiefel & Scheifele 1971, Linear and Regular Celestial Mechanics, chapter 3);
    solved for s by Laguerre's method (Conway 1986, Celest. Mech. 39, 199, doi:10.1007/BF01230852). NaN where an element
    is NaN, or where it does not converge.

    Parameters
    ----------
    orbits : of n bodies. mjd_tdb : one time, or one for each body.

    Returns
    -------
    (n, 3) and (n, 3), axes of the ICRS.
    """
    q, e = orbits.perihelion_au, orbits.eccentricity
    beta = GM_SUN * (1.0 - e) / q
    elapsed = _since_nearest_perihelion(np.asarray(mjd_tdb - orbits.perihelion_mjd, dtype=np.float64), beta)
    s, is_found = _solve(elapsed, q, e, beta)
    c = stumpff(beta * s**2)
    g1, g2, g3 = s * c[1], s**2 * c[2], s**3 * c[3]
    distance = q + GM_SUN * e * g2
    speed = np.sqrt(GM_SUN * (1.0 + e) / q)
    to_perihelion, across = _axes(orbits)
    x, y = q - GM_SUN * g2, (elapsed - GM_SUN * g3) * speed
    vx, vy = -GM_SUN * g1 / distance, (1.0 - GM_SUN * g2 / distance) * speed
    x, vx = (np.where(is_found, value, np.nan) for value in (x, vx))
    position = x[:, None] * to_perihelion + y[:, None] * across
    velocity = vx[:, None] * to_perihelion + vy[:, None] * across
    return position, velocity


def _since_nearest_perihelion(elapsed: Floats, beta: Floats) -> Floats:
    """Take whole revolutions off the times of ellipses."""
    is_ellipse = beta > 0.0
    period = np.full_like(elapsed, np.inf)
    period[is_ellipse] = 2.0 * np.pi * GM_SUN / beta[is_ellipse] ** 1.5
    turns = np.where(is_ellipse, np.round(elapsed / period), 0.0)
    return elapsed - np.where(is_ellipse, turns * np.where(is_ellipse, period, 0.0), 0.0)


def _solve(elapsed: Floats, q: Floats, e: Floats, beta: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return s of each body, and whether it was found."""
    s = _first_guess(elapsed, q, e, beta)
    step = np.full_like(s, np.inf)
    for _ in range(_MOST_STEPS):
        c = stumpff(beta * s**2)
        excess = q * s + GM_SUN * e * s**3 * c[3] - elapsed
        slope, bend = q + GM_SUN * e * s**2 * c[2], GM_SUN * e * s * c[1]
        # Laguerre's method for a polynomial of the fifth degree.
        step = -5.0 * excess / (slope + np.sqrt(np.abs(16.0 * slope**2 - 20.0 * excess * bend)))
        s = s + step
        if not np.any(np.abs(step) > _TOLERANCE):
            break
    # Rounding keeps the last steps of wide orbits above the tolerance.
    return s, np.abs(step) <= np.maximum(100.0 * _TOLERANCE, 1e-12 * np.abs(s))


def _first_guess(elapsed: Floats, q: Floats, e: Floats, beta: Floats) -> Floats:
    """Return the solution of the parabola of the same q and μ e; of ellipses, what their mean anomaly suggests.

    Of hyperbolas the parabola's is too much, as is what follows from x < sinh x in e sinh x - x = M: the lesser counts.
    """
    parabolic = _of_cubic(elapsed, q, e)
    is_round, is_open = (beta > 0.0) & (e < 0.9), beta < 0.0
    root = np.sqrt(np.where(is_round | is_open, np.abs(beta), 1.0))
    anomaly = elapsed * root**3 / GM_SUN
    elliptic = (anomaly + 0.85 * e * np.sign(anomaly)) / root
    most = np.arcsinh(np.abs(anomaly) / np.where(is_open, e - 1.0, 1.0)) / root
    hyperbolic = np.clip(parabolic, -most, most)
    return np.select([is_round, is_open], [elliptic, hyperbolic], parabolic)


def _of_cubic(elapsed: Floats, q: Floats, e: Floats) -> Floats:
    """Solve q s + (μ e / 6) s³ = Δt; μ e is kept from 0, where the term does not matter."""
    cubic = GM_SUN * np.maximum(e, 1e-3) / 6.0
    half, third = elapsed / (2.0 * cubic), q / (3.0 * cubic)
    root = np.cbrt(np.abs(half) + np.sqrt(half**2 + third**3))
    return np.asarray(np.sign(elapsed) * (root - third / root), dtype=np.float64)


def _axes(orbits: Orbits) -> tuple[Floats, Floats]:
    """Return unit vectors to perihelion and, in the orbit's plane, 90 degrees ahead of it: ICRS, (n, 3) each."""
    node, argument, tilt = (
        np.radians(angle) for angle in (orbits.node_deg, orbits.argument_deg, orbits.inclination_deg)
    )
    cos_node, sin_node, cos_tilt, sin_tilt = np.cos(node), np.sin(node), np.cos(tilt), np.sin(tilt)

    def direction(angle: Floats) -> Floats:
        cosine, sine = np.cos(angle), np.sin(angle)
        x = cos_node * cosine - sin_node * sine * cos_tilt
        y = sin_node * cosine + cos_node * sine * cos_tilt
        return equatorial(np.stack([x, y, sine * sin_tilt], axis=-1))

    return direction(argument), direction(argument + np.pi / 2.0)


def equatorial(ecliptic: Floats) -> Floats:
    """Turn vectors (..., 3) from the ecliptic of J2000 to the axes of the ICRS."""
    cosine, sine = np.cos(OBLIQUITY_RAD), np.sin(OBLIQUITY_RAD)
    x, y, z = ecliptic[..., 0], ecliptic[..., 1], ecliptic[..., 2]
    return np.stack([x, cosine * y - sine * z, sine * y + cosine * z], axis=-1)
