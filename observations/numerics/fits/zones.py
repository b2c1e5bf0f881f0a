"""Whose clock a header's times are of, where a zone stands beside them and nothing calls them Universal Time."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from observations.numerics.fits.cards import Cards
from observations.numerics.fits.clocks import DAY_S, parse_american, parse_calendar, parse_clock
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.keywords import KEYWORDS, TIME_KEYWORDS
from observations.numerics.fits.sites import Site, sidereal_times
from observations.numerics.fits.time_words import local_word
from observations.numerics.fits.universal import is_said_universal
from observations.numerics.site import greenwich_sidereal_deg, mjd_of, sun_altitude_deg

_OFFSET = re.compile(r"(?:UTC?|GMT)?\s*([+-]?)\s*(\d{1,2})(?::?([0-5]\d))?(?::00)?$", re.I)
_FOUR_DIGITS = re.compile(r"[+-]?\d{4}$")
_UNIVERSAL = re.compile(r"(?:Etc/)?(?:UTC?|GMT|Z|Zulu|Universal|Greenwich)(?: time)?(?:\s*[+-]?\s*0+(?::?00)?)?$", re.I)
_UNKNOWN = re.compile(r"(?:none|unknown|undefined|n/?a|null|nan|-+|\?+)$", re.I)
# Names of zones and of offsets from UTC, as many ways as there are programs.
_KEYWORD = re.compile(
    r"(?:\S+[ ._-])?(?:(?:OBS|SITE|LOCAL|LOC|TEL|GEO|PC|CAM|SYS|HOST)?[-_]?TZ(?:ONE|NAME|INFO|[-_]?OFF\w*)?"
    r"|TI?ME?[-_ ]?Z(?:ON?E?|N)?(?:[-_ ]?OFF\w*)?|ZONE|(?:UTC?|GMT|LTC?|LOCAL|LOC|LCL)[-_ ]?(?:OFF?\w*|DIFF?\w*)"
    r"|TIMEDIFF)$"
)
# What is more than 14 hours is minutes, then seconds.
_FURTHEST_H, _FURTHEST_MIN, _FURTHEST_S = 14.0, 840.0, 50400.0
_LEAST_H = 0.25
# Of frames that are written again later few hit a half hour by so much.
_LONGEST_READOUT_S, _EARLY_H = 20.0, 2 / 3600
# Where civil time may be UTC.
_NEAR_GREENWICH_DEG = 22.5
_ANSWER = "A profile with the offset from UTC, 0 for a clock of UTC, tells which it is."
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
    says: str = "names a zone of local time"


def doubt_zone(cards: Cards, mjd_utc: float, exposure_s: float, site: Site, notes: Notes) -> None:
    """Doubt a time that nothing calls Universal Time, beside a zone that is another.

    Cameras write their computer's zone beside a DATE-OBS in UTC as well as beside one of local time. No doubt where a
    local time stands beside the other, or where the Sun or a sidereal time at the site say which of the two it is.
    """
    calendar = [keyword for keyword, _, kind in TIME_KEYWORDS if kind == "calendar" and cards.text(keyword)]
    if not calendar or is_said_universal(cards):
        return
    source, local = notes.origins["time"].source, _local_clock(cards, mjd_utc)
    zone = zone_of(cards) or _zone_of_writing(cards, mjd_utc + exposure_s / DAY_S)
    if local is not None:
        is_near_greenwich = zone is None and abs(site.longitude_deg or 180.0) < _NEAR_GREENWICH_DEG
        if local[1] and not is_near_greenwich:
            notes.doubt(
                "zone_beside_time", "time", local[0], cards.text(local[0]),
                f"{local[0]} = {cards.text(local[0])}, a local time, is that of {source}, and nothing says that "
                f"{source} is UTC, as which it was read. {_ANSWER}", blocks=True,
            )  # fmt: skip
    elif zone is not None and not _is_night_only_there(cards, zone, mjd_utc, site):
        notes.doubt(
            "zone_beside_time", "time", zone.keyword, zone.written,
            f"{zone.keyword} = {zone.written} {zone.says}, and nothing says that {source} is UTC, as which it was "
            f"read. {_ANSWER}", blocks=True,
        )  # fmt: skip


def zone_of(cards: Cards) -> Zone | None:
    """Return the zone that a header names; None where it names none, or that of UTC."""
    for card in cards.starting_with(""):
        text = cards.text(card.keyword) if _KEYWORD.match(card.keyword) else None
        if text is None or _UNIVERSAL.match(text) or _UNKNOWN.match(text):
            continue
        number = cards.number(card.keyword)
        hours = _hours(number, text)
        if abs(hours) >= _LEAST_H if hours is not None else number is None:
            return Zone(card.keyword, text, hours)
    return None


def _zone_of_writing(cards: Cards, end_mjd: float) -> Zone | None:
    """A zone by the time of writing, which FITS has in UTC: whole half hours and a readout after the exposure."""
    text, comment = cards.text("DATE") or "", cards.comment("DATE")
    parsed = parse_calendar(text)
    if parsed is None or parsed[1] > 1.0 or local_word(comment) is not None:
        return None
    late_h = (mjd_of(parsed[0]) - end_mjd) * 24
    hours = math.floor(late_h * 2 + _EARLY_H * 2) / 2
    readout_s = (late_h - hours) * 3600
    if not _LEAST_H <= abs(hours) <= _FURTHEST_H or readout_s > _LONGEST_READOUT_S:
        return None
    says = f"is {abs(hours):g} hours {'after' if hours > 0 else 'before'} the exposure to the second, like another zone"
    return Zone("DATE", text, -hours, says)


def _hours(number: float | None, text: str) -> float | None:
    """Hours of an offset in hours, minutes or seconds, or as text; None where it is none."""
    if number is not None and not _FOUR_DIGITS.match(text):
        for limit, per_hour in ((_FURTHEST_H, 1.0), (_FURTHEST_MIN, 60.0), (_FURTHEST_S, 3600.0)):
            if abs(number) <= limit:
                return number / per_hour
        return None
    found = _OFFSET.match(text)
    if found is None:
        return None
    hours = int(found[2]) + int(found[3] or 0) / 60
    return (-hours if found[1] == "-" else hours) if hours <= _FURTHEST_H else None


def _local_clock(cards: Cards, mjd_utc: float) -> tuple[str, bool] | None:
    """The keyword of a local time, and whether it is the time that was used; None where there is none."""
    for keyword in KEYWORDS["local_clock"]:
        text = cards.text(keyword) or ""
        parsed, american = parse_calendar(text), parse_american(text)
        moment = parsed[0] if parsed is not None and parsed[1] < DAY_S and not parsed[2] else american
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
