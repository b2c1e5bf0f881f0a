"""What every algorithm of the subtraction promises."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from differencing.numerics import matched, zogy
from differencing.numerics.measure import measure
from differencing.numerics.tie import TooFewStars
from observations.numerics import compiled
from tests.differencing.numerics.scenes import (
    far_from,
    find,
    frame_of,
    gaussian_stamp,
    pair_of,
    with_source,
    with_sources,
)
from tests.parameters import ZOGY

RIM_PX = 16  # sources outside the frame reach this far in

ALGORITHMS = {"zogy": zogy.subtract, "matched": matched.subtract}


@pytest.fixture(params=ALGORITHMS, scope="module")
def subtract(request):
    return partial(ALGORITHMS[request.param], parameters=ZOGY)


def inner(shape):
    out = np.zeros(shape, dtype=bool)
    out[RIM_PX:-RIM_PX, RIM_PX:-RIM_PX] = True
    return out


# A kernel is as good as the sources that it stands on.
MANY = {"shape": (320, 320), "n_stars": 150, "faintest_e": 1e4}

WIDTHS = {
    "science blurred": {"fwhm_science_px": 4.2, "fwhm_reference_px": 3.0},
    "science sharper": {"fwhm_science_px": 2.8, "fwhm_reference_px": 4.2},
    "alike": {"fwhm_science_px": 3.2, "fwhm_reference_px": 3.2},
}


@pytest.fixture(params=WIDTHS, scope="module")
def widths(request):
    return WIDTHS[request.param]


def test_swapping_the_frames_turns_the_sign_of_the_score_and_the_unit_of_the_difference(subtract, widths):
    pair = pair_of(31, reference_flux_share=0.5, **widths)
    there, back = subtract(pair.science, pair.reference), subtract(pair.reference, pair.science)
    where = inner(there.mask.shape)
    # Sky, flux scale and kernel are measured on the one frame or the other: hundredths of a sigma.
    assert np.abs(there.score + back.score)[where].mean() < 0.05
    assert np.corrcoef(there.score[where], -back.score[where])[0, 1] > 0.997
    scale = there.flux_scale.image()
    # Thirty stars of 3 % each; a surface's corners are three times less sure.
    assert np.median(scale * back.flux_scale.image()) == pytest.approx(1.0, abs=0.01)
    assert (there.difference + scale * back.difference)[where].std() < 0.05 * there.difference[where].std()


@pytest.mark.parametrize("device", [name for name in ("cuda", "mps") if getattr(torch, name).is_available()] or ["cpu"])
def test_another_device_and_other_threads_give_the_same_within_a_thousandth(subtract, widths, device, monkeypatch):
    pair = pair_of(33, shape=(320, 320), n_stars=60, n_galaxies=20, **widths)
    here = subtract(pair.science, pair.reference)
    monkeypatch.setattr(compiled, "thread_count", lambda: 3)
    there = subtract(pair.science, pair.reference, device=device)
    for one, other in ((there.score, here.score), (there.flux / here.flux_error, here.flux / here.flux_error)):
        assert np.nanmax(np.abs(one - other)) < 1e-3
    np.testing.assert_allclose(there.flux_error, here.flux_error, rtol=1e-3)
    assert there.noise_rescale == pytest.approx(here.noise_rescale, abs=1e-3)


def test_the_score_of_empty_sky_has_mean_zero_and_variance_one(subtract, widths):
    pair = pair_of(41, shape=(320, 320), n_stars=60, **widths)
    d = subtract(pair.science, pair.reference)
    blank = inner(d.mask.shape) & np.isfinite(d.score) & far_from(d.mask.shape, pair.star_x, pair.star_y, 14.0)
    sky = d.score[blank]
    assert sky.size > 30_000
    # 40 000 px of a score that is correlated over some 12: the scatter is known to 1 %.
    assert sky.std() == pytest.approx(1.0, abs=0.04)
    assert d.noise_rescale == pytest.approx(1.0, abs=0.1)
    # Wings of the wider PSF lift the median of a block.
    assert abs(sky.mean()) < 0.3
    # Of 4 000 independent places none reaches 5 sigma, once in 400.
    assert np.abs(sky).max() < 5.3


def test_static_stars_leave_no_candidate(subtract, widths):
    pair = pair_of(41, shape=(320, 320), n_stars=60, **widths)
    found = find(subtract(pair.science, pair.reference))
    inside = [(a > RIM_PX) & (a < 319 - RIM_PX) for a in (found.x, found.y)]
    assert not (inside[0] & inside[1]).any()


def test_new_sources_are_found_at_their_places_with_their_fluxes(subtract, widths):
    pair = pair_of(52, **MANY, **widths)
    rng = np.random.default_rng(52)
    y, x = (a.ravel() + rng.uniform(-6, 6, a.size) for a in np.mgrid[40:300:40, 40:300:40].astype(float))
    flux = rng.uniform(5e3, 1.5e4, x.size)
    science = with_sources(pair.science, pair.psf_science, x, y, flux)
    d = subtract(science, pair.reference)
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    # Within two FWHM of a star its noise and the model's error push the peak aside.
    apart = np.hypot(pair.star_x[:, None] - x, pair.star_y[:, None] - y).min(axis=0) > 8.4
    sure = apart & (flux / d.flux_error[row, column] > 10.0) & ~d.mask[row, column]
    assert sure.sum() > 25
    found = find(d)
    distance = np.hypot(found.x[:, None] - x, found.y[:, None] - y)
    nearest = distance.argmin(axis=0)
    # A centroid of S/N 10 and FWHM 3 to 4 px has an error of 0.2 px.
    assert (distance[nearest, np.arange(x.size)][sure] < 1.0).all()
    ratio = measure(d, found, science).flux[nearest[sure]] / flux[sure]
    # Some 40 fluxes of S/N 10 to 40 give 1 % by chance; the sky of a block takes 1 to 2 % of a transient.
    assert np.median(ratio) == pytest.approx(1.0, abs=0.03)


def test_a_source_appears_in_the_difference_as_its_psf_says(subtract, widths):
    pair = pair_of(51, **MANY, **widths)
    x, y, flux = 120, 140, 6000.0
    without = subtract(pair.science, pair.reference)
    with_it = subtract(with_source(pair.science, pair.psf_science, x, y, flux), pair.reference)
    psf = without.psf_d(x, y)
    half = psf.shape[0] // 2
    window = (slice(y - half, y + 1 + half), slice(x - half, x + 1 + half))
    added = (with_it.difference - without.difference)[window]
    # The kernel knows the sharper PSF to 3 % at its peak, where D is sharpened; the flux, below, to much less.
    assert np.abs(added - flux * psf).max() < 0.05 * flux * psf.max()
    assert with_it.flux[y, x] - without.flux[y, x] == pytest.approx(flux, rel=0.03)


def test_a_source_that_left_is_as_negative_as_a_new_one_is_positive(subtract, widths):
    pair = pair_of(51, reference_flux_share=0.5, **MANY, **widths)
    before = subtract(pair.science, pair.reference)
    gone = subtract(pair.science, with_source(pair.reference, pair.psf_reference, 120.0, 140.0, 3000.0))
    scale = before.flux_scale.image()[140, 120]
    # The sky takes 1 to 2 % of it, and the scale of one star more.
    assert gone.flux[140, 120] - before.flux[140, 120] == pytest.approx(-3000.0 * scale, rel=0.04)


@pytest.mark.parametrize("which", ["science", "reference"])
def test_a_hole_in_either_frame_stays_a_hole_and_disturbs_no_score_around_it(subtract, which):
    pair = pair_of(71)
    frames = {"science": pair.science, "reference": pair.reference}
    hole = (slice(100, 106), slice(140, 146))
    data, mask = frames[which].data.copy(), frames[which].mask.copy()
    data[hole] = np.nan
    mask[hole] = True
    frames[which] = replace(frames[which], data=data, mask=mask)
    d = subtract(frames["science"], frames["reference"])
    assert np.isnan(d.score[hole]).all() and d.mask[hole].all()
    assert np.isfinite(d.score[~d.mask]).all()
    for image in (d.difference, d.flux, d.flux_error):
        assert np.isfinite(image).all()
    assert np.nanmax(np.abs(d.score[80:126, 120:166])) < 6.0


def test_nan_that_nobody_masked_is_masked(subtract):
    pair = pair_of(71)
    data = pair.science.data.copy()
    data[50, 60] = np.nan
    d = subtract(replace(pair.science, data=data), pair.reference)
    assert d.mask[50, 60] and np.isnan(d.score[50, 60])
    assert d.mask.sum() == (pair.science.mask | pair.reference.mask).sum() + 1


def test_the_frames_stay_untouched_and_the_same_pair_gives_the_same_pixels(subtract):
    pair = pair_of(71)
    before = [a.copy() for f in (pair.science, pair.reference) for a in (f.data, f.mask)]
    first = subtract(pair.science, pair.reference)
    after = [a for f in (pair.science, pair.reference) for a in (f.data, f.mask)]
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(first.score, subtract(pair.science, pair.reference).score)


def test_frames_without_a_common_source_are_refused(subtract):
    rng = np.random.default_rng(72)
    frames = [frame_of(rng.normal(1000.0, 20.0, (128, 128)), gain=1.5) for _ in range(2)]
    with pytest.raises(TooFewStars):
        subtract(frames[0], frames[1], psf_science=gaussian_stamp(1.3), psf_reference=gaussian_stamp(1.3))
