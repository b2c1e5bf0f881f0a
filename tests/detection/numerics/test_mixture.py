"""What is drawn from the hidden: how much of each stratum, with which probability, and the same again by its seed."""

from __future__ import annotations

import numpy as np
import pytest

from detection.numerics.mixture import STRATA, draw, places, probabilities

COUNTS = (900, 60, 8, 3, 40, 0)
KINDS = np.repeat(np.arange(6), COUNTS)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.02, 0.1, 0.7, 1.0])
def test_the_expected_number_is_the_share_of_all_and_no_probability_exceeds_one(share):
    chances = probabilities(COUNTS, share)
    assert ((chances >= 0.0) & (chances <= 1.0)).all()
    assert np.dot(chances, COUNTS) == pytest.approx(share * sum(COUNTS))


def test_members_of_a_small_stratum_are_drawn_more_often_by_the_root_of_its_size():
    chances = probabilities(COUNTS, 0.02)
    assert chances[1] / chances[0] == pytest.approx((900 / 60) ** 0.5)
    assert probabilities(COUNTS, 0.2)[3] == 1.0, "what a stratum cannot give, the others do"
    assert chances[5] == 0.0, "nothing is drawn from what holds nothing"


def test_each_member_is_drawn_as_often_as_its_probability_says():
    draws = 4000
    often = np.zeros(len(KINDS))
    for seed in range(draws):
        often[draw(KINDS, 6, 0.03, seed).indices] += 1.0
    chances = probabilities(COUNTS, 0.03)[KINDS]
    sigma = np.sqrt(chances * (1.0 - chances) / draws)
    # Of a thousand members the worst lies at 3.3 sigma; twice that chance never reaches.
    assert (np.abs(often / draws - chances) <= 6.0 * sigma + 1e-12).all()


def test_nothing_is_drawn_twice_and_a_seed_gives_the_same_again():
    first, again, other = draw(KINDS, 6, 0.2, 5), draw(KINDS, 6, 0.2, 5), draw(KINDS, 6, 0.2, 6)
    assert np.array_equal(first.indices, again.indices)
    assert not np.array_equal(first.indices, other.indices)
    assert np.unique(first.indices).size == first.indices.size
    assert draw([], 6, 0.5, 1).indices.size == 0
    assert draw(KINDS, 6, 1.0, 1).indices.size == len(KINDS)


@pytest.mark.parametrize("is_vetoed", [True, False])
def test_every_score_belongs_to_one_stratum(is_vetoed):
    for score in (0.0, 0.0199, 0.02, 0.1, 0.3, 0.5, 1.0):
        assert sum(stratum.holds(score, is_vetoed=is_vetoed) for stratum in STRATA) == 1


def test_places_are_those_of_what_is_shown_beside():
    assert set(places([0.8, 0.9], 0.5, 200, 1)) == {0.8, 0.9}
    assert not set(places([0.6, 0.9], 0.5, 5, 1)) & {0.5, 1.0}
    alone = places([], 0.5, 1000, 1)
    assert alone.min() >= 0.5 and alone.max() <= 1.0 and alone.std() > 0.1
