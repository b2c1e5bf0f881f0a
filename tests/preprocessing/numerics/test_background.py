import numpy as np
import pytest
from scipy import ndimage

from preprocessing.numerics.background import NoBackgroundError, estimate_background, follow_background
from tests.preprocessing.numerics.scenes import star_field


def _noise_image(seed: int, level: float = 100.0, sigma: float = 5.0, shape=(512, 512)):
    return np.random.default_rng(seed).normal(level, sigma, shape).astype(np.float32)


def test_level_and_noise_of_pure_noise_are_unbiased():
    image = _noise_image(1)
    sky = estimate_background(image, np.zeros(image.shape, dtype=bool))
    # 512² pixels of sigma 5: the mean is good to 0.01, the rms to 0.2 %; 5 of each.
    assert abs(sky.median_level - 100.0) < 0.05
    assert abs(sky.median_noise / 5.0 - 1) < 0.01


def test_stars_bias_the_sky_by_less_than_a_tenth_of_its_noise():
    field = star_field(2)
    sky = estimate_background(field.image, field.no_mask)
    assert abs(sky.median_level - 400.0) < 0.1 * field.noise
    assert abs(sky.median_noise / field.noise - 1) < 0.03


def test_a_gradient_is_sky_and_not_noise():
    ramp = np.linspace(0, 400, 512, dtype=np.float32)[None, :]
    image = _noise_image(3) + ramp
    sky = estimate_background(image, np.zeros(image.shape, dtype=bool))
    assert np.abs(sky.level - 100 - ramp).max() < 2.5  # half a sigma, also in the corners
    assert abs(sky.median_noise / 5.0 - 1) < 0.02


def test_quantised_data_keep_their_mean():
    image = np.round(_noise_image(4, level=350.37, sigma=1.1))
    sky = estimate_background(image, np.zeros(image.shape, dtype=bool))
    assert abs(sky.median_level - 350.37) < 0.1  # a plain median would be off by 0.37
    # Rounding adds 1/12 to the variance.
    assert abs(sky.median_noise / np.sqrt(1.1**2 + 1 / 12) - 1) < 0.03


def test_nan_and_masked_pixels_take_no_part_and_the_result_is_finite():
    image = _noise_image(5)
    mask = np.zeros(image.shape, dtype=bool)
    mask[:200] = True
    image[:100] = 1e6
    image[100:200] = np.nan
    before = image.copy()
    sky = estimate_background(image, mask)
    assert np.isfinite(sky.level).all()
    assert np.isfinite(sky.noise).all()
    assert abs(sky.median_level - 100) < 0.1
    np.testing.assert_array_equal(image, before)


def test_a_steep_dark_corner_does_not_ring_into_the_frame():
    image = _noise_image(6, level=1000.0, sigma=20.0)
    image[:60, :60] -= 990.0
    sky = estimate_background(image, np.zeros(image.shape, dtype=bool))
    # A spline through the cells went hundreds of counts below zero here.
    assert np.abs(sky.level[200:, 200:] - 1000).max() < 10


def test_an_image_without_good_pixels_is_refused():
    with pytest.raises(NoBackgroundError, match="0 of 10000"):
        estimate_background(np.full((100, 100), np.nan, dtype=np.float32), np.zeros((100, 100), dtype=bool))


def test_big_endian_data_are_taken():
    image = _noise_image(7, shape=(128, 128)).astype(">f4")
    assert estimate_background(image, np.zeros((128, 128), dtype=bool)).level.dtype == np.float32


def _galaxy(seed=21, size=320):
    y, x = np.mgrid[:size, :size]
    light = 3400.0 * np.exp(-((np.hypot(x - size / 2, 1.6 * (y - size / 2)) / 50.0) ** 0.8)) + 500.0
    return light, np.random.default_rng(seed).normal(light, np.sqrt(light)).astype(np.float32)


def test_a_galaxy_that_fills_the_frame_is_followed():
    light, image = _galaxy()
    y, x = np.mgrid[: len(image), : len(image)]
    away = np.hypot(x - 160, y - 160) > 50
    none = np.zeros(image.shape, dtype=bool)
    usual, followed = estimate_background(image, none), follow_background(image, none)
    assert followed.finer_px == 16
    # In sigma of a pixel: cells of 64 px leave it by more than one where the galaxy is no core any more.
    assert np.percentile(np.abs(followed.level - light)[away] / np.sqrt(light[away]), 90) < 0.5
    assert np.percentile(np.abs(usual.level - light)[away] / np.sqrt(light[away]), 90) > 1.0
    assert np.median(followed.noise[away] / np.sqrt(light[away])) == pytest.approx(1.0, abs=0.05)


def test_a_nebula_is_followed_though_only_the_finest_mesh_does():
    rng = np.random.default_rng(24)
    knots = ndimage.gaussian_filter(rng.normal(size=(320, 320)), 16)
    light = 500.0 + 120.0 * np.exp(knots / knots.std())
    image = (light + rng.normal(0, np.sqrt(light))).astype(np.float32)
    followed = follow_background(image, np.zeros(image.shape, dtype=bool))
    assert followed.finer_px == 16
    assert np.median(followed.noise / np.sqrt(light)) == pytest.approx(1.0, abs=0.1)


def test_stars_and_gradients_keep_the_usual_mesh():
    field = star_field(22)
    ramp = np.linspace(0, 2000, field.image.shape[1], dtype=np.float32)
    assert follow_background(field.image + ramp, field.no_mask).finer_px is None


def test_noise_that_neighbours_share_is_no_reason_for_a_finer_mesh():
    image = ndimage.gaussian_filter(_noise_image(23), 1.2)
    assert follow_background(image, np.zeros(image.shape, dtype=bool)).finer_px is None
