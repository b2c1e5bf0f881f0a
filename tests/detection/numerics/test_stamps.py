import numpy as np
import pytest

from detection.numerics.stamp_width import width_of
from detection.numerics.stamps import (
    NETWORK_FWHM_PX,
    NETWORK_SIZE_PX,
    cut_stamps,
    network_input,
    resampling_weights,
)

SHAPE = (80, 100)


def frames(seed: int = 5) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    images = rng.normal(100.0, 3.0, (3, *SHAPE)).astype(np.float32)
    mask = np.zeros(SHAPE, dtype=bool)
    mask[40, 50] = True
    return images[0], images[1], images[2], mask


def star_stamps(fwhm_px: float, size: int = 63, amplitude: float = 300.0, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - size // 2
    star = amplitude * np.exp(-4 * np.log(2) * (x**2 + y**2) / fwhm_px**2)
    stamps = rng.normal(0.0, 1.0, (1, 4, size, size)).astype(np.float32)
    stamps[:, :3] += star.astype(np.float32)
    stamps[:, 3] = 0.0
    return stamps


def test_the_central_pixel_is_the_one_that_holds_the_position():
    science, reference, difference, mask = frames()
    stamps = cut_stamps(science, reference, difference, mask, ([49.6], [39.6]), size=5)
    assert stamps.dtype == np.float32
    assert stamps[0, 0, 2, 2] == science[40, 50]
    assert stamps[0, 1, 0, 4] == reference[38, 52]
    assert stamps[0, 2, 2, 0] == difference[40, 48]
    assert stamps[0, 3].sum() == 1.0
    assert stamps[0, 3, 2, 2] == 1.0


def test_beyond_the_edge_images_are_nan_and_the_mask_is_bad():
    stamps = cut_stamps(*frames(), ([1.0, 98.0, -50.0], [2.0, 79.0, 10.0]), size=7)
    assert np.isnan(stamps[0, :3, :1]).all()
    assert np.isnan(stamps[0, :3, :, :2]).all()
    assert np.isfinite(stamps[0, :3, 1:, 2:]).all()
    assert np.isnan(stamps[1, :3, 4:]).all()
    assert np.isnan(stamps[1, :3, :, 5:]).all()
    assert np.isnan(stamps[2, :3]).all()
    np.testing.assert_array_equal(stamps[:, 3] == 1.0, np.isnan(stamps[:, 0]))


def test_no_position_gives_no_stamp():
    assert cut_stamps(*frames(), ([], []), size=7).shape == (0, 4, 7, 7)


def test_positions_that_are_no_numbers_even_sizes_and_different_grids_are_refused():
    science, reference, difference, mask = frames()
    with pytest.raises(ValueError, match="finite"):
        cut_stamps(science, reference, difference, mask, ([np.nan], [3.0]))
    with pytest.raises(ValueError, match="odd"):
        cut_stamps(science, reference, difference, mask, ([3.0], [3.0]), size=62)
    with pytest.raises(ValueError, match="grid"):
        cut_stamps(science, reference[1:], difference, mask, ([3.0], [3.0]))


def test_the_frames_are_left_as_they_were():
    images = frames()
    before = [image.copy() for image in images]
    stamps = cut_stamps(*images, ([5.0], [5.0]))
    kept = stamps.copy()
    network_input(stamps, 3.0)
    for image, copy in zip(images, before, strict=True):
        np.testing.assert_array_equal(image, copy)
    np.testing.assert_array_equal(stamps, kept)


@pytest.mark.parametrize("fwhm_px", [2.0, 3.0, 5.0, 8.0])
def test_a_star_of_any_width_comes_out_three_pixels_wide(fwhm_px):
    images, is_usable = network_input(star_stamps(fwhm_px, amplitude=1e5), fwhm_px)
    assert is_usable.all()
    linear = np.sinh(images[0, 0].astype(float))
    area = np.count_nonzero(linear > 0.5 * linear.max())
    # The diameter from a pixel count is good to 0.3 px here; the triangle of resampling adds up to 0.7 px.
    assert 2.0 * np.sqrt(area / np.pi) == pytest.approx(NETWORK_FWHM_PX, abs=0.8)


@pytest.mark.parametrize("fwhm_px", [1.5, 3.0, 4.7, 12.0])
def test_weights_sum_to_one_where_the_stamp_reaches_and_to_less_beyond(fwhm_px):
    total = resampling_weights(np.array([fwhm_px]), 63)[0].sum(axis=1)
    place = np.abs(np.arange(NETWORK_SIZE_PX) - NETWORK_SIZE_PX // 2) * fwhm_px / NETWORK_FWHM_PX
    reach = max(fwhm_px / NETWORK_FWHM_PX, 1.0)
    np.testing.assert_allclose(total[place <= 31 - reach], 1.0, atol=1e-6)  # float32
    assert (total[place > 31.5] < 0.5).all()


@pytest.mark.parametrize("pitch", [2.0, 4.0])
def test_shrinking_averages_the_noise_of_all_pixels_between(pitch):
    weights = resampling_weights(np.array([pitch * NETWORK_FWHM_PX]), 63)[0, NETWORK_SIZE_PX // 2]
    # The squares of a triangle of half-width w and sum 1, sampled at whole steps, sum to (2 w² + 1) / (3 w³).
    assert (weights**2).sum() == pytest.approx((2 * pitch**2 + 1) / (3 * pitch**3), rel=1e-5)


def test_counts_and_sky_level_do_not_matter():
    stamps = star_stamps(3.0)
    brighter = stamps.copy()
    brighter[:, :3] = 7.0 * brighter[:, :3] + 500.0
    # float32 keeps 500 + noise to 3e-5 of the noise, and MAD divides by it.
    np.testing.assert_allclose(network_input(brighter, 3.0)[0], network_input(stamps, 3.0)[0], atol=2e-3)


def test_empty_sky_has_unit_noise():
    rng = np.random.default_rng(8)
    stamps = rng.normal(0.0, 4.0, (40, 4, 63, 63)).astype(np.float32)
    stamps[:, 3] = 0.0
    images, _ = network_input(stamps, 3.0)
    linear = np.sinh(images[:, :3].astype(float))
    # 1.4826 MAD of 961 pixels scatters by 4 %; the mean of 120 of them by 0.4 %.
    assert linear.std() == pytest.approx(1.0, abs=0.02)


def test_nan_becomes_sky_with_the_mask_telling_and_only_there():
    stamps = star_stamps(3.0)
    holed = stamps.copy()
    holed[0, 1, :, :20] = np.nan
    images, is_usable = network_input(holed, 3.0)
    assert is_usable.all()
    assert np.isfinite(images).all()
    assert (images[0, 1, :, :4] == 0.0).all()
    assert (images[0, 3, :, :4] == 1.0).all()
    assert (images[0, 3, :, 8:] == 0.0).all()


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_a_stamp_whose_core_is_unknown_in_one_image_is_not_usable(channel):
    stamps = np.concatenate([star_stamps(3.0), star_stamps(3.0)])
    stamps[1, channel, 28:35, 28:35] = np.nan
    assert network_input(stamps, 3.0)[1].tolist() == [True, False]


def test_a_constant_image_is_not_usable():
    stamps = np.concatenate([star_stamps(3.0), star_stamps(3.0)])
    stamps[1, 2] = 17.0
    images, is_usable = network_input(stamps, 3.0)
    assert is_usable.tolist() == [True, False]
    assert np.isfinite(images).all()


def test_an_all_nan_stamp_is_not_usable_and_warns_of_nothing():
    stamps = star_stamps(3.0)
    stamps[:, :3] = np.nan
    images, is_usable = network_input(stamps, 3.0)
    assert not is_usable.any()
    assert np.isfinite(images).all()


@pytest.mark.parametrize("fwhm_px", [0.0, -2.0, np.nan, np.inf])
def test_a_fwhm_that_is_no_width_is_refused(fwhm_px):
    with pytest.raises(ValueError, match="FWHM"):
        network_input(star_stamps(3.0), fwhm_px)


def test_stamps_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="stamps are"):
        network_input(star_stamps(3.0)[:, :3], 3.0)


def test_what_surveys_fill_with_is_unknown_as_nan_is():
    filled, unknown = star_stamps(3.0), star_stamps(3.0)
    filled[0, 1, :, :20] = np.finfo(np.float32).min
    unknown[0, 1, :, :20] = np.nan
    for one, other in zip(network_input(filled, 3.0), network_input(unknown, 3.0), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("fwhm_px", [2.0, 3.0, 5.0])
def test_the_width_of_a_star_is_found_in_stamps_to_a_fifth(fwhm_px):
    rng = np.random.default_rng(5)
    stamps = rng.normal(100.0, 3.0, (30, 3, 63, 63)).astype(np.float32)
    y, x = np.mgrid[:63, :63]
    for stamp in stamps:
        at_x, at_y = rng.uniform(20, 42, 2)
        stamp[0] += 2000.0 * np.exp(-4.0 * np.log(2.0) * ((x - at_x) ** 2 + (y - at_y) ** 2) / fwhm_px**2)
    # A hot pixel and a galaxy among them, and one that knows nothing.
    stamps[0, 0, 5, 5] = 1e5
    stamps[1, 0] += 5000.0 * np.exp(-((x - 31) ** 2 + (y - 31) ** 2) / 300.0)
    stamps[2, 0] = np.nan
    assert width_of(stamps) == pytest.approx(fwhm_px, rel=0.2)
    with pytest.raises(ValueError, match="bright enough"):
        width_of(rng.normal(100.0, 3.0, (5, 3, 63, 63)).astype(np.float32))
