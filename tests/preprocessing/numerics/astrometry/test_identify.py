import numpy as np
import pytest

from observations.numerics.fits.wcs import nominal_wcs
from preprocessing.numerics.astrometry.identify import identify_stars
from preprocessing.numerics.astrometry.solution import Catalogue

SHAPE = (400, 500)


@pytest.fixture(params=[(10.0, 40.0), (0.0, -5.0), (123.0, 89.95)])
def field(request):
    """Stars on a grid 40 px apart and the catalogue of them, in another order."""
    wcs = nominal_wcs(*request.param, 1.0, SHAPE)
    xy = np.array([(x, y) for x in range(20, 500, 40) for y in range(20, 400, 40)], dtype=float)
    order = np.random.default_rng(1).permutation(len(xy))
    ra, dec = wcs.all_pix2world(xy[order, 0], xy[order, 1], 0)
    return wcs, xy, order, Catalogue(ra, dec, np.zeros(len(xy)))


def test_every_star_finds_its_own(field):
    wcs, xy, order, catalogue = field
    star, known = identify_stars(xy, wcs, catalogue, 2.0)
    assert len(star) == len(xy)
    np.testing.assert_array_equal(order[known], star)


def test_a_star_outside_the_reach_or_without_position_has_no_pair(field):
    wcs, xy, _, catalogue = field
    moved = xy.copy()
    moved[3] += 2.5
    moved[7] = np.nan
    star, _ = identify_stars(moved, wcs, catalogue, 2.0)
    assert set(range(len(xy))) - set(star) == {3, 7}


def test_a_star_with_two_catalogue_stars_in_reach_is_left_out(field):
    wcs, xy, _, catalogue = field
    ra, dec = wcs.all_pix2world(xy[5, 0] + 1.0, xy[5, 1], 0)
    double = Catalogue(np.r_[catalogue.ra_deg, ra], np.r_[catalogue.dec_deg, dec], np.zeros(len(xy) + 1))
    star, _ = identify_stars(xy, wcs, double, 2.0)
    assert set(range(len(xy))) - set(star) == {5}


def test_nothing_to_identify_gives_no_pairs(field):
    wcs, xy, _, catalogue = field
    nothing = np.zeros(0)
    assert identify_stars(np.zeros((0, 2)), wcs, catalogue, 2.0)[0].size == 0
    assert identify_stars(xy, wcs, Catalogue(nothing, nothing, nothing), 2.0)[0].size == 0
