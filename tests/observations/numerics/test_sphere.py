"""Distances and the tangent plane, against Astropy and at the places where formulas break."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from observations.numerics.sphere import project, separation_deg


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((10.0, 20.0), (10.0, 20.0)),
        ((0.0001, 0.0), (359.9999, 0.0)),
        ((12.0, 89.9999), (192.0, 89.9999)),
        ((30.0, -90.0), (210.0, 90.0)),
        ((150.0, 2.0), (150.0 + 1e-7, 2.0)),
        ((77.0, -45.0), (257.0, 44.9)),
    ],
)
def test_distances_are_astropys(one, other):
    expected = SkyCoord(*one, unit="deg").separation(SkyCoord(*other, unit="deg")).deg
    # A micro-arcsecond; near the antipodes a haversine is good to 1e-6 degrees.
    assert separation_deg(*one, *other) == pytest.approx(expected, abs=3e-10 if expected < 170 else 2e-6)


def test_distances_of_many_are_those_of_each():
    ra, dec = np.array([1.0, 200.0]), np.array([-3.0, 80.0])
    each = [float(separation_deg(a, d, 10.0, 20.0)) for a, d in zip(ra, dec, strict=True)]
    np.testing.assert_array_equal(separation_deg(ra, dec, 10.0, 20.0), each)


def test_the_plane_touches_at_the_pole_of_the_projection_and_ends_at_the_horizon():
    xi, eta = project(np.array([40.0, 40.0, 220.0]), np.array([10.0, 11.0, -10.0]), 40.0, 10.0)
    assert (xi[0], eta[0]) == (0.0, 0.0)
    assert (xi[1], eta[1]) == pytest.approx((0.0, np.degrees(np.tan(np.radians(1.0)))), abs=1e-12)
    assert np.isnan(xi[2]) and np.isnan(eta[2])
