"""Small defects filled from the pixels around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from observations.numerics.compiled import compiled
from observations.numerics.frame import BAD_BITS, Image, MaskBit

Bits = NDArray[np.uint16]

LARGEST_INTERPOLATED_PX = 3
INTERPOLATED_INFLATION = 4.0
# What compiled loops can hold of the mask's bits.
BAD = np.uint16(BAD_BITS)
FILLABLE = np.uint16(MaskBit.BAD | MaskBit.COSMIC_RAY)
INTERPOLATED = np.uint16(MaskBit.INTERPOLATED)


def interpolate_small(data: Image, bits: Bits, noise: Image) -> tuple[Image, Bits, Image]:
    """Fill isolated defects and hits of at most 3 px from their neighbours.

    Filled pixels lose their cause and get the bit INTERPOLATED; they are usable, with a larger variance.

    Returns
    -------
    data, bits : with the small defects filled.
    extra_variance : (ny, nx), zero elsewhere: 4 noise² and the square of half the spread of the neighbours used.
    """
    filled, new_bits = data.copy(), bits.copy()
    extra = np.zeros(data.shape, dtype=np.float32)
    _interpolate(data, bits, noise, filled, new_bits, extra)
    return filled, new_bits, extra


@compiled
def _interpolate(data: Image, bits: Bits, noise: Image, filled: Image, new_bits: Bits, extra: Image) -> None:
    ny, nx = data.shape
    for y in range(ny):
        for x in range(nx):
            if not bits[y, x] & BAD or not _is_small(bits, y, x):
                continue
            total = light = squares = 0.0
            for v in range(max(y - 2, 0), min(y + 3, ny)):
                for u in range(max(x - 2, 0), min(x + 3, nx)):
                    if bits[v, u] & BAD or not np.isfinite(data[v, u]):
                        continue
                    distance = (v - y) ** 2 + (u - x) ** 2
                    weight = 1.0 / (distance * distance)
                    total += weight
                    light += weight * data[v, u]
            if total == 0.0:
                continue
            value = light / total
            for v in range(max(y - 2, 0), min(y + 3, ny)):
                for u in range(max(x - 2, 0), min(x + 3, nx)):
                    if bits[v, u] & BAD or not np.isfinite(data[v, u]):
                        continue
                    distance = (v - y) ** 2 + (u - x) ** 2
                    squares += (data[v, u] - value) ** 2 / (distance * distance)
            filled[y, x] = value
            new_bits[y, x] = INTERPOLATED
            extra[y, x] = INTERPOLATED_INFLATION * noise[y, x] ** 2 + squares / total


@compiled
def _is_small(bits: Bits, y: int, x: int) -> bool:
    """Tell whether the bad pixels that hang together with one are few, and all of a kind that may be filled."""
    ny, nx = bits.shape
    rows = np.empty(LARGEST_INTERPOLATED_PX + 1, dtype=np.int64)
    columns = np.empty(LARGEST_INTERPOLATED_PX + 1, dtype=np.int64)
    rows[0], columns[0], count, seen = y, x, 1, 0
    while seen < count:
        if bits[rows[seen], columns[seen]] & BAD & ~FILLABLE:
            return False
        for v in range(max(rows[seen] - 1, 0), min(rows[seen] + 2, ny)):
            for u in range(max(columns[seen] - 1, 0), min(columns[seen] + 2, nx)):
                is_new = bits[v, u] & BAD != 0
                for k in range(count):
                    is_new &= rows[k] != v or columns[k] != u
                if is_new:
                    if count == LARGEST_INTERPOLATED_PX:
                        return False
                    rows[count], columns[count], count = v, u, count + 1
        seen += 1
    return True
