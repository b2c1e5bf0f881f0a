import numpy as np
import pytest

from preprocessing.numerics.hot_pixels import hot_pixels, lone_pixels
from tests.preprocessing.numerics.scenes import moffat_stars

SHAPE = (300, 320)
HOT = [(40, 50), (41, 50), (120, 200), (200, 30), (250, 280)]


def _lights(count, step=9.0, height=5.0, seed=3, fwhm=2.2):
    """Lights over their noise: a field of stars that moves over the detector, and pixels that stand still."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-60, SHAPE[1] + 60, 300), rng.uniform(-60, SHAPE[0] + 60, 300)
    flux = 40.0 * rng.uniform(0.005, 1, 300) ** -1
    lights = []
    for k in range(count):
        light = moffat_stars(SHAPE, (x + step * k, y - 0.7 * step * k, flux), fwhm) + rng.normal(size=SHAPE)
        for row, column in HOT:
            light[row, column] += height
        lights.append(light.astype(np.float32))
    return lights


def _where(mask):
    return set(map(tuple, np.argwhere(mask)))


@pytest.mark.parametrize("count", [3, 4, 8])
def test_pixels_that_stand_out_in_all_dithered_lights_are_hot(count):
    found = _where(hot_pixels(_lights(count, height=7.0)))
    assert found >= set(HOT)
    # Stars that fall upon one pixel three times.
    assert len(found) <= len(HOT) + 3


def test_more_lights_find_weaker_pixels():
    few, many = (_where(hot_pixels(_lights(count, height=3.5))) for count in (3, 12))
    assert len(few & set(HOT)) < len(HOT)
    assert many >= set(HOT)


@pytest.mark.parametrize("step", [0.0, 0.05])
def test_stars_that_stand_still_too_are_not_hot(step):
    assert not hot_pixels(_lights(6, step=step)).any()


def test_two_pointings_of_many_lights_each_are_too_few():
    here, there = _lights(2)
    assert not hot_pixels([here, here, here, there, there]).any()


def test_a_hit_in_all_lights_but_one_is_not_hot():
    lights = _lights(4, height=0.0)
    for light in lights[:3]:
        light[150, 150] += 300.0
    assert (150, 150) not in _where(hot_pixels(lights))


@pytest.mark.parametrize("fwhm", [1.0, 1.4, 2.2])
@pytest.mark.parametrize("count", [3, 4])
def test_two_stars_on_one_pixel_and_noise_are_not_hot(fwhm, count):
    lights = _lights(count, height=0.0)
    for light, flux in zip(lights[:2], (60.0, 250.0), strict=True):
        light += moffat_stars(SHAPE, ([150.1], [149.8], [flux * fwhm**2]), fwhm)
    for light in lights[2:]:
        light[145:156, 145:156] = 0.0
        light[150, 150] = 3.0
    assert (150, 150) not in _where(hot_pixels(lights))


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_among_many_sharp_stars_nothing_is_hot(seed):
    rng = np.random.default_rng(seed)
    lights = []
    for _ in range(3):
        x, y, u = rng.uniform(0, 300, (3, 2700))
        flux = 12.0 * (u + 0.01) ** -1
        lights.append((moffat_stars(SHAPE, (x, y, flux), 1.2) + rng.normal(size=SHAPE)).astype(np.float32))
    assert np.count_nonzero(hot_pixels(lights)) <= 1


def test_a_hot_pixel_under_a_star_in_one_light_is_still_hot():
    lights = _lights(3, height=12.0)
    lights[1] += moffat_stars(SHAPE, ([201.0], [121.0], [4000.0]), 2.2)
    assert (120, 200) in _where(hot_pixels(lights))


def test_pixels_that_are_bad_in_some_lights_are_judged_by_the_others():
    lights = _lights(6, height=8.0)
    for light in lights[:2]:
        light[120, 200] = np.nan
    for light in lights[:4]:
        light[200, 30] = np.nan
    found = _where(hot_pixels(lights))
    assert (120, 200) in found
    assert (200, 30) not in found


@pytest.mark.parametrize("share", [0.002, 0.005])
def test_hot_pixels_that_outnumber_the_stars_do_not_make_dithers_one_pointing(share):
    lights = _lights(3, height=0.0)
    rng = np.random.default_rng(5)
    hot = rng.uniform(size=SHAPE) < share
    for light in lights:
        light[hot] += rng.uniform(40, 900, hot.sum()).astype(np.float32)
    found = hot_pixels(lights)
    assert found[hot].mean() > 0.97
    assert found[~hot].mean() < 1e-3


@pytest.mark.parametrize("fwhm", [1.0, 1.3, 2.0, 3.0, 6.0])
def test_pixels_without_light_beside_them_are_told_from_stars_of_any_width(fwhm):
    rng = np.random.default_rng(6)
    x, y = rng.uniform(8, 292, (2, 120))
    stars = moffat_stars((300, 300), (x, y, fwhm**2 * rng.uniform(200, 5e4, 120)), fwhm, beta=4.0)
    hot = np.zeros((300, 300), dtype=bool)
    hot[rng.integers(0, 300, 300), rng.integers(0, 300, 300)] = True
    image = stars + rng.normal(size=hot.shape)
    none = np.zeros(hot.shape, dtype=bool)
    noise = np.ones(hot.shape, dtype=np.float32)
    assert not lone_pixels(image.astype(np.float32), noise, none).any()
    image[hot] += rng.uniform(100, 3000, hot.sum())
    found = lone_pixels(image.astype(np.float32), noise, none)
    clear = hot & (stars < 1)
    assert found[clear].mean() > 0.9
    assert not found[~hot].any()
