"""Match the stars of two frames of one field, be they of one camera or of two."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from observations.numerics.frame import Frame, Stars
from observations.numerics.scales import are_alike, ratio
from preprocessing.numerics.astrometry.matching import Match, MatchFailed, MatchParameters, match_stars

# The brightest stars of a frame that shows far more of the sky lie outside of the other: those within so many of the
# other's half diagonals about its middle are asked, which allows for what pointings are off.
VIEW, WIDER = 1.5, 1.5
# Binnings that a header's scale may know nothing of.
FORGOTTEN = (2.0, 0.5, 3.0, 1 / 3)


def match_frames(source: tuple[Frame, Stars], target: tuple[Frame, Stars], parameters: MatchParameters) -> Match:
    """Match the stars of two frames, whose pixel scales may differ by what their headers claim.

    Parameters
    ----------
    source, target : frames with their stars. parameters : as for `match_stars`; the scale is set here, and counts as
        one where the claims differ by no more than optics of one camera do.

    Returns
    -------
    Match from the source's pixels to the target's.

    Raises
    ------
    MatchFailed
        when no transform stands out from chance, neither at the claimed scale nor, lest a claim forgot the binning,
        pixel by pixel.
    """
    (frame, own), (onto, theirs) = source, target
    claims = frame.pixel_scale_arcsec, onto.pixel_scale_arcsec
    scales = [1.0] if are_alike(*claims) else [ratio(*claims), 1.0]
    flux = _in_view(frame, own, onto), _in_view(onto, theirs, frame)
    failures = []
    for scale in scales:
        # What centroids are good to goes with the larger of both pixels.
        p = replace(parameters, scale=scale, tolerance_px=parameters.tolerance_px * max(1.0, scale))
        try:
            return match_stars(own.xy, flux[0], theirs.xy, flux[1], parameters=p)
        except MatchFailed as failure:
            failures.append(failure)
    if len(scales) == 1:
        forgotten = _forgotten_binning((own.xy, flux[0]), (theirs.xy, flux[1]), parameters)
        raise failures[0] if forgotten is None else MatchFailed(f"{failures[0]}; {forgotten}")
    raise MatchFailed(
        f"{failures[0]}; one has pixels of {claims[0]:.2f} arcsec and the other of {claims[1]:.2f} arcsec"
    )


def _forgotten_binning(
    source: tuple[NDArray[np.float64], NDArray[np.float64]],
    target: tuple[NDArray[np.float64], NDArray[np.float64]],
    parameters: MatchParameters,
) -> str | None:
    """Return in words at which other scale frames of one claimed scale match; None where they do at none."""
    for scale in FORGOTTEN:
        p = replace(parameters, scale=scale, tolerance_px=parameters.tolerance_px * max(1.0, scale), guess=None)
        try:
            found = match_stars(*source, *target, parameters=p).transform.scale
        except MatchFailed:
            continue
        return (
            f"the pixels of one are {max(found, 1 / found):.2g} times as large on the sky as the other's, though both "
            "headers claim one scale: one of them forgot the binning. Correct its scale by an instrument profile "
            "(pixel_scale_arcsec), and process the frames again"
        )
    return None


def _in_view(frame: Frame, stars: Stars, other: Frame) -> NDArray[np.float64]:
    """Return the stars' fluxes, NaN for those far outside of a smaller other frame."""
    own_px, other_px = frame.pixel_scale_arcsec, other.pixel_scale_arcsec
    if frame.wcs is None or other.wcs is None or not own_px or not other_px:
        return stars.flux
    radius_px = 0.5 * float(np.hypot(*other.shape)) * other_px / own_px
    if 0.5 * float(np.hypot(*frame.shape)) < WIDER * radius_px:
        return stars.flux
    ny, nx = other.shape
    middle = other.wcs.all_pix2world((nx - 1) / 2, (ny - 1) / 2, 0)
    x, y = frame.wcs.all_world2pix(*middle, 0, quiet=True)
    far = np.hypot(stars.x - float(x), stars.y - float(y)) > VIEW * radius_px
    return stars.flux if far.all() else np.where(far, np.nan, stars.flux)
