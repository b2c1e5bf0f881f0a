from __future__ import annotations

import numpy as np
import pytest

from differencing.numerics.display import (
    GREYS,
    MASKED,
    NO_DATA,
    NO_DATA_CODE,
    TINTS,
    block_mean,
    difference_codes,
    factor_for,
    palette,
    score_codes,
    shared_codes,
)

MIDDLE = (GREYS - 1) // 2


def noise(seed: int = 1, shape: tuple[int, int] = (40, 60)) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 10.0, shape).astype(np.float32)


def nothing(image: np.ndarray) -> np.ndarray:
    return np.zeros(image.shape, dtype=bool)


def test_every_code_has_a_colour_and_only_what_is_no_measurement_is_not_grey():
    colours = np.array(palette()).reshape(256, 3)
    assert (colours[:GREYS] == colours[:GREYS, :1]).all()
    assert (np.diff(colours[:GREYS, 0]) > 0).all()
    tinted = colours[GREYS : GREYS + TINTS]
    assert (tinted[:, 0] - tinted[:, 1] > 50).all()
    assert tuple(colours[NO_DATA_CODE]) == NO_DATA
    assert MASKED[0] != MASKED[1]


@pytest.mark.parametrize(("shape", "factor"), [((64, 96), 1), ((2048, 2048), 1), ((2049, 10), 2), ((10, 9600), 5)])
def test_no_side_of_a_picture_is_longer_than_allowed(shape: tuple[int, int], factor: int):
    assert factor_for(shape, 2048) == factor
    assert -(-max(shape) // factor) <= 2048


def test_at_full_pixels_nothing_is_changed():
    image = noise()
    means, bad = block_mean(image, image > 15, 1)
    assert np.array_equal(means, image)
    assert np.array_equal(bad, image > 15)


@pytest.mark.parametrize("shape", [(6, 9), (7, 11), (200, 5)])
def test_blocks_are_the_means_of_their_good_pixels(shape: tuple[int, int]):
    image, factor = noise(2, shape), 3
    mask = noise(3, shape) > 8
    image[0, 0] = np.nan
    means, bad = block_mean(image, mask, factor)
    assert means.shape == (-(-shape[0] // factor), -(-shape[1] // factor))
    for y in range(means.shape[0]):
        for x in range(means.shape[1]):
            block = (slice(y * factor, (y + 1) * factor), slice(x * factor, (x + 1) * factor))
            good = image[block][~mask[block] & np.isfinite(image[block])]
            known = image[block][np.isfinite(image[block])]
            assert means[y, x] == pytest.approx((good if good.size else known).mean(), rel=1e-5)
            assert bad[y, x] == (2 * good.size < known.size)


def test_a_block_without_data_has_none():
    image = noise()
    image[:4, :4] = np.nan
    means, bad = block_mean(image, None, 4)
    assert np.isnan(means[0, 0])
    assert np.isfinite(means).sum() == means.size - 1
    assert not bad.any()


def test_the_first_row_of_the_file_is_at_the_bottom():
    image = noise()
    image[0, 0] = 1000.0
    assert difference_codes(image, nothing(image))[-1, 0] == GREYS - 1


def test_the_same_count_is_the_same_grey_in_science_and_reference():
    science, reference = noise(1), noise(2)
    science[4, 4] = reference[4, 4] = 70.0
    science[9, 9] = 5000.0
    first, second = shared_codes((science, nothing(science)), (reference, nothing(reference)))
    assert first[-5, 4] == second[-5, 4]
    assert 0 < first[-5, 4] < GREYS - 1


def test_brighter_is_never_darker():
    science = noise()
    science.ravel()[:] = np.linspace(-100, 4000, science.size)
    code, _ = shared_codes((science, nothing(science)), (noise(2), nothing(science)))
    assert (np.diff(code[::-1].ravel().astype(int)) >= 0).all()


def test_zero_is_the_middle_and_both_signs_are_equally_far_from_it():
    image = noise()
    image[0, :3] = 0.0, 13.0, -13.0
    for codes_of in (difference_codes, score_codes):
        zero, above, below = codes_of(image, nothing(image))[-1, :3].astype(int)
        assert zero == MIDDLE
        assert above - zero == zero - below > 0


def test_the_score_has_the_same_grey_whatever_its_scatter():
    image = noise() / 10
    image[0, :3] = 4.0, 8.0, -9.0
    for scatter in (1.0, 3.0):
        image[1:] *= scatter
        assert score_codes(image, nothing(image))[-1, :3].tolist() == [MIDDLE * 3 // 2, GREYS - 1, 0]


def test_masked_pixels_are_tinted_and_take_no_part_in_the_scale():
    image, mask = noise(), nothing(noise())
    plain = difference_codes(image, mask)
    mask[3, 3:20] = True
    image[3, 3:20] = 1e6
    code = difference_codes(image, mask)
    assert (code[-4, 3:20] == GREYS + TINTS - 1).all()
    others = ~mask[::-1]
    assert np.abs(code[others].astype(int) - plain[others]).max() <= 2


@pytest.mark.parametrize("value", [np.nan, 0.0, 7.0])
def test_images_without_scatter_or_data_are_drawn(value: float):
    image = np.full((5, 6), value, dtype=np.float32)
    drawn = [difference_codes(image, nothing(image)), score_codes(image, nothing(image))]
    drawn += shared_codes((image, nothing(image)), (image, nothing(image)))
    for code in drawn:
        assert (code == NO_DATA_CODE).all() if np.isnan(value) else (code < GREYS).all()
