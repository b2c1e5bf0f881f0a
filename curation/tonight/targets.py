"""Objects that want another epoch: which they are, why, and where they will be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from detection.models import Urgency
from differencing.numerics.extrapolation import Expected


class Kind(StrEnum):
    """Whether it stays in its place."""

    SOURCE = "source"
    MOVING = "moving"


@dataclass(frozen=True)
class Target:
    """One object.

    key : of its source, mover or tracklet, which `entity_type` names. detection : one to look at; None where it has
    none. why : in words. nights : on which it was seen. fwhm_arcsec : of stars in its newest frame. expected : where it
    is at a time (MJD, UTC).
    """

    kind: Kind
    entity_type: str
    key: UUID
    name: str
    level: Urgency
    why: str
    nights: int
    last_seen: dt.datetime
    mag: float | None
    band: str
    fwhm_arcsec: float | None
    detection: UUID | None
    expected: Callable[[float], Expected]


@dataclass
class LeftOut:
    """How many are not in the list, by the reason in words."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, reason: str, count: int = 1) -> None:
        """Count some more."""
        if count:
            self.counts[reason] = self.counts.get(reason, 0) + count


POSITION_UNKNOWN = "position from pointing and optics only, not from stars"
AWAITS_ANSWER = "awaiting your own answer, before which no more is told of it"
KNOWN = "known asteroids and comets"
LOST = "moving, and by now anywhere within more than a degree"
UNREADABLE = "moving, with sightings that make no motion"


def nights_ago(last_seen: dt.datetime, at: dt.datetime) -> str:
    """Return how long ago something was seen, in words."""
    days = (at - last_seen) / dt.timedelta(days=1)
    if days < 1.0:
        return f"last {max(days * 24.0, 0.0):.0f} h ago"
    return f"last {days:.0f} d ago"
