"""Differences as pictures."""

from __future__ import annotations

import numpy as np

from differencing.numerics.display import NO_DATA, painted, shared_greys, symmetric_grey

RNG = np.random.default_rng(4)


def test_the_same_count_is_the_same_grey_in_science_and_reference():
    science = RNG.normal(100, 5, (40, 50))
    reference = science.copy()
    reference[10, 10] = 500.0
    one, other = shared_greys(science, reference)
    same = np.ones(science.shape, dtype=bool)
    same[10, 10] = False
    assert (one[same] == other[same]).all()
    assert other[10, 10] > one[10, 10]


def test_zero_is_in_the_middle_and_signs_are_mirrored():
    image = RNG.normal(0, 2, (40, 50))
    grey = symmetric_grey(image)
    np.testing.assert_allclose(symmetric_grey(-image), 1.0 - grey, atol=1e-12)
    assert symmetric_grey(np.zeros((3, 3)))[0, 0] == 0.5


def test_the_score_is_white_at_eight_sigma():
    assert symmetric_grey(np.array([[-9.0, -8.0, 0.0, 4.0, 8.0]]), 8.0).tolist() == [[0.0, 0.0, 0.5, 0.75, 1.0]]


def test_what_has_no_data_has_a_colour_and_the_origin_is_at_the_lower_left():
    greys = np.zeros((4, 6))
    greys[0, 0] = 1.0
    greys[3, 5] = np.nan
    drawn = painted(greys, 6)
    assert drawn[-1, 0].tolist() == [255, 255, 255]
    assert tuple(drawn[0, -1]) == NO_DATA


def test_large_images_become_means_of_blocks():
    greys = np.array([[0.0, 1.0, 0.2], [1.0, np.nan, 0.2]])
    assert painted(greys, 2)[0, 0, 0] == round(255 * 2 / 3)
