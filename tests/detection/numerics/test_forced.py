"""Forced photometry: analytic sources, what gives no value, pulls and limits on simulated pairs."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from detection.numerics.forced import Forced, Subtracted, Trouble, force
from differencing.numerics.difference import Difference
from observations.numerics.frame import MaskBit
from tests.differencing.numerics.scenes import (
    SIGMA_TO_FWHM,
    find,
    gaussian,
    made_of,
    pair_of,
    subtract,
    with_sources,
)

SHAPE = (80, 100)
SIGMA = 3.0 / SIGMA_TO_FWHM
AT = (50.3, 40.2)


def images_of(d: Difference, gain: float | None = 1.5, **changes) -> Subtracted:
    """Return what a subtraction leaves, as the stage reads it."""
    usual: dict = {
        "flux": d.flux, "score": d.score, "science": d.science, "reference": d.reference,
        "mask": d.mask.astype(np.uint8), "psf": d.psf_science, "sigma_science": d.diagnostics.sigma_science,
        "sigma_reference": d.diagnostics.sigma_reference, "gain": gain,
    }  # fmt: skip
    return Subtracted(**{**usual, **changes})


def answer(x: float, y: float, flux: float) -> np.ndarray:
    """Return the matched filter's answer to a source seen through a Gaussian PSF."""
    wide = np.sqrt(2.0) * SIGMA
    return gaussian(SHAPE, x, y, wide, flux=flux * 2.0 * np.pi * wide**2)


def made(flux: float = 1000.0, error: float = 20.0, at: tuple[float, float] = AT, **changes) -> Subtracted:
    """Return images of one source, without noise."""
    image = answer(*at, flux)
    d = made_of(image / error, sigma_psf=SIGMA, flux=image.astype(np.float32))
    return images_of(d, **changes)


def one(images: Subtracted, x: float, y: float, error_px: float = 0.0) -> Forced:
    return force(images, np.array([x]), np.array([y]), np.array([error_px]))


# --- analytic sources ---


@pytest.mark.parametrize("flux", [1000.0, -1000.0])
def test_flux_and_error_are_those_between_the_pixels_whatever_the_sign(flux):
    found = one(made(flux), *AT)
    # A cubic spline through a Gaussian of 1.8 px.
    assert found.flux[0] == pytest.approx(flux, rel=2e-3)
    assert found.flux_error[0] == pytest.approx(20.0, rel=1e-3)
    assert np.isnan(found.limit[0])


def test_below_3_sigma_there_is_a_limit_of_five_errors_and_at_3_there_is_none():
    assert one(made(59.0), *AT).limit[0] == pytest.approx(100.0, rel=1e-3)
    assert one(made(-59.0), *AT).limit[0] == pytest.approx(100.0, rel=1e-3)
    assert np.isnan(one(made(61.0), *AT).limit[0])


def test_an_uncertain_place_gives_the_lost_flux_back_and_counts_it_as_error():
    # A Gaussian loses sigma_p²/(2 sigma²) of its peak, on average.
    lost = 0.3**2 / (2.0 * SIGMA**2)
    found = one(made(), *AT, 0.3)
    assert found.flux[0] == pytest.approx(1000.0 * (1.0 + lost), rel=2e-3)
    assert found.flux_error[0] == pytest.approx(np.hypot(20.0 * (1.0 + lost), 1000.0 * lost), rel=0.01)


def test_the_flux_lost_by_wrong_places_is_the_one_that_is_given_back():
    random = np.random.default_rng(4)
    x, y = (middle + random.normal(0.0, 0.3, 2000) for middle in AT)
    found = force(made(), x, y, np.full(2000, 0.3))
    assert found.flux.mean() == pytest.approx(1000.0, rel=3e-3)


# --- what gives no value ---


def masked(bit: MaskBit, reach: int) -> np.ndarray:
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[40 - reach : 41 + reach, 50 - reach : 51 + reach] = bit
    return mask


def test_a_masked_pixel_under_the_peak_leaves_no_value_but_a_reason():
    found = one(made(mask=masked(MaskBit.BAD, 0)), 50.0, 40.0)
    assert found.trouble == [Trouble.MASKED]
    assert np.isnan([found.flux[0], found.flux_error[0], found.limit[0], found.total_flux[0]]).all()
    saturated = one(made(mask=masked(MaskBit.BAD | MaskBit.SATURATED, 1)), 50.0, 40.0)
    assert saturated.trouble == [Trouble.SATURATED]
    # An interpolated pixel has a value.
    assert one(made(mask=masked(MaskBit.INTERPOLATED, 1)), 50.0, 40.0).trouble == [Trouble.NONE]


def test_a_masked_pixel_in_the_wings_does_no_harm_even_where_the_score_is_missing():
    images = made()
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[40, 53:60] = MaskBit.BAD
    score = np.where(mask > 0, np.nan, np.asarray(images.score))
    found = one(replace(images, mask=mask, score=score), *AT)
    assert found.trouble == [Trouble.NONE]
    assert (found.flux[0], found.flux_error[0]) == pytest.approx((1000.0, 20.0), rel=2e-3)


def test_the_error_is_that_of_the_good_pixels_around_the_place():
    images = made()
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[41, 51] = MaskBit.BAD
    score = np.where(mask > 0, np.nan, np.asarray(images.score))
    # A pixel with half the score has twice the error; the masked one has none at all.
    score[40, 51] /= 2.0
    found = one(replace(images, mask=mask, score=score), 50.5, 40.0)
    assert found.flux_error[0] == pytest.approx(30.0, rel=1e-3)


@pytest.mark.parametrize("place", [(-0.6, 40.0), (99.6, 40.0), (50.0, -30.0), (50.0, 500.0), (float("nan"), 40.0)])
def test_a_place_beyond_the_frame_is_outside(place):
    assert one(made(), *place).trouble == [Trouble.OUTSIDE]


def test_a_source_is_measured_up_to_the_edge_until_the_edge_cuts_its_core():
    # Of the squared PSF, with a sigma of .9 px, 16 % lie beyond one sigma.
    assert one(made(at=(0.6, 40.0)), 0.6, 40.0).trouble == [Trouble.NONE]
    assert one(made(at=(-0.2, 40.0)), -0.2, 40.0).trouble == [Trouble.OUTSIDE]


# --- with what the reference holds ---


def star(flux: float, sigma: float = SIGMA) -> np.ndarray:
    return gaussian(SHAPE, *AT, sigma, flux=flux)


def both(science: np.ndarray, reference: np.ndarray, noise: float = 5.0) -> Forced:
    random = np.random.default_rng(8)
    seen = [image + random.normal(0.0, noise, SHAPE) for image in (science, reference)]
    images = made(science=seen[0], reference=seen[1], sigma_science=noise, sigma_reference=noise)
    return one(images, *AT)


def test_a_star_of_the_reference_has_a_total_flux():
    found = both(star(6000.0), star(5000.0))
    # Noise over the root of the PSF's squares, 1/(4 pi sigma²), and photons at 1.5 electrons a count.
    error = np.sqrt(5.0**2 * 4.0 * np.pi * SIGMA**2 + 6000.0 / 1.5)
    assert found.total_flux_error[0] == pytest.approx(error, rel=0.01)
    assert found.total_flux[0] == pytest.approx(6000.0, abs=3.0 * error)


def test_the_star_may_be_seen_through_other_seeing():
    assert np.isfinite(both(star(6000.0), star(5000.0, 1.4 * SIGMA)).total_flux[0])


@pytest.mark.parametrize(
    "reference", [star(0.0), star(-5000.0), star(150.0), star(20000.0, 2.5 * SIGMA)],
    ids=["nothing", "less than nothing", "something faint", "a galaxy"],
)  # fmt: skip
def test_where_the_reference_holds_no_star_there_is_no_total_flux(reference):
    found = both(star(1000.0) + reference, reference)
    assert np.isnan([found.total_flux[0], found.total_flux_error[0]]).all()


# --- simulated pairs ---

PAIR = {"shape": (320, 320), "n_stars": 100}


@lru_cache(maxsize=8)
def injected(seed: int, snr: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray, Difference]:
    """Return places and fluxes of 49 new sources away from all others, of this range of S/N, and the difference."""
    pair = pair_of(seed, **PAIR, n_transients=1)
    random = np.random.default_rng([seed, 9])
    step = np.arange(28.0, 300.0, 42.0)
    x, y = (grid.ravel() + random.uniform(-5.0, 5.0, grid.size) for grid in np.meshgrid(step, step))
    taken = [
        np.append(of_stars, own)
        for of_stars, own in ((pair.star_x, pair.transients.x), (pair.star_y, pair.transients.y))
    ]
    apart = np.array([np.hypot(taken[0] - a, taken[1] - b).min() > 10.0 for a, b in zip(x, y, strict=True)])
    x, y = x[apart], y[apart]
    unit = pair.transients.flux[0] / pair.transients.snr[0]
    flux = unit * np.exp(random.uniform(np.log(snr[0]), np.log(snr[1]), x.size))
    science = with_sources(pair.science, pair.psf_science, x, y, flux)
    noisy = replace(science, data=science.data + photons(science.data - pair.science.data, random))
    return x, y, flux, subtract(noisy, pair.reference)


def photons(counts: np.ndarray, random: np.random.Generator, gain: float = 1.5) -> np.ndarray:
    return (random.normal(0.0, 1.0, counts.shape) * np.sqrt(np.maximum(counts, 0.0) / gain)).astype(np.float32)


@pytest.mark.parametrize("error_px", [0.0, 0.2])
def test_pulls_have_a_width_of_one_from_5_to_50_sigma(error_px):
    pulls = []
    for seed in range(401, 409):
        x, y, flux, d = injected(seed, (5.0, 50.0))
        random = np.random.default_rng(seed)
        wrong = [place + random.normal(0.0, 1.0, x.size) * error_px for place in (x, y)]
        measured = force(images_of(d), wrong[0], wrong[1], np.full(x.size, error_px))
        pulls.append((measured.flux - flux) / measured.flux_error)
    found = np.concatenate(pulls)
    # Of so many pulls the width is known to 4 %.
    assert found.size > 280
    assert np.std(found) == pytest.approx(1.0, abs=0.1)
    assert abs(np.mean(found)) < 0.25


def test_half_of_the_sources_at_the_5_sigma_limit_are_found():
    shares, limits = [], []
    for seed in range(311, 319):
        x, y, flux, d = injected(seed, (2.5, 10.0))
        peaks = find(d)
        near = np.hypot(peaks.x[:, None] - x, peaks.y[:, None] - y) < 3.0
        pair = pair_of(seed, **PAIR, n_transients=1)
        empty = force(images_of(subtract(pair.science, pair.reference)), x, y, np.zeros(x.size))
        limits.append(flux / (5.0 * empty.flux_error))
        shares.append(near.any(axis=0))
    ratio, found = np.log10(np.concatenate(limits)), np.concatenate(shares)
    steps = np.linspace(-0.3, 0.3, 121)
    # Where as many are found below as are missed above: the middle of the completeness, without a model of its slope.
    # Of so many sources it is known to .03 mag; it lies .03 mag deeper, for the peak seeks the best place of its noise.
    assert found.size > 250
    wrong = [np.count_nonzero(found & (ratio < s)) - np.count_nonzero(~found & (ratio >= s)) for s in steps]
    half = steps[np.argmin(np.abs(wrong))]
    assert abs(2.5 * half) < 0.1
