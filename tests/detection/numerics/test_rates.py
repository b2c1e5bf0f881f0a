"""Rates of weighted answers, their intervals, and the thresholds that keep them on nights that come later."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from detection.numerics.rates import Answered, grid_for, rates_at, threshold_for, withheld_rate
from detection.numerics.recalibration import NODES, fit_map, weighted_calibration_error


def answered(scores, is_real, weights=None, groups=None) -> Answered:
    n = len(scores)
    return Answered(
        np.asarray(scores, dtype=float),
        np.asarray(is_real, dtype=bool),
        np.ones(n) if weights is None else np.asarray(weights, dtype=float),
        np.zeros(n, dtype=int) if groups is None else np.asarray(groups),
    )


def nights(rng, count: int, bogus: int = 1000, real: int = 60, spread: float = 0.15) -> Answered:
    parts = []
    for k in range(count):
        shift = rng.normal(0.0, spread)
        fools = rng.random(bogus) < 0.12
        logits = np.where(fools, rng.normal(1.0 + shift, 1.8, bogus), rng.normal(-5.0 + shift, 1.5, bogus))
        logits = np.concatenate([logits, rng.normal(4.0 + shift, 2.2, real)])
        parts.append((1.0 / (1.0 + np.exp(-logits)), np.arange(bogus + real) >= bogus, np.full(bogus + real, k)))
    scores, is_real, groups = (np.concatenate(part) for part in zip(*parts, strict=True))
    return answered(scores, is_real, groups=groups)


def test_rates_are_weighted_shares_of_their_class():
    rows = answered([0.9, 0.7, 0.2, 0.8, 0.3], [False, False, False, True, True], [1.0, 1.0, 8.0, 1.0, 3.0])
    false = rates_at(rows, np.array([0.5, 0.8]), "false_positive_rate")
    missed = rates_at(rows, np.array([0.5, 0.85]), "missed_rate")
    assert false.value == pytest.approx([0.2, 0.1])
    assert missed.value == pytest.approx([0.75, 1.0])


def test_the_interval_of_one_group_of_equal_weights_is_that_of_clopper_and_pearson():
    rows = answered(np.linspace(0.005, 0.995, 100), np.zeros(100, dtype=bool))
    found = rates_at(rows, np.array([0.9]), "false_positive_rate")
    assert (found.low[0], found.high[0]) == pytest.approx((beta.ppf(0.025, 10, 91), beta.ppf(0.975, 11, 90)))


def test_none_of_a_hundred_is_not_none():
    rows = answered(np.linspace(0.0, 0.4, 100), np.zeros(100, dtype=bool))
    found = rates_at(rows, np.array([0.5]), "false_positive_rate")
    assert (found.value[0], found.low[0]) == (0.0, 0.0)
    assert found.high[0] == pytest.approx(1.0 - 0.025 ** (1 / 100))


def test_nights_that_differ_make_intervals_wider():
    rng = np.random.default_rng(2)
    alike, unlike = nights(rng, 8, spread=0.0), nights(rng, 8, spread=0.6)
    widths = [
        float(np.ptp([found.low[0], found.high[0]]) / found.value[0])
        for rows in (alike, unlike)
        if (found := rates_at(rows, np.array([0.5]), "false_positive_rate"))
    ]
    assert widths[1] > 2.0 * widths[0]


def test_intervals_hold_what_is_true_about_as_often_as_they_say():
    rng = np.random.default_rng(4)
    # Of 4 million bogus candidates.
    truth = float((nights(rng, 400, bogus=10_000, real=1).scores >= 0.5).mean())
    held = 0
    for _ in range(60):
        found = rates_at(nights(rng, 6, bogus=300), np.array([0.5]), "false_positive_rate")
        held += found.low[0] <= truth <= found.high[0]
    # 57 of 60 expected; binomial, 4 sigma below.
    assert held >= 50


@pytest.mark.parametrize("kind", ["false_positive_rate", "missed_rate"])
@pytest.mark.parametrize("rate", [0.02, 0.1])
def test_a_rate_comes_to_what_was_asked_on_nights_that_come_later(kind, rate):
    rng = np.random.default_rng(6)
    rows, later = nights(rng, 10, real=400), nights(rng, 60, real=400)
    threshold = threshold_for(rows, kind, rate)
    realised = rates_at(later, np.array([threshold]), kind).value[0]
    assert 0.8 <= realised / rate <= 1.25
    withheld = withheld_rate(rows, kind, rate)
    assert withheld.low[0] <= realised <= withheld.high[0]
    assert withheld.value[0] == pytest.approx(rate, rel=0.2)


def test_a_threshold_gives_back_its_rate_and_the_grid_holds_both_ends():
    rows = nights(np.random.default_rng(1), 3)
    threshold = threshold_for(rows, "false_positive_rate", 0.05)
    assert rates_at(rows, np.array([threshold]), "false_positive_rate").value[0] == pytest.approx(0.05, abs=5e-4)
    grid = grid_for(rows)
    assert (np.diff(grid) > 0).all()
    false = rates_at(rows, grid, "false_positive_rate").value
    assert false[0] > 0.95
    assert false[-1] < 0.001


def test_what_nobody_answered_about_is_not_known():
    rows = answered([0.9, 0.8], [True, True])
    assert np.isnan(rates_at(rows, np.array([0.5]), "false_positive_rate").value).all()
    assert np.isnan(withheld_rate(rows, "missed_rate", 0.1).value).all()
    with pytest.raises(ValueError, match="answers of its class"):
        threshold_for(rows, "false_positive_rate", 0.1)


def test_answers_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="same length"):
        answered([0.1, 0.2], [True])
    with pytest.raises(ValueError, match="above 0"):
        answered([0.1], [True], [0.0])


def test_a_map_makes_scores_probabilities_on_other_nights_and_never_falls():
    rng = np.random.default_rng(8)
    rows, later = nights(rng, 6, bogus=200, real=40), nights(rng, 60, bogus=200, real=40)
    found = fit_map(rows)
    assert (np.diff(found.values) >= 0).all()
    before = weighted_calibration_error(later.scores, later)
    after = weighted_calibration_error(np.interp(later.scores, NODES, found.values), later)
    assert after < 0.02 < before
    assert found.error < found.error_raw


def test_a_score_that_is_a_probability_already_stays_one():
    rng = np.random.default_rng(3)
    scores = rng.random(4000)
    rows = answered(scores, rng.random(4000) < scores, groups=np.arange(4000) % 8)
    found = fit_map(rows)
    assert np.abs(found.values - NODES).max() < 0.06


@pytest.mark.parametrize("is_real", [[True, True], [True, False]])
def test_too_little_leaves_the_raw_score(is_real):
    found = fit_map(answered([0.9, 0.1], is_real))
    assert found.name == "none"
    assert (found.values == NODES).all()
    assert np.isnan(found.error)
