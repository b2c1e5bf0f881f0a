"""What is drawn over the wide pictures of a detection: compass, scale and what catalogues hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import cos, radians, sin

from detection.context.near import Near
from detection.context.surroundings import Context
from detection.context.wide import KINDS, SIDE_ARCSEC, why_not
from detection.cutouts.overlay import turn_of
from detection.models import ContextKind, Detection

_HALF = SIDE_ARCSEC / 2.0
_ARM = 14.0
_LETTERS_AT = 1.45

Point = tuple[float, float]


@dataclass(frozen=True)
class Mark:
    """A source on the picture, arcseconds from its upper left corner."""

    kind: str
    x: float
    y: float
    title: str


@dataclass(frozen=True)
class Around:
    """What is drawn, in arcseconds of the picture, y downwards; `why_not` says why there is no picture.

    north, east : tips of the compass' arms and the places of their letters, from its middle; None where nobody knows.
    """

    why_not: str
    kinds: Sequence[str] = KINDS
    north: tuple[Point, Point] | None = None
    east: tuple[Point, Point] | None = None
    marks: Sequence[Mark] = ()


def around_of(detection: Detection, context: Context) -> Around:
    """Return what is drawn over the wide pictures of a detection."""
    why = why_not(detection)
    north = turn_of(detection).north_deg if not why else None
    if north is None:
        return Around(why)
    arms = [(_step(_ARM, angle), _step(_LETTERS_AT * _ARM, angle)) for angle in (north, north + 90.0)]
    return Around(why, north=arms[0], east=arms[1], marks=list(_marks(context, north)))


def _marks(context: Context, north: float) -> Iterator[Mark]:
    for kind in (ContextKind.GALAXY, ContextKind.STAR, ContextKind.VARIABLE):
        for one in context.neighbours.near.get(kind, ()):
            x, y = _step(one.separation_arcsec, north + one.position_angle_deg)
            if max(abs(x), abs(y)) < _HALF:
                yield Mark(kind.value, _HALF + x, _HALF + y, _title(kind, one))


def _step(length: float, angle_deg: float) -> Point:
    """Return a step on the picture; angles are from up towards the left."""
    return -length * sin(radians(angle_deg)), -length * cos(radians(angle_deg))


def _title(kind: ContextKind, one: Near) -> str:
    magnitude = "" if one.mag is None else f", {one.band} {one.mag:.1f}" if one.band else f", {one.mag:.1f} mag"
    return f"{one.name or kind.value.capitalize()}{magnitude}, {one.separation_arcsec:.1f}″"
