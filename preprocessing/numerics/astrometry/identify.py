"""Which catalogue star is which star of a frame, once the frame's sky positions are known."""

from __future__ import annotations

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from observations.numerics.sphere import project
from preprocessing.numerics.astrometry.solution import Catalogue

Index = NDArray[np.intp]


def identify_stars(
    star_xy: NDArray[np.float64], wcs: WCS, catalogue: Catalogue, reach_px: float
) -> tuple[Index, Index]:
    """Pair stars with the catalogue's through a solved WCS: each other's nearest within `reach_px`.

    A star with a second catalogue star within the reach is left out: its light may be that of both. Non-finite
    positions take no part.

    Parameters
    ----------
    star_xy : (n, 2) px, 0-based pixel centres.
    wcs : celestial, solved; catalogue : stars of the frame's sky. Positions of the same epoch.
    reach_px : farthest distance of a pair.

    Returns
    -------
    star_index, catalogue_index : (m,) each.
    """
    empty = np.zeros(0, dtype=np.intp)
    xy = np.asarray(star_xy, dtype=float).reshape(-1, 2)
    usable = np.flatnonzero(np.isfinite(xy).all(axis=1))
    if usable.size == 0 or len(catalogue.ra_deg) == 0:
        return empty, empty
    # Both in a plane about the frame's middle: pixels by their sky position, so that no WCS has to be inverted.
    sky = wcs.celestial.pixel_to_world(*xy[usable].T).icrs
    pole = float(sky.ra.deg[0]), float(sky.dec.deg[0])
    scale_deg = float(np.sqrt(abs(np.linalg.det(wcs.celestial.pixel_scale_matrix))))
    stars = np.column_stack(project(sky.ra.deg, sky.dec.deg, *pole)) / scale_deg
    known = np.column_stack(project(catalogue.ra_deg, catalogue.dec_deg, *pole)) / scale_deg
    here = np.flatnonzero(np.isfinite(known).all(axis=1))
    if here.size == 0 or not np.isfinite(stars).all():
        return empty, empty
    tree = cKDTree(known[here])
    distance, nearest = tree.query(stars, k=2, distance_upper_bound=reach_px)
    alone = np.flatnonzero(np.isfinite(distance[:, 0]) & ~np.isfinite(distance[:, 1]))
    back = cKDTree(stars).query(known[here][nearest[alone, 0]])[1]
    mutual = alone[back == alone]
    return usable[mutual], here[nearest[mutual, 0]]
