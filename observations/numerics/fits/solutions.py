"""What plate solvers read and write: lists of stars, images, and the header of a solution; and that header as text."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS
from numpy.typing import NDArray


def write_star_list(path: Path, x: NDArray[np.number], y: NDArray[np.number], flux: NDArray[np.number]) -> None:
    """Write stars as a FITS table with the columns X, Y (pixels, counted from 1) and FLUX; `x`, `y` count from 0."""
    Table({"X": x + 1.0, "Y": y + 1.0, "FLUX": flux}).write(path, format="fits")


def write_image(path: Path, data: NDArray[np.number]) -> None:
    """Write pixels as the one image of a FITS file."""
    fits.PrimaryHDU(data).writeto(path)


def read_solution(path: Path) -> WCS:
    """Return the WCS in the header that a solver wrote, in ICRS.

    The catalogues behind all solvers are in ICRS, whether they say so or not. Raises OSError, ValueError, TypeError or
    KeyError where the file holds no such header.
    """
    with warnings.catch_warnings():
        # Remarks on keywords that no program needs.
        warnings.simplefilter("ignore", AstropyWarning)
        wcs = WCS(fits.Header.fromfile(path, padding=False, endcard=False))
    wcs.wcs.radesys = "ICRS"
    return wcs


def wcs_to_text(wcs: WCS) -> str:
    """Return a WCS as the lines of its header."""
    return str(wcs.to_header(relax=True).tostring(sep="\n"))


def wcs_from_text(text: str) -> WCS:
    """Return the WCS that `wcs_to_text` wrote."""
    return WCS(fits.Header.fromstring(text, sep="\n"))
