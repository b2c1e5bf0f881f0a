"""Positions: between the pixels, at the extremum of the flux, with errors that hold."""

from __future__ import annotations

import numpy as np
import pytest

from differencing.numerics.measure import measure
from differencing.numerics.peaks import Peaks
from differencing.numerics.positions import at_flux_extremum, position_errors_px, squared_slope
from tests.differencing.numerics.scenes import (
    SIGMA_TO_FWHM,
    find,
    gaussian,
    gaussian_stamp,
    made_of,
    pair_of,
    subtract,
)

SHAPE = (80, 100)
AT = (50.37, 40.21)


def peaks_at(x: float, y: float, *, is_negative: bool = False) -> Peaks:
    return Peaks(np.array([x]), np.array([y]), np.array([9.0]), np.array([is_negative]))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_peak_moves_to_the_extremum_of_the_flux_whatever_its_sign(sign):
    d = made_of(sign * gaussian(SHAPE, *AT, 1.8))
    found = at_flux_extremum(d, peaks_at(50.0, 40.5, is_negative=sign < 0))
    # A quintic spline through a Gaussian of sigma 1.8 px.
    assert (found.x[0], found.y[0]) == pytest.approx(AT, abs=2e-3)


def test_the_place_is_that_of_the_flux_where_an_uneven_error_moves_the_score():
    flux = gaussian(SHAPE, *AT, 1.8).astype(np.float32)
    error = np.exp(0.2 * (np.arange(SHAPE[1]) - AT[0]))
    d = made_of(flux / error, flux=flux)
    found = at_flux_extremum(d, peaks_at(AT[0] - 0.6, AT[1]))
    assert found.x[0] == pytest.approx(AT[0], abs=2e-3)


def test_a_peak_beside_a_mask_or_at_the_edge_or_without_an_extremum_stays_where_it_is():
    image = gaussian(SHAPE, *AT, 1.8)
    masked = np.where(np.arange(SHAPE[1]) == 53, np.nan, image)
    for d, start in (
        (made_of(masked, flux=image.astype(np.float32)), (50.0, 40.0)),
        (made_of(gaussian(SHAPE, 2.3, 40.0, 1.8)), (2.0, 40.0)),
        (made_of(np.add.outer(np.zeros(SHAPE[0]), np.arange(SHAPE[1], dtype=float))), (50.0, 40.0)),
    ):
        found = at_flux_extremum(d, peaks_at(*start))
        assert (found.x[0], found.y[0]) == start


def test_the_slope_of_a_gaussian_is_the_analytic_one():
    assert squared_slope(gaussian_stamp(1.7)) == pytest.approx(1.0 / 1.7**2, rel=1e-3)


def test_the_error_of_a_gaussian_is_the_analytic_one_without_the_noise_that_made_the_peak():
    d = made_of(np.zeros(SHAPE), sigma_psf=1.7)
    x, y = np.array([50.0, 50.0]), np.array([40.0, 40.0])
    near, far = position_errors_px(d, x, y, np.array([-5.0, 100.0]))
    assert far == pytest.approx(np.sqrt(2.0) * 1.7 / 100.0, rel=1e-3)
    assert far == pytest.approx(0.6 * 1.7 * SIGMA_TO_FWHM / 100.0, rel=2e-3)
    assert near == pytest.approx(np.sqrt(2.0) * 1.7 / np.sqrt(22.0), rel=1e-3)


def test_pulls_of_positions_have_a_width_of_one_from_5_to_50_sigma():
    pulls, snr = [], []
    for seed in range(421, 431):
        pair = pair_of(seed, shape=(320, 320), n_stars=100, n_transients=30, host_share=0.3, transient_snr=(5.0, 50.0))
        d = subtract(pair.science, pair.reference)
        m = measure(d, find(d), pair.science)
        t = pair.transients
        for k in range(t.x.size):
            near = np.flatnonzero((np.hypot(m.x - t.x[k], m.y - t.y[k]) < 3.0) & ~m.is_negative)
            if near.size:
                best = near[np.argmax(m.significance[near])]
                pulls.append(np.array([m.x[best] - t.x[k], m.y[best] - t.y[k]]) / m.position_error[best])
                snr.append(m.snr[best])
    low, high = np.percentile(np.array(pulls), [15.87, 84.13])
    # Of so many pulls, two a source, the width is known to 4 %; without outliers beside bright stars.
    assert len(pulls) > 200
    assert (high - low) / 2 == pytest.approx(1.0, abs=0.1)
    assert 5.0 < min(snr) < 7.0 and max(snr) > 40.0
