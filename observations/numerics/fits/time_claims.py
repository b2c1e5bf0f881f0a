"""What each time keyword of a header claims: an instant in UTC, a moment of the exposure, and how finely."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from observations.numerics.fits.cards import Card, Cards
from observations.numerics.fits.clocks import (
    DAY_S,
    decimals_written,
    is_two_digit_year,
    mjd_of_number,
    parse_calendar,
    parse_clock,
    scale_named,
    to_utc,
)
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.keywords import KEYWORDS, TIME_KEYWORDS
from observations.numerics.site import mjd_of, time_of

# The first of these words in a comment tells which moment of the exposure is meant, whatever the keyword usually means.
_MOMENTS = re.compile(
    r"\b(?:(?P<start>start\w*|begin\w*|beg|open(?:ed|ing|s)?)"
    r"|(?P<mid>mid|middle|mid-?exp\w*|mid-?points?|avg|average|mean(?! (?:time|solar|sidereal))|cent(?:er|re))"
    r"|(?P<readout>read-?out|received|grabbed|download\w*|arriv\w*)"
    r"|(?P<end>end(?:s|ed|ing)?|finish\w*|stop\w*|clos(?:e|ed|es|ing|ure)))\b",
    re.IGNORECASE,
)
# What a comment says about other cards is not about its own.
_ELSEWHERE = re.compile(r"\bsee\b.*|\b[A-Z]{2,}[-_][A-Z]+\b")
# Keywords that name their moment, which those of an observation's date do not.
_NAMED = re.compile(r"BEG|AVG|MID|END|START|OPEN|CLS|STR|STOP")
_LOCAL = re.compile(r"\b(LT|local(?! sidereal))\b", re.IGNORECASE)
_UNIVERSAL = re.compile(r"\b(UTC?|GMT|universal)\b", re.IGNORECASE)
# GPS is not among them: a comment that says so names the receiver, which gives UTC.
_SCALE_IN_COMMENT = re.compile(r"\b(TAI|TDB|TDT|TT|TCB|TCG|UTC|UT1?|GMT)\b")
_NOT_HERE = re.compile(r"\b(helio\w*|bary\w*|HJD|BJD|HMJD|BMJD)\b", re.IGNORECASE)
# Photography of the sky began in 1840; no clock of an instrument is right beyond 2100.
_YEARS = (1840, 2100)
# A number of days by which a file was written is none of an observation.
_WRITTEN = re.compile(r"\b(written|creat\w+|sav(?:ed|ing))\b", re.IGNORECASE)
_SCALE_OF_KIND = {"tdb": "tdb", "tai_s": "tai"}
_HOURS = re.compile(r"\b(hours?|hrs?|h)\b", re.IGNORECASE)
_CLOCKS = (
    *((keyword, "start") for keyword in KEYWORDS["clock"]),
    *((keyword, "mid") for keyword in KEYWORDS["clock_mid"]),
    *((keyword, "end") for keyword in KEYWORDS["clock_end"]),
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


AS_WRITTEN = Clock()


def claims_of(cards: Cards, notes: Notes, clock: Clock) -> list[TimeClaim]:
    """Return what all time keywords claim, in their order of trust; what cannot be read or used is a doubt."""
    claims = []
    for keyword, kind, written in _written(cards, notes, clock):
        claim, card = _in_utc(cards, written, kind, notes, clock.offset_hours), cards.get(keyword)
        if claim is None or card is None:
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


def _written(cards: Cards, notes: Notes, clock: Clock) -> Iterator[tuple[str, str, TimeClaim]]:
    """Keyword, kind and claim of each time, in the scale in which it is written."""
    for keyword, moment, kind in _believed(clock):
        card = cards.get(keyword)
        if card is None or _NOT_HERE.search(card.comment):
            continue
        if kind == "calendar":
            yield from ((keyword, kind, claim) for claim in _calendar_claims(cards, card, moment, notes))
            continue
        claim = _number_claim(cards, card, moment, kind)
        if claim is not None:
            yield keyword, kind, claim


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
    value, zero = cards.number(card.keyword), cards.number("TJD_ZERO")
    is_of_file = card.keyword in ("JD", "MJD") and _WRITTEN.search(card.comment)
    if value is None or value <= 0 or is_of_file or (kind == "tjd" and zero is None):
        return None
    value = value + (zero or 0.0) if kind == "tjd" else value
    mjd = value / DAY_S if kind == "tai_s" else mjd_of_number(value, kind in ("jd", "tjd"))
    # Beyond these no calendar date exists (year 1 to 9999).
    if not -678575 <= mjd <= 2973483:
        return None
    precision = (1.0 if kind == "tai_s" else DAY_S) * 10.0 ** -decimals_written(card.written)
    return _said(TimeClaim(card.keyword, moment, mjd, precision, str(card.value)), card.comment)


def _calendar_claims(cards: Cards, card: Card, moment: str, notes: Notes) -> list[TimeClaim]:
    """What a date claims: alone where it has a time of day, else once for each clock that goes with it."""
    text = cards.text(card.keyword)
    if text is None or (card.keyword in KEYWORDS["clock"] and _clock(cards, card.keyword, is_alone=True)):
        return []
    parsed = parse_calendar(text)
    if parsed is None and card.keyword in KEYWORDS["clock"] and cards.number(card.keyword) is not None:
        return []
    if parsed is None:
        sentence = f"{card.keyword} = {text} is no date that can be read, and was not used."
        notes.doubt("unreadable_date", "time", card.keyword, text, sentence)
        return []
    instant, precision_s, _ = parsed
    claim = _said(TimeClaim(card.keyword, moment, mjd_of(instant), precision_s, text), card.comment)
    return [claim] if precision_s < DAY_S else _with_clocks(cards, claim) or [claim]


def _with_clocks(cards: Cards, day: TimeClaim) -> list[TimeClaim]:
    """The claims of a date with each time of day of its moment; an unnamed start counts where there is no other."""
    claims: list[TimeClaim] = []
    for keyword, moment in _CLOCKS:
        clock = _clock(cards, keyword)
        is_anothers = moment == "end" and cards.first_text(("DATE-END", "DATE_END")) is not None
        if clock is None or (moment != day.moment if day.moment != "start" else is_anothers):
            continue
        # What a clock says of the moment goes before what its date says.
        claim = replace(
            day, moment=moment, keyword=f"{day.keyword}+{keyword}", mjd_utc=day.mjd_utc + clock[0] / DAY_S,
            precision_s=clock[1], written=f"{day.written} {cards.text(keyword)}",
        )  # fmt: skip
        claim = _said(claim, cards.comment(keyword))
        others = [other.keyword.rpartition("+")[2] for other in claims if other.moment == "start"]
        if claim.is_said or all(_is_local(cards.comment(other)) for other in others):
            claims.append(claim)
    first = min((claim.mjd_utc for claim in claims if claim.moment == "start"), default=day.mjd_utc)
    # After midnight a clock begins anew.
    return [replace(c, mjd_utc=c.mjd_utc + 1) if c.mjd_utc < first - 0.5 else c for c in claims]


def _is_local(comment: str) -> bool:
    return bool(_LOCAL.search(comment)) and not _UNIVERSAL.search(comment)


def _clock(cards: Cards, keyword: str, is_alone: bool = False) -> tuple[float, float] | None:
    """Seconds since midnight and their precision, from hh:mm:ss, a number of seconds, or hours where a comment says so.

    is_alone : a date before it makes it none.
    """
    text = cards.text(keyword)
    if text is None:
        return None
    found = parse_clock(text if is_alone else text.rpartition("T")[2])
    if found is not None:
        return found
    number, card = cards.number(keyword), cards.get(keyword)
    if number is None or card is None or number < 0:
        return None
    if number <= 24 and _HOURS.search(card.comment):
        return number * 3600, max(3600 * 10.0 ** -decimals_written(card.written), 1.0)
    return (number, 1.0) if 24 < number <= DAY_S else None


def _in_utc(cards: Cards, claim: TimeClaim, kind: str, notes: Notes, offset_hours: float | None) -> TimeClaim | None:
    """The claim in UTC, by its zone, its comment or TIMESYS, in this order; None where its clock is local."""
    keywords = claim.keyword.split("+")
    comment = " ".join(cards.comment(keyword) for keyword in keywords)
    if kind in _SCALE_OF_KIND or any(keyword.startswith("TAI") for keyword in keywords):
        return replace(claim, mjd_utc=to_utc(claim.mjd_utc, _SCALE_OF_KIND.get(kind, "tai")))
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
