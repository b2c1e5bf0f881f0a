"""Where the lines of both rates stand in their plot."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from detection.models import ThresholdBy
from detection.thresholds.curve import Point, RateAt

# Scores by their log odds, so that what lies near 0 and 1 is told apart; rates by their logarithm.
_SCORES = (0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999)
_RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
_WORDS = {ThresholdBy.FALSE_POSITIVE_RATE: "false shown", ThresholdBy.MISSED_RATE: "real missed"}


@dataclass(frozen=True)
class Line:
    """One rate: a line and the band of its interval, as points of a plot of 100 by 100."""

    kind: str
    title: str
    line: str
    band: str


@dataclass(frozen=True)
class Plot:
    """Lines, marks of the axes in per cent with their words, and the place of the threshold in force."""

    lines: tuple[Line, ...]
    scores: tuple[tuple[float, str], ...]
    rates: tuple[tuple[float, str], ...]
    now: float


def plot_of(points: Sequence[Point], threshold: float) -> Plot:
    """Return the plot of a curve, with the threshold in force."""
    return Plot(
        lines=tuple(line for kind, title in _WORDS.items() if (line := _line(points, kind, title)) is not None),
        scores=tuple((_x(score), f"{score:g}") for score in _SCORES),
        rates=tuple((_y(rate), f"{100 * rate:g} %") for rate in _RATES),
        now=_x(threshold),
    )


def _line(points: Sequence[Point], kind: str, title: str) -> Line | None:
    known = [(point.threshold, found) for point in points if (found := point.rate(kind)) is not None]
    if not known:
        return None

    def places(value: Callable[[RateAt], float]) -> list[str]:
        return [f"{_x(threshold):.2f},{_y(value(found)):.2f}" for threshold, found in known]

    band = [*places(lambda found: found.low), *reversed(places(lambda found: found.high))]
    return Line(kind, title, " ".join(places(lambda found: found.value)), " ".join(band))


def _x(score: float) -> float:
    first, last = (_log_odds(end) for end in (_SCORES[0], _SCORES[-1]))
    return min(max(100.0 * (_log_odds(score) - first) / (last - first), 0.0), 100.0)


def _y(rate: float) -> float:
    """Return the place from the top: the largest rate is highest."""
    share = math.log(max(rate, _RATES[0]) / _RATES[0]) / math.log(_RATES[-1] / _RATES[0])
    return 100.0 - 100.0 * share


def _log_odds(score: float) -> float:
    inside = min(max(score, 1e-9), 1.0 - 1e-9)
    return math.log(inside / (1.0 - inside))
