"""Figures of the benchmark, on a small pair whose score is put together by hand, and on the ideal one."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
from scipy import ndimage

from benchmarks.differencing.costs import costing
from benchmarks.differencing.judging import Found, at, grounds_of, judge
from benchmarks.differencing.limit import ideal
from benchmarks.differencing.report import Report, Row, row_of
from benchmarks.differencing.scenarios import case_of

SIZE = 320


@pytest.fixture(scope="module")
def case():
    return case_of("hard", 4, SIZE, None)


@pytest.fixture(scope="module")
def grounds(case):
    return grounds_of(case)


@pytest.fixture(scope="module")
def best(case):
    return Found(*ideal(case))


def by_hand(case, heights):
    """Return a score that shows each transient at a height, and nothing else."""
    t = case.pair.transients
    y, x = np.mgrid[:SIZE, :SIZE].astype(float)
    score = np.zeros((SIZE, SIZE))
    for k in range(t.x.size):
        hill = np.exp(-((x - t.x[k]) ** 2 + (y - t.y[k]) ** 2) / (2 * 1.5**2))
        score += np.sign(t.flux[k]) * heights[k] * hill
    score = score.astype(np.float32)
    return Found(score, score * 2, np.full_like(score, 2.0))


def test_completeness_is_the_share_of_unmasked_transients_above_the_threshold(case, grounds):
    t = case.pair.transients
    heights = np.where(np.arange(t.x.size) % 2 == 0, 8.0, 4.0)
    figures = judge(by_hand(case, heights), case, grounds)
    open_ = ~at(case.mask, t.x, t.y)
    # A peak whose neighbour is masked is none either.
    touched = at(ndimage.binary_dilation(case.mask, np.ones((3, 3))), t.x, t.y)
    new = ~t.is_fading & open_
    seen = ~touched
    assert figures.share == pytest.approx(seen[new].mean())  # nothing false: the lowest threshold of all
    assert figures.plus == pytest.approx((seen & (heights > 5))[new].mean())
    assert figures.minus == pytest.approx((seen & (heights > 5))[t.is_fading & open_].mean())
    assert figures.false == 0


def test_false_peaks_raise_the_threshold_and_are_counted_per_mpx(case, grounds):
    t = case.pair.transients
    found = by_hand(case, np.full(t.x.size, 6.0))
    empty = np.ones((SIZE, SIZE), dtype=bool)
    empty[np.rint(t.y).astype(int), np.rint(t.x).astype(int)] = False
    free = np.argwhere((ndimage.distance_transform_edt(empty) > 20) & grounds.far.pixels)
    places = free[:: max(1, len(free) // 40)]
    for row, column in places:
        if 2 < row < SIZE - 3 and 2 < column < SIZE - 3:
            found.score[row, column] = 9.0
    figures = judge(found, case, grounds)
    assert figures.share == 0.0
    assert figures.false * grounds.whole.mpx == pytest.approx(np.count_nonzero(found.score == 9.0))


def test_the_ideal_score_has_unit_noise_no_bias_and_little_that_is_false(case, grounds, best):
    figures = judge(best, case, grounds)
    # Ten thousand independent pixels or so: 1 % of the scatter, 1 % of sigma in the mean.
    assert figures.noise == pytest.approx(1.0, abs=0.03)
    assert figures.mean == pytest.approx(0.0, abs=0.05)
    assert figures.bias == pytest.approx(0.0, abs=max(0.03, 4 * figures.bias_error))
    assert figures.false <= 2 / grounds.whole.mpx
    assert figures.share > 0.6


def test_the_ideal_score_of_a_stack_has_unit_noise_too():
    stack = case_of("stack", 4, SIZE, None)
    figures = judge(Found(*ideal(stack)), stack, grounds_of(stack))
    assert figures.noise == pytest.approx(1.0, abs=0.03)


def test_a_pair_from_the_cache_is_the_pair_that_was_drawn(case, tmp_path):
    case_of("hard", 4, SIZE, tmp_path)
    again = case_of("hard", 4, SIZE, tmp_path)
    np.testing.assert_array_equal(again.science.data, case.science.data)
    np.testing.assert_array_equal(again.mask, case.mask)
    np.testing.assert_array_equal(again.pair.reference.noise, case.pair.reference.noise)
    np.testing.assert_array_equal(again.pair.transients.flux, case.pair.transients.flux)


def test_memory_is_what_the_work_held_at_most():
    def work():
        return float(np.ones(8_000_000).sum())

    result, cost = costing(work)
    assert result == 8_000_000
    assert math.isnan(cost.extra_mb) or cost.extra_mb == pytest.approx(64e6 / 2**20, abs=10)


def test_the_document_holds_rows_and_means_and_no_nan(case, grounds, best, tmp_path, capsys):
    figures = judge(best, case, grounds)
    report = Report({"hotpants": "it is not on PATH"})
    report.begin([64])
    for seed in (4, 5):
        report.add(Row("hard", 64, seed, "limit", row_of(figures, figures, {})))
    report.end(tmp_path / "out.json")
    document = json.loads((tmp_path / "out.json").read_text())
    assert [row["seed"] for row in document["rows"]] == [4, 5]
    (mean,) = document["means"]
    assert mean["mean"]["limit"] == pytest.approx(figures.share)
    assert mean["mean"]["subtract_s"] is None
    assert mean["scatter"]["noise"] == 0
    assert set(asdict(figures)) <= set(mean["mean"])
    assert "hotpants is absent" in capsys.readouterr().out
