"""How much a magnitude depends on a star's colour: a straight line that variables do not tilt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from observations.numerics.statistics import MAD_TO_SIGMA

Column = NDArray[np.float64]

FEWEST_STARS = 10
# With less spread of colour a slope is the noise of its ends.
LEAST_SPREAD_MAG = 0.1
CLIP_SIGMA = 3.0
ROUNDS = 5


@dataclass(frozen=True)
class ColourSlope:
    """Magnitudes per magnitude of colour with the error by the scatter, the stars that it rests on, and their mask."""

    slope: float
    error: float
    star_count: int
    keep: NDArray[np.bool_]


def colour_slope(value: Column, error: Column, colour: Column) -> ColourSlope | None:
    """Fit a straight line through magnitudes against colour, clipped at 3 sigma of the robust scatter.

    Parameters
    ----------
    value, error : (n,) mag, finite. colour : (n,) mag, finite, best about 0.

    Returns
    -------
    ColourSlope, or None with fewer than 10 stars that agree, or where their colours spread by less than .1 mag.
    """
    keep = np.ones(colour.size, dtype=bool)
    terms = np.column_stack([np.ones(colour.size), colour]) / error[:, None]
    spread, slope = 1.0, 0.0
    for _ in range(ROUNDS):
        if np.count_nonzero(keep) < FEWEST_STARS or colour[keep].std() < LEAST_SPREAD_MAG:
            return None
        solution = np.linalg.lstsq(terms[keep], (value / error)[keep], rcond=None)[0]
        slope = float(solution[1])
        pull = value / error - terms @ solution
        spread = max(1.0, float(MAD_TO_SIGMA * np.median(np.abs(pull[keep]))))
        keep = np.abs(pull) < CLIP_SIGMA * spread
    covariance = np.linalg.inv(terms[keep].T @ terms[keep])
    return ColourSlope(slope, float(spread * np.sqrt(covariance[1, 1])), int(np.count_nonzero(keep)), keep)
