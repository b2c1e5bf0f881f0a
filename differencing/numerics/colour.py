"""How unlike two filters are: what a star's colour does to the ratio of its fluxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from preprocessing.numerics.colour_slope import FEWEST_STARS, colour_slope

Column = NDArray[np.float64]

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
    found = colour_slope(value, error, x)
    return None if found is None else ColourTerm(found.slope, found.error, found.star_count)
