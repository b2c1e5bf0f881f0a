"""Errors by the uncertainty parameter, magnitudes by H and G: against what is published."""

from __future__ import annotations

import numpy as np
import pytest

from detection.numerics.ephemerides.brightness import asteroid_mag, comet_mag
from detection.numerics.ephemerides.uncertainty import runoff_of, spread_arcsec


@pytest.mark.parametrize(
    ("parameter", "arcsec"), [(0, 1.0), (1, 4.4), (2, 19.6), (3, 86.5), (4, 382.0), (5, 1692.0), (6, 7488.0)]
)
def test_the_runoff_is_the_upper_end_of_the_published_class(parameter, arcsec):
    assert runoff_of(parameter) == pytest.approx(arcsec, rel=0.01)


@pytest.mark.parametrize("parameter", [None, 9, -1])
def test_the_worst_class_and_none_say_nothing(parameter):
    assert np.isnan(runoff_of(parameter))


def test_the_error_along_the_way_grows_with_time_and_nearness_and_that_across_does_not():
    runoff = np.array([365.25])
    near = spread_arcsec(runoff, 100.0, np.array([2.0]), np.array([1.0]), np.array([0.4]))
    later = spread_arcsec(runoff, 200.0, np.array([2.0]), np.array([1.0]), np.array([0.4]))
    assert near[0] == pytest.approx(np.hypot(20.0, 0.4)) and later[0] == pytest.approx(np.hypot(40.0, 0.4))
    assert near[1] == later[1] == pytest.approx(0.4)


def test_an_orbit_of_unknown_quality_has_no_error_along_its_way():
    along, across = spread_arcsec(np.array([np.nan]), 1.0, np.array([2.0]), np.array([1.0]), np.array([np.nan]))
    assert np.isnan(along[0]) and across[0] == 0.5


def test_at_one_au_from_both_and_no_phase_the_magnitude_is_the_absolute_one():
    assert asteroid_mag(np.array([15.0]), np.array([0.15]), np.array([1.0]), np.array([1.0]), 1e-12) == pytest.approx(
        15.0
    )


def test_a_magnitude_at_a_phase_is_that_of_the_published_function():
    # Right-angled at the body: r² + Δ² = R², a phase of 90 degrees, Φ1 = exp(-3.33), Φ2 = exp(-1.87).
    to_sun, to_earth = np.array([0.6]), np.array([0.8])
    expected = 15.0 + 5.0 * np.log10(0.48) - 2.5 * np.log10(0.85 * np.exp(-3.33) + 0.15 * np.exp(-1.87))
    assert asteroid_mag(np.array([15.0]), np.array([np.nan]), to_sun, to_earth, 1.0) == pytest.approx(expected)


def test_an_unknown_absolute_magnitude_stays_unknown():
    assert np.isnan(asteroid_mag(np.array([np.nan]), np.array([0.15]), np.array([2.0]), np.array([1.2]), 1.0))[0]


def test_a_comet_brightens_with_the_tenth_power_of_its_nearness_to_the_sun():
    far, near = (comet_mag(np.array([8.0]), np.array([4.0]), np.array([r]), np.array([1.0]))[0] for r in (1.0, 0.1))
    assert (far, near) == (8.0, pytest.approx(-2.0))
