import numpy as np
import pytest
from scipy import ndimage

from preprocessing.numerics.sky_flat import TooFewLights, lopsidedness, response_of, sky_flat
from tests.preprocessing.numerics.scenes import moffat_stars

SIZE = 384


def _response():
    y, x = np.mgrid[:SIZE, :SIZE]
    vignette = 1 - 0.25 * ((x - SIZE / 2) ** 2 + (y - SIZE / 2) ** 2) / SIZE**2
    ring = np.hypot(x - 120, y - 250)
    return (vignette * (1 - 0.03 * np.exp(-0.5 * ((ring - 12) / 3) ** 2))).astype(np.float32)


def _lights(count, step, seed=1):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-30, SIZE + 30, (2, 70))
    flux = 5e3 * rng.uniform(0.01, 1, 70) ** -1
    lights = []
    for k in range(count):
        clean = (moffat_stars((SIZE, SIZE), (x + step * k, y - 0.7 * step * k, flux), 3.0) + 3000) * _response()
        lights.append(rng.normal(clean, np.sqrt(clean)).astype(np.float32))
    return lights


def _masks(lights):
    return [np.zeros(light.shape, dtype=bool) for light in lights]


def test_a_dust_ring_and_the_vignette_are_found_without_adding_noise():
    lights = _lights(4, 9.0)
    flat = sky_flat(lights, _masks(lights)).data
    truth = _response() / _response().mean()
    error = (flat / truth - 1)[8:-8, 8:-8]
    assert error.std() < 0.007  # the crest of so steep a vignette is rounded off by the mesh, by 1 %
    fine = error - ndimage.gaussian_filter(error, 12)
    assert fine.std() < 0.0015  # a light's own pixels scatter by 0.018, a plain mean of four by 0.009
    y, x = np.mgrid[:SIZE, :SIZE]
    ring = np.abs(np.hypot(x - 120, y - 250) - 12) < 2
    left = (flat / truth)[ring].mean() - 1
    # Three fifths of the 3 % ring at least: stars hide three quarters of each light, so that the mean of four scatters
    # by 0.014 around it.
    assert abs(left) < 0.012


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_noise_of_lights_with_little_sky_is_no_response(seed):
    rng = np.random.default_rng(seed)
    lights = [rng.normal(480, 19, (SIZE, SIZE)).astype(np.float32) for _ in range(3)]
    master = sky_flat(lights, _masks(lights))
    # A sky of twenty times the light has pixels of 0.009: 2 % in a dozen of them are a source.
    assert np.abs(master.data - 1).max() < 0.01
    assert np.mean(np.abs(master.data - 1) > 0.005) < 1e-4


def test_what_a_sky_flat_takes_out_has_an_error_and_the_rest_next_to_none():
    lights = _lights(4, 9.0)
    master = sky_flat(lights, _masks(lights))
    y, x = np.mgrid[:SIZE, :SIZE]
    ring = np.abs(np.hypot(x - 120, y - 250) - 12) < 2
    assert np.median(master.error[ring]) > 0.0015
    assert np.median(master.error) < 0.0005


def test_stars_do_not_print_through():
    lights = _lights(4, 9.0)
    flat = sky_flat(lights, _masks(lights)).data
    truth = _response() / _response().mean()
    error = flat / truth - 1
    # Unmasked stars leave bumps of 0.028; what is left here, 0.016, is the other side of the dust ring.
    assert (error - ndimage.gaussian_filter(error, 12))[8:-8, 8:-8].max() < 0.02


def test_a_light_with_another_sky_is_left_out():
    lights = _lights(4, 9.0)
    spoilt = lights[2] + np.linspace(0, 8000, SIZE, dtype=np.float32)[:, None]
    master = sky_flat([*lights, spoilt], _masks([*lights, spoilt]))
    assert master.diagnostics["lights_left_out"] == 1
    assert master.frame_count == 4
    assert master.data.mean() == pytest.approx(1.0, abs=1e-4)


def test_two_lights_are_too_few():
    lights = _lights(2, 9.0)
    with pytest.raises(TooFewLights, match="2 of 2"):
        sky_flat(lights, _masks(lights))


def test_a_pixel_that_is_hot_in_every_light_has_no_response():
    lights = _lights(4, 9.0)
    clean = sky_flat(lights, _masks(lights))
    for light in lights:
        light[100, 222] += 600.0  # eleven times the noise of the sky
    master = sky_flat(lights, _masks(lights))
    assert np.isnan(master.data[100, 222])
    assert np.count_nonzero(np.isnan(master.data)) == np.count_nonzero(np.isnan(clean.data)) + 1
    assert master.diagnostics["hot_pixels"] == clean.diagnostics["hot_pixels"] + 1 <= 2


def _shape(light):
    return (light / np.median(light)).astype(np.float32)


V, U = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]


@pytest.mark.parametrize("slope", [0.1, 0.375, 0.6])
def test_a_gradient_that_was_added_is_no_response(slope):
    shape = _shape(1 + slope * U)
    assert np.abs(response_of(shape) - 1).max() < 0.01
    assert lopsidedness(shape) == pytest.approx(0.95 * slope, rel=0.05)


def test_under_a_gradient_the_vignette_is_still_found():
    vignette = 1 - 0.15 * (U**2 + V**2)
    found = response_of(_shape(vignette + 0.3 * U))
    assert np.abs(found / found.mean() - vignette / vignette.mean()).max() < 0.01


@pytest.mark.parametrize("scale", [0.1, 0.3])
def test_a_galaxy_in_the_middle_is_no_response(scale):
    galaxy = 1 + 3 * np.exp(-((np.hypot(U, 1.6 * V) / scale) ** 0.8))
    assert (response_of(_shape(galaxy)) == 1).all()


def test_a_lamp_at_the_rim_is_no_response():
    assert (response_of(_shape(1 + 0.2 * (U**2 + V**2))) == 1).all()


def test_a_slope_that_moves_no_flux_by_more_than_is_trusted_stays_response():
    shape = _shape(1 + 0.04 * U)
    np.testing.assert_allclose(response_of(shape), shape, rtol=1e-5)


def test_lights_under_a_gradient_make_a_flat_without_it():
    lights = [light + np.linspace(0, 3600, SIZE, dtype=np.float32) for light in _lights(4, 9.0)]
    flat = sky_flat(lights, _masks(lights)).data
    columns = np.median(flat, axis=0)
    assert columns[-20] / columns[20] == pytest.approx(1.0, abs=0.02)
