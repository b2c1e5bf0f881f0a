"""How finely a pair is cut into tiles: as its PSFs, its shift and its kernel vary over the frame."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from differencing.numerics.pair import Pair
from differencing.numerics.parameters import ZogyParameters
from differencing.numerics.spectrum import ENOUGH_TILES
from differencing.numerics.tiles import Tensor, TileGrid
from preprocessing.numerics.photometry import psf_stamps

Array = NDArray[np.float64]

# Where next to nothing changes, tiles this much wider save a third of the pixels that are transformed.
WIDE = 2
# From the middle of a wide tile to its corner the PSF (rms, as a share of its own) and the kernel (at any frequency)
# may change by this much, which is less than the model error of a good pair, and the shift by so many px.
MOST_CHANGE, MOST_SHIFT_PX = 0.01, 0.02
# Changes are looked at from place to place, so many along each axis; those of a kernel on so small a plane.
PLACES, KERNEL_SIDE = 5, (16, 16)


class Varying(Protocol):
    """A kernel that depends on the place: `kernel.Kernel` or `matching.MatchingKernel`."""

    def factors(self, x: Array, y: Array, side: tuple[int, int], device: torch.device) -> Tensor: ...


def grid_of(pair: Pair, kernel: Varying | None, p: ZogyParameters) -> TileGrid:
    """Return the tiles for a pair: about `p.tile_px` wide, or twice as much where nothing changes over such a tile.

    Small frames are cut finely all the same: of few tiles nobody can tell the colour of the noise.
    """
    fine = TileGrid.of(pair.mask.shape, p.tile_px, p.overlap_px)
    wide = TileGrid.of(pair.mask.shape, WIDE * p.tile_px, p.overlap_px)
    if math.prod(wide.count) < ENOUGH_TILES:
        return fine
    y, x = (np.linspace(0, n - 1, PLACES) for n in pair.mask.shape)
    places = 0.5 * math.hypot(*wide.step) / max(min(x[1], y[1]), 1.0)
    if all(change * places <= most for change, most in _changes(pair, kernel, x, y)):
        return wide
    return fine


def _changes(pair: Pair, kernel: Varying | None, x: Array, y: Array) -> Iterator[tuple[float, float]]:
    """Yield how much each thing that varies changes at most from one place to the next, and how much it may."""
    v, u = (axis.ravel() for axis in np.meshgrid(y, x, indexing="ij"))
    for side in (pair.new, pair.ref):
        stamps = psf_stamps(side.psf, u, v).reshape(len(u), -1)
        yield _largest_step(stamps / np.linalg.norm(stamps[0])), MOST_CHANGE
    if pair.shift is not None:
        yield _largest_step(np.stack([s(u, v) for s in pair.shift], axis=-1)), MOST_SHIFT_PX
    if kernel is not None:
        factors = kernel.factors(u, v, KERNEL_SIDE, torch.device("cpu")).flatten(1).numpy()
        yield max(_largest_step(factors[:, [k]]) for k in range(factors.shape[1])), MOST_CHANGE


def _largest_step(values: NDArray[np.generic]) -> float:
    """Return the largest distance of the values (places, k) at two neighbouring places of the raster."""
    raster = values.reshape(PLACES, PLACES, -1)
    return max(float(np.linalg.norm(np.diff(raster, axis=axis), axis=-1).max()) for axis in (0, 1))
