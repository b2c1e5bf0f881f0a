"""Exposures that are not one: stacks, means of integrations, drift scans, times that were moved to the Sun's centre."""

from __future__ import annotations

import re

from observations.numerics.doubts import TRUSTED_TIME_S
from observations.numerics.fits.camera import members_of_stack
from observations.numerics.fits.cards import Cards
from observations.numerics.fits.durations import LONGEST_EXPOSURE_S
from observations.numerics.fits.facts import Notes
from observations.numerics.fits.keywords import KEYWORDS
from observations.numerics.fits.times import ExposureTimes

_SOLAR = re.compile(r"solar|bary|helio", re.I)


def doubt_middle(cards: Cards, times: ExposureTimes, exposure_s: float | None, notes: Notes) -> None:
    """Doubt the middle of what was not exposed in one piece, or whose times are not those of its observer."""
    if times.start is None:
        return
    _doubt_stack(cards, times, notes)
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
