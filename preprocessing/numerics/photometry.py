"""Total fluxes of stars by fitting the PSF."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from observations.numerics.frame import Image, Mask, PsfModel, Stars
from preprocessing.numerics.background import as_plain_image
from preprocessing.numerics.psf_shape import shift_stamps

# Stars measured at once: bounds the memory of their stamps to 16 MB.
BATCH = 500


def psf_fluxes(
    data: Image, mask: Mask, psf: PsfModel, stars: Stars, *, background: Image | float, noise: Image | float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Measure the total flux of each star by fitting the PSF at its place.

    Matched-filter flux under white noise; masked pixels take no part. NaN where less than half of the PSF is visible.

    Returns
    -------
    flux, flux_error : (n,), unit of `data`; the error is that of the sky alone.
    """
    half = psf.size_px // 2
    image = np.pad(as_plain_image(data) - np.asarray(background, dtype=np.float32), half)
    bad = np.pad(mask, half, constant_values=True) | ~np.isfinite(image)
    rms = np.broadcast_to(np.asarray(noise, dtype=np.float32), data.shape)
    column = np.clip(np.round(stars.x), 0, psf.nx - 1).astype(int)
    row = np.clip(np.round(stars.y), 0, psf.ny - 1).astype(int)
    span = np.arange(psf.size_px)
    flux, error = np.full(len(stars), np.nan), np.full(len(stars), np.nan)
    for start in range(0, len(stars), BATCH):
        k = np.s_[start : start + BATCH]
        shapes = shift_stamps(psf.at(stars.x[k], stars.y[k]), stars.x[k] - column[k], stars.y[k] - row[k])
        at = (row[k, None, None] + span[None, :, None], column[k, None, None] + span[None, None, :])
        seen = np.where(bad[at], 0, shapes)
        power = (seen * seen).sum(axis=(1, 2))
        usable = (seen.sum(axis=(1, 2)) > 0.5) & (power > 0)
        power = np.where(usable, power, np.nan)
        flux[k] = (seen * np.where(bad[at], 0, image[at])).sum(axis=(1, 2)) / power
        error[k] = rms[row[k], column[k]] / np.sqrt(power)
    return flux, error
