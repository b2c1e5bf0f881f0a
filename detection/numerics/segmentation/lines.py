"""Trails among probabilities: what lies along a line, however faint, counts together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Flags = NDArray[np.bool_]
Map = NDArray[np.float32]
Vector = NDArray[np.float64]
# Where something begins and ends along a curve, px of the map.
Ends = tuple[float, float]

# Pixels beneath this take no part in the search.
POSSIBLE = 0.15
# The search's steps: angles, and the width of a strip, px of the map; a line is then fitted.
ANGLES, STRIP_PX = 360, 3.0
MOST_TRIES = 60
# Along a line the probability is averaged over so many FWHM; a section is where that is above `FAINT`.
SMOOTH_FWHM, FAINT = 5.0, 0.3
# Sections are of one trail up to so far apart, as a multiple of the longest; what is sure to be a trail reaches
# farther, for flashes, to sections that are at least so long, in FWHM.
LARGEST_GAP, LARGEST_GAP_OF_SURE, SHORTEST_SECTION_FWHM = 1.0, 3.0, 4.0
# A trail as a whole: at least so long, in FWHM; where it shows, on average and somewhere so certain; not mostly gaps;
# and the sum of all probabilities along it at least this, in FWHM.
SHORTEST_FWHM, LEAST_MEAN, LEAST_PEAK, LEAST_COVERED, LEAST_SUM_FWHM = 25.0, 0.45, 0.75, 0.5, 18.0
# Its sagitta is at most such a share of its length, or so many FWHM: optics bend it less, arcs of dust are bent more.
MOST_BENT, MOST_BENT_FWHM = 0.02, 1.0
# Beside a trail there is less of it than so: a broad patch has lines through it, too.
MOST_BESIDE = 0.35
# What keeps to a column or a row of the detector, to this angle or to so many pixels of the map, is a bad one.
ALONG_AXIS_RAD, ALONG_AXIS_PX = 0.006, 2.5
# Where this share of a line runs along a broad masked part, at these distances in FWHM, it is that part's edge.
MOST_ALONG_EDGE, EDGE_FWHM = 0.5, (4.0, 8.0)
# A trail goes on to the image's edge, or to what is masked from there on, where that is so near, in FWHM.
TO_EDGE_FWHM = 10.0
# The half width of what is called, in FWHM.
NARROWEST_FWHM, WIDEST_FWHM = 0.75, 1.5
# What is so near a trail, in FWHM, is of no other.
BESIDE_FWHM = 1.5


@dataclass(frozen=True)
class Curve:
    """A line that may bend slightly: `at` its middle (x, y), its direction, and across = a + b t + c t² along it."""

    at: Vector
    direction: Vector
    terms: Vector

    def places(self, along: Vector, across: Vector | float = 0.0) -> tuple[Vector, Vector]:
        """Return x, y of places so far along, and beside, the curve."""
        off = np.polynomial.polynomial.polyval(along, self.terms) + across
        dx, dy = self.direction
        return self.at[0] + along * dx - off * dy, self.at[1] + along * dy + off * dx

    def sagitta(self, length: float) -> float:
        return abs(float(self.terms[2])) * length**2 / 4 if self.terms.size > 2 else 0.0

    def is_along_axis(self, length: float) -> bool:
        off = float(np.abs(self.direction).min())
        return off < ALONG_AXIS_RAD or off * length < ALONG_AXIS_PX

    def seen_from(self, x: Vector, y: Vector) -> tuple[Vector, Vector]:
        """Return how far along, and across, places are."""
        dx, dy = self.direction
        along, across = (x - self.at[0]) * dx + (y - self.at[1]) * dy, (y - self.at[1]) * dx - (x - self.at[0]) * dy
        return along, across - np.polynomial.polynomial.polyval(along, self.terms)


@dataclass(frozen=True)
class Lines:
    """Where trails are called, and where bad columns and rows are, (ny, nx) each, and how many trails there are."""

    trails: Flags
    columns: Flags
    count: int


def call_trails(chance: Map, mask: Flags, fwhm: float) -> Lines:
    """Return where trails are called.

    The straight strip with the most probability in it is taken, a curve is fitted to what lies there, and as much of
    it as hangs together is called, as a band, if as a whole it is long, straight, thin and certain enough, and does
    not keep to the edge of what is masked. Then the next. What keeps to a column or a row is called apart.

    Parameters
    ----------
    chance : (ny, nx) probability. mask : (ny, nx), True = bad. fwhm : seeing, pixels of the map.
    """
    trails, columns, count = np.zeros(chance.shape, dtype=bool), np.zeros(chance.shape, dtype=bool), 0
    field = _Field(np.where(mask, np.float32(0), chance), mask, np.zeros_like(trails), fwhm)
    for curve, ends in _lines(field):
        if not field.is_trail(curve, ends):
            continue
        ends = field.ends(curve, sure=ends) or ends
        if curve.is_along_axis(ends[1] - ends[0]):
            _draw(columns, curve, ends, NARROWEST_FWHM * fwhm)
            continue
        count += 1
        ends, half_width = field.to_the_edge(curve, ends), field.half_width(curve, ends)
        _draw(trails, curve, ends, half_width)
        _draw(field.taken, curve, ends, half_width + BESIDE_FWHM * fwhm)
    return Lines(trails, columns & ~trails, count)


@dataclass(frozen=True)
class _Field:
    """The probabilities, 0 where masked, the mask, what is of trails already, and the seeing, pixels of the map."""

    chance: Map
    mask: Flags
    taken: Flags
    fwhm: float

    def sample(self, curve: Curve, along: Vector, across: float) -> Vector:
        """Return the probability at places along a curve; 0 where masked or outside."""
        x, y = curve.places(along, across)
        return ndimage.map_coordinates(self.chance, [y, x], order=1, output=np.float64)

    def bad(self, curve: Curve, along: Vector, across: float) -> Flags:
        """Return which places along a curve are masked, or outside."""
        x, y = (np.rint(axis).astype(int) for axis in curve.places(along, across))
        inside = (x >= 0) & (y >= 0) & (x < self.mask.shape[1]) & (y < self.mask.shape[0])
        out = ~inside
        out[inside] = self.mask[y[inside], x[inside]]
        return out

    def profile(self, curve: Curve, along: Vector) -> Vector:
        """Return the probability along a curve, the best of its middle and half a FWHM beside; NaN where masked."""
        best = np.max([self.sample(curve, along, step * self.fwhm) for step in (-0.5, 0.0, 0.5)], axis=0)
        x, y = (np.rint(axis).astype(int) for axis in curve.places(along))
        rows, columns = (np.clip(axis, 0, n - 1) for axis, n in zip((y, x), self.taken.shape, strict=True))
        return np.where(self.bad(curve, along, 0.0) | self.taken[rows, columns], np.nan, best)

    def is_trail(self, curve: Curve, ends: Ends) -> bool:
        """Tell whether what lies between two ends is long, straight, certain and thin enough, and no edge."""
        length = ends[1] - ends[0]
        bent = max(MOST_BENT * length, MOST_BENT_FWHM * self.fwhm)
        if length < SHORTEST_FWHM * self.fwhm or curve.sagitta(length) > bent:
            return False
        along = np.arange(ends[0], ends[1] + 1)
        profile = self.profile(curve, along)
        smooth = _smoothed(profile, self.fwhm)
        known = np.isfinite(profile)
        shows = known & (smooth > FAINT)
        if smooth.max() < LEAST_PEAK or not shows.sum() >= max(LEAST_COVERED * known.sum(), 1):
            return False
        mean = float(profile[shows].mean())
        if mean < LEAST_MEAN or mean * shows.sum() < LEAST_SUM_FWHM * self.fwhm:
            return False
        beside = np.mean([self.sample(curve, along[shows], side * self.fwhm) for side in (-4.0, -3.0, 3.0, 4.0)])
        edges = [
            np.all([self.bad(curve, along, side * far * self.fwhm) for far in EDGE_FWHM], axis=0).mean()
            for side in (-1.0, 1.0)
        ]
        return float(beside) <= MOST_BESIDE * mean and max(edges) <= MOST_ALONG_EDGE

    def ends(self, curve: Curve, sure: Ends | None = None) -> Ends | None:
        """Return where the longest chain of sections along a curve begins and ends; None where there is none.

        sure : the ends of what is sure to be a trail, to be carried on over wider gaps.
        """
        reach = float(np.hypot(*self.mask.shape))
        along = np.arange(-reach, reach)
        x, y = curve.places(along)
        along = along[(x >= 0) & (y >= 0) & (x <= self.mask.shape[1] - 1) & (y <= self.mask.shape[0] - 1)]
        if not along.size:
            return sure
        profile = self.profile(curve, along)
        labels, count = ndimage.label((_smoothed(profile, self.fwhm) > FAINT) & ~(profile < POSSIBLE))
        if not count:
            return sure
        spans = [(float(along[s[0].start]), float(along[s[0].stop - 1]) + 1) for s in ndimage.find_objects(labels)]
        if sure is None:
            best = max(_chains(spans, LARGEST_GAP), key=lambda chain: sum(stop - start for start, stop in chain))
            return best[0][0], best[-1][1]
        inside = [s for s in spans if s[0] < sure[1] and s[1] > sure[0]]
        long = [s for s in spans if s[1] - s[0] >= SHORTEST_SECTION_FWHM * self.fwhm and s not in inside]
        for chain in _chains(sorted([*inside, *long]), LARGEST_GAP_OF_SURE):
            if chain[0][0] < sure[1] and chain[-1][1] > sure[0]:
                return min(sure[0], chain[0][0]), max(sure[1], chain[-1][1])
        return sure

    def to_the_edge(self, curve: Curve, ends: Ends) -> Ends:
        """Return the ends, carried on over what is masked from there on, and to what of it is near."""
        reach = np.arange(1.0, float(np.hypot(*self.mask.shape)))
        out = []
        for end, sign in ((ends[0], -1.0), (ends[1], 1.0)):
            good = np.flatnonzero(~self.bad(curve, end + sign * reach, 0.0))
            last = float(reach[good[-1]]) if good.size else 0.0
            out.append(end + sign * (last + 1.0 if last <= TO_EDGE_FWHM * self.fwhm else 0.0))
        return out[0], out[1]

    def half_width(self, curve: Curve, ends: Ends) -> float:
        """Return half the width of what is probable across a curve, where it is at all."""
        along = np.arange(ends[0], ends[1] + 1)
        along = along[np.nan_to_num(self.profile(curve, along)) > 0.5]
        if not along.size:
            return NARROWEST_FWHM * self.fwhm
        steps = np.arange(-2 * WIDEST_FWHM * self.fwhm, 2 * WIDEST_FWHM * self.fwhm + 0.25, 0.5)
        width = 0.5 * sum(float((self.sample(curve, along, step) > 0.5).mean()) for step in steps)
        return float(np.clip(0.5 * width, NARROWEST_FWHM * self.fwhm, WIDEST_FWHM * self.fwhm))


def _chains(spans: Sequence[Ends], largest_gap: float) -> list[list[Ends]]:
    """Join neighbours that are no farther apart than a multiple of the longest of them."""
    chains = [[spans[0]]] if spans else []
    for span in spans[1:]:
        longest = max(stop - start for start, stop in (*chains[-1], span))
        if span[0] - chains[-1][-1][1] <= largest_gap * longest:
            chains[-1].append(span)
        else:
            chains.append([span])
    return chains


def _smoothed(profile: Vector, fwhm: float) -> Vector:
    """Return means over some FWHM of what is known; 0 where nothing is."""
    size = max(1, round(SMOOTH_FWHM * fwhm))
    known = np.isfinite(profile).astype(np.float64)
    total = ndimage.uniform_filter1d(np.nan_to_num(profile), size, mode="constant")
    return total / np.maximum(ndimage.uniform_filter1d(known, size, mode="constant"), 0.5 / size)


def _lines(field: _Field) -> Iterator[tuple[Curve, Ends]]:
    """Yield the curves with the most probability along them, the best first, and where each begins and ends."""
    y, x = (axis.astype(np.float64) for axis in np.nonzero(field.chance > POSSIBLE))
    weight = field.chance[field.chance > POSSIBLE].astype(np.float64)
    votes = _Votes.of(x, y, weight, field.chance.shape)
    least = SHORTEST_FWHM * field.fwhm * LEAST_COVERED
    for _ in range(MOST_TRIES):
        height, curve = votes.best()
        if height < least:
            return
        for reach, order in ((2 * STRIP_PX, 1), (STRIP_PX, 1), (2 * STRIP_PX, 2), (STRIP_PX, 2)):
            ends = field.ends(curve)
            along, across = curve.seen_from(x, y)
            near = (np.abs(across) <= reach) & (weight > 0)
            if ends is not None:
                margin = 0.25 * (ends[1] - ends[0])
                near &= (along >= ends[0] - margin) & (along <= ends[1] + margin)
            curve = _fitted(curve, (x[near], y[near], weight[near]), order)
        ends = field.ends(curve)
        along, across = curve.seen_from(x, y)
        used = (np.abs(across) <= max(2 * field.fwhm, STRIP_PX)) & (weight > 0)
        if ends is not None:
            yield curve, ends
            used &= (along >= ends[0]) & (along <= ends[1])
        used |= field.taken[y.astype(int), x.astype(int)] & (weight > 0)
        votes.take(x[used], y[used], weight[used], height)
        weight[used] = 0


def _fitted(curve: Curve, points: tuple[Vector, Vector, Vector], order: int) -> Curve:
    """Fit a curve again to points near it; a parabola only where it has some length."""
    x, y, weight = points
    if x.size < 8:
        return curve
    at = np.array([np.average(x, weights=weight), np.average(y, weights=weight)])
    away = np.stack([x, y]) - at[:, None]
    _, axes = np.linalg.eigh(np.cov(away, aweights=weight))
    made = Curve(at, axes[:, 1], np.zeros(1))
    if order == 1:
        return made
    along, across = made.seen_from(x, y)
    terms = np.polynomial.polynomial.polyfit(along, across, order, w=np.sqrt(weight))
    return Curve(at, axes[:, 1], np.asarray(terms, dtype=np.float64))


@dataclass
class _Votes:
    """How much probability lies in each strip (angles, offsets)."""

    sums: NDArray[np.float32]
    normals: NDArray[np.float64]
    zero: float

    @classmethod
    def of(cls, x: Vector, y: Vector, weight: Vector, shape: tuple[int, ...]) -> _Votes:
        turn = np.arange(ANGLES) * np.pi / ANGLES
        zero = float(np.ceil(shape[1] / STRIP_PX)) + 1
        size = int(zero + np.hypot(shape[0], shape[1]) / STRIP_PX) + 2
        votes = cls(np.zeros((ANGLES, size), dtype=np.float32), np.stack([np.cos(turn), np.sin(turn)]), zero)
        votes._add(x, y, weight)
        return votes

    def _add(self, x: Vector, y: Vector, weight: Vector) -> None:
        for sums, c, s in zip(self.sums, *self.normals, strict=True):
            strip = ((x * c + y * s) / STRIP_PX + self.zero).astype(np.int64)
            sums += np.bincount(strip, weight, sums.size).astype(np.float32)

    def best(self) -> tuple[float, Curve]:
        angle, strip = np.unravel_index(int(np.argmax(self.sums)), self.sums.shape)
        normal = self.normals[:, angle]
        offset = (strip + 0.5 - self.zero) * STRIP_PX
        return float(self.sums[angle, strip]), Curve(offset * normal, np.array([-normal[1], normal[0]]), np.zeros(1))

    def take(self, x: Vector, y: Vector, weight: Vector, height: float) -> None:
        """Take points out; a strip that none of them lies in is taken out itself."""
        self._add(x, y, -weight)
        top = np.unravel_index(int(np.argmax(self.sums)), self.sums.shape)
        if self.sums[top] >= height:
            self.sums[top] = -np.inf


def _draw(out: Flags, curve: Curve, ends: Ends, half_width: float) -> None:
    """Call a band along a curve."""
    x, y = curve.places(np.array([ends[0], 0.5 * (ends[0] + ends[1]), ends[1]]))
    left, top = (max(0, int(np.floor(axis.min() - half_width - 1))) for axis in (x, y))
    right, bottom = (int(np.ceil(axis.max() + half_width)) + 2 for axis in (x, y))
    rows, columns = np.ogrid[top : min(bottom, out.shape[0]), left : min(right, out.shape[1])]
    along, across = curve.seen_from(columns, rows)
    out[top:bottom, left:right] |= (np.abs(across) <= half_width) & (along >= ends[0]) & (along <= ends[1])
