"""Where on a wide patch of sky a frame may lie: places at which many of its stars fall on stars of the sky."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from preprocessing.numerics.astrometry.matching import Transform, similarity
from preprocessing.numerics.astrometry.triangles import HIT_ERRORS, MOST_TRIALS, triangles, try_all

Column = NDArray[np.float64]
Points = NDArray[np.float64]

# Stars of the frame that a place is tried on.
MOST_STARS, FEWEST_STARS = 60, 12
# Fewer, and only bright ones, where errors are so large that more of the frame than this would be a star's place.
MOST_COVERED = 0.15
# The same part of the sky gets more of the catalogue's stars: bands differ, and the frame's brightest are saturated.
CORNER_SURPLUS, STAR_SURPLUS = 1.5, 2.5
# A cloud leaves a part of the frame empty: its stars' density is that of the cells that have any.
CELLS = 4


@dataclass(frozen=True)
class Effort:
    """How hard to look: the brightest stars that form triangles, each with how many of its nearest.

    error_px : by how much the positions of a star differ, 1 sigma in one axis.
    most_trials : like triangles that are tried before the search is given up.
    crowded_error_px : by how much they differ where the nearest star is often another one; 0 elsewhere.
    """

    corners: int
    neighbours: int
    error_px: float
    most_trials: int = MOST_TRIALS
    crowded_error_px: float = 0.0


@dataclass(frozen=True)
class Places:
    """Transforms frame px -> sky px, the likeliest first, and how many pairs of like triangles were tried."""

    transforms: list[Transform]
    trials: int


def find_places(
    stars: tuple[Points, Column],
    sky: tuple[Points, Column],
    *,
    shape: tuple[int, int],
    tolerance: float,
    effort: Effort,
) -> Places:
    """Find where a frame may lie in a patch of catalogue stars, under any rotation or flip.

    Both lists are thinned to like density, the catalogue's cell by cell. Triangles of each star with its nearest
    neighbours are compared in the ratios of their sides and in size, and every like pair is tried: the stars around
    the frame's triangle have to fall on stars of the sky. The places are guesses: each has to be tried on all stars.

    Parameters
    ----------
    stars : positions (n, 2) px and fluxes (n,) of the frame's. Non-finite ones take no part.
    sky : positions (m, 2) in px of the claimed scale on a tangent plane and fluxes (m,) of the catalogue's.
    shape : (ny, nx) of the frame. tolerance : largest relative error of the claimed scale.
    effort : see `Effort`.

    Notes
    -----
    Groth 1986 (AJ 91, 1244) for the triangles; the neighbours keep their number linear in the area of the sky. Trying
    each pair on its surroundings, as Lang et al. 2010 (AJ 139, 1782) do with quadrangles, needs one common triangle
    where votes for places need many.
    """
    most = telling_stars(shape, HIT_ERRORS * effort.error_px * STAR_SURPLUS**0.5, MOST_STARS)
    seen, there = brightest(*stars, most), np.isfinite(sky[0]).all(axis=1) & np.isfinite(sky[1])
    sky_xy, sky_flux = sky[0][there], sky[1][there]
    if len(seen) < 3 or len(sky_xy) < 3:
        return Places([], 0)
    filled = _filled_share(seen, shape)
    corners = seen[: effort.corners]
    known = _brightest_in_cells(sky_xy, sky_flux, shape, STAR_SURPLUS * len(seen) / filled)
    bright = _brightest_in_cells(sky_xy, sky_flux, shape, CORNER_SURPLUS * len(corners) / filled)
    ours, theirs = triangles(corners, effort.neighbours), triangles(bright, effort.neighbours)
    if ours.size.size == 0 or theirs.size.size == 0:
        return Places([], 0)
    tried = try_all(
        seen,
        known,
        (ours, theirs),
        error_px=effort.error_px,
        span=float(np.log1p(tolerance)),
        most_trials=effort.most_trials,
    )
    return Places([_transform(place, shape) for place in tried.places], tried.trials)


def telling_stars(shape: tuple[int, int], reach_px: float, most: int) -> int:
    """Return how many stars of a frame are to be paired within a reach, so that chance pairs stay few."""
    return int(np.clip(MOST_COVERED * shape[0] * shape[1] / (np.pi * reach_px**2), FEWEST_STARS, most))


def _transform(place: Column, shape: tuple[int, int]) -> Transform:
    """Return a place, which is given from the frame's corner, as a map about its middle."""
    a, b, x, y, mirrored = place
    middle = complex((shape[1] - 1) / 2, (shape[0] - 1) / 2)
    turn = complex(a, b)
    at = turn * (middle.conjugate() if mirrored else middle) + complex(x, y)
    return similarity(turn, at, bool(mirrored), np.array([middle.real, middle.imag]))


def _filled_share(xy: Points, shape: tuple[int, int]) -> float:
    """Return the share of the frame that shows stars, by the cells that hold any; few stars miss some by chance."""
    occupied = len(np.unique(np.floor(xy / (np.array(shape[::-1]) / CELLS)), axis=0))
    share = np.linspace(0.25, 1.0, 31)
    expected = CELLS**2 * share * (1.0 - np.exp(-len(xy) / (CELLS**2 * share)))
    return float(share[np.argmin(np.abs(expected - occupied))])


def brightest(xy: Points, flux: Column, count: int) -> Points:
    """Return the positions of the brightest stars, brightest first; non-finite ones are left out."""
    xy, flux = np.asarray(xy, dtype=float).reshape(-1, 2), np.asarray(flux, dtype=float)
    good = np.flatnonzero(np.isfinite(xy).all(axis=1) & np.isfinite(flux))
    return xy[good[np.argsort(-flux[good], kind="stable")[:count]]]


def _brightest_in_cells(xy: Points, flux: Column, shape: tuple[int, int], per_frame: float) -> Points:
    """Keep the brightest stars of each cell of half a frame's width, so that rich and poor parts are like the frame.

    They are returned brightest first.
    """
    width = min(shape) / 2
    most = max(2, round(per_frame * width**2 / (shape[0] * shape[1])))
    corner = np.floor(xy.min(axis=0) / width)
    column, row = (np.floor(xy / width) - corner).astype(np.int64).T
    cell = row * (int(column.max()) + 1) + column
    order = np.lexsort((-flux, cell))
    _, first, count = np.unique(cell[order], return_index=True, return_counts=True)
    kept = order[np.arange(order.size) - np.repeat(first, count) < most]
    return xy[kept[np.argsort(-flux[kept], kind="stable")]]
