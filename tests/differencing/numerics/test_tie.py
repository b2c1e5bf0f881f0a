from functools import partial

import numpy as np
import pytest
from scipy import ndimage

from differencing.numerics import tie as ties
from differencing.numerics.tie import Surface, TooFewStars, fit_surface
from preprocessing.numerics.photometry import PsfPhotometry, psf_photometry
from tests.differencing.numerics.scenes import (
    STAR_FIELD,
    gaussian_psf,
    gaussian_stars,
    no_mask,
    star_grid,
)

tie = partial(ties.tie, min_stars=3)


def _photometry(x, y, flux, *, flux_error=1.0, position_error=0.01):
    n = len(x)
    error, position = np.broadcast_to(flux_error, n).astype(float), np.full(n, position_error)
    return PsfPhotometry(np.asarray(flux, float), error, x, y, position, np.ones(n, dtype=bool))


@pytest.mark.parametrize(("count", "degree"), [(24, 0), (30, 1), (80, 2)])
def test_the_degree_of_a_surface_follows_the_number_of_stars(count, degree):
    rng = np.random.default_rng(4)
    x, y = rng.uniform(0, 299, count), rng.uniform(0, 219, count)
    surface, kept = fit_surface(x, y, np.full(count, 2.0), np.full(count, 0.1), STAR_FIELD)
    assert surface.degree == degree and kept.all()
    np.testing.assert_allclose(surface.image(), 2.0, rtol=1e-6)


def test_a_quadratic_surface_is_recovered_exactly():
    rng = np.random.default_rng(5)
    x, y = rng.uniform(0, 299, 90), rng.uniform(0, 219, 90)
    truth = Surface(np.array([0.42, 0.05, -0.03, 0.01, 0.02, -0.015]), 2, STAR_FIELD)
    surface, _ = fit_surface(x, y, truth(x, y), np.full(90, 0.01), STAR_FIELD)
    np.testing.assert_allclose(surface.coefficients, truth.coefficients, atol=1e-9)


def test_the_image_of_a_surface_holds_its_values_at_the_pixel_centres():
    surface = Surface(np.array([0.42, 0.05, -0.03, 0.01, 0.02, -0.015]), 2, STAR_FIELD)
    image = surface.image()
    assert image.shape == STAR_FIELD
    for x, y in [(0, 0), (299, 0), (0, 219), (17, 203)]:
        assert image[y, x] == pytest.approx(float(surface(np.array(x), np.array(y))), rel=1e-6)


def test_variables_do_not_move_the_surface():
    rng = np.random.default_rng(6)
    x, y = rng.uniform(0, 299, 100), rng.uniform(0, 219, 100)
    truth = Surface(np.array([0.42, 0.05, -0.03]), 1, STAR_FIELD)
    value = truth(x, y) + rng.normal(0, 0.01, 100)
    value[::7] *= 1.5
    surface, kept = fit_surface(x, y, value, np.full(100, 0.01), STAR_FIELD)
    assert not kept[::7].any()
    # 85 points and six coefficients: 0.01 / sqrt(85) times 3 at the corners.
    assert np.abs(surface.image() - truth.image()).max() < 0.01


def test_counts_of_the_reference_times_the_scale_are_counts_of_the_science_frame():
    x, y = star_grid(step=20)
    haze = Surface(np.array([0.4, 0.05, 0.0]), 1, STAR_FIELD)
    reference = np.full(x.size, 1e4)
    found = tie(_photometry(x, y, reference * haze(x, y)), _photometry(x, y, reference), STAR_FIELD)
    np.testing.assert_allclose(found.flux_scale.image(), haze.image(), rtol=1e-4)
    assert found.flux_scatter < 1e-6
    assert found.matched_stars == x.size


def test_the_shift_is_the_position_in_the_reference_less_that_in_the_science_frame():
    x, y = star_grid(step=20)
    flux = np.full(x.size, 1e4)
    found = tie(_photometry(x, y, flux), _photometry(x + 0.3, y - 0.2, flux), STAR_FIELD)
    np.testing.assert_allclose(found.shift_x.image(), 0.3, atol=1e-6)
    np.testing.assert_allclose(found.shift_y.image(), -0.2, atol=1e-6)
    assert found.shift_is_significant


def test_a_rotation_is_taken_up_by_the_shift_field():
    x, y = star_grid(step=20)
    flux = np.full(x.size, 1e4)
    turn = np.radians(0.05)
    moved_x, moved_y = x - turn * (y - 110), y + turn * (x - 150)
    found = tie(_photometry(x, y, flux), _photometry(moved_x, moved_y, flux), STAR_FIELD)
    assert found.shift_rms_px < 1e-6
    np.testing.assert_allclose(found.shift_x(x, y), moved_x - x, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_a_shift_that_is_only_measuring_error_is_not_significant(seed):
    x, y = star_grid(step=20)
    rng = np.random.default_rng(seed)
    flux, error = np.full(x.size, 1e4), 0.05
    noisy = [
        _photometry(x + rng.normal(0, error, x.size), y + rng.normal(0, error, x.size), flux, position_error=error)
        for _ in range(2)
    ]
    found = tie(noisy[0], noisy[1], STAR_FIELD)
    assert not found.shift_is_significant
    # The best half of 165 stars knows the scatter to 8 %, so that of 0.07 px hides 0.03 px.
    assert found.shift_scatter_px < 0.04


def test_scatter_beyond_the_stars_errors_is_registration_scatter():
    x, y = star_grid(step=14)
    rng = np.random.default_rng(7)
    flux = np.full(x.size, 1e4)
    moved = _photometry(x + rng.normal(0, 0.1, x.size), y + rng.normal(0, 0.1, x.size), flux)
    found = tie(_photometry(x, y, flux), moved, STAR_FIELD)
    # 330 stars, two axes, half of them used: 4 % for the MAD.
    assert found.shift_scatter_px == pytest.approx(0.1, abs=0.015)
    assert found.shift_rms_px == pytest.approx(0.1, abs=0.015)


def test_one_variable_in_ten_moves_the_flux_scale_by_less_than_half_a_per_cent():
    x, y = star_grid(step=20)
    rng = np.random.default_rng(8)
    flux = np.full(x.size, 1e4)
    varied = flux * 0.8 * (1 + rng.normal(0, 0.02, x.size))
    varied[::10] *= rng.uniform(1.3, 3.0, varied[::10].size)
    found = tie(_photometry(x, y, varied), _photometry(x, y, flux), STAR_FIELD)
    assert float(np.median(found.flux_scale.image())) == pytest.approx(0.8, rel=0.005)


def test_too_few_stars_are_counted_and_refused():
    x, y = np.array([50.0, 150.0]), np.array([50.0, 150.0])
    flux = np.full(2, 1e4)
    with pytest.raises(TooFewStars, match="only 2 stars"):
        tie(_photometry(x, y, flux), _photometry(x, y, flux), STAR_FIELD)


def test_stars_whose_shifts_agree_in_no_two_axes_make_no_registration():
    """Each axis clips other stars of these six until none is left in both: the scatter would be that of nothing."""
    x, y = 50.0 + 20.0 * np.arange(6), np.full(6, 60.0)
    dx = np.array([-1.79, -0.861, -0.520, 3.428, 0.256, -0.605])
    dy = np.array([-0.0482, -2.4659, 0.4203, -0.0419, -0.0670, -0.5756])
    flux = np.full(6, 1e4)
    with pytest.raises(TooFewStars, match="agree on no registration"):
        tie(_photometry(x, y, flux), _photometry(x + dx, y + dy, flux), STAR_FIELD)


@pytest.mark.parametrize("spoilt", ["negative", "faint", "bad"])
def test_a_star_that_one_frame_does_not_show_is_not_counted(spoilt):
    x, y = np.array([50.0, 150.0, 100.0, 200.0]), np.array([50.0, 150.0, 60.0, 90.0])
    science = _photometry(x, y, np.full(4, 1e4))
    flux = np.array([1e4, 1e4, -1e4 if spoilt == "negative" else 5.0 if spoilt == "faint" else 1e4, 1e4])
    reference = _photometry(x, y, flux)
    if spoilt == "bad":
        reference.is_good[2] = False
    assert tie(science, reference, STAR_FIELD).matched_stars == 3
    with pytest.raises(TooFewStars):
        tie(science, reference, STAR_FIELD, min_stars=4)


def test_two_images_give_the_ratio_that_was_put_in():
    """Photometry and tie together: unequal seeing, unequal flux, a shift, noise."""
    x, y = star_grid(step=30)
    flux = np.random.default_rng(9).uniform(3e4, 3e5, x.size)
    noise = np.random.default_rng(10).normal(0, 20.0, (2, *STAR_FIELD))
    science = gaussian_stars(x, y, flux * 0.5, 2.0) + noise[0]
    reference = ndimage.shift(gaussian_stars(x, y, flux, 1.4), (0.2, -0.1), order=5) + noise[1]
    frames = [
        psf_photometry(image, no_mask(), 20.0, gaussian_psf(sigma), x, y)
        for image, sigma in ((science, 2.0), (reference, 1.4))
    ]
    found = tie(frames[0], frames[1], STAR_FIELD)
    assert float(np.median(found.flux_scale.image())) == pytest.approx(0.5, rel=0.005)
    assert float(found.shift_x.image().mean()) == pytest.approx(-0.1, abs=0.01)
    assert float(found.shift_y.image().mean()) == pytest.approx(0.2, abs=0.01)
