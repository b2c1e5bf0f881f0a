"""Images of a simulated sky as surveys hand them out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from observations.numerics.fits.synthetic import field_wcs
from observations.numerics.fits.wcs import nominal_wcs
from observations.numerics.simulate.nights import NightParameters, stars_of
from observations.numerics.simulate.sources import MoffatPsf, point_sources
from observations.numerics.simulate.star_catalog import FAINTEST_MAG, catalog_stars

SCALE_ARCSEC, FWHM_PX = 0.5, 2.4
SOFTENING, OFFSET, EXPOSURE_S = 100.0, -3.0, 700.0


def survey_sky(
    parameters: NightParameters, seed: int = 1, *, counts: float = 0.2, colour_slope: float = 0.0
) -> tuple[np.ndarray, Any]:
    """Return a deep, sharp image of the field's stars in linear counts around 0, and its WCS.

    colour_slope : magnitudes by which a star is brighter than in the frames for each magnitude of its V - R.
    """
    p = parameters
    side = int(1.3 * p.size * p.pixel_scale_arcsec / SCALE_ARCSEC)
    wcs = nominal_wcs(p.ra_deg, p.dec_deg, SCALE_ARCSEC, (side, side))
    x, y, electrons = stars_of(p)
    stars = catalog_stars(p)
    shift = np.zeros(x.size)
    shift[p.magnitude(electrons) < FAINTEST_MAG] = colour_slope * (stars.v_magnitude - stars.magnitude)
    electrons = electrons * 10 ** (0.4 * shift)
    sx, sy = wcs.all_world2pix(*field_wcs(p).all_pix2world(x, y, 0), 0)
    image = point_sources((side, side), sx, sy, counts * electrons, MoffatPsf(FWHM_PX, (side, side)))
    return image + np.random.default_rng(seed).normal(0.0, 1.0, image.shape), wcs


def write_panstarrs(path: Path, parameters: NightParameters, *, colour_slope: float = 0.0) -> Path:
    """Write the field as a cutout of Pan-STARRS in r: asinh magnitudes, the old matrix, an empty corner."""
    counts, wcs = survey_sky(parameters, colour_slope=colour_slope)
    values = 2.5 / np.log(10) * np.arcsinh((counts - OFFSET) / (2 * SOFTENING))
    values[:20, :30] = np.nan
    header = fits.Header()
    header["CTYPE1"], header["CTYPE2"] = "RA---TAN", "DEC--TAN"
    header["CRVAL1"], header["CRVAL2"] = wcs.wcs.crval
    header["CRPIX1"], header["CRPIX2"] = wcs.wcs.crpix
    header["CDELT1"] = header["CDELT2"] = SCALE_ARCSEC / 3600
    header["PC001001"], header["PC001002"], header["PC002001"], header["PC002002"] = -1.0, 0.0, 0.0, 1.0
    header["BSOFTEN"], header["BOFFSET"], header["EXPTIME"], header["MJD-OBS"] = SOFTENING, OFFSET, EXPOSURE_S, 55900.5
    header["HIERARCH FPA.TELESCOPE"], header["HIERARCH FPA.FILTER"] = "PS1", "r.00000"
    fits.writeto(path, values.astype(np.float32), header)
    return path
