"""The benchmark counts what it claims to count: peaks of a score, transients among them, and false ones."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.differencing.peaks import find_peaks, is_false, match, threshold_for
from observations.numerics.simulate.survey import SurveyTransients

# x, y, height of the score's hills: three transients (one of them fades), three false peaks, one too low to count.
TRUE = ((30.0, 40.0, 6.0), (70.3, 52.8, 4.5), (50.0, 80.0, -7.0))
FALSE = ((20.0, 75.0, 5.5), (85.0, 20.0, 4.2), (80.0, 85.0, -5.2))
TOO_LOW = ((55.0, 20.0, 2.0),)


def hills(places) -> np.ndarray:
    y, x = np.mgrid[:100, :100].astype(float)
    return sum(h * np.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * 1.5**2)) for a, b, h in places).astype(np.float32)


SCORE = hills((*TRUE, *FALSE, *TOO_LOW))


def transients(places=TRUE) -> SurveyTransients:
    x, y, height = np.array(places).T
    return SurveyTransients(x, y, np.sign(height), np.abs(height), np.zeros(x.size, dtype=bool))


def test_every_hill_above_three_sigma_is_one_peak_where_it_stands():
    peaks = find_peaks(SCORE)
    order = np.argsort(peaks.height)
    expected = np.array(sorted((*TRUE, *FALSE), key=lambda each: each[2]))
    assert peaks.xy[order] == pytest.approx(expected[:, :2], abs=0.05)
    # Of a Gaussian of sigma 1.5 px, parabolas through three pixels miss 1 % of the height.
    assert peaks.height[order] == pytest.approx(expected[:, 2], rel=0.02)


def test_a_peak_that_touches_the_mask_or_the_edge_is_none():
    score = SCORE.copy()
    score[41, 31] = np.nan
    score[0, 0] = 9.0
    assert sorted(np.round(find_peaks(score).height, 1)) == sorted([4.5, -7.0, 5.5, 4.2, -5.2])


def test_a_transient_has_the_peak_of_its_own_sign():
    peaks = find_peaks(SCORE)
    matched = match(peaks, transients())
    assert matched.height == pytest.approx([6.0, 4.5, 7.0], rel=0.02)
    assert np.abs(matched.dx).max() < 0.05
    turned = match(peaks, transients([(x, y, -h) for x, y, h in TRUE]))
    assert (turned.height == 0).all()
    assert np.isnan(turned.dx).all()


def test_false_peaks_are_those_that_no_transient_has_made():
    peaks = find_peaks(SCORE)
    false = is_false(peaks, transients())
    assert sorted(np.round(peaks.height[false], 1)) == [-5.2, 4.2, 5.5]


@pytest.mark.parametrize(("allowed", "threshold"), [(0, 5.5), (0.9, 5.5), (1, 4.2), (2, 3.0)])
def test_the_threshold_leaves_no_more_false_peaks_than_allowed(allowed, threshold):
    heights = np.array([5.5, 4.2])
    assert threshold_for(heights, allowed) == threshold
    assert np.count_nonzero(heights > threshold_for(heights, allowed)) <= allowed
