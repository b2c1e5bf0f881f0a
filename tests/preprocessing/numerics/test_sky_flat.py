import numpy as np
import pytest
from scipy import ndimage

from preprocessing.numerics.sky_flat import TooFewLights, sky_flat
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
    assert fine.std() < 0.003  # a light's own pixels scatter by 0.018, a plain mean of four by 0.009
    y, x = np.mgrid[:SIZE, :SIZE]
    ring = np.abs(np.hypot(x - 120, y - 250) - 12) < 2
    left = (flat / truth)[ring].mean() - 1
    assert abs(left) < 0.01  # two thirds of the 3 % ring at least


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
