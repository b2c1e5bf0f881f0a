"""Images of a cutout as 16-bit integers: fewer bytes than floats, and fine enough for every eye."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from observations.numerics.statistics import MAD_TO_SIGMA

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]

# One code is a thousandth of asinh's argument wide: with SOFT_SIGMA it misses by 0.005 sigma near the sky and by 5e-4
# of what is bright. Pages promise 0.01 sigma and 1e-3: sigma may be found twice too large beside bright sources.
STEP, SOFT_SIGMA = 1e-3, 10.0
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

    code = MIDDLE + round(asinh((value - zero) / soft) / step), with zero the median and soft = 10 sigma of the good
    pixels. Values come back within half a step, which is step / 2 * sqrt((value - zero)^2 + soft^2): at most the
    larger of 0.01 sigma and 1e-3 of |value - zero|. sigma is the smaller one of the scatter about the median and that
    about the mean of two neighbours, so that neither a galaxy nor a slope makes the steps coarse. An image without
    any scatter, and one whose range is beyond 10^13 sigma, has steps in proportion to what it holds.

    Parameters
    ----------
    image : (ny, nx), counts; what is not finite has no data.
    mask : (ny, nx) bool, True = bad: not used for the median and sigma, but packed like the others; if all pixels are
        bad, all are used.

    Returns
    -------
    Packed, whose planes are 2 * ny * nx bytes.
    """
    known = np.isfinite(image)
    good = known & ~mask if (known & ~mask).any() else known
    zero = _median(np.asarray(image[good], dtype=np.float64))
    away = np.where(known, image, np.float32(zero)) - zero
    soft = SOFT_SIGMA * _sigma(away, good) or float(np.abs(away).mean()) or 1.0
    levels = np.arcsinh(away / soft)
    step = max(STEP, float(np.abs(levels).max(initial=0.0)) / (_MOST - 1))
    codes = np.where(known, np.rint(levels / step) + MIDDLE, NO_DATA).astype("<u2")
    return Packed(zero, soft, step, codes.view(np.uint8).reshape(-1, 2).T.tobytes())


def _sigma(away: NDArray[np.float64], good: Mask) -> float:
    """Return the scatter of the good pixels about zero or about the mean of their neighbours; 0 where none."""
    # Every other row tells as much.
    rows, is_good = away[::2], good[::2]
    bends = rows[:, 1:-1] - 0.5 * (rows[:, :-2] + rows[:, 2:])
    is_bend = is_good[:, 1:-1] & is_good[:, :-2] & is_good[:, 2:]
    scatters = (_median(np.abs(away[good])), _median(np.abs(bends[is_bend])) / math.sqrt(1.5))
    return MAD_TO_SIGMA * min((scatter for scatter in scatters if scatter > 0), default=0.0)


def _median(values: NDArray[np.float64]) -> float:
    """Return the (upper) median, 0 where there is none; `numpy.median` takes twice the time."""
    middle = values.size // 2
    return float(np.partition(values, middle)[middle]) if values.size else 0.0
