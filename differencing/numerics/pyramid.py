"""A large image as square tiles at halved resolutions, each packed so finely that no noise is lost."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from differencing.numerics.display import block_mean
from observations.numerics.frame import MaskBit
from observations.numerics.statistics import MAD_TO_SIGMA

Image = NDArray[np.float32]
Pixels = NDArray[np.number]
Causes = NDArray[np.uint8]

TILE_PX = 256
# From this level on tiles are cut from a copy of the image at that level, which is small enough to be kept.
COARSE_LEVEL = 3
# A value comes back within half a step: 0.004 sigma. Pages promise 0.01.
STEPS_PER_SIGMA = 128.0
# The code of the tile's median, in the middle of all four bytes, so that the upper ones are the same for all noise.
MIDDLE, NO_DATA = 0x80808080, 0
_MOST = 2**31 - 2**24
# Why a pixel is bad, as pages are told.
MASKED, SATURATED = int(MaskBit.BAD), int(MaskBit.SATURATED)
# The sample that greys are made from: windows on a grid over the image, and every so many of their pixels.
_GRID, _WINDOW_PX, _EVERY = 4, 64, 8
# Rows of what is made at a time, so that a mapped image is never in memory as a whole.
_ROWS_AT_ONCE = 64


@dataclass(frozen=True)
class Plane:
    """An image and why its pixels are bad, both (ny, nx); either may be mapped from a file.

    causes : `MASKED`, with `SATURATED` where that is why; 0 = good. A mask of `MaskBit` is read as such.
    """

    values: Pixels
    causes: Pixels


@dataclass(frozen=True)
class Packed:
    """A tile as codes: the value of a code c is `zero + (c - MIDDLE) * step`, `NO_DATA` has none.

    planes : the lowest bytes of all pixels, then the next ones, four in all, row by row.
    """

    zero: float
    step: float
    planes: bytes


def top_level(shape: tuple[int, int]) -> int:
    """Return the level at which all of an image of this shape is in one tile; 0 is the image itself."""
    return max(math.ceil(math.log2(max(shape) / TILE_PX)), 0)


def halved(plane: Plane, level: int) -> tuple[Image, Causes]:
    """Return a plane `level` times halved: what a pixel is made of are the good ones among 2^level on a side.

    Values are as of `display.block_mean`: NaN only where no pixel has data. A pixel is masked where more than half of
    those with data are, and saturated where any of these is saturated.
    """
    bands = range(0, plane.values.shape[0], _ROWS_AT_ONCE << level)
    parts = [_halved(Plane(*(image[at : at + bands.step] for image in _both(plane))), level) for at in bands]
    values, causes = zip(*parts, strict=True)
    return np.concatenate(values), np.concatenate(causes)


def _halved(plane: Plane, level: int) -> tuple[Image, Causes]:
    causes = causes_of(np.asarray(plane.causes))
    if level == 0:
        return np.array(plane.values, dtype=np.float32), causes
    means, are_bad = block_mean(plane.values, causes, 1 << level)
    found = are_bad.astype(np.uint8)
    if are_bad.any():
        down, across = (np.arange(0, side, 1 << level) for side in causes.shape)
        joined = np.bitwise_or.reduceat(np.bitwise_or.reduceat(causes, down, axis=0), across, axis=1)
        found[are_bad] |= joined[are_bad] & np.uint8(SATURATED)
    return np.asarray(means, dtype=np.float32), found


def causes_of(bits: Pixels) -> Causes:
    """Return what pages are told of mask bits: every bad pixel is masked, some are saturated."""
    return (bits > 0).astype(np.uint8) | (bits.astype(np.uint8) & np.uint8(SATURATED))


def tile(plane: Plane, level: int, column: int, row: int) -> tuple[Image, Causes]:
    """Cut a tile of TILE_PX on a side from a plane that is halved so often; beyond the image there are no data.

    Tiles count from the first pixel. Raises IndexError for one that lies wholly beside the image.
    """
    side = TILE_PX << level
    part = Plane(*(image[side * row : side * (row + 1), side * column : side * (column + 1)] for image in _both(plane)))
    if min(column, row) < 0 or 0 in part.values.shape:
        raise IndexError(f"There is no tile {column}, {row} at level {level}.")
    found, causes = halved(part, level)
    beyond = tuple((0, TILE_PX - there) for there in found.shape)
    return np.pad(found, beyond, constant_values=np.nan), np.pad(causes, beyond)


def sample(plane: Plane, level: int) -> Image:
    """Return good pixels of a plane that is halved so often, from windows spread over it; (n,), at most 8192."""
    side = _WINDOW_PX << level
    ny, nx = plane.values.shape
    corners = [
        (round(k * max(ny - side, 0) / (_GRID - 1)), round(j * max(nx - side, 0) / (_GRID - 1)))
        for k in range(_GRID)
        for j in range(_GRID)
    ]
    found = []
    # One that is small has the same window more than once.
    for y, x in dict.fromkeys(corners):
        values, causes = halved(Plane(*(image[y : y + side, x : x + side] for image in _both(plane))), level)
        found.append(values[np.isfinite(values) & (causes == 0)][::_EVERY])
    return np.concatenate(found)


def pack(values: Image) -> Packed:
    """Bring a tile to codes whose steps are 1/128 of its noise, or as fine as its range lets them be.

    The noise is what two neighbours differ by, so that neither a galaxy nor a slope makes the steps coarse. An image
    without noise has steps of 2^-31 of its range, as fine as its floats.

    Parameters
    ----------
    values : (ny, nx), counts; what is not finite has no data.

    Returns
    -------
    Packed, whose planes are 4 * ny * nx bytes.
    """
    known = np.isfinite(values)
    exact = np.where(known, values, np.nan).astype(np.float64)
    zero = float(np.median(exact[known])) if known.any() else 0.0
    away = np.where(known, exact - zero, 0.0)
    steps = np.abs(exact[:, 1:] - exact[:, :-1])
    steps = steps[np.isfinite(steps)]
    sigma = MAD_TO_SIGMA * float(np.median(steps)) / math.sqrt(2.0) if steps.size else 0.0
    step = max(sigma / STEPS_PER_SIGMA, float(np.abs(away).max(initial=0.0)) / _MOST) or 1.0
    codes = np.where(known, np.rint(away / step) + MIDDLE, NO_DATA).astype("<u4")
    return Packed(zero, step, codes.view(np.uint8).reshape(-1, 4).T.tobytes())


def _both(plane: Plane) -> tuple[Pixels, Pixels]:
    return plane.values, plane.causes
