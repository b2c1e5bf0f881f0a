"""The flux that is left outside an event."""

from __future__ import annotations

import numpy as np
import pytest

from detection.numerics.baseline import BaselineParameters, fit_baseline

EVENT = (60100.0, 60150.0)
BEFORE = 60000.0 + np.arange(20.0)


def noisy(level: float, error: float = 10.0, n: int = 20, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(level, error, n)


def test_a_level_before_the_event_is_found_with_its_error():
    found = fit_baseline(BEFORE, noisy(-50.0), np.full(20, 10.0), EVENT)
    assert found.epochs == 20
    assert found.flux_error == pytest.approx(10.0 / np.sqrt(20.0), rel=0.3)
    assert found.flux == pytest.approx(-50.0, abs=3.0 * found.flux_error)


def test_what_may_be_nothing_is_no_baseline():
    found = [fit_baseline(BEFORE, noisy(0.0, seed=seed), np.full(20, 10.0), EVENT) for seed in range(200)]
    assert sum(one is not None for one in found) <= 3


def test_epochs_of_the_event_and_of_its_rise_and_fall_take_no_part():
    p = BaselineParameters()
    times = np.array([EVENT[0] - p.rise_days + 1.0, 60120.0, EVENT[1] + p.fade_days - 1.0])
    mjd, flux = np.append(BEFORE, times), np.append(noisy(-50.0), [900.0, 900.0, 900.0])
    without = fit_baseline(BEFORE, noisy(-50.0), np.full(20, 10.0), EVENT)
    assert fit_baseline(mjd, flux, np.full(23, 10.0), EVENT) == without
    assert fit_baseline(mjd[-3:], flux[-3:], np.full(3, 10.0), EVENT) is None
    after = fit_baseline(BEFORE + 1000.0, noisy(-50.0), np.full(20, 10.0), EVENT)
    assert after.epochs == 20


def test_too_few_epochs_are_no_baseline():
    assert fit_baseline(BEFORE[:4], noisy(-500.0, n=4), np.full(4, 10.0), EVENT) is None
    assert fit_baseline(BEFORE[:5], noisy(-500.0, n=5), np.full(5, 10.0), EVENT).epochs == 5


def test_an_epoch_that_is_off_takes_no_part_and_epochs_that_disagree_make_the_error_larger():
    flux = noisy(-50.0)
    flux[3] = 4000.0
    assert fit_baseline(BEFORE, flux, np.full(20, 10.0), EVENT).epochs == 19
    calm = fit_baseline(BEFORE, noisy(-500.0), np.full(20, 10.0), EVENT)
    restless = fit_baseline(BEFORE, noisy(-500.0, error=25.0), np.full(20, 10.0), EVENT)
    assert restless.flux_error > 1.3 * calm.flux_error
