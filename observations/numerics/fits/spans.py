"""Exposures that are not one: stacks, means of integrations, drift scans, times that were moved to the Sun's centre."""

from __future__ import annotations

import re

from observations.numerics.doubts import TRUSTED_TIME_S
from observations.numerics.fits.camera import is_stacked, members_of_stack
from observations.numerics.fits.cards import Cards
from observations.numerics.fits.durations import LONGEST_EXPOSURE_S
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.keywords import KEYWORDS
from observations.numerics.fits.times import ExposureTimes
from observations.numerics.site import mjd_of

# Words by which an exposure time says whether it is that of one of several, or of all.
_OF_WHICH = re.compile(
    r"\b(?:total|sum|summed|cumulative|accumulated|combined|stacked|integrated|overall|each|single|individual"
    r"|per (?:frame|sub\w*|exposure|image|member)|of one|sub-?(?:exp\w*|frames?|s)?|mean|average|effective)\b",
    re.I,
)
# Words by which a count is that of a series, or of parts of a file.
_OF_SERIES = re.compile(
    r"\b(?:sequence|series|burst|set|dither\w*|loop|request\w*|planned|ordered|to take|to be taken|visit|group|cube"
    r"|file|extensions?|hdus?|chips?|detectors?|amplifiers?|ccds?|video|movie|ser|run|script|plan|programme|program"
    r"|template|cycle|queue)\b",
    re.I,
)
_SOLAR = re.compile(r"solar|bary|helio", re.I)


def doubt_middle(cards: Cards, times: ExposureTimes, exposure_s: float | None, notes: Notes) -> None:
    """Doubt the middle of what was not exposed in one piece, or whose times are not those of its observer."""
    if times.start is None:
        return
    _doubt_stack(cards, times, notes)
    _doubt_exposure_of_stack(cards, times, exposure_s, notes)
    _doubt_count(cards, times, exposure_s, notes)
    _doubt_length(cards, times, exposure_s, notes)
    _doubt_integrations(cards, times, exposure_s, notes)
    place = cards.first_text(("TREFPOS", "TIMEREF"))
    if cards.number("BJDREFI") is not None or (place is not None and _SOLAR.search(place)):
        notes.doubt(
            "barycentric_time", "time", "BJDREFI" if cards.get("BJDREFI") else "TREFPOS", place or "",
            "The times of this header are those at which light would have reached the centre of the solar system: up "
            "to 8.4 minutes from those of the telescope.", blocks=True,
        )  # fmt: skip
    if (cards.text("CCDMODE") or "").upper() == "DRIFT":
        notes.doubt(
            "drift_scan", "time", "CCDMODE", cards.text("CCDMODE"),
            "Each row of a drift scan was exposed at its own time: that of the header holds for one of them.",
            blocks=True,
        )  # fmt: skip


def _doubt_stack(cards: Cards, times: ExposureTimes, notes: Notes) -> None:
    members = members_of_stack(cards)
    if members is not None and not times.is_middle_known:
        notes.doubt(
            "span_of_stack_unknown", "time", members[0], float(members[1]),
            f"{members[0]} says that {members[1] or 'several'} exposures were added, and nothing says when the "
            "last one ended: the "
            "middle was taken as if it were one exposure.", blocks=True,
        )  # fmt: skip


def _doubt_exposure_of_stack(cards: Cards, times: ExposureTimes, exposure_s: float | None, notes: Notes) -> None:
    """Doubt an exposure that may be that of one member of a stack or of all of them.

    Its comment may say which, a total beside it, or the time from the first start to the last end: the sum of all
    members is no longer than that, nor are pauses longer than the exposures.
    """
    members = members_of_stack(cards)
    if members is None or members[1] < 2 or not exposure_s or "exposure" not in notes.origins:
        return
    source = notes.origins["exposure"].source
    totals = [total for total in map(cards.number, KEYWORDS["exposure_total_s"]) if total]
    if _OF_WHICH.search(cards.comment(source)) or any(total >= 0.99 * exposure_s for total in totals):
        return
    if times.is_middle_known and times.start is not None and times.mid_mjd_utc is not None:
        span_s = 2 * (times.mid_mjd_utc - mjd_of(times.start)) * 86400.0
        if span_s <= 2 * members[1] * exposure_s:
            return
    notes.doubt(
        "exposure_of_stack", "exposure", members[0], float(members[1]),
        f"{members[0]} says that {members[1]} exposures were added, and nothing says whether {source} = "
        f"{cards.text(source) or f'{exposure_s:g}'} is the exposure of one of them or of all: {exposure_s:g} s was "
        "taken for that of the whole frame.", blocks=not times.is_middle_known,
    )  # fmt: skip


def _doubt_count(cards: Cards, times: ExposureTimes, exposure_s: float | None, notes: Notes) -> None:
    """Doubt a count of frames that may be that of what was added, or of a series of which this is one."""
    if times.is_middle_known or members_of_stack(cards) is not None:
        return
    for keyword in KEYWORDS["stack_members_if_said"]:
        number = cards.number(keyword)
        if number is None or number <= 1 or is_stacked(cards.comment(keyword)):
            continue
        if not _OF_SERIES.search(cards.comment(keyword)):
            late_s = (number - 1) * (exposure_s or 0.0) / 2
            notes.doubt(
                "count_unexplained", "time", keyword, number,
                f"{keyword} = {number:g} does not say whether that many exposures were added to this frame or are a "
                f"series of which it is one: it was taken for one exposure. If they were added, its middle is "
                f"{late_s:.1f} s later at least.", blocks=late_s > TRUSTED_TIME_S,
            )  # fmt: skip


def _doubt_length(cards: Cards, times: ExposureTimes, exposure_s: float | None, notes: Notes) -> None:
    """Doubt an exposure that is a sum, or the part of one, or in another unit than seconds, by its length alone."""
    if times.is_middle_known or exposure_s is None or members_of_stack(cards) is not None:
        return
    for keyword in KEYWORDS["exposure_total_s"]:
        total = cards.number(keyword)
        if total is not None and total > 1.5 * exposure_s:
            notes.doubt(
                "span_of_stack_unknown", "time", keyword, total,
                f"{keyword} = {total:g} is more than the exposure of {exposure_s:g} s: several were added, and "
                "nothing says "
                "when the last one ended. The middle was taken as if it were one exposure.", blocks=True,
            )  # fmt: skip
    if exposure_s > LONGEST_EXPOSURE_S:
        notes.doubt(
            "exposure_is_long", "exposure", "EXPTIME", exposure_s,
            f"An exposure of {exposure_s:g} s is that of a stack, or is not in seconds: nothing in the header says "
            "when it "
            "ended, and the middle was taken as if it were one exposure.", blocks=True,
        )  # fmt: skip


def _doubt_integrations(cards: Cards, times: ExposureTimes, exposure_s: float | None, notes: Notes) -> None:
    """Doubt the middle of several integrations, whose exposure time may be that of one and whose pauses are unsaid."""
    for keyword in KEYWORDS["integrations"]:
        number = cards.number(keyword)
        if number is None or number <= 1 or times.is_middle_known:
            continue
        late_s = (number - 1) * (exposure_s or 0.0) / 2
        notes.doubt(
            "several_integrations", "time", keyword, number,
            f"{keyword} says that the pixels are made of {number:.0f} integrations, and nothing says when the last one "
            f"ended: if the exposure time is that of one, the middle is {late_s:.1f} s later at least.",
            blocks=late_s > TRUSTED_TIME_S,
        )  # fmt: skip
        return
