"""Small triangles of stars on a frame and on the sky: every pair of like ones is tried on the stars around them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from observations.numerics.compiled import compiled

Column = NDArray[np.float64]
Points = NDArray[np.float64]
Index = NDArray[np.int64]

# Smaller triangles would agree with any other to within the errors of their corners, which are a pixel or two.
SHORTEST_SIDE_PX = 20.0
# Sides of almost one length make the order of the corners a matter of noise.
CLEARLY_SHORTER = 0.98
# The corners' errors, times the square root of two for a side, times two.
LIKE_ERRORS = 3.0
# A star is where a place puts it within this many errors, plus what the triangle's turn may be off.
HIT_ERRORS = 2.5
# Cells of triangles sorted by the ratios of their sides, and by the logarithm of the longest.
RATIO_CELL, SIZE_CELL = 0.02, 0.1
RATIO_CELLS = 51
# A place needs so many more stars than its triangle's to be remembered, and this many places are.
FEWEST_HITS = 2
# Of a true place, half of whose stars are in the catalogue, one in a hundred has none among so many.
PATIENCE = 13
# What the corners' errors turn a place by, in errors at the length of the longest side.
TURN_ERRORS = 1.5
# Frames of the benchmark that solve have a third of it; a search in vain ends after some four seconds.
MOST_TRIALS = 1_200_000
# Stars around a triangle that its place is tried on first.
AROUND = 24
MOST_PLACES = 24


@dataclass(frozen=True)
class Triangles:
    """corners (m, 3) complex, px, longest opposite side first; ratios of sides (m, 2); size: log of the longest.

    brightest : (m,) number of the star that is the brightest of the three.
    """

    brightest: Index
    corners: NDArray[np.complex128]
    ratios: Points
    size: Column


@dataclass(frozen=True)
class Tried:
    """Places that some stars vote for: (k, 5) a, b, x, y, mirrored; w = (a + ib) (z or its conjugate) + (x + iy).

    log_chance : (k,) natural logarithm of the probability of so many stars by chance at one place, lowest first.
    trials : how many pairs of like triangles were tried.
    """

    places: Points
    log_chance: Column
    trials: int


def neighbours(xy: Points, count: int) -> Index:
    """Return the nearest stars of each, itself first, (n, count + 1); fewer where there are fewer."""
    near = cKDTree(xy).query(xy, k=min(count + 1, len(xy)))[1]
    return np.asarray(near, dtype=np.int64).reshape(len(xy), -1)


def triangles(xy: Points, count: int) -> Triangles:
    """Return the triangles of each star with two of its `count` nearest, each once; stars are brightest first."""
    return Triangles(*_triangles(np.ascontiguousarray(xy), neighbours(xy, count)))


def try_all(
    stars: Points,
    sky: Points,
    patterns: tuple[Triangles, Triangles],
    *,
    error_px: float,
    span: float,
    most_trials: int = MOST_TRIALS,
) -> Tried:
    """Try the place that each pair of like triangles gives on the stars around the frame's triangle.

    Parameters
    ----------
    stars, sky : (n, 2) and (m, 2) px, brightest first. patterns : triangles of both, of their brightest stars or all.
    error_px : of a star's position on one list against the other, 1 sigma in one axis.
    span : largest difference of scale, natural logarithm. most_trials : after these it is given up.
    """
    ours, theirs = patterns
    low, high = sky.min(axis=0), sky.max(axis=0)
    density = len(sky) / max(float(np.prod(high - low)), 1.0)
    cell = max(2.0 * HIT_ERRORS * error_px, density**-0.5)
    columns, rows = (int(n) for n in (high - low) // cell + 1)
    which = ((sky - low) // cell).astype(np.int64) @ np.array([1, columns])
    grid = _Sorted.by(which, columns * rows)
    lowest = float(theirs.size.min())
    bins = np.column_stack([np.floor(theirs.ratios / RATIO_CELL), np.floor((theirs.size - lowest) / SIZE_CELL)])
    sizes = int(bins[:, 2].max()) + 1
    shelf = _Sorted.by(bins.astype(np.int64) @ np.array([RATIO_CELLS * sizes, sizes, 1]), RATIO_CELLS**2 * sizes)
    near = neighbours(stars, AROUND)
    places, chances, trials = _try_all(
        (np.ascontiguousarray(stars), near, ours.brightest, ours.corners, ours.ratios, ours.size),
        (np.ascontiguousarray(sky), grid.order, grid.start, low[0], low[1], cell, columns, rows),
        (theirs.corners, theirs.ratios, theirs.size, shelf.order, shelf.start, lowest, sizes),
        (error_px, span, density, most_trials),
    )
    order = np.argsort(chances, kind="stable")
    order = order[chances[order] < 0]
    return Tried(places[order], chances[order], int(trials))


@dataclass(frozen=True)
class _Sorted:
    """Things sorted into numbered cells: those of cell k are order[start[k]:start[k + 1]]."""

    order: Index
    start: Index

    @classmethod
    def by(cls, cells: Index, count: int) -> _Sorted:
        order = np.argsort(cells, kind="stable")
        return cls(order, np.searchsorted(cells[order], np.arange(count + 1)))


@compiled
def _triangles(xy, near):  # type: ignore[no-untyped-def]  # compiled by its arguments' types
    width = near.shape[1]
    most = len(xy) * width * (width - 1) // 2
    brightest = np.empty(most, dtype=np.int64)
    corners = np.empty((most, 3), dtype=np.complex128)
    ratios = np.empty((most, 2))
    size = np.empty(most)
    count = 0
    sides = np.empty(3)
    for i in range(len(xy)):
        for j in range(width):
            a = near[i, j]
            if a <= i:
                continue
            for k in range(j + 1, width):
                b = near[i, k]
                if b <= i:
                    continue
                sides[0] = np.hypot(xy[a, 0] - xy[b, 0], xy[a, 1] - xy[b, 1])
                sides[1] = np.hypot(xy[i, 0] - xy[b, 0], xy[i, 1] - xy[b, 1])
                sides[2] = np.hypot(xy[i, 0] - xy[a, 0], xy[i, 1] - xy[a, 1])
                longest, shortest = np.argmax(sides), np.argmin(sides)
                middle = 3 - longest - shortest
                if sides[shortest] < SHORTEST_SIDE_PX or longest == shortest:
                    continue
                if sides[middle] > CLEARLY_SHORTER * sides[longest]:
                    continue
                if sides[shortest] > CLEARLY_SHORTER * sides[middle]:
                    continue
                for place, side in enumerate((longest, middle, shortest)):
                    star = i if side == 0 else (a if side == 1 else b)
                    corners[count, place] = complex(xy[star, 0], xy[star, 1])
                brightest[count] = i
                ratios[count, 0] = sides[middle] / sides[longest]
                ratios[count, 1] = sides[shortest] / sides[longest]
                size[count] = np.log(sides[longest])
                count += 1
    return brightest[:count], corners[:count], ratios[:count], size[:count]


@compiled
def _hit(x, y, reach, sky):  # type: ignore[no-untyped-def]
    """Return the nearest star of the sky within reach, or -1."""
    points, order, start, low_x, low_y, cell, columns, rows = sky
    best, nearest = reach * reach, -1
    first, last = int(np.floor((x - reach - low_x) / cell)), int(np.floor((x + reach - low_x) / cell))
    bottom, top = int(np.floor((y - reach - low_y) / cell)), int(np.floor((y + reach - low_y) / cell))
    for row in range(max(bottom, 0), min(top, rows - 1) + 1):
        for column in range(max(first, 0), min(last, columns - 1) + 1):
            at = row * columns + column
            for k in range(start[at], start[at + 1]):
                dx, dy = points[order[k], 0] - x, points[order[k], 1] - y
                if dx * dx + dy * dy < best:
                    best, nearest = dx * dx + dy * dy, order[k]
    return nearest


@compiled
def _similarity(source, target, mirrored):  # type: ignore[no-untyped-def]
    """Return turn and offset, complex, of the least-squares similarity of a few pairs of points."""
    if mirrored:
        source = source.conj()
    at_s, at_t = source.mean(), target.mean()
    turn, norm = 0j, 0.0
    for k in range(len(source)):
        turn += (target[k] - at_t) * (source[k] - at_s).conjugate()
        norm += abs(source[k] - at_s) ** 2
    turn /= max(norm, 1e-9)
    return turn, at_t - turn * at_s


@compiled
def _log_tail(hits, expected):  # type: ignore[no-untyped-def]
    """Return a close bound of ln P(at least `hits`) of a Poisson distribution."""
    if hits <= expected:
        return 0.0
    value = hits * np.log(expected) - expected
    for k in range(2, hits + 1):
        value -= np.log(k)
    return min(0.0, value - np.log(1.0 - expected / (hits + 1.0)))


@compiled
def _support(stars, some, place, sky, reach, patience):  # type: ignore[no-untyped-def]
    """Count the stars that a place puts on a star of the sky; return pairs, hits, and the hits expected by chance.

    reach : (3,) base and slope of how far a hit may be off with the distance from the first star, and density.
    patience : after so many stars with no hit beside the triangle's the place is given up.
    """
    turn, offset, mirrored = place
    source = np.empty(len(some), dtype=np.complex128)
    target = np.empty(len(some), dtype=np.complex128)
    taken = np.empty(len(some), dtype=np.int64)
    hits, expected = 0, 0.0
    for n in range(len(some)):
        k = some[n]
        z = complex(stars[k, 0], stars[k, 1])
        w = turn * (z.conjugate() if mirrored else z) + offset
        apart = np.hypot(stars[k, 0] - stars[some[0], 0], stars[k, 1] - stars[some[0], 1])
        limit = reach[0] * np.sqrt(1.0 + (reach[1] * apart) ** 2)
        expected += reach[2] * np.pi * limit * limit
        found = _hit(w.real, w.imag, limit, sky)
        # One star of the sky is not several of the frame's.
        known = found < 0
        for m in range(hits):
            known = known or taken[m] == found
        if not known:
            source[hits], taken[hits] = z, found
            target[hits] = complex(sky[0][found, 0], sky[0][found, 1])
            hits += 1
        if n == patience and hits < 4:
            break
    return source[:hits], target[:hits], hits, expected


@compiled
def _span(value, reach, cell, cells):  # type: ignore[no-untyped-def]
    """Return the first and last cell that hold values within reach of one."""
    low, high = int(np.floor((value - reach) / cell)), int(np.floor((value + reach) / cell))
    return max(0, low), min(cells - 1, high)


@compiled
def _is_mirrored(corners, others):  # type: ignore[no-untyped-def]
    area = ((corners[1] - corners[0]).conjugate() * (corners[2] - corners[0])).imag
    return area * ((others[1] - others[0]).conjugate() * (others[2] - others[0])).imag < 0


@compiled
def _try(three, there, frame, sky, limits):  # type: ignore[no-untyped-def]
    """Return the place that a pair of triangles gives, and the logarithm of its chance; 0 where too few stars fit.

    frame : the stars and those near the triangle. limits : error, longest side and density.
    """
    stars, some = frame
    error, long_px, density = limits
    mirrored = _is_mirrored(three, there)
    turn, offset = _similarity(three, there, mirrored)
    reach = (HIT_ERRORS * error, TURN_ERRORS / long_px, density)
    source, target, hits, expected = _support(stars, some, (turn, offset, mirrored), sky, reach, PATIENCE)
    if hits < 3 + FEWEST_HITS:
        return turn, offset, mirrored, 0.0
    turn, offset = _similarity(source, target, mirrored)
    reach = (HIT_ERRORS * error, 1.0 / np.abs(source - source.mean()).max(), density)
    everyone = np.arange(len(stars))
    source, target, hits, expected = _support(stars, everyone, (turn, offset, mirrored), sky, reach, len(stars))
    # Two stars fix a similarity and prove nothing.
    return turn, offset, mirrored, _log_tail(hits - 2, expected)


@compiled
def _remember(places, chances, turn, offset, mirrored, chance):  # type: ignore[no-untyped-def]
    """Put a place in that of the least likely one, unless it is there already."""
    worst = np.argmax(chances)
    if chance >= chances[worst]:
        return
    for m in range(len(places)):
        if chances[m] < 0 and abs(places[m, 2] - offset.real) + abs(places[m, 3] - offset.imag) < 1e-6:
            return
    chances[worst] = chance
    places[worst, 0], places[worst, 1] = turn.real, turn.imag
    places[worst, 2], places[worst, 3] = offset.real, offset.imag
    places[worst, 4] = 1.0 if mirrored else 0.0


@compiled
def _try_all(frame, sky, shelf, limits):  # type: ignore[no-untyped-def]
    """Try every pair of like triangles, looking only at the cells of the shelf that may hold like ones."""
    stars, near, brightest, corners, ratios, size = frame
    theirs, their_ratios, their_size, order, start, lowest, sizes = shelf
    error, span, density, most_trials = limits
    places = np.zeros((MOST_PLACES, 5))
    chances = np.zeros(MOST_PLACES)
    trials = 0
    for t in range(len(corners)):
        if trials > most_trials:
            break
        long_px = np.exp(size[t])
        like = LIKE_ERRORS * error / long_px
        some = near[brightest[t]]
        low0, high0 = _span(ratios[t, 0], like, RATIO_CELL, RATIO_CELLS)
        low1, high1 = _span(ratios[t, 1], like, RATIO_CELL, RATIO_CELLS)
        low2, high2 = _span(size[t] - lowest, span + like, SIZE_CELL, sizes)
        for c in range((high0 - low0 + 1) * (high1 - low1 + 1) if high2 >= low2 else 0):
            base = ((low0 + c % (high0 - low0 + 1)) * RATIO_CELLS + low1 + c // (high0 - low0 + 1)) * sizes
            for k in range(start[base + low2], start[base + high2 + 1]):
                j = order[k]
                apart = max(abs(their_ratios[j, 0] - ratios[t, 0]), abs(their_ratios[j, 1] - ratios[t, 1]))
                if apart > like or abs(their_size[j] - size[t]) > span + like:
                    continue
                trials += 1
                found = _try(corners[t], theirs[j], (stars, some), sky, (error, long_px, density))
                turn, offset, mirrored, chance = found
                if chance < 0.0:
                    _remember(places, chances, turn, offset, mirrored, chance)
    return places, chances, trials
