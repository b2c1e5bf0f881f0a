"""Labels that are likely wrong: those that the rest of the data contradicts, found by confident learning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from detection.numerics.examples import Examples
from detection.numerics.infer import judge

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
FOLDS = 5
# Of the logistic regression: weak beside a hundred examples, enough that two dozen features never run away.
_RIDGE = 1.0


def features(of: Examples, weights_path: Path | str) -> Floats:
    """Return what a trained network goes by of each example: (n, k), NaN where it cannot be scored."""
    return judge(of.stamps, weights_path, fwhm_px=of.fwhm_px).features


def out_of_fold(values: Floats, is_real: Flags, group: NDArray[np.integer], *, seed: int = 1) -> Floats:
    """Give each example the probability of being real by a classifier that has seen none of its group.

    A logistic regression on the features, both classes weighing the same, for each of five sets of groups.

    Parameters
    ----------
    values : (n, k) features; rows with NaN are left out. is_real : (n,). group : (n,), whole ones are left out.

    Returns
    -------
    (n,) in [0, 1], NaN where nothing can be said: no features, or the other groups have one class only.
    """
    known = np.isfinite(values).all(axis=1)
    names = np.random.default_rng([seed, 5]).permutation(np.unique(group))
    scores = np.full(len(is_real), np.nan)
    if not known.any():
        return scores
    centre, scale = values[known].mean(axis=0), values[known].std(axis=0)
    scaled = (values - centre) / np.where(scale > 0, scale, 1.0)
    design = np.concatenate([scaled, np.ones((len(scaled), 1))], axis=1)
    for fold in range(min(FOLDS, len(names))):
        is_held = np.isin(group, names[fold::FOLDS])
        rest = known & ~is_held
        if is_real[rest].all() or not is_real[rest].any():
            continue
        asked = known & is_held
        scores[asked] = expit(design[asked] @ _fit(design[rest], is_real[rest]))
    return scores


def suspects(scores: Floats, is_real: Flags) -> list[tuple[int, float]]:
    """Return the places of likely wrong labels, the most contradicted first, with their scores.

    Confident learning: a label is suspect where the score of the other class is at least as high as it is on average
    among examples labelled so. Northcutt, Jiang & Chuang (2021, JAIR 70, 1373), equation 1, with two classes.

    Parameters
    ----------
    scores : (n,) out-of-fold probability of being real; NaN is never suspect. is_real : (n,) labels.
    """
    known = np.isfinite(scores)
    if not (known & is_real).any() or not (known & ~is_real).any():
        return []
    from_real, from_bogus = scores[known & is_real].mean(), 1.0 - scores[known & ~is_real].mean()
    with np.errstate(invalid="ignore"):
        is_suspect = known & np.where(is_real, 1.0 - scores >= max(from_bogus, 0.5), scores >= max(from_real, 0.5))
    against = np.where(is_real, 1.0 - scores, scores)
    places = np.flatnonzero(is_suspect)
    return [(int(place), float(scores[place])) for place in places[np.argsort(-against[places], kind="stable")]]


def _fit(design: Floats, is_real: Flags) -> Floats:
    sign = np.where(is_real, 1.0, -1.0)
    weight = np.where(is_real, 0.5 / is_real.mean(), 0.5 / (~is_real).mean())
    ridge = np.r_[np.full(design.shape[1] - 1, _RIDGE), 0.0]

    def loss(beta: Floats) -> tuple[float, Floats]:
        margin = sign * (design @ beta)
        slope = -weight * sign * expit(-margin)
        value = (weight * np.logaddexp(0.0, -margin)).sum() + 0.5 * (ridge * beta**2).sum()
        return float(value), design.T @ slope + ridge * beta

    found: Floats = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x
    return found
