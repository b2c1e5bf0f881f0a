import numpy as np
import pytest

from preprocessing.numerics.zero_point import Photometry, limiting_magnitude, zero_point


def _stars(count, seed=1):
    rng = np.random.default_rng(seed)
    flux = 10 ** rng.uniform(3, 5, count)
    magnitude = 25.3 - 2.5 * np.log10(flux) + rng.normal(0, 0.03, count)
    return flux, 0.01 * flux, magnitude


def test_the_zero_point_is_recovered_within_its_error():
    flux, error, magnitude = _stars(200)
    zero = zero_point(flux, error, Photometry(magnitude, "test", "r", "AB"))
    assert zero is not None
    assert zero.mag == pytest.approx(25.3, abs=4 * zero.error_mag)
    assert zero.error_mag == pytest.approx(0.03 / np.sqrt(200), rel=0.25)
    assert (zero.catalogue, zero.band, zero.system) == ("test", "r", "AB")


def test_variables_and_missing_values_do_not_move_it():
    flux, error, magnitude = _stars(60)
    magnitude[:10] += 1.5
    magnitude[10:15] = np.nan
    flux[15] = -5
    zero = zero_point(flux, error, Photometry(magnitude, "test", "r", "AB"))
    assert zero is not None
    assert abs(zero.mag - 25.3) < 0.03


def test_four_stars_give_none_and_no_guess():
    flux, error, magnitude = _stars(4)
    assert zero_point(flux, error, Photometry(magnitude, "test", "r", "AB")) is None


def test_a_flux_of_one_count_has_the_zero_points_magnitude():
    assert limiting_magnitude(1.0, 25.3) == 25.3
    assert limiting_magnitude(100.0, 25.3) == pytest.approx(20.3)
