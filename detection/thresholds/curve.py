"""The stored curve of a calibration: rates by threshold, and the threshold for a rate."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from detection.models import Calibration, ThresholdBy

# Answers about fewer nights than this say nothing about other nights.
LEAST_NIGHTS = 3
# A rate counts as known where the ends of its interval are this near to it, as a share of what was asked; and is used,
# with a warning, where they are as near as the second.
KNOWN_WITHIN, USED_WITHIN = 0.25, 0.6


@dataclass(frozen=True)
class RateAt:
    """A rate at a threshold, with the ends of its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Point:
    """One threshold and both its rates; None where nothing is known of one."""

    threshold: float
    false_positive_rate: RateAt | None
    missed_rate: RateAt | None

    def rate(self, kind: str) -> RateAt | None:
        """Return the rate of a kind."""
        return self.missed_rate if kind == ThresholdBy.MISSED_RATE else self.false_positive_rate


@dataclass(frozen=True)
class ForRate:
    """The threshold at which a rate is what was asked for, between those at which it may be so.

    rate : at this threshold, with its interval.
    """

    threshold: float
    low: float
    high: float
    rate: RateAt

    @property
    def half_width(self) -> float:
        """Return half of what lies between the ends of the rate's interval, as a share of the rate."""
        return 0.5 * (self.rate.high - self.rate.low) / self.rate.value

    @property
    def is_known(self) -> bool:
        """Tell whether the rate is known as well as it should be."""
        return self.half_width <= KNOWN_WITHIN


def points_of(calibration: Calibration) -> list[Point]:
    """Return the curve by rising threshold."""
    return [
        Point(row["threshold"], _rate(row["false_positive_rate"]), _rate(row["missed_rate"]))
        for row in calibration.curve
    ]


def threshold_for(points: Sequence[Point], kind: str, rate: float) -> ForRate | None:
    """Return the threshold for a rate, None where the curve does not reach it.

    Between two points the logarithm of the rate runs straight with the threshold's log odds. The ends are where the
    interval of the rate begins and ends to hold what was asked.
    """
    known = [(point.threshold, found) for point in points if (found := point.rate(kind)) is not None]
    if kind == ThresholdBy.FALSE_POSITIVE_RATE:
        known = known[::-1]
    # Now the rate rises, or stays.
    middle = _crossing([(place, one.value) for place, one in known], rate)
    if middle is None:
        return None
    ends = [_crossing([(place, getattr(one, end)) for place, one in known], rate) for end in ("low", "high")]
    reach = known[0][0], known[-1][0]
    # Where an end of the interval never comes to the rate, the threshold may lie beyond what is known.
    first = ends[1] if ends[1] is not None else reach[0]
    last = ends[0] if ends[0] is not None else reach[1]
    found = rates_at(points, middle, kind)
    if found is None or found.value <= 0.0:
        return None
    return ForRate(middle, min(first, last, middle), max(first, last, middle), found)


def rates_at(points: Sequence[Point], threshold: float, kind: str) -> RateAt | None:
    """Return a rate at any threshold within the curve."""
    known = [(point.threshold, found) for point in points if (found := point.rate(kind)) is not None]
    if not known or not known[0][0] <= threshold <= known[-1][0]:
        return None
    for (before, one), (after, other) in itertools.pairwise(known):
        if before <= threshold <= after:
            part = 0.0 if after == before else (threshold - before) / (after - before)
            return RateAt(*(a + part * (b - a) for a, b in zip(_ends(one), _ends(other), strict=True)))
    return known[0][1]


def usable_for(calibration: Calibration, kind: str, rate: float) -> ForRate | None:
    """Return the threshold for a rate where nights and answers are enough to go by it, else None."""
    found = threshold_for(points_of(calibration), kind, rate)
    is_enough = found is not None and found.half_width <= USED_WITHIN and calibration.night_count >= LEAST_NIGHTS
    return found if is_enough else None


def answers_lacking(calibration: Calibration, found: ForRate) -> int:
    """Return about how many more answers make a rate known: intervals narrow as the root of their number."""
    answers = calibration.real_count + calibration.bogus_count
    return max(math.ceil(answers * ((found.half_width / KNOWN_WITHIN) ** 2 - 1.0)), 0)


def _rate(stored: Sequence[float] | None) -> RateAt | None:
    return None if stored is None else RateAt(*stored)


def _ends(rate: RateAt) -> tuple[float, float, float]:
    return rate.value, rate.low, rate.high


def _crossing(rising: Sequence[tuple[float, float]], rate: float) -> float | None:
    """Return the place at which a rising value comes to a rate."""
    for (place, value), (after, reached) in itertools.pairwise(rising):
        if value <= rate <= reached:
            if value <= 0.0 or reached <= value:
                return after
            part = math.log(rate / value) / math.log(reached / value)
            return _odds_between(place, after, part)
    return None


def _odds_between(one: float, other: float, part: float) -> float:
    first, last = (math.log(max(at, 1e-9) / max(1.0 - at, 1e-9)) for at in (one, other))
    return 1.0 / (1.0 + math.exp(-(first + part * (last - first))))
