"""How unlike two filters are: what a star's colour does to the ratio of its fluxes."""

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
# Variables and catalogue colours scatter by this even where photon noise is nil.
SCATTER_FLOOR_MAG = 0.02


@dataclass(frozen=True)
class ColourTerm:
    """Magnitudes, science less reference, per magnitude of colour, with its error and the stars that it rests on."""

    slope: float
    error: float
    star_count: int


def colour_term(science: Column, reference: Column, relative_error: Column, colour: Column) -> ColourTerm | None:
    """Fit the slope of the magnitude difference against colour.

    Parameters
    ----------
    science, reference : (n,) total fluxes of the same stars. relative_error : (n,) of their ratio. colour : (n,) mag,
        NaN where unknown.

    Returns
    -------
    ColourTerm, of a straight line clipped at 3 sigma of the robust scatter; the error is that of the scatter. None
    with fewer than 10 stars, or where their colours spread by less than .1 mag.
    """
    good = np.isfinite(colour) & (science > 0) & (reference > 0) & np.isfinite(relative_error)
    if np.count_nonzero(good) < FEWEST_STARS:
        return None
    value = -2.5 * np.log10(science[good] / reference[good])
    error, x = np.hypot(1.0857 * relative_error[good], SCATTER_FLOOR_MAG), colour[good] - np.median(colour[good])
    keep = np.ones(x.size, dtype=bool)
    for _ in range(ROUNDS):
        if np.count_nonzero(keep) < FEWEST_STARS or x[keep].std() < LEAST_SPREAD_MAG:
            return None
        terms = np.column_stack([np.ones(x.size), x]) / error[:, None]
        solution = np.linalg.lstsq(terms[keep], (value / error)[keep], rcond=None)[0]
        pull = value / error - terms @ solution
        spread = max(1.0, float(MAD_TO_SIGMA * np.median(np.abs(pull[keep]))))
        keep = np.abs(pull) < CLIP_SIGMA * spread
    covariance = np.linalg.inv(terms[keep].T @ terms[keep])
    return ColourTerm(float(solution[1]), float(spread * np.sqrt(covariance[1, 1])), int(np.count_nonzero(keep)))
