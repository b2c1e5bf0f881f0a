"""Join tracklets of different nights that one orbit about the Sun explains, and tell how many chance alone would."""

from __future__ import annotations

from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from differencing.numerics.orbits import Array, Frame, Sights, distances, fit, frame_of
from observations.numerics.barycentre import heliocentric_au
from observations.numerics.sphere import project

# What an orbit explains differs from it by more only once in a thousand times.
_LEAST_PROBABILITY = 1e-3
# From one night to another a motion (arcsec per minute) changes by so much, as the telescope turns with the Earth, and
# by this share of itself a day, at most by all of it; what is wider apart is not tried.
_TURNING = 0.1
_CHANGE_PER_DAY = 0.1
_SHUFFLES = 20
# Shuffled tracklets are strewn over the sky of their night, and never over less than this.
_LEAST_EXTENT_ARCSEC = 600.0
# Less than this says no more: what is not random has not been counted.
_LEAST_CHANCE = 1e-6
_AT_ONCE = 40
_ORBIT_NUMBERS = 6
_ARCSEC = np.pi / 648000.0
_MINUTES = 1440.0


@dataclass(frozen=True)
class Tracklets:
    """What moved on a line in one night each, as two points: (n, 2) ra, dec (degrees), mjd, error of an axis (arcsec).

    night : (n,) integers, equal within a night. observer : (n, 2, 3) au from the Sun.
    """

    ra: Array
    dec: Array
    mjd: Array
    error_arcsec: Array
    night: NDArray[np.integer]
    observer: Array

    def __len__(self) -> int:
        return len(self.ra)


@dataclass(frozen=True)
class Joined:
    """members : indices of tracklets, by time. rms_arcsec : of their points about the orbit.

    chance_rate : how many as good ones the tracklets of these nights are expected to make by chance.
    """

    members: tuple[int, ...]
    rms_arcsec: float
    chance_rate: float


def two_points(mjd: Array, ra: Array, dec: Array, error_arcsec: Array) -> tuple[Array, Array, Array, float]:
    """Return two points (mjd, ra, dec) that stand for sightings on a line, and the error of an axis of each, arcsec.

    They are those of the fitted line one rms of the times before and after the mean: there their errors are
    independent, and what curves the motion within a night leaves them in their place.
    """
    weight = 1.0 / error_arcsec**2
    mean = float(np.average(mjd, weights=weight))
    rms = float(np.sqrt(np.average((mjd - mean) ** 2, weights=weight)))
    turned = (ra - ra[0] + 180.0) % 360.0 - 180.0
    at = mean + np.array([-rms, rms])
    lines = [np.polyfit(mjd - mean, q, 1, w=np.sqrt(weight)) for q in (turned, dec)]
    x, y = (np.asarray(np.polyval(line, at - mean), dtype=np.float64) for line in lines)
    return at, (x + ra[0]) % 360.0, y, float(np.sqrt(2.0 / weight.sum()))


def join(tracklets: Tracklets, *, max_days: float) -> list[Joined]:
    """Find tracklets of different nights, at most some days apart, that one bound orbit explains.

    Two of different nights are tried if their motions are alike and the mean of both leads from one place to the
    other; they are a pair if an orbit fits them, which leaves two numbers of eight to disagree. A third joins if it is
    a pair with each, and one orbit fits them all, and so on, one of a night. More nights win over fewer, then the
    better fit; a tracklet belongs to one orbit.

    The chance rate is measured: the tracklets are strewn over the sky of their nights at random with their motions as
    they are, many times, and what is then joined is counted that has more nights, or as many and no larger chi².
    Below what was seen the count goes on as chi^d, d the numbers free to disagree, as that of points near a surface
    does; one is added, so that nothing counts as impossible. The seed follows from the data.

    Returns
    -------
    List of Joined, best first.
    """
    if len(tracklets) == 0:
        return []
    plane = _Plane.of(tracklets)
    found = _search(plane, max_days)
    if not found:
        return []
    rng = np.random.default_rng(crc32(np.concatenate([plane.x, plane.y, plane.days]).tobytes()))
    shuffled = [_search(plane.shuffled(rng), max_days) for _ in range(_SHUFFLES)]
    counts = [(len(each.members), each.chi2) for several in shuffled for each in several]
    return [Joined(each.members, each.rms_arcsec, _chance(each, counts)) for each in found]


@dataclass(frozen=True)
class _Fit:
    """Tracklets that one orbit explains: indices by time, chi², and how far their points lie from it (rms)."""

    members: tuple[int, ...]
    chi2: float
    rms_arcsec: float


@dataclass(frozen=True)
class _Plane:
    """The points on a tangent plane: (n, 2) x, y and error in radians, days; the Earth at the mean of any members."""

    frame: Frame
    x: Array
    y: Array
    error: Array
    days: Array
    night: NDArray[np.integer]
    observer: Array

    @classmethod
    def of(cls, t: Tracklets) -> _Plane:
        frame = frame_of(t.ra.ravel(), t.dec.ravel())
        centre = frame.axes[0]
        pole = np.degrees(np.arctan2(centre[1], centre[0])), np.degrees(np.arcsin(centre[2]))
        x, y = (np.radians(q) for q in project(t.ra, t.dec, *(float(each) for each in pole)))
        return cls(frame, x, y, t.error_arcsec * _ARCSEC, t.mjd, t.night, t.observer)

    def shuffled(self, rng: np.random.Generator) -> _Plane:
        """Return the same tracklets elsewhere in the sky of their nights, each with its motion."""
        moved = [self.x.copy(), self.y.copy()]
        for night in np.unique(self.night):
            rows = np.flatnonzero(self.night == night)
            for q in moved:
                middle = q[rows].mean(axis=1)
                extent = max(float(np.ptp(middle)), _LEAST_EXTENT_ARCSEC * _ARCSEC)
                place = 0.5 * (middle.min() + middle.max()) + extent * rng.uniform(-0.5, 0.5, len(rows))
                q[rows] += (place - middle)[:, None]
        return replace(self, x=moved[0], y=moved[1])

    def sights(self, groups: NDArray[np.integer]) -> Sights:
        """Return the points of groups of tracklets, (m, members) indices."""
        x, y, error, days = (q[groups].reshape(len(groups), -1) for q in (self.x, self.y, self.error, self.days))
        middle = days.mean(axis=1)
        earth = np.concatenate(heliocentric_au(middle, None), axis=-1)
        return Sights(x, y, error, days, self.observer[groups].reshape(*days.shape, 3), earth, middle)

    def fits(self, groups: NDArray[np.integer]) -> list[_Fit]:
        """Return those groups that an orbit explains."""
        found: list[_Fit] = []
        if len(groups) == 0:
            return found
        free = 4 * groups.shape[1] - _ORBIT_NUMBERS
        limit = float(stats.chi2.isf(_LEAST_PROBABILITY, free))
        for part in np.array_split(groups, max(1, -(-len(groups) // _AT_ONCE))):
            sights = self.sights(part)
            orbits, chi2 = fit(sights, self.frame)
            good = np.flatnonzero(chi2 < limit)
            away = distances(orbits[good], sights.only(good), self.frame)
            rms = np.sqrt((away**2).mean(axis=1)) / _ARCSEC
            found += [
                _Fit(tuple(part[k].tolist()), float(chi2[k]), float(each)) for k, each in zip(good, rms, strict=True)
            ]
        return found


def _search(plane: _Plane, max_days: float) -> list[_Fit]:
    """Return the best groups that share no tracklet."""
    pairs = plane.fits(_possible(plane, max_days))
    if not pairs:
        return []
    beside: dict[int, set[int]] = {}
    for pair in pairs:
        for one, other in (pair.members, pair.members[::-1]):
            beside.setdefault(one, set()).add(other)
    groups = {each.members: each for each in (_grown(plane, pair, beside) for pair in pairs)}
    used: set[int] = set()
    kept = []
    for each in sorted(groups.values(), key=lambda g: (-len(g.members), g.chi2)):
        if used.isdisjoint(each.members):
            used.update(each.members)
            kept.append(each)
    return kept


def _possible(plane: _Plane, max_days: float) -> NDArray[np.int64]:
    """Return pairs of tracklets, (m, 2), the earlier first, whose places and motions may be those of one orbit."""
    order = np.argsort(plane.days.mean(axis=1), kind="stable")
    one, other = (order[k] for k in np.triu_indices(len(order), 1))
    days = plane.days.mean(axis=1)
    apart = days[other] - days[one]
    gap = np.diff(plane.days, axis=1)[:, 0]
    place = np.stack([q.mean(axis=1) for q in (plane.x, plane.y)], axis=-1)
    motion = np.stack([np.diff(q, axis=1)[:, 0] / gap for q in (plane.x, plane.y)], axis=-1)
    error = np.sqrt(2.0) * plane.error[:, 0] / gap
    speed = np.linalg.norm(motion, axis=-1)
    slack = _TURNING * _ARCSEC * _MINUTES + np.minimum(1.0, _CHANGE_PER_DAY * apart) * (speed[one] + speed[other])
    slack = slack + 5.0 * np.hypot(error[one], error[other])
    is_alike = np.linalg.norm(motion[other] - motion[one], axis=-1) < slack
    ahead = place[other] - place[one] - 0.5 * (motion[one] + motion[other]) * apart[:, None]
    is_ahead = np.linalg.norm(ahead, axis=-1) < slack * apart
    keep = (plane.night[one] != plane.night[other]) & (apart <= max_days) & is_alike & is_ahead
    return np.stack([one[keep], other[keep]], axis=-1)


def _grown(plane: _Plane, group: _Fit, beside: dict[int, set[int]]) -> _Fit:
    """Add the tracklet of another night that fits best, as long as there is one."""
    while True:
        nights = {int(plane.night[k]) for k in group.members}
        common = set.intersection(*(beside[k] for k in group.members))
        more = [k for k in sorted(common) if int(plane.night[k]) not in nights]
        if not more:
            return group
        tried = np.array([sorted((*group.members, k), key=lambda m: plane.days[m, 0]) for k in more])
        found = plane.fits(tried)
        if not found:
            return group
        group = min(found, key=lambda each: each.chi2)


def _chance(found: _Fit, counts: list[tuple[int, float]]) -> float:
    """Return the expected number of chance groups as good as one, from those of all shuffles."""
    nights = len(found.members)
    free = 4 * nights - _ORBIT_NUMBERS
    more = sum(count > nights for count, _ in counts)
    equal = [chi2 for count, chi2 in counts if count == nights]
    limit = float(stats.chi2.isf(_LEAST_PROBABILITY, free))
    as_good = sum(chi2 <= found.chi2 for chi2 in equal)
    below = (len(equal) + 1.0) * min(1.0, found.chi2 / limit) ** (0.5 * free)
    return max(_LEAST_CHANCE, (more + max(as_good, below)) / _SHUFFLES)
