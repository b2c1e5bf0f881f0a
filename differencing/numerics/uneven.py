"""Pixels that are known worse than those around them: filled ones, and those of a stack that few frames hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from differencing.numerics.background import noise_of_variance
from observations.numerics.compiled import compiled
from observations.numerics.frame import Frame, Image, Mask

Axis = tuple[NDArray[np.int64], NDArray[np.int64], Image]

# A variance above the usual by less than this factor is the noise's own, or the gain's.
LEAST_FACTOR = 1.5
STRIP_ROWS = 256


@dataclass(frozen=True)
class Uneven:
    """The pixels of a frame whose variance is more than their sky and their light explain, row by row.

    first : (ny + 1,) where each row begins in the others. column, factor : (n,) which pixels, and how much more.
    """

    first: NDArray[np.int64]
    column: NDArray[np.int32]
    factor: Image

    @classmethod
    def of(cls, frame: Frame, sources: Mask, mask: Mask) -> Uneven | None:
        """Return what a frame says of single pixels that are not masked, None where it says nothing.

        sources : True = holds a source or is bad, where the usual variance is not looked for. The light is what the
        frame has above the median of its rest; it explains its photons where the gain is known.
        """
        usual = None if frame.variance is None else noise_of_variance(frame.variance, sources)
        if frame.variance is None or usual is None:
            return None
        ny, nx = frame.shape
        sky = np.float32(np.median(frame.data[::4, ::4]))
        per_light = np.float32(1.0 / frame.gain if frame.gain else 0.0)
        across = usual.between(1, np.arange(nx, dtype=np.float64))
        count, found = np.zeros(ny + 1, dtype=np.int64), []
        for top in range(0, ny, STRIP_ROWS):
            rows = slice(top, min(top + STRIP_ROWS, ny))
            along = usual.between(0, np.arange(rows.start, rows.stop, dtype=np.float64))
            factor = np.zeros((rows.stop - top, nx), dtype=np.float32)
            pixels = (frame.variance[rows], frame.data[rows] - sky, mask[rows])
            _write_factors(pixels, (usual.sigma, along, across), per_light, factor)
            y, x = np.nonzero(factor)
            count[rows.start + 1 : rows.stop + 1] = np.bincount(y, minlength=rows.stop - top)
            found.append((x.astype(np.int32), factor[y, x]))
        column, factors = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return cls(np.cumsum(count), column, factors) if column.size else None

    def widen(self, variance: Image, rows: slice) -> None:
        """Multiply the variance of some rows, which is written to."""
        first, last = self.first[rows.start], self.first[rows.stop]
        y = np.repeat(np.arange(len(variance)), np.diff(self.first[rows.start : rows.stop + 1]))
        variance[y, self.column[first:last]] *= self.factor[first:last]


@compiled
def _write_factors(
    pixels: tuple[Image, Image, Mask], usual: tuple[Image, Axis, Axis], per_light: np.float32, factor: Image
) -> None:
    """Write how much more than explained the variance of each pixel is, 0 where it is explained."""
    variance, light, mask = pixels
    sigma, along, across = usual
    for y in range(factor.shape[0]):
        low, high, share = along[0][y], along[1][y], along[2][y]
        for x in range(factor.shape[1]):
            i, j, t = across[0][x], across[1][x], across[2][x]
            rms = (sigma[low, i] * (1 - t) + sigma[low, j] * t) * (1 - share)
            rms += (sigma[high, i] * (1 - t) + sigma[high, j] * t) * share
            expected = rms * rms + max(light[y, x], np.float32(0)) * per_light
            if variance[y, x] > np.float32(LEAST_FACTOR) * expected and not mask[y, x]:
                factor[y, x] = variance[y, x] / expected
