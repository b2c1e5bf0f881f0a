"""The colour term between a frame and another telescope's image, from stars of a catalogue of two bands."""

from __future__ import annotations

import numpy as np
from astropy.wcs import WCS

from differencing.numerics.colour import ColourTerm, colour_term
from observations.numerics.frame import Frame
from observations.numerics.sphere import separation_deg
from preprocessing.numerics.astrometry.identify import identify_stars
from preprocessing.numerics.astrometry.matching import Match
from preprocessing.products import stars_of
from preprocessing.star_catalog import MJD_OF_J2000, Place, catalog_at
from preprocessing.star_table import StarCatalogRefused

# A solved frame's positions and the catalogue's; a star farther away is another one.
REACH_PX = 2.0
# The cone about the middle must hold the corners of a frame whose plane is not quite flat.
MARGIN = 1.02


def colour_term_between(science: Frame, reference: Frame, match: Match) -> tuple[str, ColourTerm] | None:
    """Return the colour and the term, None without a catalogue of two bands or with too few of its stars.

    match : the stars of the science frame (source) with those of the reference (target).
    """
    if science.wcs is None:
        return None
    place = _place(science, science.wcs)
    try:
        catalog = catalog_at(place)
    except StarCatalogRefused:
        # The frame's own solution has said so.
        return None
    if catalog is None or len(catalog.bands) < 2:
        return None
    own, given = stars_of(science)[match.source_index], stars_of(reference)[match.target_index]
    clean = own.is_isolated & ~own.is_saturated & ~given.is_saturated
    own, given = own[clean], given[clean]
    near = catalog.cone(place.ra_deg, place.dec_deg, MARGIN * (place.reach_deg or 0.0))
    mine, known = identify_stars(own.xy, science.wcs, near.stars, REACH_PX)
    first, second = near.magnitudes[0][known], near.magnitudes[1][known]
    relative = np.hypot(own.flux_error[mine] / own.flux[mine], given.flux_error[mine] / given.flux[mine])
    found = colour_term(own.flux[mine], given.flux[mine], relative, first - second)
    name = f"{catalog.bands[0].name} - {catalog.bands[1].name}"
    return None if found is None else (name, found)


def _place(science: Frame, wcs: WCS) -> Place:
    ny, nx = science.shape
    ra, dec = (float(value) for value in wcs.all_pix2world((nx - 1) / 2, (ny - 1) / 2, 0))
    corner = wcs.all_pix2world(0.0, 0.0, 0)
    reach = float(separation_deg(ra, dec, float(corner[0]), float(corner[1])))
    side = 2.0 * reach * float(np.sqrt(nx * ny) / np.hypot(nx, ny))
    return Place(ra % 360.0, dec, reach, side, science.mjd_utc if science.mjd_utc is not None else MJD_OF_J2000)
