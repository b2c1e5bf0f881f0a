"""Frames as small pictures."""

from __future__ import annotations

import numpy as np
import pytest

from observations.numerics.display import NO_DATA, draw, shrink, step_of

NAN = np.nan


def test_the_fits_origin_is_at_the_lower_left():
    pixels = np.zeros((20, 30), dtype=np.float32)
    pixels[:2, :2] = 100.0
    drawn = draw(pixels)
    assert drawn.shape == (20, 30, 3)
    assert drawn[-1, 0, 0] == 255
    assert drawn[0, 0, 0] == 0


def test_blocks_are_averaged_without_what_has_no_data():
    pixels = np.array([[1, NAN, 5, 5], [3, np.inf, 5, 5], [NAN, NAN, 0, 0], [NAN, -np.inf, 0, 1]], dtype="f4")
    np.testing.assert_array_equal(shrink([pixels], 2), np.array([[2, 5], [NAN, 0.25]], dtype="f4"))


def test_what_has_no_data_is_no_grey():
    drawn = draw(np.array([[1, 2], [NAN, 3]], dtype="f4"))
    assert tuple(drawn[0, 0]) == NO_DATA
    assert len(set(NO_DATA)) > 1
    assert all(len(set(pixel)) == 1 for pixel in (drawn[0, 1], drawn[1, 0], drawn[1, 1]))


def test_bands_of_whole_blocks_give_the_same_means_as_the_whole():
    pixels = np.random.default_rng(1).normal(1000.0, 10.0, (50, 37)).astype("f4")
    whole = shrink([pixels], 4)
    assert whole.shape == (13, 10)
    np.testing.assert_array_equal(shrink([pixels[:16], pixels[16:48], pixels[48:]], 4), whole)
    # The last column holds one pixel of each row, the last row two rows.
    assert whole[-1, -1] == pytest.approx(pixels[48:, 36].mean(), rel=1e-6)
    assert whole[0, 0] == pytest.approx(pixels[:4, :4].mean(), rel=1e-6)


def test_a_frame_without_data_is_all_of_one_colour():
    drawn = draw(shrink([np.full((8, 8), NAN, dtype="f4")], 2))
    assert (drawn == NO_DATA).all()


def test_a_flat_frame_is_drawn_without_a_division_by_nothing():
    assert draw(np.full((8, 8), 7.0, dtype="f4")).shape == (8, 8, 3)


@pytest.mark.parametrize(
    ("shape", "most", "expected"),
    [((100, 200), 128, (50, 100)), ((64, 64), 128, (64, 64)), ((129, 3), 128, (65, 2)), ((32768, 24), 160, (160, 1))],
)
def test_the_longest_side_fits_and_the_shortest_stays(shape, most, expected):
    assert shrink([np.zeros(shape, dtype="f4")], step_of(shape, most)).shape == expected
