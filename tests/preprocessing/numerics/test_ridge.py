import numpy as np
import pytest

from observations.numerics import polynomial
from preprocessing.numerics.ridge import best_ridge, stellar_ridge

TRUE = np.array([1.2, 0.05, -0.03, 0.04, 0.0, 0.03])


def _sources(seed, stars, galaxies, coefficients):
    rng = np.random.default_rng(seed)
    n = stars + galaxies
    u, v = rng.uniform(-1, 1, (2, n))
    error = 0.3 / np.exp(rng.uniform(np.log(20), np.log(600), n))
    is_star = np.arange(n) < stars
    wider = np.where(is_star, 0.0, rng.exponential(0.2, n))
    terms = polynomial.terms(u, v, 2)
    return terms @ coefficients + wider + rng.normal(0, np.hypot(error, 0.004)), error, terms, is_star


@pytest.mark.parametrize(("stars", "galaxies"), [(300, 0), (100, 100), (60, 360)])
def test_the_ridge_is_that_of_the_stars_however_many_galaxies_there_are(stars, galaxies):
    value, error, terms, _ = _sources(1, stars, galaxies, TRUE)
    ridge = stellar_ridge(value, error, terms, 0.004)
    assert np.std(terms @ (ridge.coefficients - TRUE)) < 0.01  # of the width: 2 % of the peak


def test_stars_are_likely_stars_and_galaxies_are_not():
    value, error, terms, is_star = _sources(2, 100, 200, TRUE)
    ridge = stellar_ridge(value, error, terms, 0.004)
    assert ridge.is_star[is_star].mean() > 0.85
    assert ridge.is_star[~is_star & (value - terms @ TRUE > 0.05)].mean() < 0.05


def test_a_plain_level_is_likelier_than_a_surface_only_where_the_stars_have_none():
    flat = np.array([1.2, 0, 0, 0, 0, 0])
    for coefficients, gains in ((flat, False), (TRUE, True)):
        value, error, terms, _ = _sources(3, 100, 100, coefficients)
        level, surface = (stellar_ridge(value, error, terms[:, :m], 0.004).likelihood for m in (1, 6))
        assert (surface - level > 5 * np.log(200) / 2) == gains


def test_errors_that_are_too_small_are_scaled_to_the_scatter_of_the_stars():
    value, error, terms, is_star = _sources(4, 300, 0, TRUE)
    ridge = stellar_ridge(value, error / 2, terms, 0.002)
    scatter = 1.4826 * np.median(np.abs(ridge.rest / ridge.error)[is_star])
    # As given they would be 2; what stands beyond 3 of the errors as given is at first taken for no star.
    assert 0.8 < scatter < 1.5


def _crowded_edge(seed, stars=35, galaxies=110):
    """Half-light radii even in their logarithm from 0.3 px: half of the galaxies are less than 5 % wider than stars."""
    rng = np.random.default_rng(seed)
    n = stars + galaxies
    error = 0.7 / np.minimum(30 * rng.uniform(0, 1, n) ** (-1 / 0.7), 600)
    radius_px = np.exp(rng.uniform(np.log(0.3), np.log(1.3), n))
    wider = np.where(np.arange(n) < stars, 0.0, 0.12 * radius_px**2)
    terms = polynomial.terms(*rng.uniform(-1, 1, (2, n)), 3)
    return 1.2 + wider + rng.normal(0, np.hypot(error, 0.004)), error, terms


@pytest.mark.parametrize("seed", range(5, 17))
def test_galaxies_that_crowd_just_above_the_stars_neither_lift_the_ridge_nor_tilt_it(seed):
    value, error, terms = _crowded_edge(seed)
    degree, ridge = best_ridge(value, error, [terms[:, :m] for m in (1, 3, 6, 10)], 0.004)
    level = terms[:, : len(ridge.coefficients)] @ ridge.coefficients
    assert degree == 0
    assert np.abs(level - 1.2).max() < 0.015


def test_stars_that_scatter_by_far_more_than_their_errors_are_one_ridge():
    # Undersampled or badly guided: four times the errors, so that the sharpest few could be taken for all the stars.
    rng = np.random.default_rng(12)
    error = rng.uniform(0.003, 0.012, 300)
    value = 0.8 + rng.normal(0, 4 * np.hypot(error, 0.004))
    ridge = stellar_ridge(value, error, np.ones((300, 1)), 0.004)
    assert ridge.coefficients[0] == pytest.approx(0.8, abs=0.01)
    assert ridge.is_star.mean() > 0.8


def test_a_plainer_surface_is_where_the_search_for_a_richer_one_begins():
    value, error, terms, _ = _sources(13, 200, 100, TRUE)
    degree, ridge = best_ridge(value, error, [terms[:, :m] for m in (1, 3, 6)], 0.004)
    assert degree == 2
    refined = stellar_ridge(value, error, terms, 0.004, ridge.coefficients)
    assert np.std(terms @ (refined.coefficients - TRUE)) < 0.01
