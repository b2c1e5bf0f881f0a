"""Where the points of a plot over time stand, and what its axes say."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

_STEPS = (1.0, 2.0, 5.0, 10.0)
# Minutes of an axis of time, up to a day; whole days, in round numbers, above.
_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
_MINUTES_PER_DAY = 1440.0
# Free at either end, as a share of what is shown.
_MARGIN = 0.06
# A night at one place on Earth is shorter, and so is the day that follows where it is long.
_NIGHT_ENDS_AFTER_DAYS = 0.3
_LEAST_NIGHT_DAYS = 1.0 / _MINUTES_PER_DAY
# A date in small letters with room beside it; what can be pressed apart; a screen's width.
_NARROWEST_PX, _APART_PX, _WIDEST_PX = 84.0, 14.0, 600.0
_NIGHT_MARGIN_PX = 12.0
# Steps that come to a value after rounding.
_ALMOST = 1e-9


@dataclass(frozen=True)
class Axis:
    """What an axis shows: from `low` to `high`, with marks at round values `step` apart."""

    low: float
    high: float
    step: float

    @property
    def marks(self) -> list[float]:
        """Return the round values on the axis."""
        first = math.ceil(self.low / self.step - _ALMOST)
        last = math.floor(self.high / self.step + _ALMOST)
        return [k * self.step for k in range(first, last + 1)]

    @property
    def decimals(self) -> int:
        """Return how many decimals tell two marks apart."""
        return max(0, -math.floor(math.log10(self.step) + _ALMOST))

    def percent(self, value: float) -> float:
        """Return where a value stands, from 0 at `low` to 100 at `high`."""
        return round(100.0 * (value - self.low) / (self.high - self.low), 3)


def values_axis(values: Sequence[float], *, marks: int = 5, least: float = 0.1) -> Axis:
    """Return an axis that holds all values, at least `least` wide, with about so many marks at 1, 2 or 5 times 10ⁿ."""
    low, high = _spread(values, least)
    rough = (high - low) / marks
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * step for step in _STEPS if power * step >= rough * (1.0 - _ALMOST))
    return Axis(low, high, step)


def days_axis(days: Sequence[float], *, marks: int = 5) -> Axis:
    """Return an axis of times in days, at least half an hour wide, with marks at round minutes, hours or days."""
    low, high = _spread(days, 30.0 / _MINUTES_PER_DAY)
    rough = (high - low) / marks
    minutes = next((step for step in _MINUTES if step >= rough * _MINUTES_PER_DAY), None)
    if minutes is not None:
        return Axis(low, high, minutes / _MINUTES_PER_DAY)
    power = 10.0 ** math.floor(math.log10(rough))
    return Axis(low, high, float(math.ceil(next(power * step for step in _STEPS if power * step >= rough))))


@dataclass(frozen=True)
class Night:
    """Times close together, with their own piece of an axis: from `left` to `right` in per cent of the whole."""

    low: float
    high: float
    left: float
    right: float

    def percent(self, day: float) -> float:
        """Return where a time of this night stands."""
        inner = (day - self.low) / (self.high - self.low)
        return round(self.left + inner * (self.right - self.left), 3)


@dataclass(frozen=True)
class NightsAxis:
    """Nights side by side, without the days between them; `width_px` is the least on which no two times meet."""

    nights: tuple[Night, ...]
    width_px: float

    def percent(self, day: float) -> float:
        """Return where a time stands, from 0 to 100."""
        return next(night for night in self.nights if night.low <= day <= night.high).percent(day)


def nights_axis(days: Sequence[float]) -> NightsAxis | None:
    """Return an axis of nights side by side; None for one night alone, which `days_axis` shows well.

    A night ends where nothing follows for `_NIGHT_ENDS_AFTER_DAYS`. Each is as wide as its label needs, and as keeps
    its times apart, but no wider than `_WIDEST_PX`.
    """
    times = sorted(set(days))
    groups = [[times[0]]]
    for before, day in itertools.pairwise(times):
        if day - before > _NIGHT_ENDS_AFTER_DAYS:
            groups.append([])
        groups[-1].append(day)
    if len(groups) == 1:
        return None
    widths = [_width_px(group) for group in groups]
    total, left, nights = sum(widths), 0.0, []
    for group, width in zip(groups, widths, strict=True):
        # Of the same margin in pixels, however long the night.
        span = max(group[-1] - group[0], _LEAST_NIGHT_DAYS)
        margin = _NIGHT_MARGIN_PX / (width - 2.0 * _NIGHT_MARGIN_PX) * span + (span - group[-1] + group[0]) / 2.0
        right = left + 100.0 * width / total
        nights.append(Night(group[0] - margin, group[-1] + margin, left, right))
        left = right
    return NightsAxis(tuple(nights), total)


def _width_px(times: Sequence[float]) -> float:
    """Return how wide a night is drawn, so that its times stand apart."""
    gaps = [after - before for before, after in itertools.pairwise(times)]
    apart = _APART_PX * (times[-1] - times[0]) / min(gaps) if gaps else 0.0
    return min(max(apart + 2.0 * _NIGHT_MARGIN_PX, _NARROWEST_PX), _WIDEST_PX)


def _spread(values: Sequence[float], least: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    missing = max(least - (high - low), 0.0) / 2.0
    low, high = low - missing, high + missing
    margin = _MARGIN * (high - low)
    return low - margin, high + margin
