"""Whether a body that orbits predict is what a frame shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

# Of the place that orbits allow: outside of it one in ninety is missed (the tail of two dimensions at three sigma).
_SIGMAS = 3.0
# Clocks of cameras err by about as much, and what moves is elsewhere by then.
_CLOCK_SECONDS = 1.0
# H magnitudes, colours and light curves leave a prediction uncertain by about a magnitude; what is predicted fainter
# by more than this was not what was measured.
_TOO_FAINT_MAG = 2.0


class Verdict(StrEnum):
    """What known orbits say of a detection."""

    KNOWN = "known"
    NOT_KNOWN = "not_known"
    CANNOT_SAY = "cannot_say"


@dataclass(frozen=True)
class Seen:
    """A detection: ICRS degrees, 1-sigma error in each axis, and its magnitude where that is known."""

    ra: float
    dec: float
    error_arcsec: float
    mag: float | None = None


@dataclass(frozen=True)
class Predicted:
    """A body at the same moment: ICRS degrees, motion, and the ellipse that its orbit leaves it, 1 sigma."""

    ra: float
    dec: float
    rate_arcsec_per_min: float
    along_error_arcsec: float
    across_error_arcsec: float
    error_angle_deg: float
    mag: float | None = None


@dataclass(frozen=True)
class Comparison:
    """How far a body is from a detection, in arcseconds and in sigma of all errors, and what follows."""

    separation_arcsec: float
    position_angle_deg: float
    sigmas: float
    is_here: bool
    # Its orbit says where it is well enough to tell it from others.
    is_sharp: bool
    is_too_faint: bool


def compare(seen: Seen, predicted: Predicted, match_radius_arcsec: float, search_radius_arcsec: float) -> Comparison:
    """Compare a detection with a predicted body.

    It is here within three sigma of all errors, or within the match radius; its place is sharp where three sigma of
    its orbit stay within the search radius. Angles are small: the sky is flat within some degrees.
    """
    north = (seen.dec - predicted.dec) * 3600.0
    turn = (seen.ra - predicted.ra + 180.0) % 360.0 - 180.0
    east = turn * 3600.0 * math.cos(math.radians((seen.dec + predicted.dec) / 2.0))
    angle = math.radians(predicted.error_angle_deg)
    along = east * math.sin(angle) + north * math.cos(angle)
    across = east * math.cos(angle) - north * math.sin(angle)
    beside = math.hypot(seen.error_arcsec, predicted.rate_arcsec_per_min / 60.0 * _CLOCK_SECONDS)
    sigmas = math.hypot(
        along / math.hypot(predicted.along_error_arcsec, beside),
        across / math.hypot(predicted.across_error_arcsec, beside),
    )
    separation = math.hypot(east, north)
    is_faint = seen.mag is not None and predicted.mag is not None and predicted.mag - seen.mag > _TOO_FAINT_MAG
    return Comparison(
        separation,
        math.degrees(math.atan2(-east, -north)) % 360.0,
        sigmas,
        is_here=separation <= match_radius_arcsec or sigmas <= _SIGMAS,
        is_sharp=_SIGMAS * predicted.along_error_arcsec <= search_radius_arcsec,
        is_too_faint=is_faint,
    )


def judge(comparisons: Sequence[Comparison]) -> tuple[Verdict, int | None]:
    """Return what bodies near a detection make of it, and which of them decides; None where none is there.

    One that is here, bright enough and of a sharp place makes it known: the one of the fewest sigma. Where only bodies
    of a vague place may be here, nothing can be said.
    """
    here = [index for index, one in enumerate(comparisons) if one.is_here and not one.is_too_faint]
    sharp = [index for index in here if comparisons[index].is_sharp]
    if sharp:
        return Verdict.KNOWN, min(sharp, key=lambda index: comparisons[index].sigmas)
    if here:
        return Verdict.CANNOT_SAY, min(here, key=lambda index: comparisons[index].sigmas)
    return Verdict.NOT_KNOWN, None
