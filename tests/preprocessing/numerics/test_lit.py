import numpy as np
import pytest

from preprocessing.numerics import masks
from preprocessing.numerics.background import estimate_background
from preprocessing.numerics.lit import full_light
from tests.parameters import PREPROCESSING

SIZE = 512
V, U = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]


def _dark(light, seed=1):
    image = np.random.default_rng(seed).normal(light, np.sqrt(light)).astype(np.float32)
    bad = np.zeros(image.shape, dtype=bool)
    sky = estimate_background(image, bad)
    return masks.unilluminated(image, bad, sky, falloff=PREPROCESSING.vignette_falloff)


@pytest.mark.parametrize("factor", [2.0, 3.0, 5.0])
@pytest.mark.parametrize("angle", [0.0, 40.0])
def test_the_darker_end_of_a_gradient_is_no_shadow(factor, angle):
    a = np.radians(angle)
    along = 0.5 + 0.5 * (U * np.cos(a) + V * np.sin(a)) / (abs(np.cos(a)) + abs(np.sin(a)))
    assert not _dark(500.0 * (1 + (factor - 1) * along)).any()


@pytest.mark.parametrize("scale", [0.15, 0.3, 0.6])
@pytest.mark.parametrize("peak", [2.0, 10.0, 40.0])
def test_the_sky_beside_a_galaxy_is_no_shadow(scale, peak):
    assert not _dark(500.0 * (1 + peak * np.exp(-((np.hypot(U, 1.6 * V) / scale) ** 0.8)))).any()


@pytest.mark.parametrize("tilt", [0.0, 0.3])
def test_vignetted_corners_are_shadows_also_under_a_gradient(tilt):
    is_lit = np.hypot(U, V) < 1.1
    dark = _dark(1000.0 * (1 + tilt * U) * np.where(is_lit, 1.0, 0.2))
    assert dark[~is_lit].mean() > 0.95
    assert dark[is_lit].mean() < 0.05


def test_a_frame_without_light_has_none():
    assert full_light(np.full((6, 6), np.nan)) is None
    assert full_light(np.full((6, 6), -3.0)) is None
