"""When an image was taken: the time keywords of many observatories, their disagreements, and the choice."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from astropy.time import Time
from erfa import ErfaWarning

from observations.numerics.fits.cards import Cards
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.keywords import KEYWORDS, TIME_KEYWORDS
from observations.numerics.site import mjd_of, time_of

_ISO = re.compile(r"([+-]?\d{4,5})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]+(\S.*))?$")
_OLD = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{2})$")
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})[ T]+(\d{1,2}:\d{2}:\d{2}(?:\.\d*)?)(?: *([AP]M))?", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(\.\d*)?)? *(Z|UTC?|[+-]\d{2}:?\d{2})?$", re.IGNORECASE)
_MID = re.compile(r"\b(mid|middle|mid-?exp\w*|mid-?point|avg|average|mean)\b", re.IGNORECASE)
_ENDING = re.compile(r"\bend\b", re.IGNORECASE)
_LOCAL = re.compile(r"\b(LT|local)\b", re.IGNORECASE)
_DAY_S = 86400.0
# Digits beyond the millisecond are rarely more than a software's number format.
_FINEST_S = 1e-3
# Photography of the sky began in 1840; no clock of an instrument is right beyond 2100.
_YEARS = (1840, 2100)


@dataclass(frozen=True)
class TimeClaim:
    """One keyword's instant: MJD (UTC), and how finely it was written, in seconds."""

    keyword: str
    moment: str
    mjd_utc: float
    precision_s: float


@dataclass(frozen=True)
class ExposureTimes:
    """Start and middle of an exposure; None where no keyword gives them."""

    start: datetime | None = None
    mid_mjd_utc: float | None = None
    utc_offset_hours: float | None = None


def find_times(cards: Cards, exposure_s: float | None, notes: Notes) -> ExposureTimes:
    """Return start and mid-exposure from all time keywords: the most precise wins, what disagrees is noted.

    A mid-exposure is believed where it lies after the start; a start or middle that is missing is made from the other
    and the exposure.
    """
    claims = _half_day_faults(_claims(cards, notes), notes)
    offset = _utc_offset_hours(cards, claims)
    usable = [claim for claim in claims if claim.precision_s < _DAY_S]
    if not usable:
        if claims:
            notes.warn(f"{claims[0].keyword} gives a date without a time of day.")
        return ExposureTimes(utc_offset_hours=offset)
    half_days = (exposure_s or 0.0) / 2 / _DAY_S
    anchor = min(usable, key=lambda claim: max(claim.precision_s, _FINEST_S))
    rest = [claim for claim in usable if claim.moment != anchor.moment]
    partner = next((claim for claim in rest if _fits(anchor, claim, exposure_s)), None)
    start = anchor if anchor.moment == "start" else partner
    mid = anchor if anchor.moment == "mid" else partner
    start_mjd = start.mjd_utc if start else anchor.mjd_utc - half_days
    mid_mjd = mid.mjd_utc if mid else anchor.mjd_utc + half_days
    _note_conflicts(usable, {"start": start_mjd, "mid": mid_mjd}, anchor, notes)
    return ExposureTimes(time_of(start_mjd), mid_mjd, offset)


def _fits(anchor: TimeClaim, other: TimeClaim, exposure_s: float | None) -> bool:
    """Whether the two can be start and middle of one exposure.

    The middle lies half the exposure after the start, later where there were pauses, earlier in a stack whose members
    were exposed side by side; never at the start itself (5 %), and never days away (10 exposures, at least a day).
    """
    start, mid = (anchor, other) if anchor.moment == "start" else (other, anchor)
    delay_s = (mid.mjd_utc - start.mjd_utc) * _DAY_S
    exposure = exposure_s or 0.0
    return 0.05 * exposure <= delay_s <= max(10 * exposure, _DAY_S)


def _note_conflicts(claims: list[TimeClaim], chosen: dict[str, float], anchor: TimeClaim, notes: Notes) -> None:
    for claim in claims:
        apart_s = (claim.mjd_utc - chosen[claim.moment]) * _DAY_S
        # One second: clocks are read at slightly different steps of the same exposure.
        if abs(apart_s) > max(1.0, claim.precision_s, anchor.precision_s):
            notes.conflict(
                f"time ({claim.moment})",
                time_of(chosen[claim.moment]).isoformat(),
                {claim.keyword: time_of(claim.mjd_utc).isoformat(), "apart_s": round(apart_s, 3)},
            )


def _half_day_faults(claims: list[TimeClaim], notes: Notes) -> list[TimeClaim]:
    """Drop an MJD that was made as JD - 2400000: exactly half a day late beside a calendar time."""
    calendar = [claim for claim in claims if "MJD" not in claim.keyword and claim.precision_s < _DAY_S]
    kept = []
    for claim in claims:
        late = [c for c in calendar if abs((claim.mjd_utc - c.mjd_utc - 0.5) * _DAY_S) <= max(2.0, c.precision_s)]
        if "MJD" in claim.keyword and late:
            notes.conflict(
                "time (start)",
                time_of(late[0].mjd_utc).isoformat(),
                {claim.keyword: time_of(claim.mjd_utc).isoformat(), "reason": "half a day late: JD - 2400000"},
            )
        else:
            kept.append(claim)
    return kept


def _claims(cards: Cards, notes: Notes) -> list[TimeClaim]:
    scale = (cards.text("TIMESYS") or "UTC").upper()
    claims = []
    for keyword, moment, kind in TIME_KEYWORDS:
        card = cards.get(keyword)
        if card is None or _ENDING.search(card.comment):
            continue
        is_calendar = kind == "calendar"
        claim = _calendar_claim(cards, keyword, moment) if is_calendar else _number_claim(cards, keyword, moment, kind)
        if claim is None:
            continue
        if _MID.search(card.comment):
            claim = replace(claim, moment="mid")
        claim = _to_utc(claim, "TDB" if kind == "tdb" else scale)
        if not _YEARS[0] <= time_of(claim.mjd_utc).year < _YEARS[1]:
            notes.warn(f"{keyword} = {card.value} is outside {_YEARS[0]} to {_YEARS[1]} and was not used.")
            continue
        claims.append(claim)
    return claims


def _number_claim(cards: Cards, keyword: str, moment: str, kind: str) -> TimeClaim | None:
    value, card = cards.number(keyword), cards.get(keyword)
    if value is None or card is None:
        return None
    # A double holds a Julian Date to 40 microseconds: the rest of the digits is rounding.
    mjd = round((value - 2400000.5) * _DAY_S, 3) / _DAY_S if kind == "jd" else value
    # Beyond these no calendar date exists (year 1 to 9999).
    if not -678575 <= mjd <= 2973483:
        return None
    written = re.match(r"\s*'?\s*[+-]?\d*\.?(\d*)(?:[EeDd]([+-]?\d+))?", card.written)
    decimals = len(written[1]) - int(written[2] or 0) if written else 0
    return TimeClaim(keyword, moment, mjd, _DAY_S * 10.0 ** -max(decimals, 0))


def _calendar_claim(cards: Cards, keyword: str, moment: str) -> TimeClaim | None:
    text = cards.text(keyword)
    parsed = None if text is None else parse_calendar(text)
    if parsed is None:
        return None
    moment_utc, precision_s, has_offset = parsed
    if _LOCAL.search(cards.comment(keyword)) and not has_offset:
        return None
    if precision_s >= _DAY_S:
        for clock_keyword in KEYWORDS["clock"]:
            clock = _clock(cards, clock_keyword)
            if clock is not None:
                return TimeClaim(f"{keyword}+{clock_keyword}", moment, mjd_of(moment_utc) + clock[0] / _DAY_S, clock[1])
    return TimeClaim(keyword, moment, mjd_of(moment_utc), precision_s)


def _clock(cards: Cards, keyword: str) -> tuple[float, float] | None:
    """Seconds since midnight and their precision, from hh:mm:ss or from a number of seconds."""
    text = cards.text(keyword)
    match = None if text is None else _CLOCK.match(text)
    if match:
        fraction = match[4] or ""
        whole = int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0)
        seconds = whole + float(fraction if len(fraction) > 1 else 0)
        return seconds, 10.0 ** -max(len(fraction) - 1, 0) if match[3] else 60.0
    number = cards.number(keyword)
    if keyword == "TM-START" and number is not None and 0 <= number <= _DAY_S:
        return number, 1.0
    return None


def parse_calendar(text: str) -> tuple[datetime, float, bool] | None:
    """Return UTC instant, precision in seconds and whether a UTC offset was written; None where it is no date.

    Reads ISO 8601 with `-` or `/`, with or without time and offset, and the dd/mm/yy of before 1999 (FITS 4.0, 4.4.2).
    """
    old, iso = _OLD.match(text.strip()), _ISO.match(text.strip())
    try:
        if old:
            return datetime(1900 + int(old[3]), int(old[2]), int(old[1]), tzinfo=UTC), _DAY_S, False
        if not iso:
            return None
        day = datetime(int(iso[1]), int(iso[2]), int(iso[3]), tzinfo=UTC)
    except ValueError:
        return None
    clock = None if iso[4] is None else _CLOCK.match(iso[4].strip())
    if clock is None:
        return day, _DAY_S, False
    fraction = clock[4] or ""
    seconds = float(f"{clock[3] or 0}{fraction if len(fraction) > 1 else ''}")
    hours, minutes = int(clock[1]), int(clock[2])
    if hours > 24 or minutes > 59 or seconds >= 61:
        return None
    zone = clock[5] or ""
    offset = 0.0
    if zone[:1] in ("+", "-"):
        digits = zone[1:].replace(":", "")
        offset = float(f"{zone[0]}1") * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)
    instant = day + timedelta(seconds=hours * 3600 + minutes * 60 + seconds - offset)
    precision = 10.0 ** -max(len(fraction) - 1, 0) if clock[3] else 60.0
    return instant, precision, bool(zone)


def _to_utc(claim: TimeClaim, scale: str) -> TimeClaim:
    if scale not in ("TAI", "TT", "TDB", "TDT", "ET"):
        return claim
    with warnings.catch_warnings():
        # Dates before 1960 or far ahead have no leap seconds: the offset is then off by seconds at most.
        warnings.simplefilter("ignore", ErfaWarning)
        utc = Time(claim.mjd_utc, format="mjd", scale={"TDT": "tt", "ET": "tdb"}.get(scale, scale.lower())).utc.mjd
    return replace(claim, mjd_utc=float(utc))


def _utc_offset_hours(cards: Cards, claims: list[TimeClaim]) -> float | None:
    """Local civil time minus UTC, from a written offset or from a local time beside a UTC one."""
    for keyword in KEYWORDS["local_time"]:
        text = cards.text(keyword)
        if text is None:
            continue
        zone = re.search(r"([+-]\d{2}):?(\d{2})$", text)
        if zone and "T" in text:
            return float(zone[1]) + float(f"{zone[1][0]}1") * float(zone[2]) / 60
        local = _american(text)
        precise = [claim for claim in claims if claim.precision_s < _DAY_S and claim.moment == "start"]
        if local is not None and precise:
            hours = (mjd_of(local) - precise[0].mjd_utc) * 24
            return round(hours * 4) / 4 if abs(hours) <= 14 else None
    return None


def _american(text: str) -> datetime | None:
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
