"""The error of a WCS is what stars show beyond their own noise, and what the fit leaves."""

from __future__ import annotations

import numpy as np
import pytest

from observations.numerics.frame import Stars
from preprocessing.numerics.astrometry.errors import centroid_errors_px, match_error_px, solution_error_px


def residuals(scatter_px: float, n: int = 4000) -> np.ndarray:
    return np.random.default_rng(5).normal(0.0, scatter_px, (n, 2))


def test_scatter_that_noise_explains_is_no_error_but_that_of_the_fit():
    error = match_error_px(residuals(0.2, 400), np.full(400, 0.2), 3)
    # sqrt(3 / 400) of 0.2, which 200 stars tell to some per cent, and what chance leaves of the difference of scatters.
    assert 0.9 * 0.2 * np.sqrt(3 / 400) <= error < 0.07


def test_scatter_beyond_the_noise_holds_anywhere():
    assert match_error_px(residuals(0.5), np.full(4000, 0.3), 3) == pytest.approx(0.4, rel=0.05)


def test_noisy_stars_do_not_hide_what_bright_ones_show():
    error = np.where(np.arange(4000) < 2000, 0.05, 0.5)
    random = np.random.default_rng(6)
    left = random.normal(0.0, 1.0, (4000, 2)) * np.hypot(error, 0.1)[:, None]
    assert match_error_px(left, error, 3) == pytest.approx(0.1, rel=0.1)


def test_the_error_of_a_solution_falls_with_the_stars():
    # A distance of rms r is r/sqrt(2) in each axis; three coefficients of n stars.
    assert solution_error_px(0.2, 150) == pytest.approx(0.2 / np.sqrt(2.0) * np.sqrt(3 / 150))
    assert solution_error_px(0.2, 0) == solution_error_px(0.2, 3)


def test_a_centroid_is_as_good_as_its_star_is_bright():
    snr, no = np.array([10.0, 100.0]), np.zeros(2, dtype=bool)
    stars = Stars(snr, snr, 7.0 * snr, np.full(2, 7.0), np.full(2, 3.0), np.zeros(2), no, ~no, 3.0)
    # 0.6 FWHM over the S/N.
    assert centroid_errors_px(stars) == pytest.approx([0.18, 0.018], rel=0.01)
