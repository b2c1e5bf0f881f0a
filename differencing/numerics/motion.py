"""Search the sightings of one night for straight, uniform motions: seeds of two frames, grown frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import comb, pi

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]

# Members scatter by a fifth to a third of their tolerance (five sigma): what a true motion has to be told from is the
# chance of points within this share of it.
_TYPICAL_SHARE = 0.35
# Frames stand so far from each other in the tree that holds all of them, arcsec: no prediction reaches over.
_FRAME_STEP = 1e8
_RASTER_CELLS = 4_000_000
# For fewer places than so many the tree has answered before a raster is made.
_FEWEST_RASTERED = 300
_SEEDS_AT_ONCE = 100_000
_FEW = 1000
# More pairs than so many, half a minute of them, are not tried.
_MOST_PAIRS = 1.5e7


@dataclass(frozen=True)
class Rates:
    """What is looked for: motions between two rates (arcsec/min) that cover `min_motion` arcsec in the night."""

    slowest: float
    fastest: float
    min_motion: float


@dataclass(frozen=True)
class Plane:
    """Sightings on a plane: x, y (arcsec), minutes, tolerance (arcsec, how far from its line each may lie).

    frame : number of each sighting's frame, counted in the order of time.
    """

    x: Array
    y: Array
    minutes: Array
    tolerance: Array
    frame: Indices

    @cached_property
    def rows(self) -> list[Indices]:
        """Return the indices of the sightings of each frame."""
        return [np.flatnonzero(self.frame == k) for k in range(int(self.frame.max(initial=-1)) + 1)]

    @cached_property
    def times(self) -> Array:
        """Return the minutes of each frame."""
        return np.array([self.minutes[rows[0]] for rows in self.rows])

    @cached_property
    def tree(self) -> KDTree:
        """Return one tree of all positions, frames far apart."""
        return KDTree(np.column_stack([self.x, self.y, self.frame * _FRAME_STEP]))

    @property
    def area(self) -> float:
        """Return the sky that the sightings spread over, square arcsec, never less than that of one tolerance."""
        widest = float(self.tolerance.max())
        return float(max(np.ptp(self.x), widest) * max(np.ptp(self.y), widest))

    def nearest(self, x: Array, y: Array, frame: Indices, reach: float) -> tuple[Array, Indices]:
        """Return distance and index of the sighting nearest to each place in some frame; infinity beyond reach."""
        places = np.column_stack([x, y, frame * _FRAME_STEP])
        distance, index = self.tree.query(places, distance_upper_bound=min(reach, 0.1 * _FRAME_STEP))
        return distance, np.where(np.isfinite(distance), index, -1)


@dataclass(frozen=True)
class Lines:
    """Fitted motions, one each row: members (n, frames) index or -1, velocity (arcsec/min), rms.

    rms_tolerances : of the residuals, each in units of its sighting's tolerance.
    """

    members: Indices
    vx: Array
    vy: Array
    rms_arcsec: Array
    rms_tolerances: Array

    @property
    def counts(self) -> Indices:
        """Return how many members each has."""
        return np.asarray(np.count_nonzero(self.members >= 0, axis=1))

    def only(self, which: NDArray[np.generic]) -> Lines:
        """Return some of them."""
        return Lines(*(value[which] for value in vars(self).values()))


def plane_of(x: Array, y: Array, minutes: Array, tolerance: Array, frame: NDArray[np.integer]) -> Plane:
    """Number the frames of sightings in the order of time."""
    numbers, first = np.unique(frame, return_index=True)
    rank = np.empty(len(numbers), dtype=np.int64)
    rank[np.argsort(minutes[first], kind="stable")] = np.arange(len(numbers))
    return Plane(x, y, minutes, tolerance, rank[np.searchsorted(numbers, frame)])


def fewest_members(plane: Plane, rates: Rates, least: int) -> int:
    """Return how many members a motion needs so that fewer than one of this size is expected by chance.

    In a crowded night three points lie on a line thousands of times; to look for such lines finds nothing.
    """
    counts = np.array([len(rows) for rows in plane.rows], dtype=float)
    gaps = np.abs(plane.times[:, None] - plane.times[None, :])
    reached = np.minimum(1.0, pi * (rates.fastest * gaps) ** 2 / plane.area)
    pairs = float(np.triu(counts[:, None] * counts[None, :] * reached, 1).sum())
    share = min(1.0, float(counts.mean()) * pi * float(np.median(_TYPICAL_SHARE * plane.tolerance)) ** 2 / plane.area)
    frames = len(counts)
    for members in range(least, frames):
        if pairs * comb(frames - 2, members - 2) * share ** (members - 2) / comb(members, 2) < 1.0:
            return members
    return max(least, frames)


def affordable(plane: Plane, rates: Rates, least: int) -> Rates:
    """Return rates, the fastest lowered as far as it takes to keep the pairs of a crowded night few enough."""
    counts = np.array([len(rows) for rows in plane.rows], dtype=float)
    apart = np.abs(np.arange(len(counts))[:, None] - np.arange(len(counts)))
    gaps = np.abs(plane.times[:, None] - plane.times[None, :])
    reach = _reach(plane, fewest_members(plane, rates, least))
    pairs = np.where((apart > 0) & (apart <= reach), counts[:, None] * counts[None, :] / 2.0, 0.0)
    fastest = rates.fastest
    while (pairs * np.minimum(1.0, pi * (fastest * gaps) ** 2 / plane.area)).sum() > _MOST_PAIRS:
        fastest *= 0.9
    return replace(rates, fastest=fastest)


def _reach(plane: Plane, members: int) -> int:
    """Return how many frames the sightings of a seed may be apart."""
    frames = len(plane.rows)
    return max(1, _window(frames, members) // 2) if len(plane.x) > _FEW else frames - 1


def _window(frames: int, members: int) -> int:
    return (frames - 1) // ((members - 1) // 2)


def search(plane: Plane, rates: Rates, members: int) -> Lines:
    """Return every motion with at least so many members, each set of members once.

    Among `members` points of F frames three follow each other within W = (F - 1) / floor((members - 1) / 2) frames, two
    of them within W / 2: those are the seeds, and the third is looked for no farther away. Where there are few
    sightings all pairs are seeds: the far ones predict best what lies between them.
    """
    frames = len(plane.rows)
    grown = [np.empty((0, frames), dtype=np.int64)]
    if frames >= members:
        window = _window(frames, members)
        grown += [_grow(plane, seeds, members, window) for seeds in _batches(plane, rates, _reach(plane, members))]
    found = _collected(plane, np.unique(np.concatenate(grown), axis=0))
    return _acceptable(plane, found, rates, members)


def _batches(plane: Plane, rates: Rates, reach: int) -> Iterator[Indices]:
    """Yield pairs of sightings (n, 2) of frames up to `reach` apart whose rate may be right, so many at a time."""
    waiting, count = [], 0
    slowest = max(rates.slowest, rates.min_motion / max(float(np.ptp(plane.times)), 1e-9))
    for step in range(1, reach + 1):
        for a, b in zip(plane.rows[:-step], plane.rows[step:], strict=True):
            gap = plane.minutes[b[0]] - plane.minutes[a[0]]
            distance = np.hypot(plane.x[a][:, None] - plane.x[b], plane.y[a][:, None] - plane.y[b])
            slack = plane.tolerance[a][:, None] + plane.tolerance[b]
            may_be = (distance <= rates.fastest * gap + slack) & (distance >= slowest * gap - slack) & (gap > 0.0)
            i, j = np.nonzero(may_be)
            waiting.append(np.column_stack([a[i], b[j]]))
            count += len(i)
            if count > _SEEDS_AT_ONCE:
                yield np.concatenate(waiting)
                waiting, count = [], 0
    if count:
        yield np.concatenate(waiting)


def _grow(plane: Plane, seeds: Indices, least: int, window: int) -> Indices:
    """Add the nearest sighting of each other frame, nearest frames first; what cannot become long enough is dropped."""
    frames = len(plane.rows)
    first, second = plane.frame[seeds].T
    order, near = _orders(plane, window)
    members = np.full((len(seeds), frames), -1, dtype=np.int64)
    members[np.arange(len(seeds)), first], members[np.arange(len(seeds)), second] = seeds.T
    pair, count, solved = first * frames + second, np.full(len(seeds), 2), _solve(plane, seeds)
    for done in range(1, frames - 1):
        frame = order[pair, done - 1]
        index = _joining(plane, solved, frame)
        new = np.flatnonzero(index >= 0)
        members[new, frame[new]] = index[new]
        count[new] += 1
        solved[:, new] = _solve(plane, members[new])
        keep = (count + frames - 2 - done >= least) & ((done < near[pair]) | (count > 2))
        members, pair, count, solved = members[keep], pair[keep], count[keep], solved[:, keep]
    return members


def _orders(plane: Plane, window: int) -> tuple[Indices, Indices]:
    """Return for each pair of frames the others, those in the window first, then by time; and how many are in it."""
    frames = len(plane.rows)
    number = np.arange(frames)
    order = np.zeros((frames * frames, frames - 2), dtype=np.int64)
    near = np.zeros(frames * frames, dtype=np.int64)
    for first in range(frames):
        for second in range(first + 1, frames):
            others = number[(number != first) & (number != second)]
            is_far = np.minimum(np.abs(others - first), np.abs(others - second)) > window
            away = np.abs(plane.times[others] - 0.5 * (plane.times[first] + plane.times[second]))
            order[first * frames + second] = others[np.lexsort((away, is_far))]
            near[first * frames + second] = np.count_nonzero(~is_far)
    return order, near


def _joining(plane: Plane, solved: Array, frame: Indices) -> Indices:
    """Return the sighting of a frame nearest to each prediction, -1 where it is beyond both tolerances."""
    out = np.full(len(frame), -1, dtype=np.int64)
    if len(frame) == 0:
        return out
    t0, x0, y0, vx, vy, weight, spread = solved
    dt = plane.times[frame] - t0
    x, y, variance = x0 + vx * dt, y0 + vy * dt, 1.0 / weight + dt**2 / spread
    widest = float(np.sqrt(variance.max() + plane.tolerance.max() ** 2))
    worth = np.flatnonzero(_has_company(plane, x, y, frame, widest))
    distance, index = plane.nearest(x[worth], y[worth], frame[worth], widest)
    known = distance**2 <= variance[worth] + plane.tolerance[index] ** 2
    out[worth[known]] = index[known]
    return out


def _has_company(plane: Plane, x: Array, y: Array, frame: Indices, reach: float) -> Flags:
    """Tell which places may have a sighting within reach: a raster answers ten times as fast as a tree."""
    if len(x) < _FEWEST_RASTERED:
        return np.ones(len(x), dtype=bool)
    left, low, frames = plane.x.min(), plane.y.min(), len(plane.rows)
    cell = max(reach, float(np.sqrt(plane.area * frames / _RASTER_CELLS)))
    wide, high = int(np.ptp(plane.x) / cell) + 3, int(np.ptp(plane.y) / cell) + 3
    raster = np.zeros((frames, high + 1, wide + 1), dtype=bool)
    column, row = (((q - q.min()) / cell).astype(int) + 1 for q in (plane.x, plane.y))
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            raster[plane.frame, row + dy, column + dx] = True
    # What lies outside is put into the last row and column, which no sighting's surroundings reach.
    i, j = np.floor((y - low) / cell) + 1, np.floor((x - left) / cell) + 1
    i, j = np.where((i >= 0) & (i < high), i, high).astype(int), np.where((j >= 0) & (j < wide), j, wide).astype(int)
    return np.asarray(raster[frame, i, j])


def _solve(plane: Plane, members: Indices) -> Array:
    """Fit every motion by least squares, each member weighted by its tolerance: t0, x0, y0, vx, vy, weight, spread."""
    is_there = members >= 0
    k = np.where(is_there, members, 0)
    w = np.where(is_there, 1.0 / plane.tolerance[k] ** 2, 0.0)
    total = w.sum(axis=1)
    t0 = (w * plane.minutes[k]).sum(axis=1) / total
    dt = plane.minutes[k] - t0[:, None]
    spread = (w * dt**2).sum(axis=1)
    x0, y0 = ((w * q[k]).sum(axis=1) / total for q in (plane.x, plane.y))
    vx, vy = ((w * dt * q[k]).sum(axis=1) / spread for q in (plane.x, plane.y))
    return np.stack([t0, x0, y0, vx, vy, total, spread])


def _collected(plane: Plane, members: Indices) -> Indices:
    """Return each motion with the members that its own line predicts, of all frames; each set once.

    Where a member lies beyond its own tolerance, the one is left out without which the line is straightest.
    """
    for _ in range(2):
        members = members[np.count_nonzero(members >= 0, axis=1) > 2]
        if len(members) == 0:
            return members
        solved = _solve(plane, members)
        again = [_joining(plane, solved, np.full(len(members), frame)) for frame in range(len(plane.rows))]
        members = np.unique(np.column_stack(again), axis=0)
    for _ in range(len(plane.rows) - 2):
        solved = _solve(plane, members)
        share = _residuals(plane, members, solved)[1]
        k = np.where(members >= 0, members, 0)
        free = 1.0 - (1.0 / solved[5][:, None] + (plane.minutes[k] - solved[0][:, None]) ** 2 / solved[6][:, None]) / (
            plane.tolerance[k] ** 2
        )
        worst = np.argmax(share / np.maximum(free, 1e-6), axis=1)
        beyond = np.flatnonzero((share > 1.0).any(axis=1))
        if len(beyond) == 0:
            break
        members[beyond, worst[beyond]] = -1
        members = members[np.count_nonzero(members >= 0, axis=1) > 2]
    return np.unique(members, axis=0)


def _residuals(plane: Plane, members: Indices, solved: Array) -> tuple[Array, Array]:
    """Return the members' distances from their line squared, arcsec² and in units of their tolerances."""
    k = np.where(members >= 0, members, 0)
    t0, x0, y0, vx, vy = (each[:, None] for each in solved[:5])
    dt = plane.minutes[k] - t0
    square = np.where(members >= 0, (plane.x[k] - x0 - vx * dt) ** 2 + (plane.y[k] - y0 - vy * dt) ** 2, 0.0)
    return square, square / plane.tolerance[k] ** 2


def _acceptable(plane: Plane, found: Indices, rates: Rates, members: int) -> Lines:
    """Fit what is long enough; keep what moves between the limits."""
    found = found[np.count_nonzero(found >= 0, axis=1) >= members]
    if len(found) == 0:
        return Lines(found, *(np.empty(0) for _ in range(4)))
    solved = _solve(plane, found)
    square, share = _residuals(plane, found, solved)
    minutes = np.where(found >= 0, plane.minutes[found], np.nan)
    span = np.nanmax(minutes, axis=1) - np.nanmin(minutes, axis=1)
    rate, count = np.hypot(solved[3], solved[4]), np.count_nonzero(found >= 0, axis=1)
    rms = (np.sqrt(each.sum(axis=1) / count) for each in (square, share))
    lines = Lines(found, solved[3], solved[4], *rms)
    return lines.only((rate <= rates.fastest) & (rate >= rates.slowest) & (rate * span >= rates.min_motion))
