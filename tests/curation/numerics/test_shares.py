"""A share from a weighted sample: right on average, and within its interval as often as that says, also at none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from curation.numerics.shares import Sums, weighted_share
from detection.numerics.mixture import draw

COUNTS = (900, 60, 8, 3, 40, 0)
KINDS = np.repeat(np.arange(6), COUNTS)
NIGHTS = 400


def sums(weights, is_real) -> Sums:
    weights, hits = np.asarray(weights, dtype=float), np.asarray(is_real, dtype=bool)
    of_hits = weights[hits]
    return Sums(
        len(weights), weights.sum(), (weights**2).sum(), int(hits.sum()), of_hits.sum(), (of_hits**2).sum()
    )  # fmt: skip


@pytest.mark.parametrize(("hits", "count"), [(0, 5), (1, 20), (7, 30), (30, 30), (12, 4000)])
def test_of_equal_weights_the_interval_is_that_of_clopper_and_pearson(hits, count):
    share = weighted_share(sums([7.0] * count, [k < hits for k in range(count)]))
    assert share.value == pytest.approx(hits / count)
    assert share.effective_count == pytest.approx(count)
    low, high = beta.ppf([0.025, 0.975], [hits, hits + 1], [count - hits + 1, count - hits])
    # To ten digits, beyond what bisection and continued fraction leave.
    assert share.low == pytest.approx(0.0 if hits == 0 else low, abs=1e-10)
    assert share.high == pytest.approx(1.0 if hits == count else high, abs=1e-10)


def test_nothing_is_said_of_no_sample_and_none_of_n_is_no_certainty():
    assert weighted_share(sums([], [])) is None
    few, many = weighted_share(sums([50.0] * 3, [False] * 3)), weighted_share(sums([50.0] * 300, [False] * 300))
    assert few.value == few.low == many.value == 0.0
    assert few.high > 0.6 > 0.02 > many.high > 0.0


def test_one_that_stands_for_many_widens_the_interval():
    even, uneven = sums([10.0] * 20, [False] * 20), sums([181.0] + [1.0] * 19, [False] * 20)
    assert weighted_share(uneven).high > 4.0 * weighted_share(even).high


@pytest.mark.parametrize(
    "rates",
    [(0, 0, 0, 0, 0, 0), (0.01, 0.01, 0.01, 0.01, 0.01, 0), (0, 0, 0.3, 0.6, 0, 0), (0.05, 0.02, 0.2, 0.3, 0, 0),
     (0.5,) * 6],
)  # fmt: skip
def test_the_interval_holds_the_truth_as_often_as_it_says_and_the_share_is_right_on_average(rates):
    held, estimates, truths = 0, [], []
    for night in range(NIGHTS):
        is_real = np.random.default_rng([night, 31]).random(len(KINDS)) < np.array(rates)[KINDS]
        drawn = draw(KINDS, 6, 0.05, 10_000 + night)
        weights = 1.0 / drawn.probabilities[KINDS[drawn.indices]]
        found = weighted_share(sums(weights, is_real[drawn.indices]))
        estimates.append(found.value)
        truths.append(is_real.mean())
        held += found.low <= truths[-1] <= found.high
    # 95 % less three sigma of 400 nights; it is 97 % and more on others.
    assert held >= 0.95 * NIGHTS - 3.0 * (NIGHTS * 0.95 * 0.05) ** 0.5
    difference = np.subtract(estimates, truths)
    # Four sigma of the mean; a ratio is biased by less than a tenth of its own scatter at such numbers.
    assert abs(difference.mean()) <= 4.0 * difference.std() / NIGHTS**0.5 + 0.1 * difference.std()
