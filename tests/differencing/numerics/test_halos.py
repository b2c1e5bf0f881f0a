import numpy as np
import pytest

from differencing.numerics.halos import Halos, take_off
from tests.differencing.numerics.scenes import gaussian

SHAPE, FWHM_PX = (240, 260), 3.0
CENTRE = (130.0, 120.0)


def _radius():
    y, x = np.indices(SHAPE)
    return np.hypot(x - CENTRE[0], y - CENTRE[1])


def _without(halos, significance):
    """Return copies of the images without their halos."""
    own = Halos(halos.difference.copy(), halos.score.copy(), halos.error.copy(), halos.mask)
    take_off(own, significance, FWHM_PX)
    return own


def _scene(halo):
    """A saturated star of 6 px radius, noise of one sigma in S, and a halo of so many sigma at its core."""
    noise = np.random.default_rng(5).normal(size=SHAPE)
    score = (noise + halo * np.exp(-_radius() / 20.0)).astype(np.float32)
    significance = np.where(_radius() < 9.0, 500.0, 0.0).astype(np.float32)
    return Halos(0.5 * score, score, np.ones(SHAPE, dtype=np.float32), _radius() < 6.0), significance


def test_what_a_halo_leaves_is_taken_from_score_and_difference():
    halos, significance = _scene(6.0)
    found = _without(halos, significance)
    for low, high in ((8, 14), (14, 25), (25, 45)):
        ring = (_radius() > low) & (_radius() < high)
        assert abs(np.median(found.score[ring])) < 0.25 < abs(np.median(halos.score[ring]))
        assert abs(np.median(found.difference[ring])) < 0.15


def test_a_source_in_a_ring_keeps_its_light():
    halos, significance = _scene(6.0)
    source = gaussian(SHAPE, 160.0, 120.0, 1.3, flux=400.0).astype(np.float32)
    with_it = Halos(halos.difference, halos.score + source, halos.error, halos.mask)
    kept = _without(with_it, significance).score - _without(halos, significance).score
    assert kept[115:126, 155:166].sum() == pytest.approx(400.0, rel=0.03)


def test_a_star_without_a_halo_changes_nothing():
    halos, significance = _scene(0.0)
    found = _without(halos, significance)
    np.testing.assert_array_equal(found.score, halos.score)


def test_a_ring_that_scatters_more_than_its_error_widens_it():
    halos, significance = _scene(0.0)
    wild = np.where(_radius() < 20.0, 3.0 * halos.score, halos.score).astype(np.float32)
    found = _without(Halos(halos.difference, wild, halos.error, halos.mask), significance)
    ring = (_radius() > 9.0) & (_radius() < 17.0)
    assert found.error[ring].mean() == pytest.approx(3.0, rel=0.2)
    np.testing.assert_array_equal(found.error[_radius() > 60.0], 1.0)


def test_single_defects_are_no_stars():
    halos, significance = _scene(6.0)
    lone = np.zeros(SHAPE, dtype=bool)
    lone[120, 130] = True
    found = _without(Halos(halos.difference, halos.score, halos.error, lone), significance)
    np.testing.assert_array_equal(found.score, halos.score)


def test_a_halo_is_found_beyond_rings_that_a_guessed_core_keeps_silent():
    halos, significance = _scene(6.0)
    # Within 24 px of the star the error of what fills its core drowns everything.
    drowned = np.where(_radius() < 24.0, 50.0, 1.0).astype(np.float32)
    found = _without(Halos(halos.difference, halos.score, drowned, halos.mask), significance)
    ring = (_radius() > 26.0) & (_radius() < 45.0)
    assert abs(np.median(found.score[ring])) < 0.25 < abs(np.median(halos.score[ring]))
