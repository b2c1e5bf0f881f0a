"""Too many peaks in one place: a rim of the stack, the surroundings of a bright star, an arc of stray light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial import KDTree

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

# Peaks within so many FWHM are neighbours; one bright source with its ringing makes three or four peaks.
REACH_FWHM, FEWEST_NEIGHBOURS = 10.0, 5
# A rim is so wide. It is crowded where it holds so many peaks at least.
RIM_PX, FEWEST_ON_RIM = 10.0, 5
# What is so many times as high as all of its neighbours is no part of a crowd, but what they belong to.
LEADS = 3.0
# Peaks that are spread evenly crowd as much less often than this in a frame.
MOST_BY_CHANCE = 1e-3


def crowds(
    x: Array, y: Array, height: Array, near_edge: NDArray[np.bool_], *, fwhm_px: float, area_px: float
) -> Counts:
    """Return how many peaks crowd about each one, or on the rim with it; 0 where they are no more than chance makes.

    The density that they are compared with is that of the rest of the frame, those of the crowd left out. Of
    peaks on the rim all are counted together: a stack whose members end at different places has false ones all along. A
    peak `LEADS` times as high as every neighbour is what they are parts of, such as a comet, and is no part of a crowd.

    Parameters
    ----------
    x, y : (n,) px, of both signs. height : (n,) |S_corr|. near_edge : (n,) within `RIM_PX` of the end of either frame.
    area_px : good pixels.
    """
    n = len(x)
    out = np.zeros(n, dtype=np.int64)
    if n == 0:
        return out
    reach = REACH_FWHM * fwhm_px
    tree = KDTree(np.column_stack([x, y]))
    neighbours = np.array([len(found) - 1 for found in tree.query_ball_point(tree.data, reach)])
    expected = (n - neighbours) * np.pi * reach**2 / area_px
    is_crowd = (neighbours >= FEWEST_NEIGHBOURS) & (n * stats.poisson.sf(neighbours - 1, expected) < MOST_BY_CHANCE)
    out[is_crowd] = neighbours[is_crowd]
    out[is_crowd & _leads(height, tree, reach)] = 0
    on_rim = int(near_edge.sum())
    rim_px = 4.0 * RIM_PX * np.sqrt(area_px)
    by_chance = (n - on_rim) * rim_px / max(area_px - rim_px, 1.0)
    if on_rim >= FEWEST_ON_RIM and stats.poisson.sf(on_rim - 1, by_chance) < MOST_BY_CHANCE:
        out[near_edge] = np.maximum(out[near_edge], on_rim)
    return out


def _leads(height: Array, tree: KDTree, reach: float) -> NDArray[np.bool_]:
    """Tell which peaks are `LEADS` times as high as all of their neighbours."""
    out = np.zeros(len(height), dtype=bool)
    for k, near in enumerate(tree.query_ball_point(tree.data, reach)):
        others = [height[j] for j in near if j != k]
        out[k] = bool(others) and height[k] > LEADS * max(others)
    return out
