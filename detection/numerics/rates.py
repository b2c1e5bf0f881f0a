"""How often a threshold shows what is not real and hides what is, by answers that stand for different numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, norm, t

Array = NDArray[np.float64]
Kind = Literal["false_positive_rate", "missed_rate"]
KINDS: tuple[Kind, ...] = ("false_positive_rate", "missed_rate")

# Enough that what lies between two points differs by less than a twentieth of the rate.
_POINTS = 60
# Nights are left out one by one up to this number, then in so many parts.
_MOST_FOLDS = 10


@dataclass(frozen=True)
class Answered:
    """Scored candidates that people have answered about.

    scores : (n,) in [0, 1]. is_real : (n,) bool. weights : (n,), how many candidates each stands for: one over the
    probability with which it came to be answered. groups : (n,) int, what varies together, as a rule the night.
    """

    scores: Array
    is_real: NDArray[np.bool_]
    weights: Array
    groups: NDArray[np.int64]

    def __post_init__(self) -> None:
        if not len(self.scores) == len(self.is_real) == len(self.weights) == len(self.groups):
            raise ValueError("scores, answers, weights and groups need the same length")
        if not (np.isfinite(self.scores).all() and np.isfinite(self.weights).all() and (self.weights > 0).all()):
            raise ValueError("scores must be finite and weights above 0")

    def where(self, chosen: NDArray[np.bool_]) -> Answered:
        """Return some of them."""
        return Answered(self.scores[chosen], self.is_real[chosen], self.weights[chosen], self.groups[chosen])


@dataclass(frozen=True)
class Rates:
    """Rates at thresholds with the ends of their intervals, each (m,); NaN where nothing can be said."""

    thresholds: Array
    value: Array
    low: Array
    high: Array


def rates_at(answered: Answered, thresholds: Array, kind: Kind, level: float = 0.95) -> Rates:
    """Estimate the share of the bogus that reach thresholds, or of the real that do not, with intervals.

    The estimate is the ratio of weighted sums p = Σ w y / Σ w (Hájek 1971). Its interval is that of Clopper and Pearson
    for the effective number of answers n* = p (1 - p) / V (Korn & Graubard 1998, Survey Methodology 24, 193). V is the
    larger of two variances: that of independent answers, Σ w² (y - p)² / (Σ w)², and that between groups, which need
    not be alike, G / (G - 1) Σ_g (A_g - p D_g)² / (Σ_g D_g)², with A_g and D_g the sums of group g, times the square of
    the ratio of Student's quantiles at G - 1 degrees of freedom and at infinity, as they do. Where no answer counts, or
    all do, n* is Σ w in units of the weight of the answer nearest to the threshold: what comes next is like it. They
    bound n* by the number of answers; we do not, since of what is shown all are answered and of what is hidden few.

    Parameters
    ----------
    answered : n answers. thresholds : (m,), shown is score >= threshold. level : of confidence.

    Returns
    -------
    (m,) rates with intervals; NaN without an answer of the class that the rate is of.
    """
    of_class = _of_class(answered, kind)
    return _interval(of_class, _counted(of_class.scores, thresholds, kind), thresholds, kind, level)


def withheld_rate(answered: Answered, kind: Kind, rate: float, level: float = 0.95) -> Rates:
    """Measure what a rate that was asked for comes to on groups that had no part in choosing the threshold.

    Each part of the groups is left out in turn, the threshold chosen by the others, and what that does to the part is
    added up. `thresholds` of the answer is the mean of those chosen. NaN with fewer than two groups.
    """
    of_class = _of_class(answered, kind)
    groups = np.unique(of_class.groups)
    nothing = np.full(1, np.nan)
    if groups.size < 2:
        return Rates(nothing, nothing, nothing, nothing)
    thresholds = np.empty(len(of_class.scores))
    for inner, outer in folds(of_class.groups):
        thresholds[outer] = threshold_for(of_class.where(inner), kind, rate)
    reaches = of_class.scores >= thresholds
    counted = (reaches if kind == "false_positive_rate" else ~reaches)[None, :]
    return _interval(of_class, counted, np.array([thresholds.mean()]), kind, level)


def threshold_for(answered: Answered, kind: Kind, rate: float) -> float:
    """Return the threshold at which a rate is what was asked for, between the answers that enclose it.

    Raises
    ------
    ValueError : no answer of the class that the rate is of, or a rate outside (0, 1).
    """
    chosen = answered.is_real if kind == "missed_rate" else ~answered.is_real
    if not chosen.any() or not 0.0 < rate < 1.0:
        raise ValueError("a rate between 0 and 1 needs answers of its class")
    order = np.argsort(answered.scores[chosen], kind="stable")
    scores, weights = answered.scores[chosen][order], answered.weights[chosen][order]
    # Of each answer the share of the whole that lies below its middle.
    below = (np.cumsum(weights) - 0.5 * weights) / weights.sum()
    wanted = rate if kind == "missed_rate" else 1.0 - rate
    return float(_from_logit(np.interp(wanted, below, _logit(scores))))


def grid_for(answered: Answered) -> Array:
    """Return thresholds, rising, at which either rate takes steps of about the same ratio."""
    steps = np.geomspace(2e-4, 0.999, _POINTS)
    found = [np.array([0.5])]
    for kind in KINDS:
        if _of_class(answered, kind).scores.size:
            found.append(np.array([threshold_for(answered, kind, float(step)) for step in steps]))
    return np.unique(np.concatenate(found))


def folds(groups: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Yield what stays and what is left out, by groups, each left out once."""
    known = np.unique(groups)
    part = np.arange(known.size) % _MOST_FOLDS
    for k in range(min(known.size, _MOST_FOLDS)):
        outer = np.isin(groups, known[part == k])
        yield ~outer, outer


def _of_class(answered: Answered, kind: Kind) -> Answered:
    return answered.where(answered.is_real if kind == "missed_rate" else ~answered.is_real)


def _counted(scores: Array, thresholds: Array, kind: Kind) -> NDArray[np.bool_]:
    reaches = scores[None, :] >= thresholds[:, None]
    return reaches if kind == "false_positive_rate" else ~reaches


def _sums_by_group(answered: Answered, counted: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return of each group the weight of what is counted, (m, G), and of everything, (G,)."""
    known, index = np.unique(answered.groups, return_inverse=True)
    member = (index[None, :] == np.arange(known.size)[:, None]).astype(np.float64) * answered.weights
    return counted.astype(np.float64) @ member.T, member.sum(axis=1)


def _interval(answered: Answered, counted: NDArray[np.bool_], thresholds: Array, kind: Kind, level: float) -> Rates:
    """Return the weighted shares of what is counted, (m, n), with intervals."""
    if not answered.scores.size:
        nothing = np.full(thresholds.shape, np.nan)
        return Rates(thresholds, nothing, nothing, nothing)
    hits, whole = _sums_by_group(answered, counted)
    total, groups, weights2 = whole.sum(), whole.size, answered.weights**2
    p = np.clip(hits.sum(axis=1) / total, 0.0, 1.0)
    hits2 = counted.astype(np.float64) @ weights2
    variance = ((1.0 - p) ** 2 * hits2 + p**2 * (weights2.sum() - hits2)) / total**2
    tail = 0.5 * (1.0 + level)
    if groups > 1:
        between = groups / (groups - 1) * ((hits - p[:, None] * whole) ** 2).sum(axis=1) / total**2
        variance = np.maximum(variance, between * (t.ppf(tail, groups - 1) / norm.ppf(tail)) ** 2)
    edge = np.argmax(answered.scores) if kind == "false_positive_rate" else np.argmin(answered.scores)
    effective = np.where(
        (p > 0.0) & (p < 1.0) & (variance > 0.0),
        np.divide(p * (1.0 - p), variance, out=np.zeros(p.shape), where=variance > 0.0),
        total / answered.weights[edge],
    )
    k = p * effective
    low = np.where(p > 0.0, beta.ppf(1.0 - tail, np.maximum(k, 1e-9), effective - k + 1.0), 0.0)
    high = np.where(p < 1.0, beta.ppf(tail, k + 1.0, np.maximum(effective - k, 1e-9)), 1.0)
    return Rates(thresholds, p, low, high)


def _logit(scores: Array) -> Array:
    inside = np.clip(scores, 1e-9, 1.0 - 1e-9)
    return np.log(inside / (1.0 - inside))


def _from_logit(value: float) -> float:
    return float(1.0 / (1.0 + np.exp(-value)))
