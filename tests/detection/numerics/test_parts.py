"""That nothing is on both sides, however objects, nights and exposures are tied to each other."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from detection.numerics.gathered import Gathered, gathered, together, weight_of
from detection.numerics.parts import CALIBRATION, LEFT_OUT, PARTS, TEST, TRAIN, Division, components, divided
from tests.detection.numerics.gathering import examples_of


def tied(source: list[str], night: list[str], exposure: list[str], origin: str = "answers", seed: int = 1) -> Gathered:
    count = len(source)
    return gathered(examples_of(count, exposure, seed=seed), origin, source=source, night=night)


def sides(of: Gathered, column: np.ndarray) -> list[set[str]]:
    return [set(column[of.part == name].tolist()) - {""} for name in PARTS]


def assert_nothing_is_on_both_sides(of: Gathered) -> None:
    for column in (of.source, of.night, of.examples.group):
        for first, second in combinations(sides(of, column), 2):
            assert not first & second


def test_a_chain_of_common_values_ties_rows_that_share_nothing():
    #      a - night 1 - b - source X - c - exposure e - d, and z alone
    source = np.array(["", "X", "X", "", ""])
    night = np.array(["1", "1", "", "", "9"])
    exposure = np.array(["p", "q", "e", "e", "r"])
    found = components(source, night, exposure)
    assert len(set(found[:4].tolist())) == 1
    assert found[4] != found[0]


def test_equal_values_of_different_columns_and_unknown_ones_tie_nothing():
    found = components(np.array(["1", "", ""]), np.array(["", "1", ""]), np.array(["", "", "1"]))
    assert len(set(found.tolist())) == 3


@pytest.mark.parametrize("seed", range(25))
def test_no_object_night_or_exposure_is_in_two_parts_however_they_are_tied(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(60, 400))
    night = [f"n{k}" if k % 5 else "" for k in rng.integers(0, 40, count)]
    pairs = zip(night, rng.integers(0, 3, count), strict=True)
    exposure = [f"{n}-{k}" if n else f"x{k}-{j}" for j, (n, k) in enumerate(pairs)]
    # A few objects are seen in many nights, and tie them to each other; most are in one.
    source = [
        "" if dice < 0.3 else f"star {k % 6}" if dice < 0.36 else f"{n} {k}"
        for dice, n, k in zip(rng.random(count), night, rng.integers(0, 5, count), strict=True)
    ]
    of = tied(source, night, exposure, seed=seed)
    parted = divided(of, Division(seed=seed))
    assert set(parted.part.tolist()) == set(PARTS)
    assert_nothing_is_on_both_sides(parted)


def test_most_is_trained_with_and_the_shares_are_those_asked_for_where_all_are_independent():
    of = tied([""] * 2000, [""] * 2000, [f"e{k // 4}" for k in range(2000)])
    parted = divided(of, Division(seed=4, calibration_share=0.1, test_share=0.2))
    share = {name: (parted.part == name).mean() for name in PARTS}
    assert share[TEST] == pytest.approx(0.2, abs=0.01)
    assert share[CALIBRATION] == pytest.approx(0.1, abs=0.01)
    assert divided(of, Division(seed=5)).part.tolist() != parted.part.tolist()
    assert divided(of, Division(seed=4, calibration_share=0.1, test_share=0.2)).part.tolist() == parted.part.tolist()


def test_each_origin_is_in_each_part():
    exposures = [f"e{k // 4}" for k in range(400)]
    of = tied([""] * 400, [""] * 400, exposures)
    of = replace(of, origin=np.where(np.arange(400) < 80, "answers", "simulated"))
    parted = divided(of, Division(seed=2))
    for name in PARTS:
        assert set(parted.origin[parted.part == name].tolist()) == {"answers", "simulated"}


def test_nights_that_are_held_out_are_the_test_and_what_is_seen_there_too_is_left_out():
    night = [f"n{k // 40}" for k in range(400)]
    source = [f"star {k % 40}" if k % 40 < 4 else "" for k in range(400)]  # four stars in every night
    of = tied(source, night, [f"{n}-{k % 4}" for k, n in enumerate(night)])
    with pytest.raises(ValueError, match="hold out"):
        divided(of, Division(seed=1))  # every night is tied to every other
    free = [f"free {k}" for k in range(100)]
    more = gathered(examples_of(100, free), "simulated")
    parted = divided(together([of, more]), Division(seed=1, held_out_nights=("n3", "n7")))
    assert set(parted.night[parted.part == TEST].tolist()) == {"n3", "n7"}
    assert (parted.part == LEFT_OUT).sum() == 4 * 8
    assert_nothing_is_on_both_sides(parted)
    assert (parted.part == TRAIN).sum() > 0


def test_nights_that_are_not_there_cannot_be_held_out():
    of = tied([""] * 40, ["n1"] * 40, [f"e{k}" for k in range(40)])
    with pytest.raises(ValueError, match="n2"):
        divided(of, Division(held_out_nights=("n2",)))


def test_what_was_drawn_with_a_small_probability_weighs_more_but_never_everything():
    np.testing.assert_allclose(weight_of(np.array([1.0, 0.25, 1e-4])), [1.0, 4.0, 20.0])
