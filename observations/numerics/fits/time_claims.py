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
    is_unset,
    mjd_of_number,
    parse_calendar,
    parse_clock,
    parse_packed,
    scale_named,
    to_utc,
)
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.keywords import KEYWORDS, TIME_KEYWORDS
from observations.numerics.fits.time_words import (
    is_date_of_night,
    is_elsewhere,
    is_in_hours,
    is_in_seconds,
    is_of_file,
    is_universal,
    local_word,
    moment_said,
    scale_said,
    zero_of_days,
)
from observations.numerics.site import mjd_of, time_of

# Keywords that name their moment, which those of an observation's date do not.
_NAMED = re.compile(r"BEG|AVG|MID|END|START|OPEN|CLS|STR|STOP")
# Photography of the sky began in 1840; no clock of an instrument is right beyond 2100.
_YEARS = (1840, 2100)
# Numbers of days are written beside digital images, and older ones where somebody has typed the date as well.
_FIRST_MJD = 33282.0
# Nine tenths of an hour.
_ANOTHER_ZONE_DAYS = 0.9 / 24
_SCALE_OF_KIND = {"tdb": "tdb", "tai_s": "tai"}
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
    is_zero_guessed : a number of days that does not say from where it counts.
    """

    keyword: str
    moment: str
    mjd_utc: float
    precision_s: float
    written: str = ""
    is_said: bool = False
    by_readout: str = ""
    is_zero_guessed: bool = False


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
    return list(_of_known_zero(claims, notes))


def _written(cards: Cards, notes: Notes, clock: Clock) -> Iterator[tuple[str, str, TimeClaim]]:
    """Keyword, kind and claim of each time, in the scale in which it is written."""
    for keyword, moment, kind in _believed(clock):
        card = cards.get(keyword)
        if card is None or is_elsewhere(card.comment):
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


def _of_known_zero(claims: list[TimeClaim], notes: Notes) -> Iterator[TimeClaim]:
    """Pass over numbers of days from an unknown zero, which nothing confirms; half a day off they are doubted only."""
    known = [claim for claim in claims if not claim.is_zero_guessed]
    for claim in claims:
        near = [other for other in known if abs(other.mjd_utc - claim.mjd_utc) < 1.0]
        if not claim.is_zero_guessed or near:
            yield claim
            continue
        is_old, year = claim.mjd_utc < _FIRST_MJD, time_of(claim.mjd_utc).year
        notes.doubt(
            "unknown_zero_of_days", "time", claim.keyword, claim.written,
            f"{claim.keyword} = {claim.written} is no {'date of a digital image' if is_old else 'Julian Date'}, "
            "and does "
            "not say from which day it counts: it was "
            f"{f'not used (as an MJD, {year})' if is_old else 'read as an MJD'}.",
            blocks=True,
        )  # fmt: skip
        if not is_old:
            yield claim


def _said(claim: TimeClaim, comment: str) -> TimeClaim:
    """The claim with the moment that its comment names."""
    moment = moment_said(comment)
    if moment is None:
        return replace(claim, is_said=bool(_NAMED.search(claim.keyword)))
    return replace(claim, moment=moment.name, is_said=True, by_readout=moment.by_readout)


def _number_claim(cards: Cards, card: Card, moment: str, kind: str) -> TimeClaim | None:
    value = cards.number(card.keyword)
    zero = cards.number("TJD_ZERO") if kind == "tjd" else zero_of_days(card.comment)
    is_written = card.keyword in ("JD", "MJD") and is_of_file(card.comment)
    if value is None or value <= 0 or is_written or (kind == "tjd" and zero is None):
        return None
    is_short = value < 1_000_000
    value = value + (zero or 0.0) if is_short else value
    mjd = value / DAY_S if kind == "tai_s" else mjd_of_number(value, kind in ("jd", "tjd") or zero is not None)
    # Beyond these no calendar date exists (year 1 to 9999).
    if not -678575 <= mjd <= 2973483:
        return None
    precision = (1.0 if kind == "tai_s" else DAY_S) * 10.0 ** -decimals_written(card.written)
    is_guessed = zero is None and ((kind == "jd" and is_short) or (kind != "tai_s" and mjd < _FIRST_MJD))
    claim = TimeClaim(card.keyword, moment, mjd, precision, str(card.value), is_zero_guessed=is_guessed)
    return _said(claim, card.comment)


def _calendar_claims(cards: Cards, card: Card, moment: str, notes: Notes) -> list[TimeClaim]:
    """What a date claims: alone where it has a time of day, else once for each clock that goes with it."""
    text = cards.text(card.keyword)
    if text is None or (card.keyword in KEYWORDS["clock"] and _clock(cards, card.keyword, is_alone=True)):
        return []
    parsed = parse_calendar(text)
    if parsed is None and card.keyword in KEYWORDS["clock"] and cards.number(card.keyword) is not None:
        return []
    if parsed is None or is_unset(text):
        _note_no_date(card.keyword, text, notes)
        return []
    instant, precision_s, _ = parsed
    claim = _said(TimeClaim(card.keyword, moment, mjd_of(instant), precision_s, text), card.comment)
    is_day = precision_s >= DAY_S or (claim.mjd_utc % 1 == 0 and _has_clock(cards))
    return _with_clocks(cards, replace(claim, precision_s=DAY_S), notes) or [claim] if is_day else [claim]


def _note_no_date(keyword: str, text: str, notes: Notes) -> None:
    zone = local_word(text)
    if zone is not None:
        notes.doubt("local_clock", "time", keyword, text, _local_sentence(f"{keyword} = {text}", f"it says '{zone}'"))
    elif parse_calendar(text) is not None:
        sentence = f"{keyword} = {text} is the zero of a clock that nobody has set, and was not used."
        notes.doubt("unset_value", "time", keyword, text, sentence)
    else:
        sentence = f"{keyword} = {text} is no date that can be read, and was not used."
        notes.doubt("unreadable_date", "time", keyword, text, sentence)


def _has_clock(cards: Cards) -> bool:
    """Tell whether a time of day other than midnight stands in a card of its own."""
    return any(clock and clock[0] > 0 for clock in (_clock(cards, keyword) for keyword, _ in _CLOCKS))


def clocks_beside(cards: Cards, day: TimeClaim) -> Iterator[TimeClaim]:
    """Yield the times of day in cards of their own beside a date that has one already, on the day nearest to it."""
    is_utc = scale_named(cards.text("TIMESYS") or "UTC") == "utc"
    for keyword, moment in _CLOCKS:
        text, comment = cards.text(keyword) or "", cards.comment(keyword)
        if keyword.startswith("TAI") or not (is_utc or keyword.startswith("UT")):
            continue
        clock = None if "T" in text or local_word(comment) else _clock(cards, keyword, is_alone=True)
        if clock is None or parse_clock(text) is None:
            continue
        mjd = clock[0] / DAY_S + round(day.mjd_utc - clock[0] / DAY_S)
        yield _said(TimeClaim(keyword, moment, mjd, clock[1], text), comment)


def _with_clocks(cards: Cards, day: TimeClaim, notes: Notes) -> list[TimeClaim]:
    """The claims of a date with each time of day of its moment; an unnamed start counts where there is no other."""
    claims: list[TimeClaim] = []
    for keyword, moment in _CLOCKS:
        clock = _clock(cards, keyword)
        is_anothers = moment == "end" and cards.first_text(("DATE-END", "DATE_END")) is not None
        if clock is None or (moment != day.moment if day.moment != "start" else is_anothers):
            continue
        _note_packed(cards, keyword, notes)
        # What a clock says of the moment goes before what its date says.
        claim = replace(
            day, moment=moment, keyword=f"{day.keyword}+{keyword}", mjd_utc=day.mjd_utc + clock[0] / DAY_S,
            precision_s=clock[1], written=f"{day.written} {cards.text(keyword)}",
        )  # fmt: skip
        claim = _said(claim, cards.comment(keyword))
        others = [other.keyword.rpartition("+")[2] for other in claims if other.moment == "start"]
        is_another = any(_is_another_clock(claim, other) for other in claims)
        if claim.is_said or is_another or all(_is_local(cards.comment(other)) for other in others):
            claims.append(claim)
    if claims and is_date_of_night(cards.comment(day.keyword)):
        notes.doubt(
            "date_of_night", "time", day.keyword, day.written,
            f"{day.keyword} = {day.written} is said to be the date of a night or of a place "
            f"({cards.comment(day.keyword)}): "
            "after midnight the time would be a day later.", blocks=True,
        )  # fmt: skip
    first = min((claim.mjd_utc for claim in claims if claim.moment == "start"), default=day.mjd_utc)
    # After midnight a clock begins anew.
    return [replace(c, mjd_utc=c.mjd_utc + 1) if c.mjd_utc < first - 0.5 else c for c in claims]


def _is_another_clock(claim: TimeClaim, other: TimeClaim) -> bool:
    """Whether two times of day differ by what no exposure lasts, midnight apart: one of them is of another zone."""
    apart = abs((claim.mjd_utc - other.mjd_utc + 0.5) % 1 - 0.5)
    return claim.moment == other.moment and apart >= _ANOTHER_ZONE_DAYS


def _note_packed(cards: Cards, keyword: str, notes: Notes) -> None:
    """Doubt a whole number that may be seconds or hhmmss, where its comment does not say which."""
    card = cards.get(keyword)
    if card is None or not isinstance(card.value, int) or is_in_seconds(card.comment):
        return
    if (cards.number(keyword) or 0) > 24 and parse_packed(f"{card.value:06d}") is not None:
        sentence = f"{keyword} = {card.value} may be seconds of the day or hhmmss: it was read as seconds."
        notes.doubt("clock_unit_assumed", "time", keyword, card.value, sentence, blocks=True)


def _is_local(comment: str) -> bool:
    return local_word(comment) is not None and not is_universal(comment)


def _clock(cards: Cards, keyword: str, is_alone: bool = False) -> tuple[float, float] | None:
    """Seconds since midnight and their precision, from hh:mm:ss, a number of seconds, or hours where a comment says so.

    is_alone : a date before it makes it none.
    """
    text, card = cards.text(keyword), cards.get(keyword)
    if text is None or card is None:
        return None
    found = parse_clock(text if is_alone else text.rpartition("T")[2])
    if found is not None:
        return found
    packed = parse_packed(text) if isinstance(card.value, str) else None
    number = cards.number(keyword)
    if packed is not None or number is None or number < 0:
        return None if packed is None else (packed, 1.0)
    if number <= 24 and is_in_hours(card.comment):
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
    # The last of a date and a clock is the clock, whose own words go before the name of its keyword.
    local = local_word(cards.comment(keywords[-1]))
    by_name = local is None and any(k.startswith("UT") or "UTC" in k for k in keywords)
    local = local if local or by_name else local_word(comment)
    is_utc = is_universal(comment) or by_name
    if kind == "calendar" and (local or scale == "local") and not is_utc:
        word = f"the comment of {claim.keyword} says '{local}'" if local else f"TIMESYS = {stated}"
        return _from_local(claim, word, notes, offset_hours)
    if kind == "calendar" and offset_hours is not None and not is_utc and stated is None:
        return replace(claim, mjd_utc=claim.mjd_utc - offset_hours / 24)
    named = scale_said(comment)
    own = scale_named(named) if named else None
    if own is not None and scale is not None and stated is not None and own != scale:
        notes.doubt(
            "time_scale_contradicted", "time", claim.keyword, claim.written,
            f"The comment of {claim.keyword} says {named}, TIMESYS says {stated}: the comment was believed.",
            blocks=True,
        )  # fmt: skip
    if own == "gps" and stated is None:
        notes.doubt(
            "gps_time_assumed", "time", claim.keyword, claim.written,
            f"The comment of {claim.keyword} says GPS time, which is ahead of UTC by the leap seconds since 1980: they "
            "were taken off. Receivers mostly give UTC; should this one do so, the time is that much later.",
            blocks=True,
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
    sentence = _local_sentence(f"{claim.keyword} = {claim.written}", word)
    notes.doubt("local_clock", "time", claim.keyword, claim.written, sentence)
    return None


def _local_sentence(claim: str, word: str) -> str:
    how = "--utc-offset HOURS or a profile of the instrument makes it UTC"
    return f"{claim} is local time ({word}) and was not used: {how}."
