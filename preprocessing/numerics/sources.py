"""Stars and PSF of one image, whether its stars are points or lines."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from observations.numerics.frame import Image, Mask, PsfModel, Stars
from preprocessing.numerics.line_psf import fit_line_psf, stars_without_psf
from preprocessing.numerics.photometry import psf_fluxes
from preprocessing.numerics.psf import PsfError, fit_psf
from preprocessing.numerics.stars import FIRST_GUESS_FWHM_PX, SHARPEST_STAR_PX, find_stars
from preprocessing.numerics.trailed_stars import are_trailed, find_lines, seen_across


@dataclass(frozen=True)
class Sources:
    """Stars, the PSF by them, and why there is none: too few of them, or lines too long for one."""

    stars: Stars
    psf: PsfModel | None
    complaint: str = ""


def measure_sources(  # noqa: PLR0913 - sky and noise go everywhere together
    data: Image,
    mask: Mask,
    *,
    background: Image | float,
    noise: Image | float,
    threshold_sigma: float = 5.0,
    sharpest_px: float = SHARPEST_STAR_PX,
    degree: int | None = None,
) -> Sources:
    """Find the stars of an image and measure its PSF by them.

    Where most stars are lines each is one star, and the PSF is a line. Its fluxes are total then.

    Parameters
    ----------
    As of `find_stars` and `fit_psf`.
    """
    stars = find_stars(
        data, mask, background=background, noise=noise, threshold_sigma=threshold_sigma, sharpest_px=sharpest_px
    )
    if are_trailed(stars):
        return _of_lines(data, mask, background, noise)
    try:
        return Sources(stars, fit_psf(data, mask, stars, background=background, noise=noise, degree=degree))
    except PsfError as error:
        return Sources(stars, None, str(error))


def _of_lines(data: Image, mask: Mask, background: Image | float, noise: Image | float) -> Sources:
    """Measure stars that are lines. Without a PSF their places still are those of stars."""
    lines = find_lines(data, mask, background=background, noise=noise)
    across = seen_across(data, mask, background=background, noise=noise).fwhm_px
    across = across if np.isfinite(across) else FIRST_GUESS_FWHM_PX
    try:
        psf, stars = fit_line_psf(data, mask, lines, background=background, noise=noise, across_px=across)
    except PsfError as error:
        return Sources(stars_without_psf(lines, across), None, str(error))
    return Sources(stars, psf)


def with_total_flux(
    sources: Sources, data: Image, mask: Mask, *, background: Image | float, noise: Image | float
) -> Stars:
    """Return the stars with the PSF's flux, which is total and free of neighbours, where that was possible."""
    stars = sources.stars
    if sources.psf is None:
        return stars
    flux, error = psf_fluxes(data, mask, sources.psf, stars, background=background, noise=noise)
    usable = np.isfinite(flux) & (flux > 0)
    return replace(stars, flux=np.where(usable, flux, stars.flux), flux_error=np.where(usable, error, stars.flux_error))
