"""How a light curve is drawn: measured fluxes, limits where nothing is seen, and what stands at the axes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from catalog.writing import number, utc
from curation.detections.epochs import Correction, Epoch
from curation.numerics.plot import Axis, days_axis, values_axis
from observations.numerics.site import time_of


@dataclass(frozen=True)
class Mark:
    """An epoch in a plot, in per cent from the left and from the top; `low` and `high` are the ends of its error bar.

    kind : "measured" where it was detected, "forced" where it was measured only because it is known, "limit", or
    "unseen" where neither a flux nor a limit can be shown.
    shape : number of its band's shape. words : when, in what band, and how bright.
    """

    epoch: Epoch
    kind: str
    shape: int
    words: str
    x: float
    y: float = 100.0
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Drawing:
    """A light curve to be drawn: marks, and what stands at the axes; all places in per cent of the plot."""

    is_in_magnitudes: bool
    systems: tuple[str, ...]
    bands: tuple[tuple[int, str], ...]
    marks: tuple[Mark, ...]
    days: tuple[tuple[float, str], ...]
    values: tuple[tuple[float, str], ...]
    zero: float | None
    corrections: tuple[Correction, ...]


def drawing_of(epochs: Sequence[Epoch]) -> Drawing | None:
    """Draw epochs in magnitudes where one is known, else in counts; None where no brightness is known at all."""
    is_in_magnitudes = any(epoch.mag is not None for epoch in epochs)
    measured = [epoch for epoch in epochs if _value(epoch, is_in_magnitudes) is not None]
    if not measured:
        return None
    shown = [epoch for epoch in epochs if _value(epoch, is_in_magnitudes) is not None or epoch.detection is None]
    bands = sorted({epoch.frame.band for epoch in shown})
    days = days_axis([epoch.frame.mjd_utc for epoch in shown])
    values = values_axis(_extent(shown, is_in_magnitudes))

    def height(value: float) -> float:
        """Bright is up: small magnitudes, large counts."""
        return values.percent(value) if is_in_magnitudes else 100.0 - values.percent(value)

    marks = [_mark(epoch, bands.index(epoch.frame.band), days, height, is_in_magnitudes) for epoch in shown]
    return Drawing(
        is_in_magnitudes,
        tuple(sorted({epoch.system for epoch in measured if epoch.system})),
        tuple(enumerate(bands)),
        tuple(sorted(marks, key=lambda mark: mark.x)),
        tuple((days.percent(mark), _day_text(mark, days)) for mark in days.marks),
        tuple((height(mark), f"{mark:.{values.decimals}f}".replace("-", "−")) for mark in values.marks),
        height(0.0) if not is_in_magnitudes and values.low < 0.0 < values.high else None,
        corrections_of(shown),
    )


def corrections_of(epochs: Iterable[Epoch]) -> tuple[Correction, ...]:
    """Return what was taken off the fluxes of epochs, each once."""
    found = {(one.band, one.version): one for epoch in epochs if (one := epoch.correction) is not None}
    return tuple(found[key] for key in sorted(found))


def _mark(epoch: Epoch, shape: int, days: Axis, height: Callable[[float], float], is_in_magnitudes: bool) -> Mark:
    x = days.percent(epoch.frame.mjd_utc)
    value = _value(epoch, is_in_magnitudes)
    words = _words(epoch, is_in_magnitudes)
    if value is not None:
        error = (epoch.mag_error if is_in_magnitudes else epoch.flux_error) or 0.0
        kind = "forced" if epoch.detection is None else "measured"
        return Mark(epoch, kind, shape, words, x, height(value), height(value - error), height(value + error))
    if is_in_magnitudes and epoch.limiting_mag is not None:
        return Mark(epoch, "limit", shape, words, x, height(epoch.limiting_mag))
    return Mark(epoch, "unseen", shape, words, x)


def _words(epoch: Epoch, is_in_magnitudes: bool) -> str:
    """Return what a mark says where it is pointed at, or read aloud."""
    how = ", forced photometry" if epoch.detection is None else ""
    when = f"{utc(epoch.frame.middle)} UTC, {epoch.frame.band or 'band unknown'}"
    if is_in_magnitudes and epoch.mag is not None:
        return f"{when}: {number(epoch.mag)} ± {number(epoch.mag_error)} mag{how}"
    if not is_in_magnitudes and epoch.flux is not None:
        return f"{when}: {number(epoch.flux, 0)} ± {number(epoch.flux_error, 0)} ADU{how}"
    if is_in_magnitudes and epoch.limiting_mag is not None:
        return f"{when}: not detected to {number(epoch.limiting_mag, 1)} mag"
    if epoch.trouble:
        return f"{when}: not measured, {epoch.trouble}"
    if epoch.flux is not None:
        return f"{when}: {number(epoch.flux, 0)} ± {number(epoch.flux_error, 0)} ADU, which is no magnitude"
    return f"{when}: not detected, limit unknown"


def _value(epoch: Epoch, is_in_magnitudes: bool) -> float | None:
    return epoch.mag if is_in_magnitudes else epoch.flux


def _extent(epochs: Sequence[Epoch], is_in_magnitudes: bool) -> list[float]:
    """Return everything that the axis of values must hold."""
    pairs = [(epoch.mag, epoch.mag_error) if is_in_magnitudes else (epoch.flux, epoch.flux_error) for epoch in epochs]
    ends = [value + sign * (error or 0.0) for value, error in pairs if value is not None for sign in (-1.0, 1.0)]
    if not is_in_magnitudes:
        return [*ends, 0.0]
    return ends + [epoch.limiting_mag for epoch in epochs if epoch.limiting_mag is not None]


def _day_text(mjd_utc: float, days: Axis) -> str:
    """Return a date, with the time of day where the marks are closer than days."""
    # Of a mark that is a hair before its minute, by rounding.
    moment = time_of(mjd_utc) + timedelta(seconds=30)
    return f"{moment:%Y-%m-%d}" if days.step >= 1.0 else f"{moment:%m-%d %H:%M}"
