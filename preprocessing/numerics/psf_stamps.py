"""Stamps of stars, cut from an image with their neighbours masked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from observations.numerics.compiled import compiled
from observations.numerics.frame import Image, Mask, Stars
from preprocessing.numerics.moffat import Stamps

# A Moffat of index 3 falls to 1 % of its peak at 1.5 FWHM and to 0.1 % at 2.6.
DISC_FWHM = 1.5
SMALLEST_DISC_FWHM, LARGEST_DISC_FWHM = 1.0, 3.0
# The light of a Moffat of index 3 falls below a third of the noise per pixel at the sixth root of its S/N, in FWHM.
LARGEST_SEEN_FWHM = 5.0


@dataclass(frozen=True)
class Field:
    """An image whose sky is 0, its bad pixels, its noise per pixel, and all its sources."""

    image: Image
    bad: Mask
    noise: Image
    stars: Stars

    @property
    def shape(self) -> tuple[int, int]:
        return self.image.shape

    def stamps(self, chosen: NDArray[np.intp], half: int, *, down_to_noise: bool = False) -> Stamps:
        """Cut squares of `half` px to each side of the chosen sources; what lies outside of the frame is unusable.

        Discs around all other sources are unusable too: as large as their light disturbs the star, or, `down_to_noise`,
        as it can be seen at all, so that bright stars have no more of it around them than faint ones.
        """
        span = np.arange(-half, half + 1)
        column, row = (np.round(c[chosen]).astype(int) for c in (self.stars.x, self.stars.y))
        rows, columns = row[:, None, None] + span[None, :, None], column[:, None, None] + span[None, None, :]
        ny, nx = self.shape
        at = np.clip(rows, 0, ny - 1), np.clip(columns, 0, nx - 1)
        good = (rows == at[0]) & (columns == at[1]) & ~self.bad[at] & ~self._crowd(chosen, half, down_to_noise)
        noise = np.maximum(self.noise[at], 1e-15)
        return Stamps(np.where(good, self.image[at], np.float32(0)), np.where(good, noise**-2, np.float32(0)))

    def _crowd(self, chosen: NDArray[np.intp], half: int, down_to_noise: bool) -> NDArray[np.bool_]:
        xy, flux, fwhm = self.stars.xy, self.stars.flux, self.stars.fwhm_px
        crowd = np.zeros((chosen.size, 2 * half + 1, 2 * half + 1), dtype=bool)
        middle = np.round(xy[chosen])
        near = cKDTree(xy).query_ball_point(middle, half + LARGEST_SEEN_FWHM * fwhm, p=np.inf)
        count = [len(c) for c in near]
        own = np.repeat(np.arange(chosen.size), count)
        other = np.fromiter(chain.from_iterable(near), dtype=np.intp, count=sum(count))
        apart = other != chosen[own]
        own, other = own[apart], other[apart]
        if down_to_noise:
            snr = np.maximum(flux / np.maximum(self.stars.flux_error, 1e-30), 1.0)
            reach = fwhm * np.minimum(snr[other] ** (1 / 6), LARGEST_SEEN_FWHM)
        else:
            ratio = np.maximum(10 * flux[other] / flux[chosen[own]], 1e-9)
            reach = fwhm * np.clip(DISC_FWHM + 0.5 * np.log10(ratio), SMALLEST_DISC_FWHM, LARGEST_DISC_FWHM)
        _mark(crowd, own, xy[other] - middle[own], reach)
        return crowd


@compiled
def _mark(crowd, own, offset, reach):  # type: ignore[no-untyped-def]
    """Mark the pixels nearer than `reach` to a place that is so far from the middle of its star's stamp."""
    _, size, _ = crowd.shape
    half = size // 2
    for k in range(own.size):
        x, y = offset[k, 0] + half, offset[k, 1] + half
        for row in range(max(0, math.ceil(y - reach[k])), min(size, math.floor(y + reach[k]) + 1)):
            for column in range(max(0, math.ceil(x - reach[k])), min(size, math.floor(x + reach[k]) + 1)):
                if (column - x) ** 2 + (row - y) ** 2 < reach[k] ** 2:
                    crowd[own[k], row, column] = True
