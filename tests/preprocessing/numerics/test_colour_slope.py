"""A straight line through magnitudes against colour."""

import numpy as np
import pytest

from preprocessing.numerics.colour_slope import colour_slope


def _stars(count=60, slope=0.25, spread=0.3, seed=1):
    rng = np.random.default_rng(seed)
    colour, error = rng.normal(0.0, spread, count), np.full(count, 0.02)
    return slope * colour + rng.normal(0, error), error, colour


def test_the_slope_is_that_of_the_stars_and_outliers_are_not_among_them():
    value, error, colour = _stars()
    value[:6] += 0.5
    found = colour_slope(value, error, colour)
    assert found.slope == pytest.approx(0.25, abs=4 * found.error)
    assert found.error == pytest.approx(0.02 / (0.3 * np.sqrt(54)), rel=0.4)
    assert not found.keep[:6].any() and found.star_count == found.keep.sum() > 45


@pytest.mark.parametrize(("count", "spread"), [(9, 0.3), (60, 0.05)])
def test_few_stars_or_one_colour_have_no_slope(count, spread):
    assert colour_slope(*_stars(count, spread=spread)) is None
