"""Where the points of a small light curve come to lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Days on either side of a single point.
_ALONE_DAYS = 0.5
# Of the range of values, left free above and below; at least so much is shown.
_MARGIN_SHARE, _LEAST_RANGE_SHARE = 0.12, 0.02


@dataclass(frozen=True)
class Sample:
    """One epoch: day, value and its error; None for a value that is not known."""

    mjd_utc: float
    value: float | None
    error: float | None = None


@dataclass(frozen=True)
class Frame:
    """The area that points lie in: its edges, y down."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Mark:
    """A point with the ends of its error bar; of a limit they are the point's own."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Sparkline:
    """Marks in the order of what was given, None for what cannot be drawn, and the values at the lower and upper edge.

    Limits without a value lie on the lower edge.
    """

    marks: list[Mark | None]
    limits: list[Mark]
    lowest: float
    highest: float


def sparkline(
    samples: Sequence[Sample], limits: Sequence[Sample], frame: Frame, *, is_magnitude: bool
) -> Sparkline | None:
    """Place samples and limits in a frame, bright things up; None where no sample has a value.

    Parameters
    ----------
    samples, limits : epochs with and without a detection, in any order.
    frame : in whatever unit the picture has.
    is_magnitude : small values are bright.
    """
    ends = [
        sample.value + sign * (sample.error or 0.0)
        for sample in samples
        if sample.value is not None
        for sign in (-1, 1)
    ]
    if not ends:
        return None
    known = [*ends, *(limit.value for limit in limits if limit.value is not None)]
    low, high = min(known), max(known)
    least = _LEAST_RANGE_SHARE * max(abs(low), abs(high), 1e-9)
    margin = max(_MARGIN_SHARE * (high - low), least)
    low, high = low - margin, high + margin
    days = [epoch.mjd_utc for epoch in (*samples, *limits)]
    first, last = min(days), max(days)
    if first == last:
        first, last = first - _ALONE_DAYS, last + _ALONE_DAYS

    def x(day: float) -> float:
        return round(frame.left + (frame.right - frame.left) * (day - first) / (last - first), 2)

    def y(value: float) -> float:
        share = (value - low) / (high - low)
        up = 1.0 - share if is_magnitude else share
        return round(frame.bottom - (frame.bottom - frame.top) * up, 2)

    def mark(sample: Sample) -> Mark | None:
        if sample.value is None:
            return None
        error = sample.error or 0.0
        return Mark(x(sample.mjd_utc), y(sample.value), y(sample.value - error), y(sample.value + error))

    floors = [(x(limit.mjd_utc), frame.bottom if limit.value is None else y(limit.value)) for limit in limits]
    return Sparkline(
        marks=[mark(sample) for sample in samples],
        limits=[Mark(place, height, height, height) for place, height in floors],
        lowest=high if is_magnitude else low,
        highest=low if is_magnitude else high,
    )
