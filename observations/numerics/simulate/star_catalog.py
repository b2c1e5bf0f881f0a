"""The star catalogue of a simulated sky: what a survey would have measured of its stars, errors included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from observations.numerics.fits.synthetic import BAND, field_wcs
from observations.numerics.simulate.nights import NightParameters, stars_of
from observations.numerics.simulate.sources import Array

# As good as the catalogues that observatories use: Gaia's positions in crowded places, ground-based magnitudes.
POSITION_ERROR_MAS = 20.0
MAGNITUDE_ERROR = 0.02
FAINTEST_MAG = 20.5
# The stars of a field have a V - R about that of the Sun, 0.36, and the frames' filter is R.
COLOUR, COLOUR_SPREAD = 0.45, 0.2
PROPER_MOTION_MAS_PER_YEAR = 8.0
_MJD_OF_J2000, _DAYS_PER_YEAR = 51_544.5, 365.25


@dataclass(frozen=True)
class CatalogStars:
    """What the catalogue says, arrays (n,): ICRS degrees at the epoch, proper motion in mas a year, magnitudes."""

    epoch_year: float
    ra_deg: Array
    dec_deg: Array
    pm_ra: Array
    pm_dec: Array
    magnitude: Array
    v_magnitude: Array


def catalog_stars(parameters: NightParameters) -> CatalogStars:
    """Measure the stars of the simulated sky once more, with the errors of a catalogue.

    Positions hold at the first night: in the days until the last one no star moves by more than a milliarcsecond or
    two, so that the frames show none of the proper motion. Errors of magnitude grow as photon noise does.
    """
    p = parameters
    rng = np.random.default_rng([p.seed, 102])
    x, y, electrons = stars_of(p)
    magnitude = p.magnitude(electrons)
    x, y, magnitude = (column[magnitude < FAINTEST_MAG] for column in (x, y, magnitude))
    ra, dec = field_wcs(p).all_pix2world(x, y, 0)
    ra_error, dec_error = rng.normal(0.0, POSITION_ERROR_MAS / 3.6e6, (2, x.size))
    error = np.hypot(MAGNITUDE_ERROR, MAGNITUDE_ERROR * 10 ** (0.4 * (magnitude - (FAINTEST_MAG - 1.5))))
    pm_ra, pm_dec = rng.normal(0.0, PROPER_MOTION_MAS_PER_YEAR, (2, x.size))
    colour = rng.normal(COLOUR, COLOUR_SPREAD, x.size)
    seen, seen_v = (magnitude + shift + rng.normal(0.0, error) for shift in (0.0, colour))
    return CatalogStars(
        2000.0 + (p.first_mjd_utc - _MJD_OF_J2000) / _DAYS_PER_YEAR,
        ra + ra_error / np.cos(np.radians(dec)),
        dec + dec_error,
        pm_ra,
        pm_dec,
        seen,
        seen_v,
    )


def catalog_lines(parameters: NightParameters) -> Iterator[str]:
    """Yield the lines of the catalogue as a CSV file, brightest star first."""
    stars = catalog_stars(parameters)
    yield f"# name: simulated sky {parameters.seed}"
    yield f"id,ra,dec,ref_epoch,pmra,pmdec,{BAND}mag,Vmag"
    for number, k in enumerate(np.argsort(stars.magnitude, kind="stable"), start=1):
        place = f"{stars.ra_deg[k]:.8f},{stars.dec_deg[k]:.8f},{stars.epoch_year:.4f}"
        motion = f"{stars.pm_ra[k]:.2f},{stars.pm_dec[k]:.2f}"
        yield f"{number},{place},{motion},{stars.magnitude[k]:.4f},{stars.v_magnitude[k]:.4f}"
