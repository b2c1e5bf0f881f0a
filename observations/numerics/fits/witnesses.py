"""What else in a header, the Sun, the horizon and today say of the time that was read from it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from observations.numerics.fits.cards import Cards
from observations.numerics.fits.clocks import DAY_S, parse_calendar
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.keywords import KEYWORDS, TIME_KEYWORDS
from observations.numerics.fits.pointing import angle_of
from observations.numerics.fits.sites import Site
from observations.numerics.fits.time_words import zero_of_days
from observations.numerics.site import greenwich_sidereal_deg, mjd_of, sun_altitude_deg

_KINDS = {keyword: kind for keyword, _, kind in TIME_KEYWORDS}
# The Earth is 8.4 light minutes from the Sun at most, 4 s more from the barycentre; TDB is 69 s ahead of UTC.
_SOLAR_WAY_S = 580.0
# Numbers above are Julian Dates, which nothing else can be taken for.
_LEAST_JULIAN = 1_000_000.0
_JD_OF_MJD_0 = 2400000.5
# Mounts that nobody has aligned are degrees off, and the field is found all the same.
_LOWEST_POINTING_DEG = -10.0
# An hour turns the sky by 15 degrees at most; headers hold altitudes of the start of a series.
_ALTITUDE_AGREES_DEG = 20.0
_LARGEST_AIRMASS = 10.0
# Clocks of computers are off by zones at most.
_AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Taken:
    """When, where and at what a light was taken by its header; degrees, east and north positive."""

    start: datetime
    mid_mjd_utc: float
    exposure_s: float
    site: Site
    ra_deg: float | None
    dec_deg: float | None


def doubt_future(start: datetime | None, now: datetime | None, notes: Notes) -> None:
    """Doubt a time that has not come yet by more than clocks and zones differ. now : None where nobody asks."""
    if start is None or now is None or start - now <= _AHEAD:
        return
    days = (start - now) / timedelta(days=1)
    origin = notes.origins["time"]
    notes.doubt(
        "time_in_future", "time", origin.source, origin.written or start.isoformat(),
        f"{origin.source} = {origin.written or start.isoformat()} lies {days:.0f} days after the frame was read, on "
        f"{now:%d %B %Y}: the clock of the camera is wrong, or that of this computer.",
        blocks=True,
    )  # fmt: skip


def doubt_by_sky(cards: Cards, taken: Taken, notes: Notes) -> None:
    """Doubt a time at which the field stood below the horizon of the site, or elsewhere than the header says.

    That holds nothing back: the site of a computer that was moved is as often the one that is wrong.
    """
    altitude = _altitude_deg(taken, taken.mid_mjd_utc)
    if altitude is None:
        return
    if altitude >= _LOWEST_POINTING_DEG:
        _doubt_altitude(cards, altitude, notes)
        return
    notes.doubt(
        "below_horizon", "time", notes.origins["time"].source, round(altitude, 1),
        f"At the time and the site of the header the field stood {-altitude:.0f} degrees below the horizon: the time, "
        "the site or the position is wrong.",
    )  # fmt: skip


def _doubt_altitude(cards: Cards, altitude_deg: float, notes: Notes) -> None:
    for keyword, told in _altitudes(cards):
        if abs(told - altitude_deg) > _ALTITUDE_AGREES_DEG:
            notes.doubt(
                "altitude_differs", "time", keyword, cards.text(keyword),
                f"{keyword} = {cards.text(keyword)} puts the field {told:.0f} degrees above the horizon; at the time "
                f"and the site of the header it stood at {altitude_deg:.0f}: the time, the site or the position is "
                "wrong.",
            )  # fmt: skip
        return


def _altitudes(cards: Cards) -> Iterator[tuple[str, float]]:
    """Altitudes above the horizon by keyword, degrees; those of an airmass too, but of one that nobody has filled."""
    for keyword in KEYWORDS["altitude_deg"]:
        angle = angle_of(cards, keyword)
        if angle is not None and 0 < angle[0] <= 90:
            yield keyword, angle[0]
    for keyword in KEYWORDS["airmass"]:
        airmass = cards.number(keyword)
        if airmass is not None and 1.0 < airmass < _LARGEST_AIRMASS:
            yield keyword, math.degrees(math.asin(1 / airmass))


def doubt_by_header(cards: Cards, taken: Taken, notes: Notes) -> None:
    """Doubt the time of a light that other claims of its header deny, or that none confirms where it must be."""
    _doubt_date(cards, taken, notes)
    _doubt_solar(cards, taken, notes)
    _doubt_days(cards, taken, notes)


def _doubt_date(cards: Cards, taken: Taken, notes: Notes) -> None:
    """Doubt a time that lies in none of the days of a date that stands alone, which may be that of a night."""
    source = notes.origins["time"].source
    for keyword, kind in _KINDS.items():
        text = cards.text(keyword) if kind == "calendar" else None
        parsed = None if text is None else parse_calendar(text)
        if parsed is None or parsed[1] < DAY_S or keyword in source.split("+"):
            continue
        late_days = taken.mid_mjd_utc - mjd_of(parsed[0])
        if not -1.0 <= late_days < 2.0 + taken.exposure_s / DAY_S:
            notes.doubt(
                "time_contradicted", "time", keyword, text,
                f"{keyword} = {text} is not the day of {source} = {notes.origins['time'].written}, which was used, nor "
                "one beside it.", blocks=True,
            )  # fmt: skip


def _doubt_solar(cards: Cards, taken: Taken, notes: Notes) -> None:
    """Doubt a time that is farther from one at the Sun or the barycentre than light needs."""
    source = notes.origins["time"].source
    for keyword, mjd in _solar_times(cards):
        apart_s = (taken.mid_mjd_utc - mjd) * DAY_S
        within_s = _SOLAR_WAY_S + taken.exposure_s
        if abs(apart_s) <= within_s:
            continue
        is_half_day = abs(apart_s - DAY_S / 2) <= within_s and _KINDS.get(source) == "mjd"
        why = f": {source} may have been made as JD - 2400000" if is_half_day else ""
        notes.doubt(
            "time_contradicted", "time", keyword, cards.text(keyword),
            f"{keyword} = {cards.text(keyword)} is {abs(apart_s) / 3600:.1f} h {'before' if apart_s > 0 else 'after'} "
            f"the exposure by {source}, which was used; light needs 8.4 minutes at most{why}.", blocks=True,
        )  # fmt: skip


def _solar_times(cards: Cards) -> list[tuple[str, float]]:
    """The times at the Sun or the barycentre of which it is known from where they count, MJD."""
    times = []
    for keyword in KEYWORDS["solar_time"]:
        value = cards.number(keyword)
        if value is None or value <= 0:
            continue
        zero = zero_of_days(cards.comment(keyword))
        if value >= _LEAST_JULIAN or zero is not None:
            times.append((keyword, value + (0.0 if value >= _LEAST_JULIAN else zero or 0.0) - _JD_OF_MJD_0))
    return times


def _altitude_deg(taken: Taken, mjd_utc: float) -> float | None:
    site = taken.site
    if taken.ra_deg is None or taken.dec_deg is None or site.latitude_deg is None or site.longitude_deg is None:
        return None
    hour_angle = math.radians(greenwich_sidereal_deg(mjd_utc) + site.longitude_deg - taken.ra_deg)
    latitude, dec = math.radians(site.latitude_deg), math.radians(taken.dec_deg)
    sine = math.sin(latitude) * math.sin(dec) + math.cos(latitude) * math.cos(dec) * math.cos(hour_angle)
    return math.degrees(math.asin(max(-1.0, min(1.0, sine))))


def _doubt_days(cards: Cards, taken: Taken, notes: Notes) -> None:
    """Doubt an MJD that nothing confirms: programs write JD - 2400000 by that name, half a day more.

    A calendar's time, a Julian Date, a time at the Sun and a comment that names the zero confirm it, and so does a site
    where it was day, or the field had set, half a day before.
    """
    source = notes.origins["time"].source
    if _KINDS.get(source) != "mjd" or zero_of_days(cards.comment(source)) is not None or _solar_times(cards):
        return
    if (cards.number(source) or 0.0) >= _LEAST_JULIAN or any(_is_witness(cards, keyword) for keyword in _KINDS):
        return
    before, site = taken.mid_mjd_utc - 0.5, taken.site
    if site.latitude_deg is not None and site.longitude_deg is not None:
        altitude = _altitude_deg(taken, before)
        is_set = altitude is not None and altitude < _LOWEST_POINTING_DEG
        if is_set or sun_altitude_deg(before, site.latitude_deg, site.longitude_deg) > 0:
            return
    notes.doubt(
        "days_unconfirmed", "time", source, cards.text(source),
        f"{source} = {cards.text(source)} is the only time of the header, and neither a date nor the Sun at a site "
        "confirms it: some programs write JD - 2400000 there, which is half a day more.",
    )  # fmt: skip


def _is_witness(cards: Cards, keyword: str) -> bool:
    """Whether a keyword gives a time of day in a form that cannot be half a day off by its zero."""
    if _KINDS[keyword] == "calendar":
        parsed = parse_calendar(cards.text(keyword) or "")
        return parsed is not None and parsed[1] < DAY_S
    number = cards.number(keyword)
    return _KINDS[keyword] != "mjd" and number is not None and number >= _LEAST_JULIAN
