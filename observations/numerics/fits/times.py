"""When an image was taken: the time keywords of many observatories, their disagreements, and the choice."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from observations.numerics.doubts import TRUSTED_TIME_S
from observations.numerics.fits.camera import members_of_stack
from observations.numerics.fits.cards import Cards
from observations.numerics.fits.clocks import DAY_S, parse_american
from observations.numerics.fits.durations import elapsed_s, is_uninterrupted
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.keywords import KEYWORDS, TIME_KEYWORDS
from observations.numerics.fits.time_claims import AS_WRITTEN, Clock, TimeClaim, claims_of, clocks_beside
from observations.numerics.fits.time_words import is_elsewhere, is_of_file, is_slow
from observations.numerics.site import mjd_of, time_of

# Digits beyond the millisecond are rarely more than a software's number format.
_FINEST_S = 1e-3
# A clock that is read to the minute tells when a stack began.
_STACK_PRECISION_S = 60.0
# Within that a frame has been read out and written.
_WRITTEN_WITHIN_S = 120.0
# Numbers of days that do not say whose they are: programs write the time of writing so.
_BARE_NUMBERS = ("JD", "MJD")


@dataclass(frozen=True)
class ExposureTimes:
    """Start and middle of an exposure; None where no keyword gives them.

    is_middle_known : the header gives it, or start and end; else it was made from the start and the exposure.
    """

    start: datetime | None = None
    mid_mjd_utc: float | None = None
    utc_offset_hours: float | None = None
    is_middle_known: bool = False


def find_times(cards: Cards, exposure_s: float | None, notes: Notes, clock: Clock = AS_WRITTEN) -> ExposureTimes:
    """Return start and mid-exposure from all time keywords: the most precise wins, what disagrees is a doubt.

    A middle or an end is believed where it lies after the start; a moment that is missing is made from another and
    the exposure. What the numbers say of each other goes before the words of comments. The middle of a stack is that
    of its span.
    """
    claims = _in_place(_half_day_faults(claims_of(cards, notes, clock), notes), exposure_s)
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
        _note_times_elsewhere(cards, notes)
        return ExposureTimes(utc_offset_hours=offset)
    usable, stray = _without_strays(_by_arithmetic(usable, exposure_s), exposure_s, notes)
    span = _span_of_stack(usable, exposure_s, notes) if members_of_stack(cards) else None
    if span is not None:
        return ExposureTimes(time_of(span[0]), (span[0] + span[1]) / 2, offset, True)
    anchor = min(usable, key=lambda claim: max(claim.precision_s, _FINEST_S))
    start, mid, is_known = _moments(anchor, usable, cards, exposure_s)
    end = start + max(2 * (mid - start), (exposure_s or 0.0) / DAY_S)
    _note_conflicts([*usable, *stray], {"start": start, "mid": mid, "end": end}, anchor, notes)
    late_s = _note_late_ends(usable, end, anchor, cards, exposure_s, notes)
    _note_readout(anchor, exposure_s, notes)
    _note_coarse(anchor, usable, notes)
    _note_clocks_beside(cards, anchor, {"start": start, "mid": mid, "end": end}, notes)
    by = f" by {clock.source}" if clock.source else ""
    notes.came_from("time", anchor.keyword, anchor.written, f"read as the {anchor.moment} of the exposure{by}")
    # Pauses move the middle by half of what they took, a readout does not: what lies between is off by a quarter.
    shift_s = late_s / 4 if not is_known and _is_shared(late_s) else 0.0
    return ExposureTimes(time_of(start), mid + shift_s / DAY_S, offset, is_known)


def _note_times_elsewhere(cards: Cards, notes: Notes) -> None:
    """Name the times at the Sun or the barycentre, where a header has no others."""
    named = [keyword for keyword in KEYWORDS["solar_time"] if cards.number(keyword) is not None]
    named += [keyword for keyword, _, _ in TIME_KEYWORDS if is_elsewhere(cards.comment(keyword))]
    for keyword in named:
        notes.doubt(
            "time_elsewhere", "time", keyword, cards.text(keyword),
            f"{keyword} = {cards.text(keyword)} is a time at the Sun or the barycentre, up to 8.4 minutes from that at "
            "the telescope, and was not used.",
        )  # fmt: skip


def _by_arithmetic(claims: list[TimeClaim], exposure_s: float | None) -> list[TimeClaim]:
    """Take each claim for the moment at which it lies, where a named start and a named end are the exposure apart.

    Comments that speak of a typical time or of the middle are wrong where the numbers say so.
    """
    exposure = exposure_s or 0.0
    named = [claim for claim in claims if claim.is_said and not claim.by_readout]
    agreed = max(TRUSTED_TIME_S, 0.01 * exposure)
    pair = next(
        (
            (first, last)
            for first in named
            for last in named
            if (first.moment, last.moment) == ("start", "end")
            and abs((last.mjd_utc - first.mjd_utc) * DAY_S - exposure) <= agreed
        ),
        None,
    )
    if pair is None or exposure <= 4 * TRUSTED_TIME_S:
        return claims
    moments = {"start": pair[0].mjd_utc, "mid": (pair[0].mjd_utc + pair[1].mjd_utc) / 2, "end": pair[1].mjd_utc}
    placed = []
    for claim in claims:
        near = [
            name
            for name, mjd in moments.items()
            if abs(claim.mjd_utc - mjd) * DAY_S <= max(TRUSTED_TIME_S, claim.precision_s)
        ]
        placed.append(replace(claim, moment=near[0]) if len(near) == 1 and not claim.by_readout else claim)
    return placed


def _without_strays(
    claims: list[TimeClaim], exposure_s: float | None, notes: Notes
) -> tuple[list[TimeClaim], list[TimeClaim]]:
    """Part the claims from bare numbers of days that are no moment of the exposure beside a calendar's start.

    Beside a start that is said they are the time of writing, which is no contradiction; the other strays are returned.
    """
    starts = [c for c in claims if c.moment == "start" and "JD" not in c.keyword]
    if not starts:
        return claims, []
    first = min(starts, key=lambda claim: (not claim.is_said, claim.precision_s))
    kept, stray = [], []
    for claim in claims:
        late_s = (claim.mjd_utc - first.mjd_utc) * DAY_S
        is_bare = claim.keyword in _BARE_NUMBERS and not claim.is_said and claim.moment == "start"
        if not is_bare or abs(late_s) <= max(TRUSTED_TIME_S, claim.precision_s, first.precision_s):
            kept.append(claim)
        elif first.is_said and late_s > (exposure_s or 0.0):
            notes.doubt(
                "time_of_writing", "time", claim.keyword, claim.written,
                f"{claim.keyword} = {claim.written} lies {late_s:.0f} s after the start by {first.keyword} and is no "
                "moment of the exposure: it was taken for the time of writing, and was not used.",
            )  # fmt: skip
        else:
            stray.append(claim)
    return kept, stray


def _span_of_stack(claims: list[TimeClaim], exposure_s: float | None, notes: Notes) -> tuple[float, float] | None:
    """First start and last end of a stack, MJD; None where the header does not give both."""
    precise = [claim for claim in claims if claim.precision_s <= _STACK_PRECISION_S and not claim.by_readout]
    first = min((c for c in precise if c.moment == "start"), key=lambda claim: claim.mjd_utc, default=None)
    last = max((c for c in precise if c.moment == "end"), key=lambda claim: claim.mjd_utc, default=None)
    if first is None or last is None or last.mjd_utc <= first.mjd_utc:
        return None
    lasted_s = (last.mjd_utc - first.mjd_utc) * DAY_S
    if exposure_s is not None and lasted_s < exposure_s - max(TRUSTED_TIME_S, 0.01 * exposure_s):
        notes.doubt(
            "exposure_longer_than_span", "time", last.keyword, round(lasted_s, 3),
            f"From {first.keyword} to {last.keyword} it is {lasted_s:.0f} s, less than the exposure of "
            f"{exposure_s:.0f} s: they are not those of all that was added, and the middle may be elsewhere.",
            blocks=True,
        )  # fmt: skip
    notes.came_from("time", first.keyword, first.written, f"the middle of a stack from there to {last.keyword}")
    return first.mjd_utc, last.mjd_utc


def _moments(
    anchor: TimeClaim, usable: list[TimeClaim], cards: Cards, exposure_s: float | None
) -> tuple[float, float, bool]:
    """Start and middle, MJD: from the anchor, from a claim of another moment that fits it, else from the exposure.

    Also whether the header itself gives the middle, or start and end.
    """
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
        return start, anchor.mjd_utc, True
    if partner["mid"]:
        return start, partner["mid"].mjd_utc, True
    end = anchor if anchor.moment == "end" else partner["end"]
    if end is not None and _is_whole(end.mjd_utc - start, cards, exposure_s):
        return start, (start + end.mjd_utc) / 2, True
    return start, start + half_days, False


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
        apart_s = 0.0 if claim is anchor else _apart_s(claim, chosen[claim.moment], anchor)
        if apart_s and not (claim.moment == "end" and apart_s > 0):
            notes.doubt(
                "time_contradicted", "time", claim.keyword, claim.written,
                f"{claim.keyword} = {claim.written} puts the {claim.moment} of the exposure {abs(apart_s):.3f} s "
                f"{'after' if apart_s > 0 else 'before'} {anchor.keyword} = {anchor.written}, which was used.",
                blocks=True,
            )  # fmt: skip


def _is_shared(late_s: float) -> bool:
    """Whether the middle is taken between that of pauses and that of a readout: either alone may be too far off."""
    return 2 * TRUSTED_TIME_S < late_s <= 4 * TRUSTED_TIME_S


def _apart_s(claim: TimeClaim, mjd: float, anchor: TimeClaim) -> float:
    """Seconds by which a claim is later than what was chosen; 0 within a second.

    Clocks are read at slightly different steps of the same exposure.
    """
    apart_s = (claim.mjd_utc - mjd) * DAY_S
    is_same = abs(apart_s) <= max(TRUSTED_TIME_S, claim.precision_s, anchor.precision_s)
    return 0.0 if claim.by_readout or is_same else apart_s


def _note_late_ends(
    claims: list[TimeClaim], end: float, anchor: TimeClaim, cards: Cards, exposure_s: float | None, notes: Notes
) -> float:
    """Note ends that are later than start and exposure make them, and return by how many seconds the latest is.

    0 where the header says that nothing paused: the rest was the readout.
    """
    late = {claim: _apart_s(claim, end, anchor) for claim in claims if claim.moment == "end"}
    late = {claim: apart_s for claim, apart_s in late.items() if apart_s > 0}
    is_readout = is_uninterrupted(cards, exposure_s)
    for claim, apart_s in late.items():
        reason = "the readout, since nothing paused by the header" if is_readout else "pauses, or the readout"
        notes.doubt(
            "exposure_took_longer", "time", claim.keyword, round(apart_s, 3),
            f"{claim.keyword} is {apart_s:.1f} s later than the exposure's end by its length: {reason}. The middle was "
            "taken half an exposure after the start" + (", and a quarter of that." if _is_shared(apart_s) else "."),
            blocks=not is_readout and apart_s / 4 > TRUSTED_TIME_S,
        )  # fmt: skip
    return 0.0 if is_readout else max(late.values(), default=0.0)


def _note_coarse(anchor: TimeClaim, usable: list[TimeClaim], notes: Notes) -> None:
    """Doubt a time that is written to more than a second, and midnight where it may be the lack of a time of day."""
    if anchor.precision_s > TRUSTED_TIME_S:
        notes.doubt(
            "coarse_time", "time", anchor.keyword, anchor.written,
            f"{anchor.keyword} = {anchor.written} is written to {anchor.precision_s:.3g} s, and no other time of "
            "the header "
            "is finer.", blocks=True,
        )  # fmt: skip
    elif all(claim.mjd_utc % 1 == 0 for claim in usable):
        notes.doubt(
            "midnight", "time", anchor.keyword, anchor.written,
            f"{anchor.keyword} = {anchor.written} is midnight to the second, as where a program knows the date only.",
            blocks=True,
        )  # fmt: skip


def _note_clocks_beside(cards: Cards, anchor: TimeClaim, chosen: dict[str, float], notes: Notes) -> None:
    """Doubt a time of day in a card of its own that is no moment of the exposure."""
    for clock in () if "+" in anchor.keyword else clocks_beside(cards, anchor):
        late_s = (clock.mjd_utc - chosen["start"]) * DAY_S
        tolerance_s = max(TRUSTED_TIME_S, clock.precision_s, anchor.precision_s)
        nearest_s = min(abs(clock.mjd_utc - mjd) * DAY_S for mjd in chosen.values())
        is_written = chosen["end"] < clock.mjd_utc <= chosen["end"] + _WRITTEN_WITHIN_S / DAY_S
        is_written = is_written and (anchor.is_said or clock.moment == "end")
        if nearest_s > tolerance_s and not clock.by_readout and not is_written:
            notes.doubt(
                "time_contradicted", "time", clock.keyword, clock.written,
                f"{clock.keyword} = {clock.written} lies {abs(late_s):.3f} s {'after' if late_s > 0 else 'before'} "
                "the start "
                f"by {anchor.keyword} = {anchor.written}, which was used, and is no moment of the exposure.",
                blocks=True,
            )  # fmt: skip


def _note_readout(anchor: TimeClaim, exposure_s: float | None, notes: Notes) -> None:
    if not anchor.by_readout:
        return
    is_writing = is_of_file(anchor.by_readout)
    blocks = (exposure_s or 0.0) > TRUSTED_TIME_S if is_writing else is_slow(anchor.by_readout)
    took = "the readout and the writing took" if is_writing else "the readout took"
    notes.doubt(
        "time_after_readout", "time", anchor.keyword, anchor.written,
        f"The comment of {anchor.keyword} says '{anchor.by_readout}': it was taken for the end of the exposure. What "
        f"{took} is still in it" + ("; a profile of the instrument can give its length." if blocks else "."),
        blocks=blocks,
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
    calendar = [c for c in claims if "MJD" not in c.keyword and not c.is_zero_guessed and c.precision_s < DAY_S]
    kept = []
    for claim in claims:
        late = [c for c in calendar if abs((claim.mjd_utc - c.mjd_utc - 0.5) * DAY_S) <= max(2.0, c.precision_s)]
        if ("MJD" in claim.keyword or claim.is_zero_guessed) and late:
            notes.doubt(
                "half_a_day_late", "time", claim.keyword, claim.written,
                f"{claim.keyword} = {claim.written} is half a day late beside {late[0].keyword}: it was made as "
                "JD - 2400000, and was not used.",
            )  # fmt: skip
        else:
            kept.append(claim)
    return kept


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
