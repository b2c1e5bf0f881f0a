"""Bring a frame onto another's grid through the stars of both."""

from __future__ import annotations

from typing import NamedTuple

from catalog.configuration.values import Snapshot
from catalog.failures import FailureCode, StageFailure
from differencing.numerics.align import align
from observations.numerics.frame import Frame
from preprocessing.numerics.astrometry.matching import Match, MatchParameters, match_stars
from preprocessing.products import stars_of


class Aligned(NamedTuple):
    """A frame on another's grid, and the match of their stars that brought it there."""

    frame: Frame
    match: Match


def registered(frame: Frame, onto: Frame, config: Snapshot) -> Match:
    """Match the stars of the grid with a frame's own: its transform leads from the grid into the frame.

    Raises MatchFailed where they show no common stars, StageFailure `no_registration` where these scatter too much.
    """
    parameters = MatchParameters(fewest_matches=max(3, config["differencing.min_matched_stars"]))
    target, own = stars_of(onto), stars_of(frame)
    found = match_stars(target.xy, target.flux, own.xy, own.flux, parameters=parameters)
    if found.rms_px > config["differencing.max_registration_rms_px"]:
        raise StageFailure(
            FailureCode.NO_REGISTRATION,
            f"The {found.count} stars common with the reference scatter by {found.rms_px:.2f} px, more than the "
            f"{config['differencing.max_registration_rms_px']:g} px allowed: the frames cannot be subtracted.",
        )
    return found


def aligned(frame: Frame, onto: Frame, config: Snapshot) -> Aligned:
    """Resample a frame onto another's grid; raises as `registered` does."""
    found = registered(frame, onto, config)
    return Aligned(align(frame, found.transform, onto.shape), found)
