"""Frames as small pictures."""

from __future__ import annotations

import numpy as np
import pytest

from observations.numerics.display import NO_DATA, preview


def test_the_fits_origin_is_at_the_lower_left():
    pixels = np.zeros((20, 30), dtype=np.float32)
    pixels[:2, :2] = 100.0
    drawn = preview(pixels, 30)
    assert drawn.shape == (20, 30, 3)
    assert drawn[-1, 0, 0] == 255
    assert drawn[0, 0, 0] == 0


def test_blocks_are_averaged_without_what_has_no_data():
    pixels = np.array(
        [[1, np.nan, 5, 5], [3, np.nan, 5, 5], [np.nan, np.nan, 0, 0], [np.nan, np.nan, 0, 0]], dtype="f4"
    )
    drawn = preview(pixels, 2)
    assert drawn.shape == (2, 2, 3)
    assert tuple(drawn[0, 0]) == NO_DATA
    # Means 2, 5 and 0: in this order of brightness.
    assert drawn[0, 1, 0] < drawn[1, 0, 0] < drawn[1, 1, 0]


def test_a_frame_without_data_is_all_of_one_colour():
    drawn = preview(np.full((8, 8), np.nan, dtype="f4"), 8)
    assert (drawn == NO_DATA).all()


def test_a_flat_frame_is_drawn_without_a_division_by_nothing():
    assert preview(np.full((8, 8), 7.0, dtype="f4"), 8).shape == (8, 8, 3)


@pytest.mark.parametrize(
    ("shape", "most", "expected"), [((100, 200), 128, (50, 100)), ((64, 64), 128, (64, 64)), ((129, 3), 128, (64, 1))]
)
def test_the_longest_side_fits(shape, most, expected):
    assert preview(np.zeros(shape, dtype="f4"), most).shape[:2] == expected
