"""Pairs in memory: their truth holds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from observations.numerics.frame import MaskBit
from observations.numerics.simulate.pair import (
    PairParameters,
    matched_filter_snr,
    move,
    power_law_fluxes,
    simulate_pair,
)
from observations.numerics.simulate.sources import MoffatPsf

EMPTY = {"shape": (128, 160), "n_stars": 0, "n_galaxies": 0, "n_transients": 0}


def centroid(image, x, y, half=9):
    """Return the centroid of the light around (x, y)."""
    left, bottom = round(x) - half, round(y) - half
    cut = image[bottom : bottom + 2 * half + 1, left : left + 2 * half + 1]
    v, u = np.indices(cut.shape)
    return left + (cut * u).sum() / cut.sum(), bottom + (cut * v).sum() / cut.sum()


def test_the_same_seed_gives_the_same_pixels_and_another_seed_others():
    parameters = PairParameters(seed=5, shape=(64, 64), n_stars=10, n_galaxies=1, n_transients=2)
    one, same = simulate_pair(parameters), simulate_pair(parameters)
    np.testing.assert_array_equal(one.science.data, same.science.data)
    np.testing.assert_array_equal(one.reference.data, same.reference.data)
    other = simulate_pair(PairParameters(seed=6, shape=(64, 64), n_stars=10, n_galaxies=1, n_transients=2))
    assert (one.science.data != other.science.data).mean() > 0.9


def test_neither_reads_nor_moves_the_global_random_state():
    parameters = PairParameters(seed=5, shape=(64, 64), n_stars=10, n_galaxies=1, n_transients=2)
    np.random.seed(1)  # noqa: NPY002
    first = simulate_pair(parameters)
    after = np.random.random()  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    assert np.random.random() == after  # noqa: NPY002
    np.testing.assert_array_equal(first.science.data, simulate_pair(parameters).science.data)


def test_the_noise_of_an_empty_sky_is_that_of_gain_and_read_noise():
    pair = simulate_pair(PairParameters(seed=1, **EMPTY, sky_gradient=0.0))
    data = pair.science.data.astype(float)
    # 20 480 pixels know their variance to 1 %, their mean to 0.15 ADU.
    assert data.var() == pytest.approx((900 + 81) / 1.5**2, rel=0.04)
    assert data.mean() == pytest.approx(600, abs=0.7)


def test_science_and_reference_have_independent_noise():
    pair = simulate_pair(PairParameters(seed=1, **EMPTY, sky_gradient=0.0))
    a, b = (frame.data.astype(float).ravel() for frame in (pair.science, pair.reference))
    # The correlation of 20 480 pairs is known to 0.007.
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.03


def test_two_frames_of_the_same_seeing_without_noise_and_transients_are_equal():
    usual = {**EMPTY, "n_stars": 20, "n_galaxies": 5}
    pair = simulate_pair(
        PairParameters(seed=2, **usual, noise=False, ellipticity=0.0, sky_gradient=0.0, fwhm_reference_px=3.0)
    )
    np.testing.assert_allclose(pair.science.data, pair.reference.data, atol=0.01)


def test_transients_are_in_the_science_frame_only_with_flux_and_place_as_told():
    same = {"fwhm_science_px": 3.0, "fwhm_reference_px": 3.0, "ellipticity": 0.0, "sky_gradient": 0.0, "noise": False}
    pair = simulate_pair(PairParameters(seed=3, shape=(256, 256), n_stars=20, n_galaxies=6, n_transients=4, **same))
    difference = pair.science.data.astype(float) - pair.reference.data
    assert difference.sum() == pytest.approx(pair.transients.flux.sum(), rel=0.01)  # wings are cut below 0.5 electrons
    for x, y in zip(pair.transients.x, pair.transients.y, strict=True):
        assert centroid(difference, x, y) == pytest.approx((x, y), abs=0.02)
    assert pair.transients.is_on_host.sum() == 2


def test_the_flux_share_applies_to_sources_and_not_to_the_sky():
    usual = {**EMPTY, "n_stars": 15, "noise": False, "sky_gradient": 0.0, "ellipticity": 0.0, "fwhm_reference_px": 3.0}
    pair = simulate_pair(PairParameters(seed=4, **usual, reference_flux_share=0.5, reference_sky_e=450.0))
    np.testing.assert_allclose(
        pair.reference.data - 300.0, 0.5 * (pair.science.data - 600.0), atol=0.01
    )  # float32 of some thousand ADU


def test_an_offset_and_a_rotation_put_the_reference_where_move_says():
    usual = {**EMPTY, "n_stars": 1, "brightest_e": 2e5, "faintest_e": 1.9e5, "noise": False, "sky_gradient": 0.0}
    where = {"offset_px": (7.3, -4.6), "rotation_deg": 2.0}
    pair = next(
        p
        for p in (simulate_pair(PairParameters(seed=s, **usual, **where)) for s in range(20))
        if 40 < p.star_x[0] < 120 and 40 < p.star_y[0] < 90
    )
    x, y = move(pair.star_x, pair.star_y, (128, 160), (7.3, -4.6), 2.0)
    assert centroid(pair.science.data - 600, pair.star_x[0], pair.star_y[0]) == pytest.approx(
        (pair.star_x[0], pair.star_y[0]), abs=0.02
    )
    assert centroid(pair.reference.data - 600, x[0], y[0]) == pytest.approx((x[0], y[0]), abs=0.02)


def test_moving_turns_from_x_towards_y_about_the_centre():
    x, y = move(np.array([60.0]), np.array([50.0]), (101, 101), (1.0, 2.0), 90.0)
    assert (x[0], y[0]) == pytest.approx((51.0, 62.0))


def test_a_saturated_pixel_is_masked_by_name_and_never_above_the_ceiling():
    usual = {**EMPTY, "n_stars": 30, "brightest_e": 1e7, "faintest_e": 1e6}
    frame = simulate_pair(PairParameters(seed=7, **usual)).science
    assert frame.data.max() == 60_000
    np.testing.assert_array_equal(frame.mask, frame.data >= 60_000)
    np.testing.assert_array_equal(frame.mask_bits == MaskBit.SATURATED, frame.mask)
    assert frame.mask.any()


def test_the_counts_of_a_power_law_fall_as_asked():
    flux = power_law_fluxes(np.random.default_rng(8), 40_000, 100.0, 1e9, 0.6)
    assert flux.min() >= 100
    # 10**-0.6 of the sources are brighter by a factor of ten; 40 000 draws know it to 0.9 %.
    assert (flux > 1000).mean() == pytest.approx(10**-0.6, rel=0.04)


def test_the_ideal_snr_of_a_deep_reference_is_that_of_a_single_frame():
    psf = MoffatPsf(3.0, (64, 64))(32, 32)
    snr = matched_filter_snr(np.array([500.0]), psf, psf, 20.0, 1e-3)
    # A matched filter on white noise: flux times the root of the sum of P², over the rms of a pixel.
    assert snr[0] == pytest.approx(500 * math.sqrt((psf**2).sum()) / 20, rel=1e-3)


def test_an_equal_reference_costs_the_square_root_of_two():
    psf = MoffatPsf(3.0, (64, 64))(32, 32)
    deep, equal = (matched_filter_snr(np.array([500.0]), psf, psf, 20.0, noise)[0] for noise in (1e-3, 20.0))
    assert deep / equal == pytest.approx(math.sqrt(2), rel=1e-3)


def test_the_measured_noise_of_the_matched_filter_agrees_with_the_stated_snr():
    pair = simulate_pair(PairParameters(seed=9, **{**EMPTY, "shape": (256, 256)}, fwhm_reference_px=3.0, ellipticity=0))
    difference = (pair.science.data - pair.reference.data).astype(float)
    difference -= np.median(difference)
    psf = pair.psf_science(128, 128)
    kernel = np.zeros((256, 256))
    kernel[: psf.shape[0], : psf.shape[0]] = psf
    score = np.fft.irfft2(np.fft.rfft2(difference) * np.conj(np.fft.rfft2(kernel))) / (psf**2).sum()
    noise = math.sqrt(900 + 81) / 1.5
    stated = 1 / matched_filter_snr(np.ones(1), psf, psf, noise, noise)[0]
    # Some 1 900 independent places of 35 px: 1.6 %; the tilted skies differ by up to 10 % of the level, removed below.
    v, u = np.indices(score.shape) / 256 - 0.5
    basis = np.stack([np.ones(score.size), u.ravel(), v.ravel()], axis=1)
    inner = (slice(0, 200), slice(0, 200))  # the filter wraps around beyond
    flat = np.zeros(score.shape, dtype=bool)
    flat[inner] = True
    chosen = flat.ravel()
    fit, *_ = np.linalg.lstsq(basis[chosen], score.ravel()[chosen])
    assert (score.ravel() - basis @ fit)[chosen].std() == pytest.approx(stated, rel=0.06)
