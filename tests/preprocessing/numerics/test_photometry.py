import numpy as np
import pytest

from observations.numerics.frame import PsfModel
from preprocessing.numerics.photometry import filter_fluxes, psf_photometry, psf_stamps
from tests.differencing.numerics.scenes import (
    STAR_FIELD,
    gaussian_psf,
    gaussian_stars,
    no_mask,
    star_grid,
)


def test_flux_position_and_sky_of_a_noise_free_star_are_exact():
    x, y = star_grid()
    flux = np.linspace(100.0, 1e5, x.size)
    image = gaussian_stars(x, y, flux) + 321.0
    guess = np.random.default_rng(2).uniform(-0.4, 0.4, (2, x.size))
    found = psf_photometry(image, no_mask(), 1.0, gaussian_psf(), x + guess[0], y + guess[1])
    assert found.is_good.all()
    # The cubic spline that moves the PSF by part of a pixel keeps its flux to 1e-3 at this sampling (FWHM 3.5 px).
    np.testing.assert_allclose(found.flux, flux, rtol=2e-3)
    np.testing.assert_allclose(found.x, x, atol=2e-3)
    np.testing.assert_allclose(found.y, y, atol=2e-3)


def test_the_sky_around_a_star_may_be_anything():
    x, y = np.array([100.3]), np.array([80.6])
    star = gaussian_stars(x, y, 5000.0)
    levels = (-1e3, 0.0, 1e4)
    fluxes = [psf_photometry(star + sky, no_mask(), 1.0, gaussian_psf(), x, y).flux[0] for sky in levels]
    np.testing.assert_allclose(fluxes, fluxes[1], rtol=1e-6)


def test_a_negative_source_has_a_negative_flux():
    x, y = np.array([100.3]), np.array([80.6])
    found = psf_photometry(-gaussian_stars(x, y, 5000.0), no_mask(), 1.0, gaussian_psf(), x, y)
    assert found.flux[0] == pytest.approx(-5000.0, rel=2e-3)


def test_the_errors_are_those_of_the_noise():
    x, y = star_grid(step=22)
    flux, noise = 3000.0, 10.0
    image = gaussian_stars(x, y, flux) + np.random.default_rng(3).normal(50.0, noise, STAR_FIELD)
    found = psf_photometry(image, no_mask(), noise, gaussian_psf(), x, y)
    good = found.is_good
    assert good.sum() > 100
    pull = (found.flux - flux)[good] / found.flux_error[good]
    moved = np.concatenate([(found.x - x)[good], (found.y - y)[good]]) / np.tile(found.position_error_px[good], 2)
    # A hundred stars know the scatter to 7 %, the mean to 0.1 sigma.
    assert pull.std() == pytest.approx(1.0, abs=0.2)
    assert abs(pull.mean()) < 0.3
    assert moved.std() == pytest.approx(1.0, abs=0.2)


def test_the_noise_of_the_place_is_the_one_that_counts():
    x, y = np.array([60.0, 240.0]), np.array([110.0, 110.0])
    noise = np.where(np.arange(STAR_FIELD[1]) < 150, 2.0, 6.0) * np.ones(STAR_FIELD)
    found = psf_photometry(gaussian_stars(x, y, 5000.0), no_mask(), noise, gaussian_psf(), x, y)
    assert found.flux_error[1] / found.flux_error[0] == pytest.approx(3.0, rel=1e-6)


def test_stars_that_leave_the_frame_touch_a_bad_pixel_or_stand_elsewhere_are_not_good():
    x, y = np.array([2.0, 150.0, 80.0, 80.0]), np.array([100.0, 218.0, 50.0, 150.0])
    mask = no_mask()
    mask[51, 81] = True
    guess = x + np.array([0.0, 0.0, 0.0, 1.9])
    found = psf_photometry(gaussian_stars(x, y, 5000.0), mask, 1.0, gaussian_psf(), guess, y)
    assert not found.is_good.any()
    for values in (found.flux, found.flux_error, found.x, found.y, found.position_error_px):
        assert np.isnan(values).all()


def test_a_bad_pixel_far_from_the_star_does_no_harm():
    x, y = np.array([100.0]), np.array([80.0])
    mask = no_mask()
    mask[80, 112] = True
    assert psf_photometry(gaussian_stars(x, y, 5000.0), mask, 1.0, gaussian_psf(), x, y).is_good.all()


@pytest.mark.parametrize("level", [0.0, 100.0])
def test_an_empty_place_has_no_good_star(level):
    found = psf_photometry(
        np.full(STAR_FIELD, level), no_mask(), 1.0, gaussian_psf(), np.array([100.2]), np.array([80.0])
    )
    assert not found.is_good.any() or abs(found.flux[0]) < 1e-6


def test_no_star_is_no_entry():
    found = psf_photometry(np.zeros(STAR_FIELD), no_mask(), 1.0, gaussian_psf(), np.array([]), np.array([]))
    assert len(found.flux) == 0 and len(found.is_good) == 0


def test_a_batch_gives_what_each_star_alone_gives():
    x, y = star_grid(step=16)
    image = gaussian_stars(x, y, 3000.0) + np.random.default_rng(5).normal(50.0, 10.0, STAR_FIELD)
    mask = np.random.default_rng(6).random(STAR_FIELD) < 2e-3
    together = psf_photometry(image, mask, 10.0, gaussian_psf(), x, y)
    alone = [psf_photometry(image, mask, 10.0, gaussian_psf(), x[k : k + 1], y[k : k + 1]) for k in range(x.size)]
    assert 0 < together.is_good.sum() < x.size
    np.testing.assert_allclose(together.flux, [one.flux[0] for one in alone], rtol=1e-9)
    np.testing.assert_allclose(together.x, [one.x[0] for one in alone], rtol=1e-9)


def test_more_stars_than_one_batch_holds_are_all_measured():
    x, y = np.tile(star_grid(step=20), 5)
    found = psf_photometry(
        gaussian_stars(x[: x.size // 5], y[: x.size // 5], 3000.0), no_mask(), 1.0, gaussian_psf(), x, y
    )
    assert x.size > 700
    assert (found.is_good.reshape(5, -1) == found.is_good[: x.size // 5]).all()
    np.testing.assert_allclose(found.flux[found.is_good], 3000.0, rtol=2e-3)


def test_a_flux_at_a_given_place_takes_what_the_frame_shows_of_the_star():
    x, y = np.array([100.3, 0.4, 299.0, 150.2]), np.array([80.6, 100.2, 219.0, 60.0])
    image = gaussian_stars(x, y, 5000.0)
    mask = no_mask()
    mask[58:60, 149:152] = True
    image[mask] = 1e6
    image[80, 102] = np.nan
    flux, error, seen = filter_fluxes(image, mask, gaussian_psf(), x, y)
    # The PSF that is moved by part of a pixel keeps its flux to 1e-3 at this sampling.
    np.testing.assert_allclose(flux, 5000.0, rtol=2e-3)
    assert seen[2] == pytest.approx(0.4, abs=0.05)  # a corner shows a quarter and the star's own row and column
    assert (error[1:] > 1.01 * error[0]).all()


def test_the_error_of_a_flux_at_a_given_place_is_that_of_the_noise():
    x, y = star_grid(step=22)
    image = np.random.default_rng(7).normal(0.0, 10.0, STAR_FIELD)
    flux, error, _ = filter_fluxes(image, None, gaussian_psf(), x, y)
    assert (flux / (10.0 * error)).std() == pytest.approx(1.0, abs=0.2)


def test_a_place_outside_the_frame_has_no_flux():
    flux, error, seen = filter_fluxes(np.ones(STAR_FIELD), None, gaussian_psf(), np.array([-500.0]), np.array([40.0]))
    assert np.isnan(flux).all()
    assert np.isnan(error).all()
    assert seen[0] == 0


@pytest.mark.parametrize("half", [None, 3, 9])
def test_the_middle_of_a_psf_is_the_same_from_a_model_and_from_a_function(half):
    model = PsfModel(np.random.default_rng(8).normal(size=(3, 13, 13)), 1, 300, 220)
    x, y = np.array([10.0, 250.5]), np.array([200.0, 7.25])
    stamps = psf_stamps(model, x, y, half)
    np.testing.assert_allclose(stamps, psf_stamps(model.__call__, x, y, half), rtol=1e-12)
    own, reach = 6, 6 if half is None else half
    assert stamps.shape == (2, 2 * reach + 1, 2 * reach + 1)
    assert stamps[0, reach, reach] == pytest.approx(model(10.0, 200.0)[own, own], rel=1e-12)
