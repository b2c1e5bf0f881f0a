"""The colour term of two filters, from fluxes and colours of stars."""

from __future__ import annotations

import numpy as np
import pytest

from differencing.numerics.colour import colour_term


def stars(count=80, slope=0.12, spread=0.4, noise=0.01, seed=2):
    rng = np.random.default_rng(seed)
    colour = rng.normal(0.6, spread, count)
    reference = 10 ** rng.uniform(3.5, 5.0, count)
    science = 2.0 * reference * 10 ** (-0.4 * (slope * colour + rng.normal(0.0, noise, count)))
    return science, reference, np.full(count, noise), colour


@pytest.mark.parametrize("slope", [-0.3, 0.0, 0.12])
def test_the_slope_is_found_within_its_error(slope):
    found = colour_term(*stars(slope=slope))
    assert abs(found.slope - slope) < 3.5 * found.error
    assert 0.001 < found.error < 0.02


def test_variables_do_not_tilt_it():
    science, reference, error, colour = stars()
    red = np.argsort(colour)[-8:]
    science[red] *= 3.0
    found = colour_term(science, reference, error, colour)
    assert found.slope == pytest.approx(0.12, abs=0.03) and found.star_count <= 74


def test_stars_of_one_colour_and_few_stars_tell_nothing():
    assert colour_term(*stars(spread=0.03)) is None
    assert colour_term(*stars(count=9)) is None
    science, reference, error, colour = stars()
    colour[5:] = np.nan
    assert colour_term(science, reference, error, colour) is None
