"""What is alike: features as they are stored, distances, and how far two usually lie apart."""

from __future__ import annotations

import numpy as np
import pytest

from detection.numerics.nearest import FEATURES, distances, unpacked, usual_distance


def test_what_is_stored_comes_back_to_half_a_thousandth():
    values = np.random.default_rng(1).normal(size=(3, FEATURES))
    read = unpacked([row.astype("<f2").tobytes() for row in values])
    assert read.shape == (3, FEATURES)
    # A float16 has 11 bits: half of the last one is 2^-12 of the value.
    np.testing.assert_allclose(read, values, rtol=2.0**-11, atol=1e-6)
    assert unpacked([]).shape == (0, FEATURES)


def test_features_of_another_length_are_refused():
    with pytest.raises(ValueError, match="48 numbers"):
        unpacked([b"\0" * 46])


def test_a_distance_is_the_root_of_the_summed_squares():
    one, others = np.zeros(FEATURES, dtype=np.float32), np.zeros((2, FEATURES), dtype=np.float32)
    others[0, :2] = 3.0, 4.0
    np.testing.assert_allclose(distances(one, others), [5.0, 0.0])


def test_the_usual_distance_is_the_rms_over_all_pairs_in_any_order():
    random = np.random.default_rng(2)
    several = random.normal(size=(40, FEATURES)).astype(np.float32)
    pairs = [np.sum((a - b) ** 2) for k, a in enumerate(several) for b in several[:k]]
    expected = np.sqrt(np.mean(pairs))
    # float32 sums of some tens of terms.
    assert usual_distance(several) == pytest.approx(expected, rel=1e-5)
    assert usual_distance(random.permutation(several)) == pytest.approx(expected, rel=1e-5)
    assert np.isnan(usual_distance(several[:1]))
