import numpy as np
import pytest

from observations.numerics.frame import MaskBit
from preprocessing.numerics import masks
from preprocessing.numerics.interpolate import interpolate_small


def _sky(seed=1, size=256, level=0.0, sigma=10.0):
    return np.random.default_rng(seed).normal(level, sigma, (size, size)).astype(np.float32)


def _level(image, value=10.0):
    return np.full(image.shape, value, dtype=np.float32)


def test_small_defects_are_filled_with_more_variance_and_large_ones_are_not():
    image = _sky(11, level=100.0)
    bits = np.zeros(image.shape, dtype=np.uint16)
    bits[50, 50:52] = MaskBit.BAD
    bits[100:104, 100:104] = MaskBit.BAD
    bits[150, 150] = MaskBit.SATURATED
    image[bits > 0] = 9999
    before = image.copy()
    filled, new, extra = interpolate_small(image, bits, _level(image))
    assert np.abs(filled[50, 50:52] - 100).max() < 30  # three sigma of the sky
    assert (new[50, 50:52] == MaskBit.INTERPOLATED).all()
    assert (extra[50, 50:52] >= 4 * 100).all()
    assert not masks.is_bad(new)[50, 50:52].any()
    assert masks.is_bad(new)[100:104, 100:104].all()
    assert masks.is_bad(new)[150, 150]
    assert (extra > 0).sum() == 2
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize(
    ("pixels", "is_filled"),
    [
        ([(5, 5)], True),
        ([(0, 0), (0, 1), (1, 0)], True),
        ([(5, 5), (6, 6), (7, 7)], True),  # touching at their corners
        ([(5, 5), (6, 6), (7, 7), (8, 8)], False),
        ([(5, 5), (5, 7), (5, 9), (5, 11)], True),  # four, but apart
        ([(31, 31), (31, 30), (30, 31), (30, 30)], False),
    ],
)
def test_defects_of_up_to_three_pixels_that_hang_together_are_filled(pixels, is_filled):
    image = np.full((32, 32), 50.0, dtype=np.float32)
    bits = np.zeros(image.shape, dtype=np.uint16)
    for place in pixels:
        bits[place], image[place] = MaskBit.COSMIC_RAY, 4000.0
    filled, new, extra = interpolate_small(image, bits, _level(image, 2.0))
    for place in pixels:
        assert (new[place] == MaskBit.INTERPOLATED) == is_filled
        assert filled[place] == pytest.approx(50.0 if is_filled else 4000.0)
        assert extra[place] == pytest.approx(16.0 if is_filled else 0.0)  # 4 noise², and all neighbours agree


def test_a_defect_that_touches_another_cause_is_left():
    image = np.full((32, 32), 50.0, dtype=np.float32)
    bits = np.zeros(image.shape, dtype=np.uint16)
    bits[10, 10], bits[10, 11] = MaskBit.BAD, MaskBit.TRAIL
    bits[20, 20] = MaskBit.BAD | MaskBit.SATURATED
    assert not (interpolate_small(image, bits, _level(image))[1] == MaskBit.INTERPOLATED).any()


def test_a_filled_pixel_is_the_mean_of_its_neighbours_by_the_inverse_fourth_power_of_their_distance():
    rng = np.random.default_rng(7)
    image = rng.normal(100.0, 10.0, (20, 20)).astype(np.float32)
    bits = np.zeros(image.shape, dtype=np.uint16)
    bits[10, 10], image[9, 9] = MaskBit.BAD, np.nan
    y, x = np.mgrid[-2:3, -2:3]
    distance = np.hypot(x, y)
    around = image[8:13, 8:13]
    known = np.isfinite(around) & (distance > 0)
    weight = distance[known] ** -4.0
    mean = np.average(around[known], weights=weight)
    filled, _, extra = interpolate_small(image, bits, _level(image))
    assert filled[10, 10] == pytest.approx(mean, rel=1e-6)
    scatter = np.average((around[known] - mean) ** 2, weights=weight)
    assert extra[10, 10] == pytest.approx(400.0 + scatter, rel=1e-5)
