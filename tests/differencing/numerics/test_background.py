import numpy as np
import pytest

from differencing.numerics.background import coarse_level, measure_noise, sky_of_difference
from tests.differencing.numerics.scenes import SIGMA_TO_FWHM, gaussian

SHAPE = (512, 400)
BARE = np.zeros(SHAPE, dtype=bool)


def noise_map(image, bad):
    """Return the mesh's noise on every pixel."""
    mesh = measure_noise(image, bad)
    y, x = np.indices(image.shape, dtype=float)
    return mesh.at(x.ravel(), y.ravel()).reshape(image.shape)


def sky(image, bad, fwhm_px=3.0):
    return sky_of_difference(image, bad, fwhm_px=fwhm_px).rows()


def _noise(seed, sigma=10.0, shape=SHAPE):
    return np.random.default_rng(seed).normal(0.0, sigma, shape).astype(np.float32)


def _plane(shape=SHAPE):
    y, x = np.indices(shape)
    return (0.05 * x - 0.03 * y + 7.0).astype(np.float32)


def test_a_constant_is_its_own_background():
    level = sky(np.full(SHAPE, 42.0, dtype=np.float32), BARE)
    np.testing.assert_allclose(level, 42.0, rtol=1e-6)
    assert level.shape == SHAPE


def test_a_tilted_sky_is_found_below_the_noise():
    level = sky(_plane() + _noise(1), BARE)
    # A cell of 32 px knows its median to 10 * 1.25 / 32 = 0.4; the interpolation adds the rim, which lies beyond.
    left = level - _plane()
    assert abs(left.mean()) < 0.05
    assert left[32:-32, 32:-32].std() < 0.6


def test_turning_the_sign_of_the_difference_turns_that_of_its_background():
    image = _plane() + _noise(2)
    np.testing.assert_allclose(sky(-image, BARE), -sky(image, BARE), atol=1e-4)


def test_a_bright_transient_does_not_lift_its_sky():
    star = gaussian(SHAPE, 200, 250, 1.3, flux=5e4).astype(np.float32)
    lifted = sky(_noise(3) + star, BARE) - sky(_noise(3), BARE)
    # A star of FWHM 3 px holds some 60 of 1024 px: the median moves by 0.08 sigma, to be compared with 0.04 of error.
    assert np.abs(lifted).max() < 1.5


@pytest.mark.parametrize("fwhm_px", [2.5, 4.0, 7.0])
def test_a_coma_of_four_fwhm_keeps_its_light(fwhm_px):
    noise = _noise(4)
    coma = gaussian(SHAPE, 200, 250, 4.0 * fwhm_px / SIGMA_TO_FWHM, flux=1.0)
    coma = (coma * 30.0 / coma.max()).astype(np.float32)  # three sigma a pixel: too faint to be left out as a source
    lifted = sky(noise + coma, BARE, fwhm_px) - sky(noise, BARE, fwhm_px)
    within = coma > 0.05 * coma.max()
    assert lifted[within].sum() < 0.02 * coma.sum()


def test_masked_pixels_have_no_say():
    image, mask = _plane() + _noise(5), BARE.copy()
    mask[100:120, 50:300] = True
    spoilt = image.copy()
    spoilt[mask] = 1e6
    np.testing.assert_array_equal(sky(image, mask), sky(spoilt, mask))


def test_a_region_without_good_pixels_takes_its_neighbours_level():
    image, mask = np.full(SHAPE, 5.0, dtype=np.float32), BARE.copy()
    mask[:200, :150] = True
    image[mask] = np.nan
    np.testing.assert_allclose(sky(image, mask), 5.0, rtol=1e-6)


@pytest.mark.parametrize("estimate", [sky, noise_map, coarse_level])
def test_a_frame_without_good_pixels_is_refused(estimate):
    with pytest.raises(ValueError, match="good pixels"):
        estimate(np.zeros(SHAPE, dtype=np.float32), np.ones(SHAPE, dtype=bool))


@pytest.mark.parametrize("shape", [(20, 20), (1, 500), (33, 40)])
def test_a_frame_smaller_than_a_block_has_a_background_too(shape):
    image, mask = np.full(shape, 3.0, dtype=np.float32), np.zeros(shape, dtype=bool)
    np.testing.assert_allclose(sky(image, mask), 3.0, rtol=1e-6)
    assert noise_map(image, mask).shape == shape


def test_the_noise_is_that_of_the_pixels():
    # 512 x 400 px in blocks of 128: each knows its sigma to 1.2 % (MAD), the mean of all to 0.4 %.
    sigma = noise_map(_noise(6), BARE)
    assert sigma.mean() == pytest.approx(10.0, rel=0.015)
    assert np.abs(sigma / 10.0 - 1).max() < 0.05


def test_a_noisier_half_is_seen_where_it_is():
    image = _noise(7)
    image[256:] *= 3.0
    sigma = noise_map(image, BARE)
    assert sigma[:64].mean() == pytest.approx(10.0, rel=0.03)
    assert sigma[-64:].mean() == pytest.approx(30.0, rel=0.03)
    assert sigma.min() > 0.0


def test_pixels_of_sources_do_not_make_noise():
    image, sources = _noise(8), BARE.copy()
    image[200:230, 100:140] = 1e5
    sources[200:230, 100:140] = True
    assert noise_map(image, sources).max() < 10.6


def test_the_difference_stays_untouched():
    image, mask = _plane() + _noise(9), BARE.copy()
    before = image.copy()
    sky(image, mask)
    noise_map(image, mask)
    np.testing.assert_array_equal(image, before)


def test_a_sky_of_some_rows_is_that_of_the_whole_image():
    level = sky_of_difference(_plane() + _noise(7), BARE, fwhm_px=3.0)
    np.testing.assert_array_equal(level.rows(slice(100, 301)), level.rows()[100:301])
    image = _plane()
    level.take_off(image)
    np.testing.assert_allclose(image, _plane() - level.rows(), atol=1e-5)
