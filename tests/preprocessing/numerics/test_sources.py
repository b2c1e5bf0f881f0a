"""Stars and PSF of an image of points, of lines, and of neither."""

import numpy as np
import pytest

from preprocessing.numerics.line_psf import width_across
from preprocessing.numerics.sources import measure_sources, with_total_flux
from tests.preprocessing.numerics.scenes import line_field, star_field

SKY = 400.0


def _measured(field):
    return measure_sources(field.image, field.no_mask, background=SKY, noise=field.noise)


def test_points_have_a_round_psf_and_lines_one_that_is_a_line():
    assert width_across(_measured(star_field(3)).psf.middle) is None
    assert width_across(_measured(line_field(3, 16.0, 0.9)).psf.middle) == pytest.approx(3.0, rel=0.2)


def test_a_line_is_one_star():
    field = line_field(4, 30.0, 0.9, count=15)
    found = _measured(field).stars
    nearest = np.hypot(found.x[:, None] - field.x, found.y[:, None] - field.y).argmin(axis=1)
    assert len(set(nearest)) == len(found)


def test_too_few_stars_for_a_psf_are_stars_all_the_same_and_the_reason_is_told():
    found = _measured(star_field(5, count=2))
    assert found.psf is None
    assert "usable stars" in found.complaint
    field = star_field(5, count=2)
    assert with_total_flux(found, field.image, field.no_mask, background=SKY, noise=20.0) is found.stars


def test_lines_without_a_psf_keep_their_places_and_say_why():
    found = _measured(line_field(6, 64.0, 0.3, size=600))
    assert found.psf is None and "lines of" in found.complaint
    assert len(found.stars) > 5
