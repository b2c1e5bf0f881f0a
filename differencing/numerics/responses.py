"""What point sources and single pixels become in a difference, tile by tile."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft as sizes

from differencing.numerics.maps import FiltersOf, empty_tile
from differencing.numerics.pair import Pair
from differencing.numerics.tiles import TileGrid, stamp_of

Array = NDArray[np.float64]


class Responses:
    """The responses of one algorithm to one pair: odd square arrays, as large as the PSFs allow."""

    def __init__(self, pair: Pair, grid: TileGrid, filters_of: FiltersOf) -> None:
        self._pair, self._grid, self._filters_of = pair, grid, filters_of
        self._kept: dict[tuple[int, int], tuple[Array, ...]] = {}

    def psf_d(self, x: float, y: float) -> Array:
        """Return P_D, of sum 1: the mean of what sources of both frames become, but of no PSF that is a guess."""
        return self._at(x, y)[0]

    def spike(self, x: float, y: float, is_in_reference: bool) -> Array:
        """Return what one count in one pixel of a frame becomes, in the sign of that frame."""
        return self._at(x, y)[2 if is_in_reference else 1]

    def _at(self, x: float, y: float) -> tuple[Array, ...]:
        """Return the responses in the tile of a position."""
        sizes = zip((y, x), self._grid.step, self._grid.count, strict=True)
        i, j = (int(np.clip(place // step, 0, count - 1)) for place, step, count in sizes)
        if (i, j) not in self._kept:
            self._kept[i, j] = self._respond(*(float(axis[j]) for axis in self._grid.centres(i)))
        return self._kept[i, j]

    def _respond(self, x: float, y: float) -> tuple[Array, ...]:
        half = min((self._pair.new.psf(x, y).shape[0] - 1) // 2, (min(self._grid.side) - 1) // 2)
        # What reaches as far as both PSFs together does not come back into the stamp from the other side.
        length = sizes.next_fast_len(3 * half + 1, real=True)
        side = (min(length, self._grid.side[0]), min(length, self._grid.side[1]))
        new, ref = (empty_tile(one, x, y, side) for one in (self._pair.new, self._pair.ref))
        kernels = self._filters_of(new, ref, np.array([x]), np.array([y]), None)
        of_new, of_ref = (kernels.d_scale * d + 0j for d in (kernels.d_n, kernels.d_r))
        trust_n, trust_r = self._pair.trust
        psf_d = stamp_of(of_new * new.psf * trust_n + of_ref * ref.psf * trust_r, side, half)
        return psf_d / psf_d.sum(), stamp_of(of_new, side, half), stamp_of(of_ref, side, half)
