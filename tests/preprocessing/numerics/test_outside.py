import numpy as np
import pytest
from scipy import ndimage

from preprocessing.numerics.outside import outside


def _sky(seed=1, sigma=20.0, level=500.0):
    image = np.round(np.random.default_rng(seed).normal(level, sigma, (300, 320))).astype(np.float32)
    image[150, 170] = 9000.0  # a star
    return image


def _turned(degrees):
    y, x = np.mgrid[-150:150, -160:160]
    a = np.radians(degrees)
    u, v = x * np.cos(a) - y * np.sin(a), x * np.sin(a) + y * np.cos(a)
    return (np.abs(u) > 145) | (np.abs(v) > 140)


@pytest.mark.parametrize("value", [0.0, np.nan, 1234.0, -1.0])
@pytest.mark.parametrize("degrees", [0.0, 12.0, 45.0])
def test_rims_and_wedges_of_one_value_are_outside(value, degrees):
    image, rim = _sky(), _turned(degrees)
    image[rim] = value
    found = outside(image)
    assert found[rim].mean() > 0.999
    # Two pixels beside it are what interpolation mixes.
    assert not found[~ndimage.binary_dilation(rim, iterations=3)].any()


@pytest.mark.parametrize("width", [1, 2, 4])
def test_thin_rims_are_outside(width):
    image = _sky()
    image[:width] = 0
    image[:, -width:] = 0
    found = outside(image)
    assert found[:width].all()
    assert found[:, -width:].all()
    assert found.mean() < 0.05


@pytest.mark.parametrize("sigma", [0.6, 1.0, 20.0])
def test_a_coarse_sky_has_no_rim(sigma):
    assert not outside(_sky(sigma=sigma)).any()


def test_a_saturated_star_at_the_edge_and_a_hole_within_are_not_outside():
    image = _sky()
    image[140:160, :20] = 65535
    image[100:120, 100:120] = 0
    image[200:203, 200:203] = np.nan
    assert not outside(image).any()
