"""Where on a wide patch of sky a frame may lie: places that many of its small triangles of stars vote for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from preprocessing.numerics.astrometry.matching import RATIO_TOLERANCE, Transform, best_voted, similarity, votes

Column = NDArray[np.float64]
Points = NDArray[np.float64]
Index = NDArray[np.intp]

# Stars of the frame that form triangles with their neighbours: as many as a sparse field shows, and enough votes.
MOST_STARS = 60
# The same part of the sky gets more of the catalogue's stars: bands differ, and the frame's brightest are saturated.
CATALOGUE_SURPLUS = 1.5
# Triangles among a star and its nearest: with three of eight neighbours missing in one list ten are still common.
NEIGHBOURS = 8
# Smaller triangles have ratios noisier than the tolerance: 0.1 px on 20 px.
SHORTEST_SIDE_PX = 20.0
# Sides of almost one length make the order of the corners a matter of noise.
CLEARLY_SHORTER = 0.98


@dataclass(frozen=True)
class Places:
    """Transforms frame px -> sky px, best-voted first, and how many pairs of like triangles had a vote."""

    transforms: list[Transform]
    vote_count: int


def find_places(
    star_xy: Points, star_flux: Column, sky_xy: Points, sky_flux: Column, *, shape: tuple[int, int], tolerance: float
) -> Places:
    """Find where a frame may lie in a patch of catalogue stars, under any rotation or flip.

    Both lists are thinned to like density, the catalogue's cell by cell. Triangles of each star with its nearest
    neighbours are compared in the ratios of their sides and in size; every like pair votes for a similarity transform.
    The places are guesses: each has to be tried on all stars.

    Parameters
    ----------
    star_xy, star_flux : (n, 2) px and (n,), the frame's stars. Non-finite ones take no part.
    sky_xy, sky_flux : (m, 2) px of the claimed scale and (m,), the catalogue's stars on a tangent plane.
    shape : (ny, nx) of the frame. tolerance : largest relative error of the claimed scale.

    Notes
    -----
    Groth 1986 (AJ 91, 1244) for the triangles; the neighbours keep their number linear in the area of the sky.
    """
    good = np.isfinite(sky_xy).all(axis=1) & np.isfinite(sky_flux)
    sky_xy, sky_flux = sky_xy[good], sky_flux[good]
    stars = _brightest(star_xy, star_flux, _wanted(sky_xy, shape))
    known = _brightest_in_cells(sky_xy, sky_flux, shape, CATALOGUE_SURPLUS * len(stars))
    source, target = _triangles(stars), _triangles(known)
    if source is None or target is None:
        return Places([], 0)
    i, j = _alike(source, target, tolerance)
    if i.size == 0:
        return Places([], 0)
    middle = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    turn, place, flipped = votes(source.corners[i], target.corners[j], complex(*middle))
    chosen = best_voted(turn, place, flipped)
    return Places([similarity(turn[k], place[k], bool(flipped[k]), np.array(middle)) for k in chosen], i.size)


@dataclass(frozen=True)
class _Triangles:
    """corners (m, 3) complex, longest opposite side first; ratios of sides (m, 2); size: log of the longest (m,)."""

    corners: NDArray[np.complex128]
    ratios: Points
    size: Column


def _wanted(sky_xy: Points, shape: tuple[int, int]) -> int:
    """Return how many stars the catalogue knows on a frame's area, at most MOST_STARS: a bright one knows few."""
    if len(sky_xy) == 0:
        return 0
    cells = np.unique(np.floor(sky_xy / min(shape)), axis=0)
    per_frame = len(sky_xy) / len(cells) * max(shape) / min(shape)
    return int(np.clip(per_frame, NEIGHBOURS + 1, MOST_STARS))


def _brightest(xy: Points, flux: Column, count: int) -> Points:
    xy, flux = np.asarray(xy, dtype=float).reshape(-1, 2), np.asarray(flux, dtype=float)
    good = np.flatnonzero(np.isfinite(xy).all(axis=1) & np.isfinite(flux))
    return xy[good[np.argsort(-flux[good], kind="stable")[:count]]]


def _brightest_in_cells(xy: Points, flux: Column, shape: tuple[int, int], per_frame: float) -> Points:
    """Keep the brightest stars of each cell of half a frame's width, so that rich and poor parts are like the frame."""
    width = min(shape) / 2
    most = max(2, round(per_frame * width**2 / (shape[0] * shape[1])))
    _, cell = np.unique(np.floor(xy / width), axis=0, return_inverse=True)
    order = np.lexsort((-flux, cell.ravel()))
    _, first, count = np.unique(cell.ravel()[order], return_index=True, return_counts=True)
    return xy[order[np.arange(order.size) - np.repeat(first, count) < most]]


def _triangles(xy: Points) -> _Triangles | None:
    """Return the triangles of each star with two of its nearest neighbours, each once; None where there are none."""
    count = len(xy)
    if count < 3:
        return None
    near = np.sort(cKDTree(xy).query(xy, k=min(NEIGHBOURS + 1, count))[1], axis=1)
    pick = np.array(list(combinations(range(near.shape[1]), 3)))
    keys = ((near[:, pick[:, 0]] * count + near[:, pick[:, 1]]) * count + near[:, pick[:, 2]]).ravel()
    keys = np.unique(keys.astype(np.int64))
    triples = np.column_stack([keys // count**2, keys // count % count, keys % count])
    z = (xy[:, 0] + 1j * xy[:, 1])[triples]
    sides = np.abs(np.stack([z[:, 1] - z[:, 2], z[:, 2] - z[:, 0], z[:, 0] - z[:, 1]], axis=1))
    order = np.argsort(-sides, axis=1)
    sides, z = np.take_along_axis(sides, order, axis=1), np.take_along_axis(z, order, axis=1)
    clear = (sides[:, 2] > SHORTEST_SIDE_PX) & (sides[:, 1] < CLEARLY_SHORTER * sides[:, 0])
    clear &= sides[:, 2] < CLEARLY_SHORTER * sides[:, 1]
    if not clear.any():
        return None
    z, sides = z[clear], sides[clear]
    return _Triangles(z, sides[:, 1:] / sides[:, :1], np.log(sides[:, 0]))


def _alike(source: _Triangles, target: _Triangles, tolerance: float) -> tuple[Index, Index]:
    """Return pairs of triangles of like shape and size."""
    span = np.log1p(tolerance) + RATIO_TOLERANCE
    # In units of what each may differ by, a pair lies within one on every axis.
    one, other = (np.column_stack([t.ratios / RATIO_TOLERANCE, t.size / span]) for t in (source, target))
    near = cKDTree(one).sparse_distance_matrix(cKDTree(other), 1.0, p=np.inf, output_type="ndarray")
    order = np.lexsort((near["j"], near["i"]))
    return near["i"][order], near["j"][order]
