import numpy as np
import pytest
from scipy.spatial import cKDTree

from preprocessing.numerics.stars import find_stars
from tests.preprocessing.numerics.scenes import moffat_stars, star_field


def _found(field, mask=None, **options):
    mask = field.no_mask if mask is None else mask
    return find_stars(field.image, mask, background=400.0, noise=field.noise, **options)


@pytest.mark.parametrize("fwhm", [1.8, 2.5, 4.0, 8.0])
def test_centroids_of_clean_stars_are_good_to_a_twentieth_of_a_pixel(fwhm):
    field = star_field(11, fwhm=fwhm)
    stars = _found(field)
    distance, _ = cKDTree(np.column_stack([field.x, field.y])).query(stars.xy)
    clean = stars.is_clean & (distance < 1)
    assert clean.sum() >= 15
    # Photon noise of the faintest used allows 0.03 px an axis; the median leaves out blends of two stars.
    assert np.median(distance[clean]) < 0.05


@pytest.mark.parametrize(("fwhm", "expected"), [(1.8, 2.15), (2.5, 2.8), (4.0, 4.3), (8.0, 8.4)])
def test_seeing_is_the_width_of_the_stars_with_their_pixels(fwhm, expected):
    # A Gaussian through the core of a pixel-integrated Moffat of index 3 is wider by this much.
    assert _found(star_field(12, fwhm=fwhm)).fwhm_px == pytest.approx(expected, rel=0.05)


def test_nine_of_ten_stars_are_found_and_next_to_nothing_else():
    field = star_field(13)
    stars = _found(field)
    truth = cKDTree(np.column_stack([field.x, field.y]))
    assert (cKDTree(stars.xy).query(truth.data)[0] < 1.5).mean() > 0.9  # the rest are blends
    assert (truth.query(stars.xy)[0] > 3).sum() <= 1


def test_hot_pixels_are_not_stars_and_do_not_set_the_seeing():
    field = star_field(14)
    rng = np.random.default_rng(14)
    image = field.image.copy()
    image[rng.integers(0, 400, 300), rng.integers(0, 400, 300)] += 3000
    stars = find_stars(image, field.no_mask, background=400.0, noise=field.noise)
    assert stars.fwhm_px == pytest.approx(3.3, rel=0.07)
    assert len(stars) < 1.6 * 60


def test_a_star_with_a_masked_core_is_flagged():
    field = star_field(15, count=20)
    brightest = int(np.argmax(field.flux))
    mask = field.no_mask
    mask[round(field.y[brightest]), round(field.x[brightest])] = True
    stars = _found(field, mask)
    distance = np.hypot(stars.x - field.x[brightest], stars.y - field.y[brightest])
    assert stars.is_saturated[np.argmin(distance)]


def test_close_neighbours_are_not_isolated():
    image = moffat_stars((200, 200), (np.array([60.0, 67.0, 150.0]), np.full(3, 100.0), np.full(3, 5e4)), 3.0)
    image = np.random.default_rng(16).normal(image + 400, 20).astype(np.float32)
    stars = find_stars(image, np.zeros((200, 200), dtype=bool), background=400.0, noise=20.0)
    order = np.argsort(stars.x[:3])
    assert stars.is_isolated[:3][order].tolist() == [False, False, True]


def test_pure_noise_holds_no_stars_to_speak_of():
    image = np.random.default_rng(17).normal(100, 10, (512, 512)).astype(np.float32)
    stars = find_stars(image, np.zeros((512, 512), dtype=bool), background=100.0, noise=10.0)
    assert len(stars) <= 2  # 5 sigma of the filtered image: 0.1 expected


def test_an_image_without_noise_gives_no_stars():
    assert len(find_stars(np.ones((64, 64), "f4"), np.zeros((64, 64), bool), background=1.0, noise=0.0)) == 0


def test_nan_pixels_do_not_spread():
    field = star_field(18)
    image = field.image.copy()
    image[100:140, 100:140] = np.nan
    stars = find_stars(image, field.no_mask, background=400.0, noise=field.noise)
    assert np.isfinite(stars.xy).all()
    assert np.isfinite(stars.flux).all()
    assert len(stars) > 40
