from __future__ import annotations

import numpy as np
import pytest

from detection.numerics.display import MASKED, NO_DATA, shared_grey, side_by_side, symmetric_grey

SIZE = 9


def cutouts(seed: int = 5) -> np.ndarray:
    stamps = np.random.default_rng(seed).normal(100.0, 3.0, (4, SIZE, SIZE)).astype(np.float32)
    stamps[3] = 0.0
    return stamps


def noise(seed: int, sigma: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, sigma, (63, 63)).astype(np.float32)


def test_three_images_stand_side_by_side_with_pixels_as_squares():
    drawn = side_by_side(cutouts(), size=SIZE, scale=2, gap=4)
    assert drawn.shape == (2 * SIZE, 3 * 2 * SIZE + 2 * 4, 3)
    blocks = drawn[:, : 2 * SIZE].reshape(SIZE, 2, SIZE, 2, 3)
    assert (blocks == blocks[:, :1, :, :1]).all()


def test_the_first_row_of_the_file_is_at_the_bottom():
    stamps = cutouts()
    stamps[0, 0, 0] = 1000.0
    drawn = side_by_side(stamps, size=SIZE, scale=1)
    assert drawn[-1, 0].tolist() == [255, 255, 255]


def test_the_middle_is_shown_in_the_greys_of_the_whole():
    stamps = cutouts()
    whole = side_by_side(stamps, size=SIZE, scale=1, gap=0)
    middle = side_by_side(stamps, size=5, scale=1, gap=0)
    assert (middle[:, :5] == whole[2:7, 2:7]).all()


def test_the_same_count_is_the_same_grey_in_science_and_reference():
    science, reference = noise(1, sigma=3.0), noise(2)
    science[10, 10] = reference[20, 20] = 40.0
    science[30, 30] = reference[40, 40] = 0.5
    first, second = shared_grey(science, reference, np.zeros((63, 63), bool))
    assert first[10, 10] == second[20, 20]
    assert first[30, 30] == second[40, 40]
    assert first[10, 10] > first[30, 30]


def test_the_difference_turns_its_sign_with_its_greys():
    difference = cutouts()[2] - 100.0
    nothing = np.zeros((SIZE, SIZE), dtype=bool)
    both = symmetric_grey(difference, nothing).astype(int) + symmetric_grey(-difference, nothing).astype(int)
    assert np.abs(both - 255).max() <= 1


def test_the_difference_is_linear_up_to_five_sigma_and_then_white():
    difference, mask = noise(3), np.zeros((63, 63), bool)
    sigma = 1.4826 * np.median(np.abs(difference - np.median(difference)))
    difference[0, :4] = [2.5 * sigma, 5 * sigma, 50 * sigma, -50 * sigma]
    grey = symmetric_grey(difference, mask)
    # Four pixels of 3969 move the robust sigma by a thousandth: less than half a grey level.
    assert grey[0, :4].tolist() == [pytest.approx(191, abs=1), pytest.approx(255, abs=1), 255, 0]


def test_bad_pixels_are_in_no_grey():
    stamps = cutouts()
    stamps[3, 2, 3] = 1.0
    stamps[2, 6, 6] = np.nan
    drawn = side_by_side(stamps, size=SIZE, scale=1, gap=0)
    red, green, _ = drawn[SIZE - 1 - 2, 3].astype(int)
    assert red - green > 0.5 * (MASKED[0] - MASKED[1])
    assert drawn[SIZE - 1 - 6, 2 * SIZE + 6].tolist() == list(NO_DATA)


def test_cutouts_without_any_known_pixel_are_drawn_all_the_same():
    stamps = np.full((4, SIZE, SIZE), np.nan, dtype=np.float32)
    stamps[3] = 1.0
    drawn = side_by_side(stamps, size=SIZE, scale=1, gap=0)
    assert (drawn == NO_DATA).all()
