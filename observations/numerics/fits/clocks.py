"""How headers write instants: calendar dates, times of day, numbers of days, time scales. Each becomes MJD, UTC."""

from __future__ import annotations

import re
import warnings
from datetime import UTC, datetime, timedelta

from astropy.time import Time
from erfa import ErfaWarning

DAY_S = 86400.0
_MJD_OF_JD_0 = 2400000.5
_ISO = re.compile(r"([+-]?\d{4,5})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]+(\S.*))?$")
_OLD = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{2})(?:[T ]+(\S.*))?$")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?=$|[T ])")
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})[ T]+(\d{1,2}:\d{2}:\d{2}(?:\.\d*)?)(?: *([AP]M))?", re.IGNORECASE)
_CLOCK = re.compile(
    r"(\d{1,2})(?::|[h ] *)(\d{1,2})(?:(?::|[m ] *)(\d{1,2})(\.\d*)?s?)? *(Z|UTC?|GMT|[+-]\d{2}(?::?\d{2})?)?$",
    re.IGNORECASE,
)
# Six digits that are written together, as text or as a number.
_PACKED = re.compile(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d)(\.\d*)?$")
# What clocks write when nobody has set them: the zeros from which those of Unix, Windows and GPS count, and 2000.
_UNSET = ("1970-01-01", "1900-01-01", "1899-12-30", "1980-01-06", "1980-01-01", "2000-01-01")
# FITS gives the form dd/mm/yy to the years 1900 to 1999 (4.4.2.1); there are no digital frames of 1924.
FIRST_TWO_DIGIT_YEAR = 50
# FITS 4.0, table 30, and what else is written for the same scales.
_SCALES = {
    "UTC": "utc", "GMT": "utc", "UT": "utc", "Z": "utc", "UT1": "utc", "TAI": "tai", "IAT": "tai", "TT": "tt",
    "TDT": "tt", "ET": "tdb", "TDB": "tdb", "TCG": "tcg", "TCB": "tcb", "GPS": "gps", "LOCAL": "local",
    "UTC-SLS": "utc", "UNIVERSAL": "utc", "COORDINATED UNIVERSAL": "utc", "TERRESTRIAL": "tt", "ATOMIC": "tai",
    "INTERNATIONAL ATOMIC": "tai",
}  # fmt: skip
# Zones of local civil time.
ZONES = (
    "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "AKST", "AKDT", "HST", "CLT", "CLST", "ART", "BRT", "CET",
    "CEST", "EET", "EEST", "MEZ", "MESZ", "BST", "WEST", "SAST", "MSK", "IST", "PKT", "BJT", "JST", "KST", "AEST",
    "AEDT", "ACST", "AWST", "NZST", "NZDT",
)  # fmt: skip
# GPS time has run 19 s behind TAI since its epoch.
_GPS_BEHIND_TAI_S = 19.0


def scale_named(text: str) -> str | None:
    """Return a time scale of FITS by its name, without a realisation such as TT(TAI); None where there is no such.

    "local" is that of a zone as well, also where it is said by its offset: UTC-3.
    """
    name = re.sub(r"\bTIME$", "", re.sub(r"\(.*\)", "", text).strip().upper()).strip()
    is_zone = name in ZONES or re.match(r"(?:UTC?|GMT) ?[+-] ?\d", name)
    return "local" if is_zone else _SCALES.get(name)


def to_utc(mjd: float, scale: str) -> float:
    """Return the MJD in UTC of an MJD in one of the scales of `scale_named`, other than local.

    UT1 is taken for UTC: they differ by less than 0.9 s.
    """
    if scale == "utc":
        return mjd
    if scale == "gps":
        mjd, scale = mjd + _GPS_BEHIND_TAI_S / DAY_S, "tai"
    with warnings.catch_warnings():
        # Dates before 1960 or far ahead have no leap seconds: the offset is then off by seconds at most.
        warnings.simplefilter("ignore", ErfaWarning)
        return float(Time(mjd, format="mjd", scale=scale).utc.mjd)


def mjd_of_number(value: float, is_julian: bool) -> float:
    """Return the MJD of a number of days, whichever of the two it is called: no instrument saw MJD 2 000 000."""
    # A double holds a Julian Date to 40 microseconds: the rest of the digits is rounding.
    is_julian = value > 1_000_000 if is_julian != (value > 1_000_000) else is_julian
    return round((value - _MJD_OF_JD_0) * DAY_S, 3) / DAY_S if is_julian else value


def decimals_written(text: str) -> int:
    """Return how many decimals a number has as it stands in a card, an exponent counted."""
    written = re.match(r"\s*'?\s*[+-]?\d*\.?(\d*)(?:[EeDd]([+-]?\d+))?", text)
    return max(len(written[1]) - int(written[2] or 0), 0) if written else 0


def is_two_digit_year(text: str) -> bool:
    """Tell whether a date gives its year by two digits and lies in this century by that."""
    old = _OLD.match(text.strip())
    return old is not None and int(old[3]) < FIRST_TWO_DIGIT_YEAR


def is_unset(text: str) -> bool:
    """Tell whether a date is the zero from which some clock counts, at midnight: nobody has set it."""
    parsed = parse_calendar(text)
    return parsed is not None and text.strip()[:10].replace("/", "-") in _UNSET and f"{parsed[0]:%H%M%S}" == "000000"


def parse_calendar(text: str) -> tuple[datetime, float, bool] | None:
    """Return UTC instant, precision in seconds and whether a UTC offset was written; None where it is no date.

    Reads ISO 8601 with `-` or `/`, with or without time and offset, the dd/mm/yy of before 1999 (FITS 4.0, 4.4.2),
    dd.mm.yyyy, and a decimal comma.
    """
    text = _DOTTED.sub(r"\3-\2-\1", text.strip().replace(",", "."))
    old, iso = _OLD.match(text), _ISO.match(text)
    found = old or iso
    if found is None:
        return None
    try:
        if old:
            century = 1900 if int(old[3]) >= FIRST_TWO_DIGIT_YEAR else 2000
            day = datetime(century + int(old[3]), int(old[2]), int(old[1]), tzinfo=UTC)
        else:
            day = datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=UTC)
    except ValueError:
        return None
    if found[4] is None:
        return day, DAY_S, False
    clock = _CLOCK.match(found[4].strip())
    if clock is None:
        return None
    fraction = clock[4] or ""
    seconds = float(f"{clock[3] or 0}{fraction if len(fraction) > 1 else ''}")
    hours, minutes = int(clock[1]), int(clock[2])
    if hours > 24 or minutes > 59 or seconds >= 61:
        return None
    zone = clock[5] or ""
    offset = 0.0
    if zone[:1] in ("+", "-"):
        digits = zone[1:].replace(":", "")
        offset = float(f"{zone[0]}1") * (int(digits[:2]) * 3600 + int(digits[2:] or 0) * 60)
    instant = day + timedelta(seconds=hours * 3600 + minutes * 60 + seconds - offset)
    precision = 10.0 ** -max(len(fraction) - 1, 0) if clock[3] else 60.0
    return instant, precision, bool(zone)


def parse_packed(text: str) -> float | None:
    """Return the seconds since midnight of hhmmss; None where it is no time of day."""
    match = _PACKED.match(text.strip())
    return None if match is None else int(match[1]) * 3600 + int(match[2]) * 60 + float(f"{match[3]}{match[4] or ''}")


def parse_clock(text: str) -> tuple[float, float] | None:
    """Return seconds since midnight and their precision of hh:mm:ss; None where it is no time of day."""
    match = _CLOCK.match(text.strip().replace(",", "."))
    if match is None or int(match[1]) > 24 or int(match[2]) > 59:
        return None
    fraction = match[4] or ""
    whole = int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0)
    seconds = whole + float(fraction if len(fraction) > 1 else 0)
    return seconds, 10.0 ** -max(len(fraction) - 1, 0) if match[3] else 60.0


def parse_american(text: str) -> datetime | None:
    """Return mm/dd/yyyy hh:mm:ss [AM|PM] as if it were UTC; None where it is no such."""
    match = _AMERICAN.match(text)
    if match is None:
        return None
    hour, minute, second = match[4].split(":")
    half = (match[5] or "").upper()
    hours = int(hour) % 12 + (12 if half == "PM" else 0) if half else int(hour)
    try:
        day = datetime(int(match[3]), int(match[1]), int(match[2]), tzinfo=UTC)
    except ValueError:
        return None
    return day + timedelta(hours=hours, minutes=int(minute), seconds=float(second))
