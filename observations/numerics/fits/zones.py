"""Whose clock a header's times are of, where a zone stands beside them and nothing calls them Universal Time."""

from __future__ import annotations

import re
from dataclasses import dataclass

from observations.numerics.fits.cards import Cards
from observations.numerics.fits.clocks import ZONES, parse_american, parse_calendar, parse_clock, scale_named
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.keywords import KEYWORDS, TIME_KEYWORDS
from observations.numerics.fits.sites import Site, sidereal_times
from observations.numerics.fits.time_words import is_universal
from observations.numerics.site import greenwich_sidereal_deg, mjd_of, sun_altitude_deg

_OFFSET = re.compile(r"(?:UTC?|GMT)?\s*([+-]?)\s*(\d{1,2})(?::?([0-5]\d))?(?::00)?$", re.I)
_PLACE = re.compile(r"[A-Z][A-Za-z]+/[A-Z][\w/-]+$")
_UNIVERSAL = re.compile(r"(?:Etc/)?(?:UTC?|GMT|Z|Zulu|Universal|Greenwich)(?: time)?(?:\s*[+-]\s*0+(?::?00)?)?$", re.I)
# What is more than 14 hours is minutes, then seconds.
_FURTHEST_H, _FURTHEST_MIN, _FURTHEST_S = 14.0, 840.0, 50400.0
_LEAST_H = 0.25
# Clocks of one exposure: its start, its end, or when its file was written.
_SAME_CLOCK_H = 0.2
# Half an hour: that of a series, whose sidereal time still tells an hour from none.
_SIDEREAL_AGREES_DEG = 7.5


@dataclass(frozen=True)
class Zone:
    """A zone as a header names it; hours : its offset from UTC, of either sign, None where only its name is known."""

    keyword: str
    written: str
    hours: float | None


def doubt_zone(cards: Cards, mjd_utc: float, site: Site, notes: Notes) -> None:
    """Doubt a time that nothing calls Universal Time, beside a zone that is another.

    Cameras write their computer's zone beside a DATE-OBS in UTC as well as beside one of local time. No doubt where a
    local time stands beside the other, or where the Sun or a sidereal time at the site say which of the two it is.
    """
    source = notes.origins["time"].source
    calendar = [keyword for keyword, _, kind in TIME_KEYWORDS if kind == "calendar" and cards.text(keyword)]
    zone = zone_of(cards)
    if zone is None or not calendar or _is_said_universal(cards):
        return
    local = _local_clock(cards, mjd_utc)
    if local is not None and not local[1]:
        return
    if local is None and _is_night_only_there(cards, zone, mjd_utc, site):
        return
    same = f" {local[0]} is the same time." if local is not None else ""
    notes.doubt(
        "zone_beside_time", "time", zone.keyword, zone.written,
        f"{zone.keyword} = {zone.written} names a zone of local time, and nothing says that {source} is UTC, as which "
        f"it was read.{same} A profile with the offset from UTC, 0 for a clock of UTC, tells which it is.",
        blocks=True,
    )  # fmt: skip


def zone_of(cards: Cards) -> Zone | None:
    """Return the zone that a header names; None where it names none, or that of UTC."""
    for keyword in KEYWORDS["time_zone"]:
        text = cards.text(keyword)
        if text is None or _UNIVERSAL.match(text):
            continue
        hours = _hours(cards.number(keyword), text)
        if (hours is None or abs(hours) >= _LEAST_H) and (
            hours is not None or text.upper() in ZONES or _PLACE.match(text)
        ):
            return Zone(keyword, text, hours)
    return None


def _hours(number: float | None, text: str) -> float | None:
    """Hours of an offset in hours, minutes or seconds, or as text; None where it is none."""
    if number is not None:
        for limit, per_hour in ((_FURTHEST_H, 1.0), (_FURTHEST_MIN, 60.0), (_FURTHEST_S, 3600.0)):
            if abs(number) <= limit:
                return number / per_hour
        return None
    found = _OFFSET.match(text)
    if found is None:
        return None
    hours = int(found[2]) + int(found[3] or 0) / 60
    return (-hours if found[1] == "-" else hours) if hours <= _FURTHEST_H else None


def _is_said_universal(cards: Cards) -> bool:
    """Tell whether any word of the header puts its times into a scale of FITS, or writes one with its own offset."""
    stated = scale_named(cards.text("TIMESYS") or "LOCAL")
    if stated not in (None, "local"):
        return True
    keywords = [entry[0] for entry in TIME_KEYWORDS]
    keywords += [keyword for fact in ("clock", "clock_mid", "clock_end") for keyword in KEYWORDS[fact]]
    for keyword in keywords:
        text = cards.text(keyword)
        if text is None:
            continue
        parsed = parse_calendar(text)
        is_named = keyword.startswith(("UT", "TAI", "TU-", "TDB")) or "UTC" in keyword
        if is_named or is_universal(cards.comment(keyword)) or (parsed is not None and parsed[2]):
            return True
    return False


def _local_clock(cards: Cards, mjd_utc: float) -> tuple[str, bool] | None:
    """The keyword of a local time, and whether it is the time that was used; None where there is none."""
    for keyword in KEYWORDS["local_clock"]:
        text = cards.text(keyword) or ""
        parsed, american = parse_calendar(text), parse_american(text)
        moment = parsed[0] if parsed is not None and parsed[1] < 86400 and not parsed[2] else american
        clock = parse_clock(text)
        hours = mjd_of(moment) % 1 * 24 if moment is not None else clock[0] / 3600 if clock is not None else None
        if hours is not None:
            apart = abs((hours - mjd_utc % 1 * 24 + 12) % 24 - 12)
            return keyword, apart <= _SAME_CLOCK_H
    return None


def _is_night_only_there(cards: Cards, zone: Zone, mjd_utc: float, site: Site) -> bool:
    """Tell whether the time fits the site as UTC, and as local time of the zone does not.

    Headers count zones both ways: neither may fit.
    """
    if site.latitude_deg is None or site.longitude_deg is None:
        return False
    hours = site.longitude_deg / 15 if zone.hours is None else zone.hours
    others = [mjd_utc + sign * hours / 24 for sign in (1, -1)]
    here = site.latitude_deg, site.longitude_deg
    is_day = [sun_altitude_deg(mjd, *here) > 0 for mjd in others]
    if all(is_day) and sun_altitude_deg(mjd_utc, *here) < 0:
        return True
    local_deg = greenwich_sidereal_deg(mjd_utc) + site.longitude_deg
    apart = [abs((one - local_deg + 180) % 360 - 180) for one in sidereal_times(cards)]
    return abs(hours) >= 1 and any(degrees <= _SIDEREAL_AGREES_DEG for degrees in apart)
