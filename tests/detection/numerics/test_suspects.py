"""That wrong labels are found, and that what is judged by a classifier was not seen by it."""

from __future__ import annotations

import numpy as np
import pytest

from detection.numerics.suspects import features, out_of_fold, suspects
from detection.registry.weights import DEFAULT_CARD
from tests.detection.numerics.test_train import easy_set


def blobs(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two classes, three sigma apart in one of four features."""
    rng = np.random.default_rng(seed)
    is_real = rng.random(count) < 0.5
    values = rng.normal(0.0, 1.0, (count, 4))
    values[:, 1] += np.where(is_real, 3.0, -3.0)
    return values, is_real, np.arange(count) // 4


def test_flipped_labels_are_found_and_few_others():
    values, truth, group = blobs(600, seed=2)
    flipped = np.random.default_rng(3).permutation(600)[:30]
    labels = truth.copy()
    labels[flipped] = ~labels[flipped]
    found = [place for place, _ in suspects(out_of_fold(values, labels, group), labels)]
    # The classes overlap by 0.1 %; of what is flipped the least certain fifth may stay below the mean of its class.
    assert len(set(found[:30]) & set(flipped.tolist())) >= 24
    assert len(found) <= 40


def test_no_group_is_judged_by_what_it_taught():
    values, truth, _ = blobs(200, seed=5)
    group = np.arange(200) // 50
    noise = np.random.default_rng(1).normal(size=(200, 60))  # enough to learn single examples by heart
    labels = np.random.default_rng(2).random(200) < 0.5
    inside = out_of_fold(noise, labels, group)
    assert abs(inside[labels].mean() - inside[~labels].mean()) < 0.15
    moved = values.copy()
    moved[group == 2] += 100.0
    before, after = out_of_fold(values, truth, group), out_of_fold(moved, truth, group)
    assert np.isfinite(before).all()
    assert np.isfinite(after).all()


def test_what_cannot_be_scored_is_never_suspect_and_one_class_says_nothing():
    values, labels, group = blobs(80, seed=4)
    values[7] = np.nan
    scores = out_of_fold(values, labels, group)
    assert np.isnan(scores[7])
    assert 7 not in [place for place, _ in suspects(scores, labels)]
    assert np.isnan(out_of_fold(values, np.ones(80, bool), group)).all()
    assert suspects(scores, np.ones(80, bool)) == []


def test_features_are_what_the_network_sees_one_row_for_each_example():
    some = easy_set(20)
    weights = DEFAULT_CARD.with_suffix(".safetensors")
    whole = features(some, weights)
    assert whole.shape[0] == 20
    assert whole.std(axis=0).max() > 0
    np.testing.assert_allclose(features(some.select(np.arange(5)), weights), whole[:5], rtol=1e-4, atol=1e-4)
    lacking = easy_set(4)
    lacking.stamps[1, :] = np.nan
    assert np.isnan(features(lacking, weights)[1]).all()
    with pytest.raises(FileNotFoundError):
        features(some, "nowhere.safetensors")
