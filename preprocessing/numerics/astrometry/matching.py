"""Star matching over any offset, rotation and flip, at a scale that is known to some per cent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.stats import poisson

from observations.numerics import polynomial

Column = NDArray[np.float64]
Points = NDArray[np.float64]
Index = NDArray[np.intp]

# Corner ratios of one triangle on two frames differ by centroid noise (0.1 px on 50 px) and by distortion.
RATIO_TOLERANCE = 0.006
# Shorter sides make the ratios noisier than that tolerance.
SHORTEST_SIDE_PX = 15.0
# Bins of the vote: wide enough for the noise of a transform from one triangle.
VOTE_BIN_PX, VOTE_BIN_TURN, VOTE_BIN_SCALE = 10.0, 0.03, 0.03
BEST_VOTES = 12
# A quadratic term has to earn its place: 40 stars for 12 coefficients, and a tenth off the scatter.
STARS_FOR_QUADRATIC, QUADRATIC_GAIN = 40, 0.9
STARS_FOR_AFFINE = 6
# Matching noise of good frames is < 0.2 px; nothing closer than this is clipped as an outlier.
CLIP_FLOOR_PX = 0.3


class MatchFailed(Exception):
    """No transform explains the two star lists better than chance."""


@dataclass(frozen=True)
class Transform:
    """Polynomial map of pixel positions, callable (x, y) -> (x, y); degree 1 (affine) or 2.

    coefficients : (2, 3 or 6) for terms 1, u, v, u², uv, v² with (u, v) = ((x, y) - centre) / reach; result in px.
    """

    coefficients: NDArray[np.float64]
    centre: tuple[float, float] = (0.0, 0.0)
    reach: float = 1.0

    def __call__(self, x: Column | float, y: Column | float) -> tuple[Column, Column]:
        u = (np.asarray(x, dtype=float) - self.centre[0]) / self.reach
        v = (np.asarray(y, dtype=float) - self.centre[1]) / self.reach
        terms = np.moveaxis(polynomial.terms(u, v, self.degree), -1, 0)
        return self._sum(0, terms), self._sum(1, terms)

    @property
    def degree(self) -> int:
        return 1 if self.coefficients.shape[1] == 3 else 2

    def _sum(self, axis: int, terms: NDArray[np.float64]) -> Column:
        return sum((c * t for c, t in zip(self.coefficients[axis], terms, strict=True)), np.zeros_like(terms[0]))

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The (2, 2) linear part at the centre."""
        return self.coefficients[:, 1:3] / self.reach

    @property
    def scale(self) -> float:
        return float(np.sqrt(abs(np.linalg.det(self.matrix))))

    @property
    def is_flipped(self) -> bool:
        return bool(np.linalg.det(self.matrix) < 0)

    @property
    def rotation_deg(self) -> float:
        m = self.matrix
        return float(np.degrees(np.arctan2(m[1, 0], m[0, 0])))

    @property
    def offset_px(self) -> tuple[float, float]:
        """Where the centre of the source goes, minus where it was."""
        x, y = self(self.centre[0], self.centre[1])
        return float(x - self.centre[0]), float(y - self.centre[1])

    @classmethod
    def shift(cls, dx: float, dy: float) -> Transform:
        return cls(np.array([[dx, 1.0, 0.0], [dy, 0.0, 1.0]]))


@dataclass(frozen=True)
class Match:
    """Two star lists brought together: target[target_index] = transform(source[source_index]) to within rms_px.

    chance : how many transforms as good as this one are to be expected by chance among all that were tried.
    """

    transform: Transform
    source_index: Index
    target_index: Index
    rms_px: float
    chance: float = float("nan")

    @property
    def count(self) -> int:
        return self.source_index.size

    @property
    def indices(self) -> NDArray[np.intp]:
        """The pairs, (n, 2): source and target."""
        return np.column_stack([self.source_index, self.target_index])


@dataclass(frozen=True)
class MatchParameters:
    """How to search.

    scale, scale_tolerance : target pixels along a source pixel's side, and the largest relative departure from that.
    tolerance_px : how far a pair may be apart in the end.
    brightest : stars of each list that form triangles; 0 tries only the guess. most_stars : stars of each list that
    take part at all. may_flip : try the mirror image too. guess : transform to try first, e.g. from two WCS.
    largest_chance : highest accepted number of chance matches expected over all trials.
    """

    scale: float = 1.0
    scale_tolerance: float = 0.1
    tolerance_px: float = 3.0
    brightest: int = 40
    most_stars: int = 500
    fewest_matches: int = 5
    may_flip: bool = True
    guess: Transform | None = None
    largest_chance: float = 1e-4


def match_stars(
    source_xy: Points,
    source_flux: Column,
    target_xy: Points,
    target_flux: Column,
    *,
    parameters: MatchParameters = MatchParameters(),
) -> Match:
    """Find the transform that takes the stars of one frame to those of another.

    Triangles of bright stars are compared by their side ratios; every pair of like triangles votes for a similarity
    transform; the best-voted ones are tried on all stars and refined to an affine map, and a quadratic one where 40
    stars or more ask for it. A result is returned only if so many pairs cannot be chance.

    Parameters
    ----------
    source_xy, target_xy : (n, 2) px, 0-based pixel centres.
    source_flux, target_flux : (n,) any unit; only the order counts. Non-finite positions are ignored.
    parameters : see `MatchParameters`.

    Returns
    -------
    Match
        transform source -> target, one-to-one index pairs, rms of the pairs' distances in px.

    Raises
    ------
    MatchFailed
        when no transform stands out from chance.

    Notes
    -----
    Groth 1986 (AJ 91, 1244) and Valdes et al. 1995 (PASP 107, 1119) for triangles and votes; the acceptance by the
    Poisson probability of the number of pairs, over all trials, is ours.
    """
    source = _List.brightest_first(source_xy, source_flux, parameters.most_stars)
    target = _List.brightest_first(target_xy, target_flux, parameters.most_stars)
    if min(source.count, target.count) < parameters.fewest_matches:
        raise MatchFailed(f"{source.count} and {target.count} stars; {parameters.fewest_matches} are needed in each")
    if parameters.guess is not None:
        match = _refine(source, target, parameters.guess, parameters)
        if match is not None and (chance := _chance(source, target, match, parameters)) < parameters.largest_chance:
            return _renumber(replace(match, chance=chance), source, target)
    for size in (parameters.brightest, 3 * parameters.brightest):
        best = _search(source, target, size, parameters)
        if best is not None:
            return _renumber(best, source, target)
    raise MatchFailed(f"no transform matches the {source.count} stars with the {target.count} better than chance does")


@dataclass(frozen=True)
class _List:
    xy: Points
    order: Index
    tree: cKDTree

    @property
    def count(self) -> int:
        return self.order.size

    @classmethod
    def brightest_first(cls, xy: Points, flux: Column, most: int) -> _List:
        xy, flux = np.asarray(xy, dtype=float).reshape(-1, 2), np.asarray(flux, dtype=float)
        good = np.flatnonzero(np.isfinite(xy).all(axis=1) & np.isfinite(flux))
        order = good[np.argsort(-flux[good], kind="stable")][:most]
        return cls(xy[order], order, cKDTree(xy[order]) if order.size else cKDTree(np.zeros((1, 2)) + np.inf))


def _renumber(match: Match, source: _List, target: _List) -> Match:
    one, other = source.order[match.source_index], target.order[match.target_index]
    return replace(match, source_index=one, target_index=other)


def _search(source: _List, target: _List, size: int, parameters: MatchParameters) -> Match | None:
    """Return the first well-voted transform that stands out from chance."""
    similar = _similar_triangles(source.xy[:size], target.xy[:size], parameters)
    if similar is None:
        return None
    turn, place, flipped = similar
    centre = source.xy[:size].mean(axis=0)
    # The vote picks the best of all pairs of triangles, like ones or not; so all of them are trials.
    trials = 2.0 * comb(min(size, source.count), 3) * comb(min(size, target.count), 3)
    best: Match | None = None
    for k in best_voted(turn, place, flipped, VOTE_BIN_PX * max(1.0, parameters.scale)):
        match = _refine(source, target, similarity(turn[k], place[k], flipped[k], centre), parameters)
        if match is None:
            continue
        chance = trials * _chance(source, target, match, parameters)
        if chance < parameters.largest_chance and (best is None or match.count > best.count):
            best = replace(match, chance=chance)
            if match.count > 0.5 * min(source.count, target.count):
                break
    return best


def _triples(xy: Points) -> Index:
    """Return index triples: all of up to 40 points, else those of each point and its eight nearest neighbours."""
    if len(xy) <= 40:
        return np.array(list(combinations(range(len(xy)), 3)), dtype=np.intp).reshape(-1, 3)
    near = cKDTree(xy).query(xy, k=9)[1]
    pick = np.array(list(combinations(range(9), 3)), dtype=np.intp)
    return np.unique(np.sort(near[:, pick].reshape(-1, 3), axis=1), axis=0)


def _triangles(xy: Points) -> tuple[NDArray[np.complex128], Points]:
    """Return corners (m, 3) as complex numbers, longest opposite side first, and ratios of sides (m, 2)."""
    z = (xy[:, 0] + 1j * xy[:, 1])[_triples(xy)]
    sides = np.abs(np.stack([z[:, 1] - z[:, 2], z[:, 2] - z[:, 0], z[:, 0] - z[:, 1]], axis=1))
    order = np.argsort(-sides, axis=1)
    sides = np.take_along_axis(sides, order, axis=1)
    z = np.take_along_axis(z, order, axis=1)
    # Near-equal sides make the order of the corners a matter of noise.
    clear = (sides[:, 2] > SHORTEST_SIDE_PX) & (sides[:, 1] < 0.98 * sides[:, 0]) & (sides[:, 2] < 0.98 * sides[:, 1])
    return z[clear], np.column_stack([sides[:, 1] / sides[:, 0], sides[:, 2] / sides[:, 0]])[clear]


def _similar_triangles(
    source: Points, target: Points, parameters: MatchParameters
) -> tuple[NDArray[np.complex128], NDArray[np.complex128], NDArray[np.bool_]] | None:
    """Return for each pair of like triangles its turn and scale, where the source's centre goes, and the flip."""
    corners_s, ratios_s = _triangles(source)
    corners_t, ratios_t = _triangles(target)
    if min(len(corners_s), len(corners_t)) == 0:
        return None
    near = cKDTree(ratios_s).sparse_distance_matrix(cKDTree(ratios_t), RATIO_TOLERANCE, output_type="ndarray")
    s, t = corners_s[near["i"]], corners_t[near["j"]]
    size = np.abs(t[:, 1] - t[:, 2]) / np.abs(s[:, 1] - s[:, 2])
    fits = np.abs(np.log(size / parameters.scale)) < np.log1p(parameters.scale_tolerance) + RATIO_TOLERANCE
    s, t = s[fits], t[fits]
    if not parameters.may_flip:
        straight = np.sign(_area(s)) == np.sign(_area(t))
        s, t = s[straight], t[straight]
    return votes(s, t, complex(*source.mean(axis=0))) if len(s) else None


def votes(
    s: NDArray[np.complex128], t: NDArray[np.complex128], middle: complex
) -> tuple[NDArray[np.complex128], NDArray[np.complex128], NDArray[np.bool_]]:
    """Return for each pair of like triangles its turn and scale, where the source's middle goes, and the flip.

    s, t : (n, 3) corners as complex numbers, of source and target.
    """
    flipped = np.sign(_area(s)) != np.sign(_area(t))
    s = np.where(flipped[:, None], s.conj(), s)
    at_s, at_t = s.mean(axis=1), t.mean(axis=1)
    ds, dt = s - at_s[:, None], t - at_t[:, None]
    turn = (dt * ds.conj()).sum(axis=1) / (np.abs(ds) ** 2).sum(axis=1)
    return turn, at_t + turn * (np.where(flipped, np.conj(middle), middle) - at_s), flipped


def _area(corners: NDArray[np.complex128]) -> Column:
    return np.imag((corners[:, 1] - corners[:, 0]).conj() * (corners[:, 2] - corners[:, 0]))


def best_voted(
    turn: NDArray[np.complex128], place: NDArray[np.complex128], flipped: NDArray[np.bool_], bin_px: float = VOTE_BIN_PX
) -> list[int]:
    """Return one member of each of the fullest bins, of two grids half a bin apart."""
    chosen: list[tuple[int, int]] = []
    angle = np.angle(turn)
    for offset in (0.0, 0.5):
        bins = np.column_stack(
            [
                np.floor(place.real / bin_px + offset),
                np.floor(place.imag / bin_px + offset),
                np.floor((angle % (2 * np.pi)) / VOTE_BIN_TURN + offset),
                np.floor(np.log(np.abs(turn)) / VOTE_BIN_SCALE + offset),
                flipped,
            ]
        ).astype(np.int64)
        _, inverse, count = np.unique(bins, axis=0, return_inverse=True, return_counts=True)
        inverse = inverse.ravel()
        for b in np.argsort(-count, kind="stable")[:BEST_VOTES]:
            members = np.flatnonzero(inverse == b)
            middle = np.median(place[members].real) + 1j * np.median(place[members].imag)
            chosen.append((int(count[b]), int(members[np.argmin(np.abs(place[members] - middle))])))
    return [k for _, k in sorted(chosen, key=lambda pair: -pair[0])]


def similarity(turn: complex, place: complex, flipped: bool, centre: Column) -> Transform:
    a, b = turn.real, turn.imag
    sign = -1.0 if flipped else 1.0
    rows = np.array([[place.real, a, -b * sign], [place.imag, b, a * sign]])
    return Transform(rows, (float(centre[0]), float(centre[1])), 1.0)


def _pairs(source: _List, target: _List, transform: Transform, reach: float) -> tuple[Index, Index, Column]:
    """Return mutual nearest neighbours within reach: source index, target index, distance."""
    moved = np.column_stack(transform(source.xy[:, 0], source.xy[:, 1]))
    distance, nearest = target.tree.query(moved, distance_upper_bound=reach)
    found = np.flatnonzero(np.isfinite(distance))
    order = found[np.argsort(distance[found], kind="stable")]
    _, first = np.unique(nearest[order], return_index=True)
    one = order[np.sort(first)]
    return one, nearest[one], distance[one]


def _refine(source: _List, target: _List, start: Transform, parameters: MatchParameters) -> Match | None:
    """Re-pair and refit with shrinking reach and growing freedom."""
    transform = start
    kept: tuple[Index, Index] | None = None
    for step, reach in enumerate((4.0, 3.0, 2.0, 1.5, 1.0, 1.0, 1.0)):
        i, j, distance = _pairs(source, target, transform, reach * parameters.tolerance_px)
        if step >= 3 and i.size:
            limit = max(CLIP_FLOOR_PX, 3.5 * float(np.median(distance)) / 1.177)
            i, j = i[distance <= limit], j[distance <= limit]
        if i.size < parameters.fewest_matches:
            return None
        degree = 0 if step < 2 or i.size < STARS_FOR_AFFINE else 1
        transform = _fit(source.xy[i], target.xy[j], degree)
        if not _is_sane(transform, parameters):
            return None
        kept = (i, j)
    if kept is None:
        return None
    i, j = kept
    if i.size >= STARS_FOR_QUADRATIC:
        transform = _maybe_quadratic(source.xy[i], target.xy[j], transform)
    miss = np.column_stack(transform(source.xy[i, 0], source.xy[i, 1])) - target.xy[j]
    return Match(transform, i, j, float(np.sqrt((miss**2).sum(axis=1).mean())))


def _maybe_quadratic(source: Points, target: Points, affine: Transform) -> Transform:
    quadratic = _fit(source, target, 2)
    rms = [np.sqrt(((np.column_stack(t(*source.T)) - target) ** 2).sum(axis=1).mean()) for t in (affine, quadratic)]
    return quadratic if rms[1] < QUADRATIC_GAIN * rms[0] else affine


def _is_sane(transform: Transform, parameters: MatchParameters) -> bool:
    stretch = np.linalg.svd(transform.matrix, compute_uv=False)
    limit = np.log1p(parameters.scale_tolerance) + 0.02
    return bool(np.abs(np.log(np.maximum(stretch / parameters.scale, 1e-9))).max() < limit)


def _fit(source: Points, target: Points, degree: int) -> Transform:
    """Fit a similarity (0), affine (1) or quadratic (2) map by least squares."""
    centre = source.mean(axis=0)
    reach = max(float(np.abs(source - centre).max()), 1.0)
    u, v = ((source - centre) / reach).T
    at = (float(centre[0]), float(centre[1]))
    if degree > 0:
        solution = np.linalg.lstsq(polynomial.terms(u, v, degree), target, rcond=None)[0]
        return Transform(np.asarray(solution.T, dtype=np.float64), at, reach)
    z, w = u + 1j * v, target[:, 0] + 1j * target[:, 1]
    w0 = w.mean()
    straight = ((w - w0) * z.conj()).sum() / (np.abs(z) ** 2).sum()
    mirrored = ((w - w0) * z).sum() / (np.abs(z) ** 2).sum()
    flipped = bool(abs(mirrored) > abs(straight))
    turn = mirrored if flipped else straight
    return Transform(similarity(turn, w0, flipped, centre).coefficients, at, reach)


def _chance(source: _List, target: _List, match: Match, parameters: MatchParameters) -> float:
    """Return the probability that a wrong transform pairs as many stars.

    Three pairs define an affine map and prove nothing; the others fall on a star by chance with the share of the
    overlap that the target's stars cover.
    """
    x, y = match.transform(source.xy[:, 0], source.xy[:, 1])
    low, high = target.xy.min(axis=0), target.xy.max(axis=0)
    inside = (x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1])
    reach = min(parameters.tolerance_px, max(CLIP_FLOOR_PX, 3.5 * match.rms_px))
    covered = target.count * np.pi * reach**2 / max(float(np.prod(high - low)), 1.0)
    expected = max(int(inside.sum()), match.count) * min(covered, 1.0)
    return float(poisson.sf(match.count - 4, expected))
