from dataclasses import replace

import numpy as np
import pytest

from preprocessing.numerics.zero_point import Photometry, doubts_of_zero_point, limiting_magnitude, zero_point


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


def _coloured(term, count=80, seed=2, spread=0.4, scatter=0.02):
    """Return stars whose catalogue magnitudes depend on colour, of 0.9 on average, and their photometry."""
    rng = np.random.default_rng(seed)
    flux, colour = 10 ** rng.uniform(3.5, 5, count), rng.normal(0.9, spread, count)
    magnitude = 25.3 - 2.5 * np.log10(flux) + term * (colour - 0.9) + rng.normal(0, scatter, count)
    return flux, Photometry(magnitude, "Gaia DR3", "G", "Vega", colour, "BP-RP")


def test_a_colour_term_is_recovered_with_its_error_and_the_zero_point_holds_for_the_stated_colour():
    terms, zeros, pulls = [], [], []
    for seed in range(30):
        flux, photometry = _coloured(0.1, seed=seed)
        zero = zero_point(flux, 0.01 * flux, photometry)
        assert zero.colour.name == "BP-RP" and zero.no_colour == ""
        terms.append(zero.colour.term)
        pulls.append((zero.colour.term - 0.1) / zero.colour.error)
        zeros.append(zero.mag - (25.3 + 0.1 * (zero.colour.at_mag - 0.9)))
        # What an unknown colour moves it by: the spread of the stars' times the term.
        assert zero.error_mag == pytest.approx(0.1 * 0.4, rel=0.35)
        assert zero.scatter_mag == pytest.approx(0.02, rel=0.4)
    assert np.mean(terms) == pytest.approx(0.1, abs=0.003)
    assert np.abs(zeros).max() < 0.012
    assert np.std(pulls) == pytest.approx(1.0, abs=0.4)


def test_where_there_is_no_colour_term_none_is_claimed_and_its_error_is_told():
    found = 0
    for seed in range(60):
        flux, photometry = _coloured(0.0, seed=seed)
        zero = zero_point(flux, 0.01 * flux, photometry)
        found += zero.colour is not None
        assert zero.colour is not None or ("BP-RP" in zero.no_colour and "not significant" in zero.no_colour)
    # One of 370 by chance at three sigma, more as the error is an estimate.
    assert found <= 2


def test_outliers_in_colour_and_magnitude_do_not_tilt_the_term():
    flux, photometry = _coloured(0.1, count=100)
    photometry.magnitude[:12] += np.linspace(-1.5, 2.0, 12)
    photometry.colour[12:20] += 3.0
    photometry.colour[20:25] = np.nan
    zero = zero_point(flux, 0.01 * flux, photometry)
    assert zero.colour.term == pytest.approx(0.1, abs=4 * zero.colour.error)
    assert zero.mag == pytest.approx(25.3 + 0.1 * (zero.colour.at_mag - 0.9), abs=0.02)


@pytest.mark.parametrize(
    ("count", "spread", "reason"), [(9, 0.4, "9 stars of known BP-RP are too few"), (60, 0.03, "spreads by less than")]
)
def test_few_stars_or_stars_of_one_colour_give_a_zero_point_without_a_term_and_say_why(count, spread, reason):
    flux, photometry = _coloured(0.1, count=count, spread=spread)
    zero = zero_point(flux, 0.01 * flux, photometry)
    assert zero.colour is None and reason in zero.no_colour
    assert zero.mag == pytest.approx(25.3, abs=0.1)
    assert zero.star_count == pytest.approx(count, abs=2)


def test_a_catalogue_without_colours_says_so():
    flux, error, magnitude = _stars(20)
    zero = zero_point(flux, error, Photometry(magnitude, "test", "r", "AB"))
    assert zero.no_colour == "the catalogue has no colours"


def test_a_band_of_another_kind_is_doubted_where_colours_show_that_nothing_accounts_for():
    flux, photometry = _coloured(0.3)
    bare = replace(photometry, colour=None)
    zero = zero_point(flux, 0.01 * flux, bare)
    (doubt,) = doubts_of_zero_point(zero, "R")
    # 0.3 x 0.4 mag.
    assert doubt.value == pytest.approx(0.11, abs=0.03)
    assert doubt.blocks_publication and doubt.code == "zero_point_of_another_band"
    assert "taken in R" in doubt.message and "Gaia DR3 in the band G" in doubt.message
    # The same band, a known term, and stars that agree are no reason.
    assert doubts_of_zero_point(zero, "G") == ()
    assert doubts_of_zero_point(zero_point(flux, 0.01 * flux, photometry), "R") == ()
    flux, photometry = _coloured(0.05)
    assert doubts_of_zero_point(zero_point(flux, 0.01 * flux, replace(photometry, colour=None)), "R") == ()
    assert doubts_of_zero_point(None, "R") == ()


def test_four_stars_give_none_and_no_guess():
    flux, error, magnitude = _stars(4)
    assert zero_point(flux, error, Photometry(magnitude, "test", "r", "AB")) is None


def test_a_flux_of_one_count_has_the_zero_points_magnitude():
    assert limiting_magnitude(1.0, 25.3) == 25.3
    assert limiting_magnitude(100.0, 25.3) == pytest.approx(20.3)
