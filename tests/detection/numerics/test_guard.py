"""Whether a model is worse: what chance explains is let through, what it does not is refused, with the figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detection.numerics.calibration import area_under_curve
from detection.numerics.guard import AREA, FALSE, FOUND, Comparison, compare
from detection.numerics.intervals import Drawn, figure
from detection.numerics.measured import Measured, limits, shares, subsets


def measured(separation: float, *, seed: int = 1, count: int = 1200, noise_seed: int = 7) -> Measured:
    """Scores of normal deviates; the same count and seed are the same examples."""
    rng = np.random.default_rng(seed)
    is_real = np.arange(count) % 2 == 0
    camera = np.where(np.arange(count) % 3 == 0, "wide", "narrow")
    snr = rng.uniform(5.0, 60.0, count)
    own = np.random.default_rng(noise_seed).normal(0.0, 1.0, count)
    score = 1.0 / (1.0 + np.exp(-(own + separation * np.where(is_real, 1.0, -1.0))))
    kind = np.where(is_real, "hostless", "bogus")
    return Measured(score, is_real, kind, camera, snr, (np.arange(count) // 6).astype(str))


def line(of: Comparison, about: str, name: str, what: str):
    [found] = [each for each in of.lines if (each.about, each.name, each.what) == (about, name, what)]
    return found


def test_the_area_is_that_of_the_ranks_and_ties_count_half():
    rng = np.random.default_rng(3)
    scores, is_real = np.round(rng.random(300), 1), rng.random(300) < 0.4
    drawn = Drawn(np.arange(300).astype(str))
    assert drawn.areas(scores, is_real)[0] == pytest.approx(area_under_curve(scores, is_real), abs=1e-12)


def test_intervals_hold_what_is_true_as_often_as_they_say():
    covered = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        # Exposures differ from each other: an interval over examples would be far too short.
        of_exposure = rng.beta(8.0, 8.0, 40)
        group = np.repeat(np.arange(40), 20)
        said = rng.random(800) < of_exposure[group]
        found = figure(Drawn(group.astype(str), seed).shares(said, np.ones(800, bool)))
        covered += found.low <= 0.5 <= found.high
    # 57 expected; 50 is three standard deviations below the 0.93 that 40 groups give.
    assert covered >= 50


def test_the_same_model_is_not_worse_and_all_differences_are_nothing():
    found = compare(measured(1.5), measured(1.5), 0.5)
    assert found.reasons == ()
    assert {each.difference.value for each in found.lines} == {0.0}


def test_a_model_that_is_much_worse_is_refused_with_both_figures():
    found = compare(measured(0.57, noise_seed=8), measured(2.0), 0.5)
    whole = line(found, "all", "all", AREA)
    assert whole.candidate.value == pytest.approx(0.79, abs=0.03)
    assert any(f"{whole.candidate.value:.4f}" in reason and "area" in reason for reason in found.reasons)
    assert whole.difference.high < 0


def test_a_better_one_and_one_that_differs_by_chance_are_let_through():
    assert compare(measured(2.5, noise_seed=9), measured(1.8), 0.5).reasons == ()
    assert compare(measured(2.0, noise_seed=11), measured(2.0, noise_seed=12), 0.5).reasons == ()


def test_one_that_spoils_one_camera_is_refused_though_it_is_good_on_the_whole():
    active = measured(2.0, count=6000)
    better = measured(2.6, count=6000, noise_seed=5)
    spoilt = measured(1.2, count=6000, noise_seed=6)
    is_wide = active.camera == "wide"
    score = np.where(is_wide, spoilt.score, better.score)
    candidate = replace(active, score=score)
    found = compare(candidate, active, 0.5)
    assert any("camera wide" in reason for reason in found.reasons)


def test_false_ones_are_compared_where_both_find_as_many_real_ones():
    active = measured(2.0)
    shifted = replace(active, score=active.score**3)  # the same order, all lower
    found = compare(shifted, active, 0.5)
    assert found.reasons == ()
    assert line(found, "all", "all", FALSE).difference.value == 0.0
    assert line(found, "all", "all", FOUND).candidate.value == line(found, "all", "all", FOUND).active.value


def test_what_a_model_cannot_score_counts_as_not_found():
    active = measured(2.0)
    blind = replace(active, score=np.where(active.is_real & (np.arange(1200) % 4 == 0), np.nan, active.score))
    assert compare(blind, active, 0.5).reasons


def test_other_examples_cannot_be_compared():
    with pytest.raises(ValueError, match="same examples"):
        compare(measured(1.0, count=600), measured(1.0), 0.5)


def test_each_kind_camera_and_range_of_snr_has_its_share_and_what_is_few_is_said():
    of = measured(2.0, count=60)
    of.kind[0] = "on host"
    names = {(one.about, one.name) for one in subsets(of)}
    assert {
        ("all", "all"),
        ("kind", "hostless"),
        ("kind", "on host"),
        ("camera", "wide"),
        ("S/N", "50 and more"),
    } <= names
    assert all(0.0 <= share.called_real.value <= 1.0 for share in shares(of, 0.5))
    told = " ".join(limits(of))
    assert "“on host” only 1" in told
    assert "narrow, wide and no others" in told
    simulated = replace(of, camera=np.full(60, "simulated, any"))
    assert "simulated frames alone" in " ".join(limits(simulated))
