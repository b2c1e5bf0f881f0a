import numpy as np
import pytest

from detection.numerics.calibration import (
    Scale,
    area_under_curve,
    classification_metrics,
    expected_calibration_error,
    fit_scale,
    probabilities,
    recall_at_false_positive_rate,
    threshold_for_false_positive_rate,
)


def calibrated(n: int, seed: int = 11) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(0.0, 2.5, n)
    return logits, rng.random(n) < probabilities(logits, Scale(1.0))


def test_the_temperature_and_the_bias_that_spoilt_the_logits_are_found():
    logits, is_real = calibrated(20000)
    found = fit_scale(3.0 * (logits - 1.5), is_real)
    # 20 000 examples fix the slope of a logistic curve to about 2 %, and its middle as well.
    assert found.temperature == pytest.approx(3.0, rel=0.05)
    assert found.bias == pytest.approx(1.5, abs=0.08)


def test_a_few_examples_that_are_told_apart_without_error_make_nothing_certain():
    logits, is_real = np.array([-3.0, -2.0, 2.0, 3.0]), np.array([False, False, True, True])
    scores = probabilities(logits, fit_scale(logits, is_real))
    assert scores.min() > 0.1
    assert scores.max() < 0.9


def test_scaling_brings_the_calibration_error_down():
    logits, is_real = calibrated(20000)
    spoilt = 3.0 * logits - 2.0
    before = expected_calibration_error(probabilities(spoilt, Scale(1.0)), is_real)
    after = expected_calibration_error(probabilities(spoilt, fit_scale(spoilt, is_real)), is_real)
    # The error of a perfectly calibrated sample of this size is about 15 bins x sqrt(p q / n).
    assert before > 0.05
    assert after < 0.015


def test_the_calibration_error_of_a_known_case():
    scores = np.array([0.9] * 10 + [0.1] * 10)
    is_real = np.array([True] * 7 + [False] * 3 + [False] * 10)
    assert expected_calibration_error(scores, is_real) == pytest.approx(0.5 * 0.2 + 0.5 * 0.1)


def test_area_under_the_curve_of_known_cases():
    is_real = np.array([True, True, False, False])
    assert area_under_curve(np.array([0.9, 0.8, 0.2, 0.1]), is_real) == 1.0
    assert area_under_curve(np.array([0.9, 0.2, 0.8, 0.1]), is_real) == 0.75
    assert area_under_curve(np.full(4, 0.5), is_real) == 0.5


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.05, 0.5])
def test_no_more_bogus_than_asked_for_reach_the_threshold(rate):
    rng = np.random.default_rng(2)
    scores, is_real = np.round(rng.random(1000), 2), rng.random(1000) < 0.3
    threshold = threshold_for_false_positive_rate(scores, is_real, rate)
    assert (scores[~is_real] >= threshold).mean() <= rate


def test_the_threshold_is_the_lowest_that_keeps_the_rate():
    scores = np.arange(100) / 100
    threshold = threshold_for_false_positive_rate(scores, np.zeros(100, dtype=bool), 0.1)
    assert int((scores >= threshold).sum()) == 10


def test_recall_at_a_false_positive_rate_of_a_known_case():
    scores = np.array([0.99, 0.95, 0.4, 0.9, 0.3, 0.2, 0.1])
    is_real = np.array([True, True, True, False, False, False, False])
    assert recall_at_false_positive_rate(scores, is_real, 0.0) == pytest.approx(2 / 3)
    assert recall_at_false_positive_rate(scores, is_real, 0.25) == 1.0


def test_metrics_of_a_known_case():
    metrics = classification_metrics(np.array([0.9, 0.6, 0.4, 0.7, 0.1]), np.array([True, True, True, False, False]))
    assert metrics["precision"] == pytest.approx(2 / 3)
    assert metrics["recall"] == pytest.approx(2 / 3)
    assert metrics["f1_score"] == pytest.approx(2 / 3)
    assert metrics["accuracy"] == pytest.approx(3 / 5)


def test_a_score_that_is_not_a_number_is_refused():
    with pytest.raises(ValueError, match="finite"):
        expected_calibration_error(np.array([0.3, np.nan]), np.array([True, False]))


def test_one_class_alone_cannot_be_calibrated():
    with pytest.raises(ValueError, match="both"):
        fit_scale(np.array([1.0, 2.0]), np.array([True, True]))


def test_an_unknown_logit_stays_unknown():
    assert np.isnan(probabilities(np.array([np.nan, 0.0]), Scale(2.0))).tolist() == [True, False]
