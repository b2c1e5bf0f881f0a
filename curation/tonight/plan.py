"""What can be observed of the objects that want another epoch, in one night from one telescope, most urgent first."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from catalog.models import Visitor
from curation.tonight.movers import movers_wanting
from curation.tonight.sources import sources_wanting
from curation.tonight.targets import Kind, LeftOut, Target
from detection.numerics import visibility
from detection.numerics.circumstances import airmass_at
from detection.numerics.visibility import Night
from differencing.numerics.extrapolation import Expected
from observations.models import Telescope
from observations.numerics.barycentre import Place
from observations.numerics.site import mjd_of, time_of
from observations.places import place_of

Floats = NDArray[np.float64]

# The usual limit: two airmasses.
USUAL_ALTITUDE_DEG = 30.0
# A night in which so little dark is left is over: the next one is meant.
_OVER_DAYS = 10.0 / 1440.0


@dataclass(frozen=True)
class Stand:
    """How a target stands in the sky at a time."""

    at: dt.datetime
    altitude_deg: float
    airmass: float | None
    hour_angle_h: float


@dataclass(frozen=True)
class Observable:
    """One target with its place, and how it stands now and best, in the dark.

    rises_at : from when it is above the limit, in the dark. sets_at : when it goes below; None where day comes first.
    """

    target: Target
    place: Expected
    now: Stand
    best: Stand
    rises_at: dt.datetime
    sets_at: dt.datetime | None
    moon_distance_deg: float

    @property
    def longest_exposure_s(self) -> float | None:
        """Return in how many seconds it moves by the width of a star; None where it stays, or that is not known."""
        rate = math.hypot(self.place.rate_ra, self.place.rate_dec)
        return 60.0 * self.target.fwhm_arcsec / rate if rate > 0.0 and self.target.fwhm_arcsec else None


@dataclass(frozen=True)
class Darkness:
    """When it is dark, below which altitude of the Sun, and how much of the Moon is lit then."""

    begins_at: dt.datetime
    ends_at: dt.datetime
    sun_below_deg: float
    moon_illuminated: float
    moon_is_up: bool


@dataclass(frozen=True)
class Plan:
    """What to observe. darkness : None where it does not get dark. too_low : how many never rise above the limit."""

    at: dt.datetime
    telescope: Telescope
    darkness: Darkness | None
    observable: Sequence[Observable]
    too_low: int = 0
    left_out: LeftOut = field(default_factory=LeftOut)


def telescopes_for(user: Visitor) -> list[Telescope]:
    """Return the telescopes that a person may see, that of the newest frames first, those without a place last."""
    rows = Telescope.objects.visible_to(user)
    newest = rows.filter(observation__isnull=False).order_by("-observation__observation_time").first()
    return sorted(rows, key=lambda row: (place_of(row) is None, newest is None or row.pk != newest.pk, row.name))


def plan_for(
    user: Visitor, telescope: Telescope, at: dt.datetime, *, altitude_deg: float, kinds: Collection[Kind]
) -> Plan:
    """Return what a person may know of that wants another epoch and can be observed.

    Raises ValueError for a telescope whose place is not known.
    """
    place = place_of(telescope)
    if place is None:
        raise ValueError(f"where {telescope} stands is not known")
    left_out = LeftOut()
    targets = sources_wanting(user, at, left_out) if Kind.SOURCE in kinds else []
    targets += movers_wanting(user, at, left_out) if Kind.MOVING in kinds else []
    night, dark = _next_night(mjd_of(at), place)
    if dark is None:
        return Plan(at, telescope, None, [], len(targets), left_out)
    darkness = _darkness(night, dark)
    now = visibility.moment(mjd_of(at), place)
    each = (_observable(target, (night, now), (dark, altitude_deg)) for target in targets)
    found = [one for one in each if one is not None]
    found.sort(key=_urgency)
    return Plan(at, telescope, darkness, found, len(targets) - len(found), left_out)


def _urgency(one: Observable) -> tuple[int, bool, int, float, str]:
    """Return what orders targets: the most urgent, of these what moves, was seen on fewest nights, and sets first."""
    sets = one.sets_at.timestamp() if one.sets_at else math.inf
    return -one.target.level, one.target.kind != Kind.MOVING, one.target.nights, sets, one.target.name


def _next_night(mjd: float, place: Place) -> tuple[Night, tuple[float, float] | None]:
    """Return the night that lasts or comes next, and when it is dark in it; None where it does not get dark."""
    for day in (0.0, 1.0):
        night = visibility.night_of_place(mjd + day, place)
        limit = night.twilight_deg
        dark = None if limit is None else night.dark_between(limit)
        if dark is None or dark[1] > mjd + _OVER_DAYS:
            break
    return night, dark


def _darkness(night: Night, dark: tuple[float, float]) -> Darkness:
    inside = (night.mjd >= dark[0]) & (night.mjd <= dark[1])
    middle = int(np.abs(night.mjd - (dark[0] + dark[1]) / 2.0).argmin())
    return Darkness(
        _clock(dark[0]), _clock(dark[1]), night.twilight_deg or 0.0, float(night.illuminated[middle]),
        bool((night.moon_altitude_deg[inside] > 0.0).any()),
    )  # fmt: skip


def _observable(
    target: Target, nights: tuple[Night, Night], asked: tuple[tuple[float, float], float]
) -> Observable | None:
    """Return how a target stands; None where it is never above the limit while it is dark and not yet past."""
    (night, now), (dark, limit) = nights, asked
    mjd = float(now.mjd[0])
    usable = np.flatnonzero((night.mjd >= max(dark[0], mjd)) & (night.mjd <= dark[1]))
    if not usable.size:
        return None
    # What moves is somewhere else by then: where it will be at its best time is found in two steps.
    place = target.expected(mjd)
    best = usable[int(visibility.altitudes_deg(night, _towards(place))[0, usable].argmax())]
    then = _towards(target.expected(float(night.mjd[best])))
    altitude = visibility.altitudes_deg(night, then)[0]
    best = usable[int(altitude[usable].argmax())]
    above = usable[altitude[usable] >= limit]
    if not above.size:
        return None
    after = above[-1] + 1
    sets_at = _clock(float(night.mjd[after])) if after <= usable[-1] else None
    moon = float(visibility.moon_distances_deg(night, then)[0, best])
    rises_at = _clock(float(night.mjd[above[0]]))
    stands = _stand(now, 0, _towards(place)), _stand(night, best, then)
    return Observable(target, place, *stands, rises_at, sets_at, moon)


def _towards(place: Expected) -> Floats:
    return visibility.directions(np.array([place.ra]), np.array([place.dec]))


def _stand(night: Night, k: int, towards: Floats) -> Stand:
    altitude = float(visibility.altitudes_deg(night, towards)[0, k])
    hour_angle = float(visibility.hour_angles_h(night, towards)[0, k])
    return Stand(_clock(float(night.mjd[k])), altitude, airmass_at(altitude), hour_angle)


def _clock(mjd: float) -> dt.datetime:
    """Return a time to the second."""
    return (time_of(mjd) + dt.timedelta(seconds=0.5)).replace(microsecond=0)
