"""Zero point and limiting magnitude of a solved frame, from the stars of the local catalogue."""

from __future__ import annotations

from dataclasses import replace

from observations.numerics.doubts import Doubt
from observations.numerics.frame import Frame, PsfModel
from preprocessing.models import PreprocessRun
from preprocessing.numerics.astrometry.identify import identify_stars
from preprocessing.numerics.quality import DEPTH_SIGMA, noise_pixels
from preprocessing.numerics.zero_point import (
    Photometry,
    ZeroPoint,
    doubts_of_zero_point,
    limiting_magnitude,
    zero_point,
)
from preprocessing.products import stars_of
from preprocessing.star_catalog import StarCatalog

# Solved positions scatter by 0.1 to 0.5 px, well within half the seeing; a star farther away is another one.
REACH_FWHM = 0.5
SMALLEST_REACH_PX = 1.0
# The cone about the middle must hold the corners of a frame whose plane is not quite flat.
CONE_MARGIN = 1.02


def set_zero_point(row: PreprocessRun, frame: Frame, catalog: StarCatalog | None) -> tuple[Frame, tuple[Doubt, ...]]:
    """Put the zero point of a frame with a solved WCS into its row, unsaved, and return the frame with it, and doubts.

    Without a catalogue, or with too few of its stars on the frame, it and the limiting magnitude are unknown.
    """
    zero = None if catalog is None else _zero_point(frame, catalog, row)
    _note(row, zero)
    row.limiting_magnitude = None
    if zero and row.fwhm_px and row.background_noise:
        psf = frame.psf if isinstance(frame.psf, PsfModel) else None
        depth = DEPTH_SIGMA * row.background_noise * noise_pixels(psf, row.fwhm_px) ** 0.5
        row.limiting_magnitude = limiting_magnitude(depth, zero.mag)
    return replace(frame, zero_point_mag=row.zero_point_mag), doubts_of_zero_point(zero, row.observation.filter_band)


def _note(row: PreprocessRun, zero: ZeroPoint | None) -> None:
    """Put a zero point into its row, or take the former one away."""
    colour = zero.colour if zero else None
    row.zero_point_mag = zero.mag if zero else None
    row.zero_point_error = zero.error_mag if zero else None
    row.zero_point_catalogue = zero.catalogue if zero else ""
    row.zero_point_band = zero.band if zero else ""
    row.zero_point_system = zero.system if zero else ""
    row.zero_point_scatter = zero.scatter_mag if zero else None
    row.zero_point_stars = zero.star_count if zero else None
    row.zero_point_colour = colour.name if colour else ""
    row.zero_point_colour_mag = colour.at_mag if colour else None
    row.colour_term = colour.term if colour else None
    row.colour_term_error = colour.error if colour else None
    row.no_colour_term = zero.no_colour if zero else ""


def _zero_point(frame: Frame, catalog: StarCatalog, row: PreprocessRun) -> ZeroPoint | None:
    """Compare isolated unsaturated stars with the catalogue's magnitudes of the frame's band."""
    if frame.wcs is None:
        return None
    stars = stars_of(frame)
    stars = stars[stars.is_isolated & ~stars.is_saturated]
    height, width = frame.shape
    middle = frame.wcs.celestial.pixel_to_world((width - 1) / 2, (height - 1) / 2).icrs
    corner = frame.wcs.celestial.pixel_to_world([0, width - 1, 0, width - 1], [0, 0, height - 1, height - 1]).icrs
    radius = float(middle.separation(corner).deg.max()) * CONE_MARGIN
    near = catalog.cone(float(middle.ra.deg), float(middle.dec.deg), radius)
    reach = max(SMALLEST_REACH_PX, REACH_FWHM * (row.fwhm_px or 0.0))
    own, known = identify_stars(stars.xy, frame.wcs, near.stars, reach)
    magnitude, band = near.photometry(row.observation.filter_band)
    colour = near.colour()
    colours = ("", None) if colour is None else (colour[0], colour[1][known])
    photometry = Photometry(magnitude[known], catalog.name, band.name, band.system, colours[1], colours[0])
    return zero_point(stars.flux[own], stars.flux_error[own], photometry)
