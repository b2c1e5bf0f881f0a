import numpy as np
import pytest

from preprocessing.numerics.cosmic_rays import cosmic_rays
from tests.parameters import PREPROCESSING
from tests.preprocessing.numerics.scenes import moffat_stars, star_field

SIGMA = PREPROCESSING.cosmic_ray_sigma


def _sky(seed=1, size=256, sigma=10.0):
    return np.random.default_rng(seed).normal(0.0, sigma, (size, size)).astype(np.float32)


def _none(image):
    return np.zeros(image.shape, dtype=bool)


def _level(image, value=10.0):
    return np.full(image.shape, value, dtype=np.float32)


@pytest.mark.parametrize("fwhm", [1.9, 2.5, 4.0, 7.0])
def test_stars_of_any_sharpness_are_no_cosmic_rays(fwhm):
    field = star_field(31, fwhm=fwhm, count=80)
    hits = cosmic_rays(field.image - 400, _level(field.image, 20.0), field.no_mask, fwhm, sigma=SIGMA)
    rows, columns = np.round(field.y).astype(int), np.round(field.x).astype(int)
    eaten = [hits[max(r - 1, 0) : r + 2, max(c - 1, 0) : c + 2].any() for r, c in zip(rows, columns, strict=True)]
    assert np.mean(eaten) <= 0.02


@pytest.mark.parametrize(("fwhm", "least"), [(2.0, 0.85), (3.0, 0.95), (5.0, 0.98)])
def test_cosmic_ray_hits_and_tracks_are_found(fwhm, least):
    image = _sky(2)
    rng = np.random.default_rng(2)
    hit = _none(image)
    for _ in range(60):
        y, x, angle, length = rng.integers(10, 246), rng.integers(10, 246), rng.uniform(0, np.pi), rng.integers(1, 8)
        for step in range(length):
            at = round(y + step * np.sin(angle)) % 256, round(x + step * np.cos(angle)) % 256
            image[at] += 300  # 30 sigma
            hit[at] = True
    found = cosmic_rays(image, _level(image), _none(image), fwhm, sigma=SIGMA)
    assert found[hit].mean() > least
    assert (found & ~hit).sum() < 20


def test_pure_noise_holds_no_cosmic_rays():
    image = _sky(3, size=512)
    assert cosmic_rays(image, _level(image), _none(image), 3.0, sigma=SIGMA).sum() <= 1


def test_the_rim_of_a_masked_area_is_no_cosmic_ray():
    image = moffat_stars((100, 100), (np.array([50.0]), np.array([50.0]), np.array([1e6])), 4.0).astype(np.float32)
    bad = image > 0.5 * image.max()
    assert cosmic_rays(image, _level(image), bad, 4.0, sigma=SIGMA).sum() == 0


def test_what_is_masked_is_no_cosmic_ray_and_what_is_unknown_accuses_nobody():
    image = _sky(5)
    image[40, 40], image[80, 80] = 900.0, 900.0
    bad = _none(image)
    bad[40, 40] = True
    bad[79:82, 79:82] = True
    bad[80, 80] = False
    image[79:82, 81] = np.nan
    found = cosmic_rays(np.where(bad, np.nan, image).astype("f4"), _level(image), bad, 2.0, sigma=SIGMA)
    assert not found[40, 40]
    assert not found[80, 80]  # every pair at one pixel lacks a member, and pairs at two say nothing at this width


def test_hits_at_the_rim_and_in_the_corners_are_found():
    image = _sky(6)
    at = [(0, 0), (0, 100), (255, 255), (100, 0), (130, 255), (1, 1)]
    for place in at:
        image[place] = 400.0
    found = cosmic_rays(image, _level(image), _none(image), 4.0, sigma=SIGMA)
    # Beyond the edge its last pixel is repeated: a hit in the very rim is its own neighbour on one side.
    assert all(found[place] for place in at)
