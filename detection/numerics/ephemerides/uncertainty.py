"""How far a body may be from where its orbit says, as one sees it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# What the Minor Planet Center lets the highest class begin near: half a revolution in arcseconds.
_HALF_REVOLUTION_ARCSEC = 648000.0
_CLASSES = 9
DAYS_PER_DECADE = 3652.5
# Across its way a body is as well known as it was observed: residuals of orbits are this large, in arcseconds.
ASTROMETRY_ARCSEC = 0.5


def runoff_of(parameter: int | None) -> float:
    """Return how many arcseconds in longitude, seen from the Sun, a body may go astray in ten years; NaN: not known.

    The upper end of the class that the Minor Planet Center's uncertainty parameter U stands for,

        U = ⌊ln(runoff) / C⌋ + 1, from 0 to 9,   C = ln(648000) / 9

    so that 0 is below 1″ and 6 below 7 488″. 9 has no upper end, and says nothing of where a body is.
    """
    if parameter is None or not 0 <= parameter < _CLASSES:
        return float("nan")
    return float(_HALF_REVOLUTION_ARCSEC ** (parameter / _CLASSES))


def spread_arcsec(
    runoff: Floats, days: Floats | float, to_sun_au: Floats, to_earth_au: Floats, rms_arcsec: Floats
) -> tuple[Floats, Floats]:
    """Return the 1-sigma uncertainty along and across a body's way, in arcseconds as seen from the Earth.

    Along its way a body runs off in proportion to the time since the epoch; the angle at the Sun becomes that at the
    Earth by the ratio of the distances, the foreshortening left out: an upper bound. Across it is known as well as it
    was observed. A runoff is taken for one sigma though it is meant as a bound of what to expect: the error is on the
    safe side.

    Parameters
    ----------
    runoff : (n,) arcseconds a decade, NaN where not known. days : since the epoch, either sign. to_sun_au,
    to_earth_au : (n,) distances. rms_arcsec : (n,) residuals of the orbit, NaN where not known.

    Returns
    -------
    (n,) and (n,); the first is NaN where nothing is known of the orbit's quality.
    """
    across = np.where(np.isfinite(rms_arcsec), np.maximum(rms_arcsec, 0.1), ASTROMETRY_ARCSEC)
    at_sun = runoff * np.abs(days) / DAYS_PER_DECADE
    along = np.hypot(across, at_sun * to_sun_au / np.maximum(to_earth_au, 1e-9))
    return np.asarray(along, dtype=np.float64), np.asarray(across, dtype=np.float64)
