"""Pixels that are known worse than those around them: filled ones, and those of a stack that few frames hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from differencing.numerics.background import NoiseMesh, measure_noise_of_variance
from observations.numerics.compiled import compiled
from observations.numerics.frame import Frame, Image, Mask

# A variance above the usual by less than this factor is the noise's own, or the gain's.
LEAST_FACTOR = 1.5


@dataclass(frozen=True)
class Uneven:
    """What a frame says of the variance of its pixels, in its own unit.

    declared : (ny, nx). usual : the noise that goes with it on empty sky. per_light : variance for each count of light,
    0 where the gain is unknown.
    """

    declared: Image
    usual: NoiseMesh
    per_light: float

    @classmethod
    def of(cls, frame: Frame, sources: Mask) -> Uneven | None:
        """Return what a frame says, None where it says nothing."""
        if frame.variance is None:
            return None
        usual = measure_noise_of_variance(frame.variance, sources)
        return None if usual is None else cls(frame.variance, usual, 1.0 / frame.gain if frame.gain else 0.0)

    def widen(self, variance: Image, light: Image, scale: Image, mask: Mask, rows: slice) -> None:
        """Multiply the variance of some rows where the frame declares more than its sky and its light explain.

        Parameters
        ----------
        variance : of the rows, written to. light, mask : of the same rows, the light in the pair's unit.
        scale : what brings the frame's counts to that unit, (rows, nx) or one number (1, 1).
        """
        lines, columns = (np.arange(s.start, s.stop, dtype=np.float64) for s in (rows, slice(0, light.shape[1])))
        _widen(
            variance,
            (light, scale, self.declared[rows], mask),
            (self.usual.sigma, self.usual.between(0, lines), self.usual.between(1, columns)),
            np.float32(self.per_light),
        )


@compiled
def _widen(
    variance: Image,
    pixels: tuple[Image, Image, Image, Mask],
    usual: tuple[
        Image,
        tuple[NDArray[np.int64], NDArray[np.int64], Image],
        tuple[NDArray[np.int64], NDArray[np.int64], Image],
    ],
    per_light: np.float32,
) -> None:
    light, scale, declared, mask = pixels
    sigma, along, across = usual
    one = scale.size == 1
    for y in range(variance.shape[0]):
        low, high, share = along[0][y], along[1][y], along[2][y]
        for x in range(variance.shape[1]):
            i, j, t = across[0][x], across[1][x], across[2][x]
            rms = (sigma[low, i] * (1 - t) + sigma[low, j] * t) * (1 - share)
            rms += (sigma[high, i] * (1 - t) + sigma[high, j] * t) * share
            own = light[y, x] / (scale[0, 0] if one else scale[y, x])
            expected = rms * rms + max(own, np.float32(0)) * per_light
            factor = declared[y, x] / expected
            if factor > LEAST_FACTOR and not mask[y, x]:
                variance[y, x] *= factor
