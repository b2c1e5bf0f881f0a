"""Frames whose pointing and scale are wrong, against catalogues as bad as they get: solved rightly or not at all."""

import numpy as np
import pytest

from benchmarks.solving.problems import Problem, claim, random_wcs, reach_deg, simulated, spoilt
from preprocessing.numerics.astrometry.solution import (
    LARGEST_CHANCE,
    Catalogue,
    MatchFailed,
    Pointing,
    solve_with_catalogue,
)

SHAPE = (1000, 1000)


def _solve(problem, **other):
    parts = {name: getattr(problem, name) for name in ("xy", "flux", "shape", "pointing", "catalogue")} | other
    return solve_with_catalogue(*parts.values())


# Seeds of each kind with 15 to 500 stars, mirrored and not, 0.3 to 20 arcsec a pixel.
@pytest.mark.parametrize("seed", [600, 601, 602, 605, 607, 608, 611, 612, 614, 617])
def test_a_frame_a_degree_off_and_a_tenth_off_in_scale_is_solved(seed):
    problem = simulated(seed)
    solved = _solve(problem)
    # A catalogue of 0.3 arcsec and a dozen stars fix a corner to an arcsecond; another place is off by hundreds.
    assert problem.miss_px(solved.wcs) < 3.0 + 1.5 / problem.pointing.pixel_scale_arcsec
    assert 0 <= solved.false_match_probability < LARGEST_CHANCE


def _crowd(seed):
    """Return a frame of 900 px and 0.03 arcsec a pixel, whose catalogue is as bad as any: ten pixels off."""
    rng = np.random.default_rng([seed, 5])
    shape = (900, 900)
    truth = random_wcs(rng, shape, 0.03)
    xy, magnitude = rng.uniform(0, 900, (170, 2)), rng.uniform(18, 25, 170)
    ra, dec = truth.all_pix2world(*xy.T, 0)
    false = truth.all_pix2world(*rng.uniform(0, 900, (170, 2)).T, 0)
    sky = spoilt(rng, Catalogue(ra, dec, magnitude), *false)
    seen = xy + rng.normal(0, 0.2, xy.shape)
    return Problem(
        f"crowd {seed}", "crowd", seen, 10 ** (-0.4 * magnitude), shape, claim(rng, truth, shape), sky, truth
    )


# Of forty more all are solved, and none in the sky of another.
@pytest.mark.parametrize("seed", range(4))
def test_a_frame_whose_catalogue_errs_by_as_much_as_its_stars_are_apart_is_solved(seed):
    problem = _crowd(seed)
    solved = _solve(problem)
    # A hundred stars that err by ten pixels fix a corner to two or three.
    assert problem.miss_px(solved.wcs) < 15
    assert solved.false_match_probability < LARGEST_CHANCE


@pytest.mark.parametrize("seed", range(4))
def test_such_a_frame_is_not_found_among_the_stars_of_another(seed):
    one, other = _crowd(seed), _crowd(seed + 40)
    with pytest.raises(MatchFailed):
        _solve(one, pointing=other.pointing, catalogue=other.catalogue)


def _random_sky(rng, truth, count):
    angle, far = rng.uniform(0, 2 * np.pi, count), reach_deg(truth, SHAPE) * 3600 * np.sqrt(rng.random(count))
    ra, dec = truth.all_pix2world(far * np.cos(angle), far * np.sin(angle), 0)
    return Catalogue(ra, dec, rng.uniform(10, 16, count))


def _chances_of_wrong_skies(monkeypatch, tries):
    """Return the probabilities that are claimed for the best places of skies on which the frame does not lie."""
    from preprocessing.numerics.astrometry import solution

    # What is claimed of places that would be refused is of interest here.
    monkeypatch.setattr(solution, "LARGEST_CHANCE", np.inf)
    chances = []
    for k in range(tries):
        rng = np.random.default_rng([k, 77])
        truth = random_wcs(rng, SHAPE, 5.0)
        ra, dec = truth.all_pix2world(499.5, 499.5, 0)
        try:
            pointing = Pointing(float(ra), float(dec), 5.0)
            xy, flux = rng.uniform(0, 1000, (60, 2)), rng.uniform(1, 100, 60)
            solved = solve_with_catalogue(xy, flux, SHAPE, pointing, _random_sky(rng, truth, 400))
        except MatchFailed:
            continue
        chances.append(solved.false_match_probability)
    return np.array(chances)


def test_of_wrong_skies_no_more_seem_right_than_the_probability_says(monkeypatch):
    tries = 60
    chances = _chances_of_wrong_skies(monkeypatch, tries)
    # Were the claims too bold, wrong places would claim small probabilities more often than by as much.
    for claimed in (0.1, 0.01):
        assert np.count_nonzero(chances < claimed) <= 3 + 2 * claimed * tries
    assert chances.size == 0 or chances.min() > LARGEST_CHANCE


def test_another_frame_s_sky_is_never_accepted():
    problems = [simulated(seed) for seed in (600, 601, 607, 613)]
    for one, other in zip(problems, problems[1:] + problems[:1], strict=True):
        with pytest.raises(MatchFailed):
            _solve(one, pointing=other.pointing, catalogue=other.catalogue)


def test_stars_in_a_regular_grid_are_not_found_on_another_grid():
    """Hot pixels and artefacts repeat; a lattice fits a lattice at many places, none of them better than chance."""
    rng = np.random.default_rng(3)
    x, y = (axis.ravel() * 100.0 + 50.0 for axis in np.meshgrid(np.arange(10.0), np.arange(10.0)))
    truth = random_wcs(rng, SHAPE, 5.0)
    sky = _random_sky(rng, truth, 500)
    ra, dec = truth.all_pix2world(499.5, 499.5, 0)
    with pytest.raises(MatchFailed):
        solve_with_catalogue(
            np.column_stack([x, y]), rng.uniform(1, 9, 100), SHAPE, Pointing(float(ra), float(dec), 5.0), sky
        )
