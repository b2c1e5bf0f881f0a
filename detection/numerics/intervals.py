"""Intervals of figures of stamps: those of one exposure are alike, so that exposures are drawn and not stamps.

Light enough for pages: numpy alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
DRAWS = 500
_PERCENT = (2.5, 97.5)


@dataclass(frozen=True)
class Figure:
    """A figure and the ends of its interval, 95 %; NaN where it is not defined."""

    value: float
    low: float
    high: float


class Drawn:
    """Groups drawn with replacement, the same ones for every figure: so differences of two figures are paired.

    Efron & Tibshirani (1993), chapter 8: the units that are independent are drawn. `times` is how often each example is
    in each draw, (DRAWS, n); in the first row everything is there once.
    """

    def __init__(self, group: NDArray[np.str_], seed: int = 1) -> None:
        names, self._of = np.unique(group, return_inverse=True)
        drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1.0 / len(names)), size=DRAWS)
        self._counts = np.concatenate([np.ones((1, len(names))), drawn])

    def shares(self, part: Flags, whole: Flags) -> Floats:
        """Return the share of `whole` that is `part` in each draw, the true one first; NaN where none is drawn."""
        size = self._counts.shape[1]
        parts = np.bincount(self._of, weights=part & whole, minlength=size)
        wholes = np.bincount(self._of, weights=whole, minlength=size)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (self._counts @ parts) / (self._counts @ wholes)

    def areas(self, scores: Floats, is_real: Flags) -> Floats:
        """Return the area under the ROC in each draw, ties counting half; NaN where a class is not drawn."""
        bins, place = np.unique(scores, return_inverse=True)
        found = np.full(len(self._counts), np.nan)
        for number, counts in enumerate(self._counts):
            times = counts[self._of]
            real = np.bincount(place, weights=times * is_real, minlength=len(bins))
            bogus = np.bincount(place, weights=times * ~is_real, minlength=len(bins))
            pairs = real.sum() * bogus.sum()
            if pairs > 0:
                below = np.cumsum(bogus) - bogus
                found[number] = float((real * (below + 0.5 * bogus)).sum() / pairs)
        return found


def figure(drawn: Floats) -> Figure:
    """Return a figure with its interval, of its values in each draw, the true one first."""
    known = drawn[1:][np.isfinite(drawn[1:])]
    if not known.size or not np.isfinite(drawn[0]):
        return Figure(float(drawn[0]), float("nan"), float("nan"))
    low, high = (float(np.percentile(known, percent)) for percent in _PERCENT)
    return Figure(float(drawn[0]), low, high)
