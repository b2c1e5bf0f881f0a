"""Bring a frame onto another's grid through the stars of both."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from catalog.configuration.values import Snapshot
from catalog.failures import FailureCode, StageFailure
from differencing.numerics.align import align
from observations.numerics.frame import Frame
from preprocessing.numerics.astrometry.frames import match_frames
from preprocessing.numerics.astrometry.matching import Match, MatchParameters, Transform
from preprocessing.products import stars_of


class Aligned(NamedTuple):
    """A frame on another's grid, and the match of their stars that brought it there."""

    frame: Frame
    match: Match


def registered(frame: Frame, onto: Frame, config: Snapshot) -> Match:
    """Match the stars of the grid with a frame's own: its transform leads from the grid into the frame.

    The scatter of the stars is in the grid's pixels. Raises MatchFailed where they show no common stars, StageFailure
    `no_registration` where these scatter too much.
    """
    fewest = max(3, config["differencing.min_matched_stars"])
    parameters = MatchParameters(fewest_matches=fewest, guess=_expected(frame, onto))
    found = match_frames((onto, stars_of(onto)), (frame, stars_of(frame)), parameters)
    # What centroids are good to goes with the larger of both pixels.
    rms_px = found.rms_px / max(1.0, found.transform.scale)
    if rms_px > config["differencing.max_registration_rms_px"]:
        raise StageFailure(
            FailureCode.NO_REGISTRATION,
            f"The {found.count} stars common with the reference scatter by {rms_px:.2f} px, more than the "
            f"{config['differencing.max_registration_rms_px']:g} px allowed: the frames cannot be subtracted.",
        )
    return replace(found, rms_px=found.rms_px / found.transform.scale)


def _expected(frame: Frame, onto: Frame) -> Transform | None:
    """Return the transform that the frames' positions on the sky claim: tried first, it saves the search."""
    if frame.wcs is None or onto.wcs is None:
        return None
    ny, nx = onto.shape
    x, y = np.array([0.0, nx - 1.0, 0.0]), np.array([0.0, 0.0, ny - 1.0])
    there = np.stack(frame.wcs.all_world2pix(*onto.wcs.all_pix2world(x, y, 0), 0, quiet=True))
    if not np.isfinite(there).all():
        return None
    return Transform(np.linalg.solve(np.column_stack([np.ones(3), x, y]), there.T).T)


def aligned(frame: Frame, onto: Frame, config: Snapshot) -> Aligned:
    """Resample a frame onto another's grid; raises as `registered` does."""
    found = registered(frame, onto, config)
    return Aligned(align(frame, found.transform, onto.shape), found)
