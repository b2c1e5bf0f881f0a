import numpy as np
import pytest
from scipy import ndimage

from differencing.numerics.noise import (
    MAX_LAG_PX,
    correlation_of,
    covariance,
    noise_power,
    robust_sigma,
    source_mask,
)
from tests.differencing.numerics.scenes import gaussian

CENTRE = MAX_LAG_PX


def _white(seed, shape=(256, 256), sigma=1.0):
    return np.random.default_rng(seed).normal(0.0, sigma, shape).astype(np.float32)


def correlation(image, empty):
    return correlation_of(covariance(image, image, empty))


def _everywhere(image):
    return np.ones(image.shape, dtype=bool)


def _kernel_of_white_noise():
    out = np.zeros((2 * MAX_LAG_PX + 1, 2 * MAX_LAG_PX + 1))
    out[CENTRE, CENTRE] = 1.0
    return out


def test_the_robust_sigma_of_a_normal_distribution_is_its_sigma():
    # 65 536 draws: the MAD's own error is 0.5 %.
    assert robust_sigma(_white(1, sigma=7.0)) == pytest.approx(7.0, rel=0.015)


def test_one_value_in_ten_may_be_an_outlier():
    values = _white(2).ravel()
    values[::10] = 1e4
    assert robust_sigma(values) == pytest.approx(1.0, rel=0.2)


def test_missing_values_do_not_count_and_nothing_has_no_sigma():
    assert robust_sigma(np.array([1.0, np.nan, 2.0, 3.0, np.inf])) == pytest.approx(1.4826)
    assert np.isnan(robust_sigma(np.array([])))
    assert np.isnan(robust_sigma(np.array([np.nan])))


@pytest.mark.parametrize("seed", range(5))
def test_white_noise_is_exactly_white(seed):
    image = _white(seed)
    np.testing.assert_array_equal(correlation(image, _everywhere(image)), _kernel_of_white_noise())


def test_the_mean_of_two_neighbours_is_correlated_by_one_half_along_its_axis_only():
    noise = _white(11, (257, 257))
    along_x = 0.5 * (noise[1:, 1:] + noise[1:, :-1])
    measured = correlation(along_x, _everywhere(along_x))
    # One coefficient's error is 1/256; clipping at 4 sigma changes nothing at this level.
    assert measured[CENTRE, CENTRE + 1] == pytest.approx(0.5, abs=0.02)
    assert measured[CENTRE, CENTRE - 1] == measured[CENTRE, CENTRE + 1]
    assert measured[CENTRE + 1, CENTRE] == pytest.approx(0.0, abs=0.02)
    assert measured[CENTRE, CENTRE + 2] == pytest.approx(0.0, abs=0.02)


def test_the_diagonals_are_told_apart():
    noise = _white(12, (257, 257))
    falling = 0.5 * (noise[1:, 1:] + noise[:-1, :-1])  # (y, x) and (y - 1, x - 1)
    measured = correlation(falling, _everywhere(falling))
    assert measured[CENTRE + 1, CENTRE + 1] == pytest.approx(0.5, abs=0.02)
    assert measured[CENTRE - 1, CENTRE - 1] == pytest.approx(0.5, abs=0.02)
    assert measured[CENTRE + 1, CENTRE - 1] == pytest.approx(0.0, abs=0.02)


def test_smoothed_noise_has_the_autocorrelation_of_its_kernel():
    kernel = np.outer([0.25, 0.5, 0.25], [0.2, 0.6, 0.2])
    image = ndimage.convolve(_white(13, (400, 400)), kernel)
    truth = ndimage.correlate(np.pad(kernel, 2), kernel, mode="constant")
    truth /= truth.max()
    measured = correlation(image, _everywhere(image))
    np.testing.assert_allclose(measured[CENTRE - 2 : CENTRE + 3, CENTRE - 2 : CENTRE + 3], truth[1:-1, 1:-1], atol=0.02)


def test_the_correlation_is_symmetric_about_its_centre():
    image = ndimage.gaussian_filter(_white(14), (0.6, 1.0))
    measured = correlation(image, _everywhere(image))
    np.testing.assert_array_equal(measured, measured[::-1, ::-1])


def test_a_slow_undulation_of_the_sky_is_not_taken_for_noise():
    y, x = np.indices((256, 256))
    image = _white(15) + (0.5 * np.sin(x / 20) * np.cos(y / 25)).astype(np.float32)
    np.testing.assert_array_equal(correlation(image, _everywhere(image)), _kernel_of_white_noise())


def test_only_empty_pixels_speak():
    image = _white(16)
    image[:, :128] = ndimage.gaussian_filter(image[:, :128], 2.0) * 50
    empty = np.zeros(image.shape, dtype=bool)
    empty[:, 128:] = True
    np.testing.assert_array_equal(correlation(image, empty), _kernel_of_white_noise())


@pytest.mark.parametrize("share", [0.0, 0.01])
def test_too_few_pixels_count_as_white(share):
    image = ndimage.gaussian_filter(_white(17), 1.0)
    empty = np.random.default_rng(17).random(image.shape) < share
    np.testing.assert_array_equal(correlation(image, empty), _kernel_of_white_noise())


def test_an_image_without_noise_counts_as_white():
    image = np.zeros((64, 64), dtype=np.float32)
    np.testing.assert_array_equal(correlation(image, _everywhere(image)), _kernel_of_white_noise())


def test_white_noise_has_the_power_one_at_every_frequency():
    np.testing.assert_allclose(noise_power(_kernel_of_white_noise(), (32, 45)), 1.0, atol=1e-6)


def test_the_power_is_the_cosine_series_of_the_coefficients():
    coefficients = _kernel_of_white_noise()
    coefficients[CENTRE, CENTRE - 1] = coefficients[CENTRE, CENTRE + 1] = 0.4
    power = noise_power(coefficients, (30, 40))
    truth = np.maximum(1.0 + 0.8 * np.cos(2 * np.pi * np.arange(21) / 40), 0.1)
    np.testing.assert_allclose(power, np.tile(truth, (30, 1)), atol=1e-5)


def test_no_power_falls_below_the_floor():
    coefficients = _kernel_of_white_noise()
    coefficients[CENTRE, CENTRE - 1] = coefficients[CENTRE, CENTRE + 1] = 0.7
    assert noise_power(coefficients, (30, 40), floor=0.07).min() == pytest.approx(0.07)


def test_the_measured_power_is_the_spectrum_of_the_noise():
    kernel = np.outer([0.2, 0.6, 0.2], [0.1, 0.8, 0.1])
    image = ndimage.convolve(_white(18, (512, 512)), kernel, mode="wrap")
    spectrum = np.abs(np.fft.rfft2(image)) ** 2 / image.var() / image.size
    power = noise_power(correlation(image, _everywhere(image)), image.shape, floor=0.0)
    for row, column in [(0, 0), (0, 128), (0, 192), (128, 0), (128, 128)]:
        cell = (slice(row, row + 60), slice(column, column + 60))
        # 3 600 modes of a chi² with two degrees of freedom: 1.7 %; the coefficients add as much.
        assert power[cell].mean() == pytest.approx(spectrum[cell].mean(), rel=0.06, abs=0.02)


def test_sources_of_both_signs_are_marked_to_their_rims():
    image = _white(19) + gaussian((256, 256), 60, 70, 1.5, flux=2000) - gaussian((256, 256), 180, 90, 1.5, flux=2000)
    found = source_mask(image.astype(np.float32), np.zeros(image.shape, dtype=bool))
    v, u = np.indices(image.shape)
    for x, y in [(60, 70), (180, 90)]:
        assert found[(u - x) ** 2 + (v - y) ** 2 < 5**2].all()
        assert not found[(u - x) ** 2 + (v - y) ** 2 > 15**2].all()


def test_pure_noise_is_left_empty():
    found = source_mask(_white(20, (512, 512)), np.zeros((512, 512), dtype=bool))
    # Peaks above 4 sigma of so smooth an image: about one per 100 x 100 px and sign at most; a mark covers 25 to 40 px.
    assert found.mean() < 4e-3


def test_bad_pixels_are_never_empty_sky_and_lend_no_light():
    image, mask = _white(21), np.zeros((256, 256), dtype=bool)
    mask[100:110, 50:60] = True
    image[100:110, 50:60] = 1e6
    found = source_mask(image, mask)
    assert found[mask].all()
    assert found[~mask].mean() < 4e-3  # as pure noise


def test_a_frame_that_is_masked_through_holds_no_empty_pixel():
    assert source_mask(_white(22, (32, 32)), np.ones((32, 32), dtype=bool)).all()
