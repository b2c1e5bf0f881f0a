"""The threshold for a rate, between the points of a stored curve, and what a card says of it."""

from __future__ import annotations

import pytest

from detection.models import Calibration, Model
from detection.thresholds.curve import answers_lacking, points_of, rates_at, threshold_for, usable_for
from detection.thresholds.in_force import card_threshold


def calibration(*rows, nights: int = 8) -> Calibration:
    """Make a calibration, not saved, of rows (threshold, false-positive rate, relative half-width)."""
    curve = [
        {"threshold": at, "false_positive_rate": [rate, rate * (1 - half), rate * (1 + half)], "missed_rate": None}
        for at, rate, half in rows
    ]
    return Calibration(curve=curve, night_count=nights, real_count=100, bogus_count=300)


def test_a_rate_between_two_points_lies_between_their_thresholds():
    points = points_of(calibration((0.1, 0.4, 0.1), (0.5, 0.1, 0.1), (0.9, 0.025, 0.1)))
    found = threshold_for(points, "false_positive_rate", 0.05)
    # Half of the way by the logarithm of the rate, and so by the log odds: odds of 1 and 9.
    assert found.threshold == pytest.approx(3.0 / 4.0)
    assert found.low < found.threshold < found.high


def test_the_ends_are_where_the_interval_begins_and_ends_to_hold_the_rate():
    points = points_of(calibration((0.1, 0.4, 0.2), (0.5, 0.1, 0.2), (0.9, 0.025, 0.2)))
    found = threshold_for(points, "false_positive_rate", 0.05)
    assert rates_at(points, found.low, "false_positive_rate").low == pytest.approx(0.05, rel=0.15)
    assert rates_at(points, found.high, "false_positive_rate").high == pytest.approx(0.05, rel=0.15)


def test_a_rate_that_the_curve_does_not_reach_has_no_threshold():
    points = points_of(calibration((0.1, 0.4, 0.1), (0.9, 0.02, 0.1)))
    assert threshold_for(points, "false_positive_rate", 0.01) is None
    assert threshold_for(points, "missed_rate", 0.05) is None
    assert rates_at(points, 0.95, "false_positive_rate") is None


def test_few_nights_or_a_wide_interval_are_not_gone_by():
    rows = ((0.1, 0.4, 0.3), (0.9, 0.02, 0.3))
    assert usable_for(calibration(*rows), "false_positive_rate", 0.1).half_width == pytest.approx(0.3, rel=0.2)
    assert usable_for(calibration(*rows, nights=2), "false_positive_rate", 0.1) is None
    assert usable_for(calibration((0.1, 0.4, 0.9), (0.9, 0.02, 0.9)), "false_positive_rate", 0.1) is None


def test_twice_as_wide_an_interval_takes_four_times_as_many_answers():
    row = calibration((0.1, 0.4, 0.5), (0.9, 0.02, 0.5))
    found = threshold_for(points_of(row), "false_positive_rate", 0.1)
    assert answers_lacking(row, found) == pytest.approx(400 * (found.half_width / 0.25) ** 2 - 400, abs=1)


@pytest.mark.parametrize(
    ("rate", "threshold"), [(0.01, 0.8), (0.05, 0.2), (0.0223606797749979, 0.5), (0.001, None), (0.2, None)]
)
def test_a_card_gives_what_lies_between_its_own_rates(rate, threshold):
    model = Model(training_metrics={"threshold_fpr_0_01": 0.8, "threshold_fpr_0_05": 0.2, "threshold_fpr_0_5": None})
    assert card_threshold(model, rate) == (None if threshold is None else pytest.approx(threshold))
