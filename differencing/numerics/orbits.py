"""Where something on an orbit about the Sun is seen, and the orbits that several nights allow."""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# The Gaussian gravitational constant squared, au³ per day².
_MU = 0.01720209895**2
_LIGHT_DAYS_PER_AU = 499.004783836 / 86400.0
# Terms of the Stumpff functions: below 1e-12 for a turn of one radian, the seven days of a body at 0.25 au.
_STUMPFF_C = np.array([(-1.0) ** k / factorial(2 * k + 2) for k in range(8)])[::-1]
_STUMPFF_S = np.array([(-1.0) ** k / factorial(2 * k + 3) for k in range(8)])[::-1]
_KEPLER_STEPS = 5
# Distances along the line of sight, au, and its changes, au per day: what is tried before the fit is free. 0.02 au
# per day are 35 km/s.
_DEPTHS = np.geomspace(0.03, 60.0, 18)
_APPROACHES = np.linspace(-0.02, 0.02, 7)
# Comets come in on parabolas, and a short arc does not tell them from slight hyperbolas; au² per day².
_LARGEST_ENERGY = 0.02 * _MU
# Nearer to the Sun than that nothing is seen at night.
_NEAREST_SUN_AU = 0.25
_STARTS = 3
_NODE_STEPS = 2
_FIT_STEPS = 15
# Differences for the slopes: radians, radians per day, natural logarithm of the depth, its change per day.
_DIFFERENCES = np.array([1e-7, 1e-7, 1e-8, 1e-8, 1e-4, 1e-6])


class Frame(NamedTuple):
    """A tangent plane: (3, 3) rows of unit vectors towards the centre, east and north."""

    axes: Array

    def directions(self, x: Array, y: Array) -> Array:
        """Return vectors (…, 3) of depth 1 at places of the plane, radians."""
        centre, east, north = self.axes
        return np.asarray(centre + np.multiply.outer(x, east) + np.multiply.outer(y, north))


@dataclass(frozen=True)
class Sights:
    """Points that groups of sightings consist of, (groups, points): x, y and error in radians, and time in days.

    observer : (groups, points, 3) au from the Sun. earth : (groups, 6) the Earth's place and velocity at day `middle`.
    """

    x: Array
    y: Array
    error: Array
    days: Array
    observer: Array
    earth: Array
    middle: Array

    def only(self, which: NDArray[np.generic]) -> Sights:
        return Sights(*(value[which] for value in vars(self).values()))


def frame_of(ra: Array, dec: Array) -> Frame:
    """Return the tangent plane at the mean of directions in degrees."""
    a, d = np.radians(ra), np.radians(dec)
    mean = np.mean([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], axis=1)
    centre = mean / np.linalg.norm(mean)
    east = np.array([-centre[1], centre[0], 0.0]) / np.hypot(centre[0], centre[1])
    return Frame(np.stack([centre, east, np.cross(centre, east)]))


def propagate(position: Array, velocity: Array, days: Array) -> Array:
    """Return where bodies are after some days on their orbits about the Sun; (…, 3) au and au per day, (…) days.

    Kepler's equation in universal variables (Bate, Mueller & White 1971, chapter 4), from the start of a straight
    line: for arcs of a few radians at most.
    """
    r = np.linalg.norm(position, axis=-1)
    radial = (position * velocity).sum(axis=-1) / np.sqrt(_MU)
    alpha = 2.0 / r - (velocity * velocity).sum(axis=-1) / _MU
    time = np.sqrt(_MU) * days
    chi = time / r
    for _ in range(_KEPLER_STEPS):
        z = alpha * chi**2
        c, s = np.polyval(_STUMPFF_C, z), np.polyval(_STUMPFF_S, z)
        value = radial * chi**2 * c + (1.0 - alpha * r) * chi**3 * s + r * chi - time
        slope = radial * chi * (1.0 - z * s) + (1.0 - alpha * r) * chi**2 * c + r
        chi = chi - value / slope
    z = alpha * chi**2
    f = 1.0 - chi**2 / r * np.polyval(_STUMPFF_C, z)
    g = days - chi**3 / np.sqrt(_MU) * np.polyval(_STUMPFF_S, z)
    return np.asarray(f[..., None] * position + g[..., None] * velocity)


def state_of(orbit: Array, earth: Array, frame: Frame) -> tuple[Array, Array]:
    """Return place and velocity from the Sun, of orbits (…, 6).

    An orbit is given as seen from the Earth's centre: place (radians) and motion (radians per day) on the plane, the
    logarithm of the depth along its axis in au, and its change per day (Bernstein & Khushalani 2000, AJ 120, 3323,
    have nearly the same). Short arcs determine the first four, and hardly the last two.
    """
    depth, change = np.exp(orbit[..., 4]), orbit[..., 5]
    towards = frame.directions(orbit[..., 0], orbit[..., 1])
    across = frame.directions(orbit[..., 2], orbit[..., 3]) - frame.axes[0]
    position = earth[..., :3] + depth[..., None] * towards
    velocity = earth[..., 3:] + depth[..., None] * (across + change[..., None] * towards)
    return position, velocity


def seen(orbit: Array, sights: Sights, frame: Frame) -> tuple[Array, Array]:
    """Return where orbits (groups, nodes, 6) are seen at the groups' points: x, y (groups, nodes, points)."""
    position, velocity = (each[..., None, :] for each in state_of(orbit, sights.earth[:, None], frame))
    days = (sights.days - sights.middle[:, None])[:, None, :]
    observer = sights.observer[:, None]
    away = np.linalg.norm(position + velocity * days[..., None] - observer, axis=-1)
    shape = (*away.shape, 3)
    at = propagate(np.broadcast_to(position, shape), np.broadcast_to(velocity, shape), days - _LIGHT_DAYS_PER_AU * away)
    along, east, north = np.moveaxis((at - observer) @ frame.axes.T, -1, 0)
    return east / along, north / along


def distances(orbit: Array, sights: Sights, frame: Frame) -> Array:
    """Return how far the groups' points lie from where their orbits (groups, 6) are seen: (groups, points), radians."""
    x, y = seen(orbit[:, None], sights, frame)
    return np.asarray(np.hypot(x[:, 0] - sights.x, y[:, 0] - sights.y))


def fit(sights: Sights, frame: Frame) -> tuple[Array, Array]:
    """Fit an orbit about the Sun to each group of sightings.

    Every distance and approach of a grid is tried, the other four numbers fitted to it (systematic ranging: Chesley
    2005, IAU Colloquium 197, 255); from the best of them all six are fitted, as long as the orbit is bound.

    Returns
    -------
    orbit (groups, 6), NaN where no bound orbit was found, and its chi² (groups,), infinite there.
    """
    depth, approach = (each.ravel() for each in np.meshgrid(np.log(_DEPTHS), _APPROACHES, indexing="ij"))
    start = np.zeros((len(sights.x), len(depth), 6))
    start[:, :, :4] = _straight(sights)[:, None, :]
    start[:, :, 4], start[:, :, 5] = depth, approach / np.exp(depth)
    with np.errstate(all="ignore"):
        for _ in range(_NODE_STEPS):
            start = start + _step(start, sights, frame, 4, 0.0)
        chi2 = _chi2(start, sights, frame)
        best = np.argsort(chi2, axis=1)[:, :_STARTS]
        orbit = np.take_along_axis(start, best[:, :, None], axis=1)
        chi2, damping = np.take_along_axis(chi2, best, axis=1), np.full(best.shape, 1e-3)
        for _ in range(_FIT_STEPS):
            tried = orbit + _step(orbit, sights, frame, 6, damping)
            after = _chi2(tried, sights, frame)
            better = after < chi2
            orbit, chi2 = np.where(better[..., None], tried, orbit), np.where(better, after, chi2)
            damping = damping * np.where(better, 0.1, 10.0)
    k = np.argmin(chi2, axis=1)[:, None]
    least = np.take_along_axis(chi2, k, axis=1)[:, 0]
    orbit = np.take_along_axis(orbit, k[:, :, None], axis=1)[:, 0]
    return np.where(np.isfinite(least)[:, None], orbit, np.nan), least


def _straight(sights: Sights) -> Array:
    """Return places at the middle and motions of straight lines through the points, (groups, 4)."""
    dt = sights.days - sights.middle[:, None]
    mean = dt.mean(axis=1, keepdims=True)
    spread = ((dt - mean) ** 2).sum(axis=1)
    motion = [((dt - mean) * q).sum(axis=1) / spread for q in (sights.x, sights.y)]
    place = [q.mean(axis=1) - v * mean[:, 0] for q, v in zip((sights.x, sights.y), motion, strict=True)]
    return np.stack([*place, *motion], axis=-1)


def _chi2(orbit: Array, sights: Sights, frame: Frame) -> Array:
    """Return chi² of orbits (groups, nodes), infinite where they are not bound or too near to the Sun."""
    chi2 = (_residuals(orbit, sights, frame) ** 2).sum(axis=-1)
    position, velocity = state_of(orbit, sights.earth[:, None], frame)
    r = np.linalg.norm(position, axis=-1)
    energy = 0.5 * (velocity * velocity).sum(axis=-1) - _MU / r
    return np.where(np.isfinite(chi2) & (energy < _LARGEST_ENERGY) & (r > _NEAREST_SUN_AU), chi2, np.inf)


def _residuals(orbit: Array, sights: Sights, frame: Frame) -> Array:
    """Return (groups, nodes, 2 points) residuals in units of their errors."""
    x, y = seen(orbit, sights, frame)
    parts = [(q - p[:, None]) / sights.error[:, None] for q, p in ((x, sights.x), (y, sights.y))]
    return np.concatenate(parts, axis=-1)


def _step(orbit: Array, sights: Sights, frame: Frame, free: int, damping: Array | float) -> Array:
    """Return the Gauss-Newton step of the first `free` numbers, damped; 0 where there is none."""
    now = _residuals(orbit, sights, frame)
    slopes = []
    for k in range(free):
        moved = orbit.copy()
        moved[..., k] += _DIFFERENCES[k]
        slopes.append((_residuals(moved, sights, frame) - now) / _DIFFERENCES[k])
    jacobian = np.stack(slopes, axis=-1)
    # In units in which every number has the same weight.
    scale = np.maximum(np.linalg.norm(jacobian, axis=-2), 1e-30)
    jacobian = jacobian / scale[..., None, :]
    normal = np.swapaxes(jacobian, -1, -2) @ jacobian
    normal = normal + np.asarray(damping + 1e-12)[..., None, None] * np.eye(free)
    slope = (jacobian * now[..., None]).sum(axis=-2)
    is_usable = np.isfinite(normal).all(axis=(-1, -2)) & np.isfinite(slope).all(axis=-1)
    normal, slope = np.where(is_usable[..., None, None], normal, np.eye(free)), np.where(is_usable[..., None], slope, 0)
    step = np.zeros_like(orbit)
    step[..., :free] = -np.linalg.solve(normal, slope[..., None])[..., 0] / scale
    return step
