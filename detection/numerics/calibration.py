"""What a score is worth: calibration of probabilities, and the threshold for a false-positive rate."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import rankdata

Array = NDArray[np.floating]
Flags = NDArray[np.bool_]


class Scale(NamedTuple):
    """What makes probabilities of logits: they are divided by the temperature, then the bias is added."""

    temperature: float
    bias: float = 0.0


def fit_scale(logits: Array, is_real: Flags) -> Scale:
    """Fit the temperature and the bias with which logits are calibrated.

    They minimise the log loss on data that the network was not trained on, and never change an order: Platt (1999, in
    Advances in Large Margin Classifiers, 61), with his targets that leave room for what few examples cannot show. The
    bias takes back that training weighs both classes alike, whatever their numbers.

    Parameters
    ----------
    logits : (n,) finite. is_real : (n,) bool, both classes present.

    Returns
    -------
    Scale with a temperature between 0.05 and 20, and a bias between -10 and 10.

    Raises
    ------
    ValueError : one class only, or a logit that is not finite.
    """
    _check(logits, is_real)
    n_real, n_bogus = int(is_real.sum()), int((~is_real).sum())
    target = np.where(is_real, (n_real + 1) / (n_real + 2), 1 / (n_bogus + 2))

    def loss(at: NDArray[np.float64]) -> float:
        scaled = logits / np.exp(at[0]) + at[1]
        return float((np.logaddexp(0.0, scaled) - target * scaled).mean())

    bounds = [(np.log(0.05), np.log(20.0)), (-10.0, 10.0)]
    found = minimize(loss, np.zeros(2), method="L-BFGS-B", bounds=bounds).x
    return Scale(float(np.exp(found[0])), float(found[1]))


def probabilities(logits: Array, scale: Scale) -> NDArray[np.float64]:
    """Turn logits into calibrated probabilities of being real; NaN stays NaN."""
    return expit(np.asarray(logits, dtype=np.float64) / scale.temperature + scale.bias)


def expected_calibration_error(scores: Array, is_real: Flags, bins: int = 15) -> float:
    """Measure how far scores are from the share of real ones, over bins of equal width.

    sum over bins of (share of the sample) x |mean score - share that is real|; Naeini et al. (2015, AAAI, 29, 2901),
    with the 15 bins that the literature compares by.

    Parameters
    ----------
    scores : (n,) in [0, 1]. is_real : (n,) bool.

    Returns
    -------
    Error in [0, 1].
    """
    _check(scores, is_real, needs_both=False)
    index = np.minimum((np.asarray(scores) * bins).astype(int), bins - 1)
    counts = np.bincount(index, minlength=bins)
    gap = np.bincount(index, weights=scores, minlength=bins) - np.bincount(index, weights=is_real, minlength=bins)
    return float(np.abs(gap).sum() / counts.sum())


def area_under_curve(scores: Array, is_real: Flags) -> float:
    """Return the probability that a real one scores above a bogus one (ties count half): the area under the ROC."""
    _check(scores, is_real)
    n_real = int(is_real.sum())
    n_bogus = is_real.size - n_real
    return float((rankdata(scores)[is_real].sum() - n_real * (n_real + 1) / 2) / (n_real * n_bogus))


def threshold_for_false_positive_rate(scores: Array, is_real: Flags, rate: float) -> float:
    """Find the lowest threshold that at most the share `rate` of the bogus ones reach (score >= threshold).

    Raises
    ------
    ValueError : no bogus one, or a rate outside [0, 1).
    """
    _check(scores, is_real, needs_both=False)
    bogus = np.sort(np.asarray(scores, dtype=np.float64)[~is_real])[::-1]
    if bogus.size == 0 or not 0.0 <= rate < 1.0:
        raise ValueError("a false-positive rate in [0, 1) needs bogus examples")
    allowed = int(np.floor(rate * bogus.size))
    return float(np.nextafter(bogus[allowed], np.inf))


def recall_at_false_positive_rate(scores: Array, is_real: Flags, rate: float) -> float:
    """Return the share of real ones that a threshold of this false-positive rate keeps."""
    _check(scores, is_real)
    return float((scores[is_real] >= threshold_for_false_positive_rate(scores, is_real, rate)).mean())


def classification_metrics(scores: Array, is_real: Flags, threshold: float = 0.5) -> dict[str, float]:
    """Return precision, recall, f1_score and accuracy at a threshold, and auc, ece, recall_at_fpr_0_01 without one.

    Precision is NaN where nothing reaches the threshold.
    """
    _check(scores, is_real)
    said = scores >= threshold
    hits = int((said & is_real).sum())
    precision = hits / int(said.sum()) if said.any() else float("nan")
    recall = hits / int(is_real.sum())
    f1_score = 2 * hits / (int(said.sum()) + int(is_real.sum()))
    return {
        "precision": precision,
        "recall": recall,
        "f1_score": f1_score,
        "accuracy": float((said == is_real).mean()),
        "auc": area_under_curve(scores, is_real),
        "ece": expected_calibration_error(scores, is_real),
        "recall_at_fpr_0_01": recall_at_false_positive_rate(scores, is_real, 0.01),
        "threshold": threshold,
        "n_real": float(is_real.sum()),
        "n_bogus": float((~is_real).sum()),
    }


def _check(values: Array, is_real: Flags, *, needs_both: bool = True) -> None:
    if values.shape != is_real.shape or values.size == 0:
        raise ValueError("scores and labels need the same, non-zero length")
    if not np.isfinite(values).all():
        raise ValueError("a score that is not finite cannot be calibrated")
    if needs_both and (is_real.all() or not is_real.any()):
        raise ValueError("both real and bogus examples are needed")
