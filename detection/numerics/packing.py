"""Images of a cutout as 16-bit integers: half the bytes of floats and less, and fine enough for every eye and reader."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from observations.numerics.statistics import MAD_TO_SIGMA

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]

# One code is a thousandth of asinh's argument wide: with SOFT_SIGMA it misses by 0.006 sigma near the sky and by 5e-4
# of what is bright. Pages promise 0.01 sigma and 1e-3: sigma may be found 1.6 times too large beside bright sources.
STEP, SOFT_SIGMA = 1e-3, 12.0
# The code of the sky, in the middle of both bytes, so that the upper one is the same for nearly all of the noise.
MIDDLE = 0x8080
NO_DATA = 0
_MOST = 0xFFFF - MIDDLE


@dataclass(frozen=True)
class Packed:
    """An image as codes: the value of a code c is `zero + soft * sinh((c - MIDDLE) * step)`, `NO_DATA` has none.

    planes : the lower bytes of all pixels, then the upper ones, row by row.
    """

    zero: float
    soft: float
    step: float
    planes: bytes


def pack(image: Image, mask: Mask) -> Packed:
    """Bring an image to codes whose steps are even near the sky and grow with the brightness far from it.

    code = MIDDLE + round(asinh((value - zero) / soft) / step), with zero the median and soft = 12 sigma of the good
    pixels. Values come back within half a step, which is step / 2 * sqrt((value - zero)^2 + soft^2): at most the larger
    of 0.01 sigma and 1e-3 of |value - zero|. sigma is the smaller one of the scatter about the median and
    that about the mean of two neighbours, so that neither a galaxy nor a slope makes the steps coarse. An image without any scatter,
    and one whose range is beyond 10^13 sigma, has steps in proportion to what it holds.

    Parameters
    ----------
    image : (ny, nx), counts; what is not finite has no data.
    mask : (ny, nx) bool, True = bad: not used for the median and sigma, but packed like the others; if all are bad, all are used.

    Returns
    -------
    Packed, whose planes are 2 * ny * nx bytes.
    """
    known = np.isfinite(image)
    values = np.asarray(image, dtype=np.float64)
    good = known & ~mask if (known & ~mask).any() else known
    zero = float(np.median(values[good])) if good.any() else 0.0
    away = np.where(known, values - zero, 0.0)
    soft = SOFT_SIGMA * _sigma(values, good) or float(np.abs(away).mean()) or 1.0
    levels = np.arcsinh(away / soft)
    step = max(STEP, float(np.abs(levels).max(initial=0.0)) / (_MOST - 1))
    codes = np.where(known, MIDDLE + np.rint(levels / step), NO_DATA).astype("<u2")
    return Packed(zero, soft, step, codes.view(np.uint8).reshape(-1, 2).T.tobytes())


def _sigma(values: NDArray[np.float64], good: Mask) -> float:
    """Return the scatter of the good pixels about their median or about their neighbours' mean; 0 where none."""
    bends = values[:, 1:-1] - 0.5 * (values[:, :-2] + values[:, 2:])
    is_bend = good[:, 1:-1] & good[:, :-2] & good[:, 2:]
    scatters = (_median_away(values[good]), _median_away(bends[is_bend]) / np.sqrt(1.5))
    return MAD_TO_SIGMA * min((scatter for scatter in scatters if scatter > 0), default=0.0)


def _median_away(values: NDArray[np.float64]) -> float:
    return float(np.median(np.abs(values - np.median(values)))) if values.size else 0.0
