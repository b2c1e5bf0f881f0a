"""What a score is worth: calibration of probabilities, and the threshold for a false-positive rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit
from scipy.stats import rankdata

Array = NDArray[np.floating]
Flags = NDArray[np.bool_]


def fit_temperature(logits: Array, is_real: Flags) -> float:
    """Fit the number by which logits are divided so that they are calibrated.

    The temperature minimises the log loss on data that the network was not trained on; it never changes an order.
    Guo et al. (2017, ICML, arXiv:1706.04599).

    Parameters
    ----------
    logits : (n,) finite. is_real : (n,) bool, both classes present.

    Returns
    -------
    Temperature between 0.05 and 20.

    Raises
    ------
    ValueError : one class only, or a logit that is not finite.
    """
    _check(logits, is_real)
    sign = np.where(is_real, 1.0, -1.0)

    def loss(log_temperature: float) -> float:
        return float(np.logaddexp(0.0, -sign * logits / np.exp(log_temperature)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.05), np.log(20.0)), method="bounded").x))


def probabilities(logits: Array, temperature: float) -> NDArray[np.float64]:
    """Turn logits into calibrated probabilities of being real; NaN stays NaN."""
    return expit(np.asarray(logits, dtype=np.float64) / temperature)


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
