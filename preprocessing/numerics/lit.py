"""How much light a frame's sky has where nothing is in its way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from observations.numerics.frame import Image

Blocks = NDArray[np.float64]

# What two fifths of the frame show is no vignetted corner: those of the telescopes here are a tenth.
COMMON_SHARE = 0.4
# Of levels that are about as common the lowest is the sky: light only adds to it.
ABOUT_AS_COMMON = 1.5
# Three fifths of the frame that lie on a plane to a tenth are a sky with a gradient.
PLANE_SHARE, PLANE_TOLERANCE = 0.6, 0.1
PLANE_ROUNDS = 10


def block_medians(blocks: NDArray[np.float32]) -> Blocks:
    """Return the lower medians along the last axis; NaN where no more than a fifth is finite."""
    ordered = np.sort(blocks, axis=-1)  # NaN last
    count = np.isfinite(blocks).sum(axis=-1)
    middle = np.take_along_axis(ordered, np.maximum(count // 2 - (count > 0), 0)[..., None], axis=-1)[..., 0]
    return np.where(count > 0.2 * blocks.shape[-1], middle, np.nan).astype(np.float64)


def full_light(medians: Blocks) -> Image | None:
    """Return the sky's full light in every block of a frame, None where it shows none.

    A plane where most of the frame is on one, so that the darker end of a gradient is not taken for a shadow; else the
    level that is commonest: the plateau of a vignetted frame, the outskirts of a galaxy that fills it.

    Parameters
    ----------
    medians : (ny, nx) levels of the blocks, NaN where unknown.
    """
    known = np.isfinite(medians)
    if not known.any():
        return None
    common = _commonest(medians[known])
    if common <= 0:
        return None
    plane = _plane(medians, known)
    return np.full(medians.shape, common, dtype=np.float32) if plane is None else plane


def _commonest(levels: Blocks) -> float:
    """Return the middle of the narrowest range that holds two fifths of the levels, relative to themselves."""
    ordered = np.sort(levels)
    count = max(1, int(COMMON_SHARE * ordered.size))
    low, high = ordered[: ordered.size - count + 1], ordered[count - 1 :]
    width = np.where(low > 0, high / np.maximum(low, 1e-30) - 1.0, np.inf)
    first = int(np.flatnonzero(width <= ABOUT_AS_COMMON * width.min())[0])
    return float(np.median(ordered[first : first + count]))


def _plane(medians: Blocks, known: NDArray[np.bool_]) -> Image | None:
    """Return the plane on which most blocks lie, above zero everywhere; None where they lie on none."""
    ny, nx = medians.shape
    v, u = np.meshgrid(np.linspace(-1, 1, ny), np.linspace(-1, 1, nx), indexing="ij")
    terms = np.stack([np.ones(known.sum()), u[known], v[known]], axis=1)
    levels = medians[known]
    count = int(np.ceil(PLANE_SHARE * levels.size))
    chosen = np.arange(levels.size)
    for _ in range(PLANE_ROUNDS):
        solution = np.linalg.lstsq(terms[chosen], levels[chosen], rcond=None)[0]
        off = np.abs(levels - terms @ solution)
        chosen = np.argsort(off, kind="stable")[:count]
    plane = solution[0] + solution[1] * u + solution[2] * v
    if plane.min() <= 0 or (off[chosen] > PLANE_TOLERANCE * plane[known][chosen]).any():
        return None
    return np.asarray(plane, dtype=np.float32)
