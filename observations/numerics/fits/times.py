"""When an image was taken: the time keywords of many observatories, their disagreements, and the choice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from observations.numerics.doubts import TRUSTED_TIME_S
from observations.numerics.fits.cards import Card, Cards
from observations.numerics.fits.clocks import (
    DAY_S,
    decimals_written,
    is_two_digit_year,
    mjd_of_number,
    parse_american,
    parse_calendar,
    parse_clock,
    scale_named,
    to_utc,
)
from observations.numerics.fits.durations import elapsed_s
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.keywords import KEYWORDS, TIME_KEYWORDS
from observations.numerics.site import mjd_of, time_of

# The first of these words in a comment tells which moment of the exposure is meant, whatever the keyword usually means.
_MOMENTS = re.compile(
    r"\b(?:(?P<start>start\w*|begin\w*|beg|open(?:ed|ing|s)?)"
    r"|(?P<mid>mid|middle|mid-?exp\w*|mid-?points?|avg|average|mean(?! (?:time|solar|sidereal))|cent(?:er|re))"
    r"|(?P<readout>read-?out|received|download\w*|arriv\w*)"
    r"|(?P<end>end(?:s|ed|ing)?|finish\w*|stop\w*|clos(?:e|ed|es|ing|ure)))\b",
    re.IGNORECASE,
)
# What a comment says about other cards is not about its own.
_ELSEWHERE = re.compile(r"\bsee\b.*|\b[A-Z]{2,}[-_][A-Z]+\b")
# Keywords that name their moment, which those of an observation's date do not.
_NAMED = re.compile(r"BEG|AVG|MID|END|START|OPEN|CLS")
_LOCAL = re.compile(r"\b(LT|local(?! sidereal))\b", re.IGNORECASE)
_UNIVERSAL = re.compile(r"\b(UTC?|GMT|universal)\b", re.IGNORECASE)
# GPS is not among them: a comment that says so names the receiver, which gives UTC.
_SCALE_IN_COMMENT = re.compile(r"\b(TAI|TDB|TDT|TT|TCB|TCG|UTC|UT1?|GMT)\b")
_NOT_HERE = re.compile(r"\b(helio\w*|bary\w*|HJD|BJD|HMJD|BMJD)\b", re.IGNORECASE)
# Digits beyond the millisecond are rarely more than a software's number format.
_FINEST_S = 1e-3
# Photography of the sky began in 1840; no clock of an instrument is right beyond 2100.
_YEARS = (1840, 2100)


# Times of day for a date without one, and the moment that they mean.
_CLOCKS = tuple((keyword, "start") for keyword in KEYWORDS["clock"]) + tuple(
    (keyword, "mid") for keyword in KEYWORDS["clock_mid"]
)


@dataclass(frozen=True)
class TimeClaim:
    """One keyword's instant: MJD (UTC), and how finely it was written, in seconds.

    moment : "start", "mid" or "end". is_said : a comment says which, and not only the keyword's usual meaning.
    by_readout : the end is that of the readout or of the transfer, a little after the exposure's.
    """

    keyword: str
    moment: str
    mjd_utc: float
    precision_s: float
    written: str = ""
    is_said: bool = False
    by_readout: str = ""


@dataclass(frozen=True)
class Clock:
    """What is known of an instrument's clock beside its headers.

    offset_hours : local time minus UTC, for clocks that do not say that they are UTC. keyword : the only one that is
    believed, `moment` what it means, `shift_s` what is added to it. source : who says so.
    """

    offset_hours: float | None = None
    keyword: str | None = None
    moment: str | None = None
    shift_s: float = 0.0
    source: str = ""


_AS_WRITTEN = Clock()


@dataclass(frozen=True)
class ExposureTimes:
    """Start and middle of an exposure; None where no keyword gives them."""

    start: datetime | None = None
    mid_mjd_utc: float | None = None
    utc_offset_hours: float | None = None


def find_times(cards: Cards, exposure_s: float | None, notes: Notes, clock: Clock = _AS_WRITTEN) -> ExposureTimes:
    """Return start and mid-exposure from all time keywords: the most precise wins, what disagrees is a doubt.

    A middle or an end is believed where it lies after the start; a moment that is missing is made from another and
    the exposure.
    """
    claims = _in_place(_half_day_faults(_claims(cards, notes, clock), notes), exposure_s)
    offset = _utc_offset_hours(cards, claims) if clock.offset_hours is None else clock.offset_hours
    usable = [claim for claim in claims if claim.precision_s < DAY_S]
    if usable:
        # A local clock beside a universal one is none to complain of.
        notes.doubts[:] = [doubt for doubt in notes.doubts if doubt.code != "local_clock"]
    else:
        if claims:
            keyword, written = claims[0].keyword, claims[0].written
            sentence = f"{keyword} = {written} gives a date without a time of day."
            notes.doubt("no_time_of_day", "time", keyword, written, sentence)
        return ExposureTimes(utc_offset_hours=offset)
    anchor = min(usable, key=lambda claim: max(claim.precision_s, _FINEST_S))
    start, mid = _moments(anchor, usable, cards, exposure_s)
    end = start + max(2 * (mid - start), (exposure_s or 0.0) / DAY_S)
    _note_conflicts(usable, {"start": start, "mid": mid, "end": end}, anchor, notes)
    _note_readout(anchor, notes)
    by = f" by {clock.source}" if clock.source else ""
    notes.came_from("time", anchor.keyword, anchor.written, f"read as the {anchor.moment} of the exposure{by}")
    return ExposureTimes(time_of(start), mid, offset)


def _moments(anchor: TimeClaim, usable: list[TimeClaim], cards: Cards, exposure_s: float | None) -> tuple[float, float]:
    """Start and middle, MJD: from the anchor, from a claim of another moment that fits it, else from the exposure."""
    half_days = (exposure_s or 0.0) / 2 / DAY_S
    rest = [claim for claim in usable if claim.moment != anchor.moment and not claim.by_readout]
    partner = {
        moment: next((c for c in rest if c.moment == moment and _fits(anchor, c, exposure_s)), None)
        for moment in ("start", "mid", "end")
    }
    if anchor.moment == "end":
        start = partner["start"].mjd_utc if partner["start"] else anchor.mjd_utc - 2 * half_days
    elif anchor.moment == "mid":
        start = partner["start"].mjd_utc if partner["start"] else anchor.mjd_utc - half_days
    else:
        start = anchor.mjd_utc
    if anchor.moment == "mid":
        return start, anchor.mjd_utc
    if partner["mid"]:
        return start, partner["mid"].mjd_utc
    end = anchor if anchor.moment == "end" else partner["end"]
    if end is not None and _is_whole(end.mjd_utc - start, cards, exposure_s):
        return start, (start + end.mjd_utc) / 2
    return start, start + half_days


def _is_whole(days: float, cards: Cards, exposure_s: float | None) -> bool:
    """Whether the time from start to end is the exposure itself, or another keyword says that it took this long."""
    elapsed = elapsed_s(cards)
    for seconds in (exposure_s, elapsed):
        if seconds is not None and abs(days * DAY_S - seconds) <= max(TRUSTED_TIME_S, 0.01 * seconds):
            return True
    return False


def _fits(anchor: TimeClaim, other: TimeClaim, exposure_s: float | None) -> bool:
    """Whether the two can be moments of one exposure.

    The middle lies half the exposure after the start, later where there were pauses, earlier in a stack whose members
    were exposed side by side; never at the start itself (5 %), and never days away (10 exposures, at least a day).
    """
    order = ("start", "mid", "end")
    first, second = sorted((anchor, other), key=lambda claim: order.index(claim.moment))
    delay_s = (second.mjd_utc - first.mjd_utc) * DAY_S
    exposure = exposure_s or 0.0
    return 0.05 * exposure <= delay_s <= max(10 * exposure, DAY_S)


def _note_conflicts(claims: list[TimeClaim], chosen: dict[str, float], anchor: TimeClaim, notes: Notes) -> None:
    for claim in claims:
        apart_s = (claim.mjd_utc - chosen[claim.moment]) * DAY_S
        # One second: clocks are read at slightly different steps of the same exposure.
        tolerance_s = max(TRUSTED_TIME_S, claim.precision_s, anchor.precision_s)
        if claim is anchor or claim.by_readout or abs(apart_s) <= tolerance_s:
            continue
        if claim.moment == "end" and apart_s > 0:
            notes.doubt(
                "exposure_took_longer", "time", claim.keyword, round(apart_s, 3),
                f"{claim.keyword} is {apart_s:.1f} s later than the exposure's end by its length: pauses, or the "
                "readout. The middle was taken half an exposure after the start.",
                blocks=apart_s / 2 > TRUSTED_TIME_S,
            )  # fmt: skip
            continue
        notes.doubt(
            "time_contradicted", "time", claim.keyword, claim.written,
            f"{claim.keyword} = {claim.written} puts the {claim.moment} of the exposure {abs(apart_s):.3f} s "
            f"{'after' if apart_s > 0 else 'before'} {anchor.keyword} = {anchor.written}, which was used.",
            blocks=True,
        )  # fmt: skip


def _note_readout(anchor: TimeClaim, notes: Notes) -> None:
    if not anchor.by_readout:
        return
    # A camera's transfer takes a fraction of a second; a CCD's readout takes seconds.
    is_slow = anchor.by_readout.lower().startswith("read")
    notes.doubt(
        "time_after_readout", "time", anchor.keyword, anchor.written,
        f"The comment of {anchor.keyword} says '{anchor.by_readout}': it was taken for the end of the exposure. What "
        "the readout took is still in it" + ("; a profile of the instrument can give its length." if is_slow else "."),
        blocks=is_slow,
    )  # fmt: skip


def _in_place(claims: list[TimeClaim], exposure_s: float | None) -> list[TimeClaim]:
    """Take a number of days for the middle or the end where it lies there by a calendar time of the start.

    JD and MJD rarely say which moment they mean, and programs differ.
    """
    starts = [c for c in claims if c.moment == "start" and "JD" not in c.keyword and c.precision_s < DAY_S]
    if not starts or not exposure_s:
        return claims
    first = min(starts, key=lambda claim: claim.precision_s)
    placed = []
    for claim in claims:
        late_s = (claim.mjd_utc - first.mjd_utc) * DAY_S
        tolerance_s = max(TRUSTED_TIME_S, claim.precision_s, first.precision_s)
        is_open = "JD" in claim.keyword and not claim.is_said and late_s > tolerance_s
        moment = next(
            (name for name, share in (("mid", 0.5), ("end", 1.0)) if abs(late_s - share * exposure_s) <= tolerance_s),
            claim.moment,
        )
        placed.append(replace(claim, moment=moment) if is_open else claim)
    return placed


def _half_day_faults(claims: list[TimeClaim], notes: Notes) -> list[TimeClaim]:
    """Drop an MJD that was made as JD - 2400000: exactly half a day late beside a calendar time."""
    calendar = [claim for claim in claims if "MJD" not in claim.keyword and claim.precision_s < DAY_S]
    kept = []
    for claim in claims:
        late = [c for c in calendar if abs((claim.mjd_utc - c.mjd_utc - 0.5) * DAY_S) <= max(2.0, c.precision_s)]
        if "MJD" in claim.keyword and late:
            notes.doubt(
                "half_a_day_late", "time", claim.keyword, claim.written,
                f"{claim.keyword} = {claim.written} is half a day late beside {late[0].keyword}: it was made as "
                "JD - 2400000, and was not used.",
            )  # fmt: skip
        else:
            kept.append(claim)
    return kept


def _claims(cards: Cards, notes: Notes, clock: Clock) -> list[TimeClaim]:
    claims = []
    for keyword, moment, kind in _believed(clock):
        card = cards.get(keyword)
        if card is None or _NOT_HERE.search(card.comment):
            continue
        is_calendar = kind == "calendar"
        claim = _calendar_claim(cards, card, moment, notes) if is_calendar else _number_claim(cards, card, moment, kind)
        if claim is None:
            continue
        claim = _in_utc(cards, claim, kind, notes, clock.offset_hours)
        if claim is None:
            continue
        if clock.keyword is not None:
            known = replace(claim, by_readout="", moment=clock.moment or claim.moment)
            claim = replace(known, mjd_utc=claim.mjd_utc + clock.shift_s / DAY_S)
        if not _YEARS[0] <= time_of(claim.mjd_utc).year < _YEARS[1]:
            sentence = f"{keyword} = {card.value} is outside {_YEARS[0]} to {_YEARS[1]} and was not used."
            notes.doubt("impossible_value", "time", keyword, str(card.value), sentence)
            continue
        claims.append(claim)
    _note_centuries(claims, notes)
    return claims


def _believed(clock: Clock) -> Sequence[tuple[str, str, str]]:
    """The keywords to read, their moments and kinds; an unknown one holds a calendar date."""
    if clock.keyword is None:
        return TIME_KEYWORDS
    own = [entry for entry in TIME_KEYWORDS if entry[0] == clock.keyword]
    return own or [(clock.keyword, "start", "calendar")]


def _note_centuries(claims: list[TimeClaim], notes: Notes) -> None:
    """A two-digit year is a guess, and so is its order of day and month, unless another keyword says the same."""
    for claim in claims:
        others = [c for c in claims if c is not claim and abs(c.mjd_utc - claim.mjd_utc) < 1.0]
        if is_two_digit_year(claim.written) and not others:
            notes.doubt(
                "two_digit_year", "time", claim.keyword, claim.written,
                f"{claim.keyword} = {claim.written} gives its year by two digits: it was read as "
                f"{time_of(claim.mjd_utc):%d %B %Y}, and nothing else in the header confirms it.",
                blocks=True,
            )  # fmt: skip


def _said(claim: TimeClaim, comment: str) -> TimeClaim:
    """The claim with the moment that its comment names."""
    found = _MOMENTS.search(_ELSEWHERE.sub(" ", comment))
    if found is None:
        return replace(claim, is_said=bool(_NAMED.search(claim.keyword)))
    if found["readout"]:
        return replace(claim, moment="end", is_said=True, by_readout=found["readout"])
    moment = "start" if found["start"] else "mid" if found["mid"] else "end"
    readout = re.search(r"\bread-?out\b", comment, re.IGNORECASE) if moment == "end" else None
    return replace(claim, moment=moment, is_said=True, by_readout=readout[0] if readout else "")


def _number_claim(cards: Cards, card: Card, moment: str, kind: str) -> TimeClaim | None:
    value = cards.number(card.keyword)
    if value is None or value <= 0:
        return None
    mjd = mjd_of_number(value, kind == "jd")
    # Beyond these no calendar date exists (year 1 to 9999).
    if not -678575 <= mjd <= 2973483:
        return None
    precision = DAY_S * 10.0 ** -decimals_written(card.written)
    return _said(TimeClaim(card.keyword, moment, mjd, precision, str(card.value)), card.comment)


def _calendar_claim(cards: Cards, card: Card, moment: str, notes: Notes) -> TimeClaim | None:
    text = cards.text(card.keyword)
    if text is None:
        return None
    parsed = parse_calendar(text)
    if parsed is None:
        sentence = f"{card.keyword} = {text} is no date that can be read, and was not used."
        notes.doubt("unreadable_date", "time", card.keyword, text, sentence)
        return None
    instant, precision_s, _ = parsed
    claim = _said(TimeClaim(card.keyword, moment, mjd_of(instant), precision_s, text), card.comment)
    if precision_s < DAY_S:
        return claim
    for keyword, clock_moment in _CLOCKS:
        clock = _clock(cards, keyword)
        if clock is not None:
            # What a clock says of the moment goes before what its date says.
            day = replace(claim, moment=clock_moment) if clock_moment != "start" else claim
            day = replace(
                day, keyword=f"{card.keyword}+{keyword}", mjd_utc=claim.mjd_utc + clock[0] / DAY_S,
                precision_s=clock[1], written=f"{text} {cards.text(keyword)}",
            )  # fmt: skip
            return _said(day, cards.comment(keyword))
    return claim


def _clock(cards: Cards, keyword: str) -> tuple[float, float] | None:
    """Seconds since midnight and their precision, from hh:mm:ss or from a number of seconds."""
    text = cards.text(keyword)
    found = None if text is None else parse_clock(text)
    if found is not None:
        return found
    number = cards.number(keyword)
    if keyword == "TM-START" and number is not None and 0 <= number <= DAY_S:
        return number, 1.0
    return None


def _in_utc(cards: Cards, claim: TimeClaim, kind: str, notes: Notes, offset_hours: float | None) -> TimeClaim | None:
    """The claim in UTC, by its zone, its comment or TIMESYS, in this order; None where its clock is local."""
    keywords = claim.keyword.split("+")
    comment = " ".join(cards.comment(keyword) for keyword in keywords)
    if kind == "tdb":
        return replace(claim, mjd_utc=to_utc(claim.mjd_utc, "tdb"))
    parsed = parse_calendar(claim.written) if kind == "calendar" else None
    if parsed is not None and parsed[2]:
        return claim
    stated = cards.text("TIMESYS")
    scale = "utc" if stated is None else scale_named(stated)
    is_universal = bool(_UNIVERSAL.search(comment)) or any(k.startswith("UT") or "UTC" in k for k in keywords)
    local = _LOCAL.search(comment)
    if kind == "calendar" and ((local and not is_universal) or (scale == "local" and not is_universal)):
        word = f"the comment of {claim.keyword} says '{local[0]}'" if local else f"TIMESYS = {stated}"
        return _from_local(claim, word, notes, offset_hours)
    if kind == "calendar" and offset_hours is not None and not is_universal and stated is None:
        return replace(claim, mjd_utc=claim.mjd_utc - offset_hours / 24)
    named = _SCALE_IN_COMMENT.search(comment)
    own = scale_named(named[0]) if named else None
    if own is not None and scale is not None and stated is not None and own != scale:
        notes.doubt(
            "time_scale_contradicted", "time", claim.keyword, claim.written,
            f"The comment of {claim.keyword} says {named[0] if named else ''}, TIMESYS says {stated}: the comment was "
            "believed.", blocks=True,
        )  # fmt: skip
    if own is None and scale is None:
        notes.doubt(
            "unknown_time_scale", "time", "TIMESYS", stated or "",
            f"TIMESYS = {stated} is no time scale that FITS knows: the time was read as UTC.", blocks=True,
        )  # fmt: skip
    used = own or scale or "utc"
    return replace(claim, mjd_utc=to_utc(claim.mjd_utc, "utc" if used == "local" else used))


def _from_local(claim: TimeClaim, word: str, notes: Notes, offset_hours: float | None) -> TimeClaim | None:
    if offset_hours is not None:
        return replace(claim, mjd_utc=claim.mjd_utc - offset_hours / 24)
    notes.doubt(
        "local_clock", "time", claim.keyword, claim.written,
        f"{claim.keyword} = {claim.written} is local time ({word}) and was not used: --utc-offset HOURS or a profile "
        "of the instrument makes it UTC.",
    )  # fmt: skip
    return None


def _utc_offset_hours(cards: Cards, claims: list[TimeClaim]) -> float | None:
    """Local civil time minus UTC, from a written offset or from a local time beside a UTC one."""
    for keyword in KEYWORDS["local_time"]:
        text = cards.text(keyword)
        if text is None:
            continue
        zone = re.search(r"([+-]\d{2}):?(\d{2})$", text)
        if zone and "T" in text:
            return float(zone[1]) + float(f"{zone[1][0]}1") * float(zone[2]) / 60
        local = parse_american(text)
        precise = [claim for claim in claims if claim.precision_s < DAY_S and claim.moment == "start"]
        if local is not None and precise:
            hours = (mjd_of(local) - precise[0].mjd_utc) * 24
            return round(hours * 4) / 4 if abs(hours) <= 14 else None
    return None
