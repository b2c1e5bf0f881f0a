"""How a light curve is drawn: measured fluxes, limits where nothing is seen, and what stands at the axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from catalog.writing import number, utc
from curation.detections.epochs import Correction, Epoch
from curation.numerics.plot import Axis, NightsAxis, days_axis, nights_axis, values_axis
from observations.numerics.site import time_of


class Unit(StrEnum):
    """What the axis of brightness shows; fluxes of different zero points are brought to one."""

    MAG = "mag"
    COMMON = "ADU at 25 mag"
    COUNTS = "ADU"


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
    """A light curve to be drawn: marks, and what stands at the axes; all places in per cent of the plot.

    dividers : between nights that stand side by side; none where time runs through. width_px : the least on which no
    two marks of a night meet, 0 where any width will do.
    """

    unit: Unit
    systems: tuple[str, ...]
    bands: tuple[tuple[int, str], ...]
    marks: tuple[Mark, ...]
    days: tuple[tuple[float, str], ...]
    values: tuple[tuple[float, str], ...]
    zero: float | None
    corrections: tuple[Correction, ...]
    dividers: tuple[float, ...] = ()
    width_px: float = 0.0

    @property
    def is_in_magnitudes(self) -> bool:
        """Tell whether bright is small."""
        return self.unit == Unit.MAG


def drawing_of(epochs: Sequence[Epoch], *, in_flux: bool = False, most_nights: float = math.inf) -> Drawing | None:
    """Draw epochs in magnitudes where one is known, else in counts; None where no brightness is known at all.

    in_flux : in counts all the same. most_nights : so many stand side by side; of more, and of one, time runs through.
    """
    unit = _unit(epochs, in_flux)
    measured = [epoch for epoch in epochs if _value(epoch, unit) is not None]
    if not measured:
        return None
    shown = [epoch for epoch in epochs if _value(epoch, unit) is not None or epoch.detection is None]
    bands = sorted({epoch.frame.band for epoch in shown})
    times = [epoch.frame.mjd_utc for epoch in shown]
    nights, days = nights_axis(times), days_axis(times)
    if nights is not None and len(nights.nights) > most_nights:
        nights = None
    values = values_axis(_extent(shown, unit))

    def height(value: float) -> float:
        """Bright is up: small magnitudes, large counts."""
        return values.percent(value) if unit == Unit.MAG else 100.0 - values.percent(value)

    marks = [_mark(epoch, bands.index(epoch.frame.band), nights or days, height, unit) for epoch in shown]
    return Drawing(
        unit,
        tuple(sorted({epoch.system for epoch in measured if epoch.system})),
        tuple(enumerate(bands)),
        tuple(sorted(marks, key=lambda mark: mark.x)),
        _nights_texts(nights) if nights else tuple((days.percent(mark), _day_text(mark, days)) for mark in days.marks),
        tuple((height(mark), f"{mark:.{values.decimals}f}".replace("-", "−")) for mark in values.marks),
        height(0.0) if unit != Unit.MAG and values.low < 0.0 < values.high else None,
        corrections_of(shown),
        tuple(night.left for night in nights.nights[1:]) if nights else (),
        nights.width_px if nights else 0.0,
    )


def has_nights(epochs: Sequence[Epoch]) -> bool:
    """Tell whether there are several nights, which can stand side by side."""
    return bool(epochs) and nights_axis([epoch.frame.mjd_utc for epoch in epochs]) is not None


def _unit(epochs: Iterable[Epoch], in_flux: bool) -> Unit:
    epochs = list(epochs)
    if not in_flux and any(epoch.mag is not None for epoch in epochs):
        return Unit.MAG
    return Unit.COMMON if any(epoch.zero_point is not None for epoch in epochs) else Unit.COUNTS


def corrections_of(epochs: Iterable[Epoch]) -> tuple[Correction, ...]:
    """Return what was taken off the fluxes of epochs, each once."""
    found = {(one.band, one.version): one for epoch in epochs if (one := epoch.correction) is not None}
    return tuple(found[key] for key in sorted(found))


def _mark(epoch: Epoch, shape: int, days: Axis | NightsAxis, height: Callable[[float], float], unit: Unit) -> Mark:
    x = days.percent(epoch.frame.mjd_utc)
    value = _value(epoch, unit)
    words = _words(epoch, unit)
    if value is not None:
        error = _error(epoch, unit) or 0.0
        kind = "forced" if epoch.detection is None else "measured"
        return Mark(epoch, kind, shape, words, x, height(value), height(value - error), height(value + error))
    if unit == Unit.MAG and epoch.limiting_mag is not None:
        return Mark(epoch, "limit", shape, words, x, height(epoch.limiting_mag))
    return Mark(epoch, "unseen", shape, words, x)


def _words(epoch: Epoch, unit: Unit) -> str:
    """Return what a mark says where it is pointed at, or read aloud."""
    how = ", forced photometry" if epoch.detection is None else ""
    when = f"{utc(epoch.frame.middle)} UTC, {epoch.frame.band or 'band unknown'}"
    value, error = _value(epoch, unit), _error(epoch, unit)
    if unit == Unit.MAG and epoch.mag is not None:
        return f"{when}: {number(epoch.mag)} ± {number(epoch.mag_error)} mag{how}"
    if unit != Unit.MAG and value is not None:
        return f"{when}: {number(value, 0)} ± {number(error, 0)} {unit.value}{how}"
    if unit == Unit.MAG and epoch.limiting_mag is not None:
        return f"{when}: not detected to {number(epoch.limiting_mag, 1)} mag"
    if epoch.trouble:
        return f"{when}: not measured, {epoch.trouble}"
    if epoch.flux is not None:
        return f"{when}: {number(epoch.flux, 0)} ± {number(epoch.flux_error, 0)} ADU, which is no magnitude"
    return f"{when}: not detected, limit unknown"


def _value(epoch: Epoch, unit: Unit) -> float | None:
    return epoch.mag if unit == Unit.MAG else _flux(epoch, epoch.flux, unit)


def _error(epoch: Epoch, unit: Unit) -> float | None:
    return epoch.mag_error if unit == Unit.MAG else _flux(epoch, epoch.flux_error, unit)


def _flux(epoch: Epoch, flux: float | None, unit: Unit) -> float | None:
    """Return counts of the frame, or what they are at the common zero point; None where that is not known."""
    if flux is None or unit == Unit.COUNTS:
        return flux
    return None if epoch.zero_point is None else flux * epoch.zero_point.to_common


def _extent(epochs: Sequence[Epoch], unit: Unit) -> list[float]:
    """Return everything that the axis of values must hold."""
    pairs = [(_value(epoch, unit), _error(epoch, unit)) for epoch in epochs]
    ends = [value + sign * (error or 0.0) for value, error in pairs if value is not None for sign in (-1.0, 1.0)]
    if unit != Unit.MAG:
        return [*ends, 0.0]
    return ends + [epoch.limiting_mag for epoch in epochs if epoch.limiting_mag is not None]


def _nights_texts(axis: NightsAxis) -> tuple[tuple[float, str], ...]:
    """Return the date of each night, in its middle: with the year where that is another one than before."""
    texts, year = [], 0
    for night in axis.nights:
        moment = time_of((night.low + night.high) / 2.0)
        texts.append(
            ((night.left + night.right) / 2.0, f"{moment:%d %b}" if moment.year == year else f"{moment:%Y-%m-%d}")
        )
        year = moment.year
    return tuple(texts)


def _day_text(mjd_utc: float, days: Axis) -> str:
    """Return a date, with the time of day where the marks are closer than days."""
    # Of a mark that is a hair before its minute, by rounding.
    moment = time_of(mjd_utc) + timedelta(seconds=30)
    return f"{moment:%Y-%m-%d}" if days.step >= 1.0 else f"{moment:%m-%d %H:%M}"
