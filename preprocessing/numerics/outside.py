"""Where a frame shows nothing: the rims that other software leaves when it turns, shifts and stacks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from observations.numerics.frame import Mask
from preprocessing.numerics.masks import grow

# No sky has one and the same value in a square of 5 x 5 px: where half of all pixels do, by coarse digits, 1 in 10^7.
SOLID_PX = 5
# Values that are looked for at most, by how many solid squares they fill.
MOST_VALUES = 4
# Interpolation mixes a rim with the sky beside it.
GROWTH_PX = 2
EVERY_NEIGHBOUR = np.ones((3, 3), dtype=bool)


def outside(raw: NDArray[np.floating]) -> Mask:
    """Find what of a frame shows no sky: rims and wedges of one value, black or other, and of NaN.

    Only what reaches the frame's edge counts. What is as high as anything in the frame is saturated, and a hole within
    it is a defect.

    Parameters
    ----------
    raw : (ny, nx) as delivered; calibration would give the rim a pattern.

    Returns
    -------
    (ny, nx) bool.
    """
    finite = np.isfinite(raw)
    found = _reaching_edge(~finite)
    if not finite.any():
        return found
    found |= _constant_lines(raw)
    solid = ndimage.maximum_filter(raw, SOLID_PX) == ndimage.minimum_filter(raw, SOLID_PX)
    values, count = np.unique(raw[solid & finite & ~found], return_counts=True)
    top = raw[finite].max()
    for value in values[np.argsort(-count)[:MOST_VALUES]]:
        if value < top:
            found |= _reaching_edge(raw == value, solid)
    return grow(found, GROWTH_PX)


def _reaching_edge(where: Mask, solid: Mask | None = None) -> Mask:
    """Return the connected parts that reach the frame's edge, and hold a solid square where that is asked."""
    if not where.any():
        return where
    labels, count = ndimage.label(where, EVERY_NEIGHBOUR)
    keep = np.zeros(count + 1, dtype=bool)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        keep[edge] = True
    if solid is not None:
        is_solid = np.zeros(count + 1, dtype=bool)
        is_solid[labels[solid]] = True
        keep &= is_solid
    keep[0] = False
    return np.asarray(keep[labels])


def _constant_lines(raw: NDArray[np.floating]) -> Mask:
    """Return the outermost rows and columns that hold one value each, thinner than a square."""
    found = np.zeros(raw.shape, dtype=bool)
    for view, target in ((raw, found), (raw[::-1], found[::-1]), (raw.T, found.T), (raw.T[::-1], found.T[::-1])):
        for line in range(SOLID_PX):
            if view[line].min() != view[line].max():
                break
            target[line] = True
    return found
