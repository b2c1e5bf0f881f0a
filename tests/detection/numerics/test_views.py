import numpy as np
import pytest

from detection.numerics.views import NETWORK_FWHM_PX, NETWORK_SIZE_PX, network_input, taps_of


def star_stamps(fwhm_px: float, size: int = 63, amplitude: float = 300.0, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - size // 2
    star = amplitude * np.exp(-4 * np.log(2) * (x**2 + y**2) / fwhm_px**2)
    stamps = rng.normal(0.0, 1.0, (1, 4, size, size)).astype(np.float32)
    stamps[:, :3] += star.astype(np.float32)
    stamps[:, 3] = 0.0
    return stamps


@pytest.mark.parametrize("fwhm_px", [2.0, 3.0, 5.0, 8.0])
def test_a_star_of_any_width_comes_out_three_pixels_wide(fwhm_px):
    images, is_usable = network_input(star_stamps(fwhm_px, amplitude=1e5), fwhm_px)
    assert is_usable.all()
    linear = np.sinh(images[0, 0].astype(float))
    area = np.count_nonzero(linear > 0.5 * linear.max())
    # The diameter from a pixel count is good to 0.3 px here; the triangle of resampling adds up to 0.7 px.
    assert 2.0 * np.sqrt(area / np.pi) == pytest.approx(NETWORK_FWHM_PX, abs=0.8)


def dense(pitch: float, size: int = 63) -> np.ndarray:
    """Return the weights of all raw pixels, (31, size)."""
    first, weights = taps_of(np.array([pitch]), size)
    place = first[0][:, None] + np.arange(weights.shape[2])
    full = np.zeros((NETWORK_SIZE_PX, size))
    for row, (columns, values) in enumerate(zip(place, weights[0], strict=True)):
        inside = (columns >= 0) & (columns < size)
        full[row, columns[inside]] = values[inside]
    return full


@pytest.mark.parametrize("pitch", [0.5, 1.0, 1.6, 4.0])
def test_weights_sum_to_one_where_the_stamp_reaches_and_to_less_beyond(pitch):
    total = dense(pitch).sum(axis=1)
    place = np.abs(np.arange(NETWORK_SIZE_PX) - NETWORK_SIZE_PX // 2) * pitch
    np.testing.assert_allclose(total[place <= 31 - max(pitch, 1.0)], 1.0, atol=1e-6)  # float32
    assert (total[place > 31.5] < 0.5).all()


@pytest.mark.parametrize("pitch", [2.0, 4.0])
def test_shrinking_averages_the_noise_of_all_pixels_between(pitch):
    weights = dense(pitch)[NETWORK_SIZE_PX // 2]
    # The squares of a triangle of half-width w and sum 1, sampled at whole steps, sum to (2 w² + 1) / (3 w³).
    assert (weights**2).sum() == pytest.approx((2 * pitch**2 + 1) / (3 * pitch**3), rel=1e-5)


def test_stamps_of_several_widths_come_out_as_each_would_alone():
    stamps = np.concatenate([star_stamps(2.0), star_stamps(7.0)])
    both, _ = network_input(stamps, [2.0, 7.0])
    for k, fwhm_px in enumerate((2.0, 7.0)):
        np.testing.assert_allclose(both[k], network_input(stamps[k : k + 1], fwhm_px)[0][0], atol=1e-5)


def test_the_wide_view_shows_what_the_near_one_does_not():
    stamps = star_stamps(2.0)
    aside = stamps.copy()
    aside[0, 2, 31, 56] += 500.0  # 25 px from the middle, 12 FWHM: the near view ends at 10 px
    before, after = network_input(stamps, 2.0)[0][0], network_input(aside, 2.0)[0][0]
    assert np.abs(after[2] - before[2]).max() < 0.01
    assert after[6, 15, 27:29].max() > before[6, 15, 27:29].max() + 1.0


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
