"""From a model's raw score to a probability, by what people have answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from detection.numerics.rates import Answered, folds

Array = NDArray[np.float64]

# Scores between which a map is a straight line: even steps of the logit, as networks give them.
NODES: Array = np.concatenate([[0.0], 1.0 / (1.0 + np.exp(-np.linspace(-8.0, 8.0, 65))), [1.0]])
_TINY = 1e-6
# A fit is drawn to the raw score as if by so many answers more: a handful of answers says little.
_PRIOR = 5.0
_BINS = 15


@dataclass(frozen=True)
class Map:
    """A rising map from raw scores to probabilities, straight between NODES.

    name : how it was found. values : (67,) at NODES. error : expected calibration error on groups that had no part in
    the fit; error_raw : the same of the raw score. Both NaN where nothing could be left out.
    """

    name: str
    values: Array
    error: float
    error_raw: float


def fit_map(answered: Answered) -> Map:
    """Choose among the raw score, Platt's, the beta and the isotonic calibration by the log loss on left-out groups.

    Platt (1999), p = σ(a logit(s) + b); Kull, Silva Filho & Flach (2017, AISTATS, PMLR 54, 623),
    p = σ(a ln s - b ln(1 - s) + c); Zadrozny & Elkan (2002, KDD, 694), the rising steps of least squares. The first two
    are drawn to the raw score by a prior of a few answers. Where a class or a second group is missing, it is the raw
    score.
    """
    scores = answered.scores
    raw = np.interp(scores, NODES, NODES)
    if not (answered.is_real.any() and (~answered.is_real).any()) or np.unique(answered.groups).size < 2:
        return Map("none", NODES.copy(), float("nan"), float("nan"))
    out = {name: np.empty_like(scores) for name in _FITS}
    for inner, outer in folds(answered.groups):
        kept = answered.where(inner)
        for name, fit in _FITS.items():
            out[name][outer] = np.interp(scores[outer], NODES, _or_raw(fit, kept))
    losses = {name: _log_loss(values, answered) for name, values in out.items()}
    best = min(losses, key=lambda name: losses[name])
    return Map(
        best,
        _or_raw(_FITS[best], answered),
        weighted_calibration_error(out[best], answered),
        weighted_calibration_error(raw, answered),
    )


def weighted_calibration_error(probabilities: Array, answered: Answered) -> float:
    """Measure how far probabilities are from the share of real ones, over 15 bins of equal width.

    Each answer counts for as many as it stands for: of all candidates, not of those that were answered.
    """
    index = np.minimum((probabilities * _BINS).astype(int), _BINS - 1)
    weights = answered.weights
    said = np.bincount(index, weights=weights * probabilities, minlength=_BINS)
    real = np.bincount(index, weights=weights * answered.is_real, minlength=_BINS)
    return float(np.abs(said - real).sum() / weights.sum())


def _or_raw(fit: Callable[[Answered], Array], answered: Answered) -> Array:
    """Fit where both classes are there; else the raw score."""
    has_both = answered.is_real.any() and (~answered.is_real).any()
    return fit(answered) if has_both else NODES


def _none(_answered: Answered) -> Array:
    return NODES


def _platt(answered: Answered) -> Array:
    features = [_logit(answered.scores), np.ones_like(answered.scores)]
    at_nodes = [_logit(NODES), np.ones_like(NODES)]
    return _logistic(answered, np.array(features), np.array(at_nodes), np.array([1.0, 0.0]), bounded=1)


def _beta(answered: Answered) -> Array:
    def features(scores: Array) -> Array:
        inside = np.clip(scores, _TINY, 1.0 - _TINY)
        return np.array([np.log(inside), -np.log1p(-inside), np.ones_like(inside)])

    return _logistic(answered, features(answered.scores), features(NODES), np.array([1.0, 1.0, 0.0]), bounded=2)


def _logistic(answered: Answered, features: Array, at_nodes: Array, prior: Array, *, bounded: int) -> Array:
    """Fit σ(θ·f) by weighted maximum likelihood near `prior`; the first `bounded` parameters are not negative."""
    sign = np.where(answered.is_real, 1.0, -1.0)
    weights = _to_answers(answered.weights)

    def loss(theta: Array) -> tuple[float, Array]:
        margin = sign * (theta @ features)
        slope = -sign * weights * 0.5 * (1.0 - np.tanh(0.5 * margin))
        away = theta - prior
        value = (weights * np.logaddexp(0.0, -margin)).sum() + 0.5 * _PRIOR * (away**2).sum()
        return float(value), features @ slope + _PRIOR * away

    bounds = [(0.0, None)] * bounded + [(None, None)] * (prior.size - bounded)
    found = minimize(loss, prior, jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * (found.x @ at_nodes))), dtype=np.float64)


def _isotonic(answered: Answered) -> Array:
    """Return the rising steps of least weighted squares, joined by lines through the middles of the steps."""
    order = np.argsort(answered.scores, kind="stable")
    scores, weights = answered.scores[order], answered.weights[order]
    values, mass, middle = [], [], []
    for value, weight, score in zip(answered.is_real[order].astype(float), weights, scores, strict=True):
        values.append(value)
        mass.append(weight)
        middle.append(score)
        while len(values) > 1 and values[-2] >= values[-1]:
            total = mass[-2] + mass[-1]
            for held in (values, middle):
                held[-2:] = [(mass[-2] * held[-2] + mass[-1] * held[-1]) / total]
            mass[-2:] = [total]
    # A step of few answers is not certain: as if half an answer of each kind had been given more.
    unit = float(weights.mean())
    levels = [(v * m + 0.5 * unit) / (m + unit) for v, m in zip(values, mass, strict=True)]
    return np.asarray(np.maximum.accumulate(np.interp(NODES, middle, levels)), dtype=np.float64)


_FITS: Mapping[str, Callable[[Answered], Array]] = MappingProxyType(
    {"none": _none, "platt": _platt, "beta": _beta, "isotonic": _isotonic}
)


def _to_answers(weights: Array) -> Array:
    """Scale weights so that their sum is the number of answers of equal weight that they come to."""
    return np.asarray(weights * (weights.sum() / (weights**2).sum()), dtype=np.float64)


def _log_loss(probabilities: Array, answered: Answered) -> float:
    inside = np.clip(probabilities, _TINY, 1.0 - _TINY)
    loss = -np.where(answered.is_real, np.log(inside), np.log1p(-inside))
    return float((answered.weights * loss).sum() / answered.weights.sum())


def _logit(scores: Array) -> Array:
    inside = np.clip(scores, _TINY, 1.0 - _TINY)
    return np.asarray(np.log(inside / (1.0 - inside)), dtype=np.float64)
