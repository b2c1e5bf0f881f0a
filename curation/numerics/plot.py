"""Where the points of a plot over time stand, and what its axes say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_STEPS = (1.0, 2.0, 5.0, 10.0)
# Minutes of an axis of time, up to a day; whole days, in round numbers, above.
_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
_MINUTES_PER_DAY = 1440.0
# Free at either end, as a share of what is shown.
_MARGIN = 0.06
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


def _spread(values: Sequence[float], least: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    missing = max(least - (high - low), 0.0) / 2.0
    low, high = low - missing, high + missing
    margin = _MARGIN * (high - low)
    return low - margin, high + margin
