import numpy as np
import pytest

from preprocessing.numerics.trails import find_trails
from tests.preprocessing.numerics.scenes import satellite_trail, star_field


@pytest.fixture(scope="module")
def field():
    return star_field(41, size=600, count=100)


@pytest.mark.parametrize("angle_deg", [5, 45, 100])
def test_a_faint_trail_is_masked_along_its_whole_length_and_nothing_else(field, angle_deg):
    y, x = np.mgrid[:600, :600]
    a = np.radians(angle_deg)
    distance = (x - 300) * np.sin(a) - (y - 280) * np.cos(a)
    trail = 16 * np.exp(-0.5 * (distance / 2) ** 2)  # 0.8 sigma at its crest
    found = find_trails((field.image - 400 + trail).astype(np.float32), np.full((600, 600), 20, "f4"), field.no_mask, 3)
    assert found[np.abs(distance) < 1].mean() > 0.98
    assert found[np.abs(distance) > 12].sum() < 100


@pytest.mark.parametrize(("crest_sigma", "fwhm"), [(1.8, 2.9), (2.5, 2.9), (12, 2.9), (200, 5.0)])
@pytest.mark.parametrize("angle_deg", [0, 0.5, 1, 2, 6, 20, 88, 89.5, 90])
def test_a_trail_of_any_brightness_is_masked_over_its_whole_width(field, angle_deg, crest_sigma, fwhm):
    trail = satellite_trail((600, 600), angle_deg, crest=20 * crest_sigma, fwhm=fwhm, through=(252.5, 240.5))
    found = find_trails(field.image - 400 + trail, np.full((600, 600), 20, "f4"), field.no_mask, 3)
    assert found[trail > 20].all()  # one sigma of the sky
    assert found.mean() < 32 / 600  # px of width: twice what the brightest one needs, whose middle is hard to tell


def test_stars_alone_make_no_trail():
    for seed in (42, 43, 44):
        field = star_field(seed, size=400, count=120)
        assert not find_trails(field.image - 400, np.full((400, 400), 20, "f4"), field.no_mask, 3.0).any()


def test_a_broad_ramp_or_cloud_edge_is_no_trail():
    image = np.random.default_rng(45).normal(0, 10, (400, 400)).astype(np.float32)
    image[:, 160:280] += 8
    assert not find_trails(image, np.full((400, 400), 10, "f4"), np.zeros((400, 400), bool), 3.0).any()
