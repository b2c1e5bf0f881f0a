"""Stamps in few bytes: what a network makes of them stays the same."""

from __future__ import annotations

import numpy as np

from detection.numerics.compact import chosen_evenly, coded, decoded, simulated_cameras
from tests.detection.numerics.gathering import independent


def test_what_comes_back_is_within_half_a_step_and_unknown_stays_unknown():
    values = np.array([[0.0, 0.9, -3.0, 40.0, -2e4, 6e4, np.nan]], dtype=np.float16)
    back = decoded(coded(values)).astype(np.float64)
    given = values.astype(np.float64)
    # Half a step of asinh, 1/14, is 1/14 of sqrt(value² + 1), and what float16 adds.
    np.testing.assert_array_less(np.abs(back - given)[0, :6], np.hypot(given, 1.0)[0, :6] / 13.0)
    assert np.isnan(back[0, 6])
    assert coded(values).dtype == np.int8


def test_classes_are_even_and_rare_kinds_are_not_crowded_out():
    of = independent(400)
    of.examples.kind[:8:2] = "moving"
    some = chosen_evenly(of, 40)
    assert len(some) == 40
    assert some.examples.is_real.sum() == 20
    assert (some.examples.kind == "moving").sum() == 4
    assert chosen_evenly(of, 40).examples.group.tolist() == some.examples.group.tolist()
    assert len(chosen_evenly(of, 4000)) == 400


def test_simulated_cameras_differ_by_how_they_sample():
    assert len(set(simulated_cameras(np.array([1.9, 3.0, 6.0])).tolist())) == 3
