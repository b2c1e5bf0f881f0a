from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, maximum_filter

from differencing.numerics.align import align
from differencing.numerics.measure import measure
from differencing.numerics.tie import TooFewStars
from observations.numerics.simulate.pair import matched_filter_snr, move
from preprocessing.numerics.photometry import psf_radius_px
from tests.differencing.numerics.scenes import (
    difference_of,
    far_from,
    find,
    frame_of,
    gaussian_stamp,
    pair_of,
    subtract,
    with_source,
    with_sources,
)
from tests.parameters import ZOGY

RIM_PX = 16  # sources outside the frame reach this far in, where the peaks are flagged as edge


def _inner(shape):
    out = np.zeros(shape, dtype=bool)
    out[RIM_PX:-RIM_PX, RIM_PX:-RIM_PX] = True
    return out


def _resampled(pair, offset, rotation):
    shape = pair.science.shape
    return align(pair.reference, lambda x, y: move(x, y, shape, offset, rotation), shape)


# --- against the paper's equations -----------------------------------------------------------------------------------


def _transform_of(stamp, shape):
    kernel = np.zeros(shape)
    half = stamp.shape[0] // 2
    kernel[: stamp.shape[0], : stamp.shape[1]] = stamp
    return np.fft.fft2(np.roll(kernel, (-half, -half), axis=(0, 1)))


@lru_cache(maxsize=1)
def _slow():
    """Zackay et al. 2016, eq. 12-15 and 25-29, in complex double precision on one tile, F_n = F_r = 1, white noise."""
    pair = pair_of(21, sky_gradient=0.0, fwhm_science_px=2.8, fwhm_reference_px=3.6)
    frames = [replace(f, gain=None) for f in (pair.science, pair.reference)]
    d = subtract(frames[0], frames[1])
    sigma_n, sigma_r = d.diagnostics.sigma_science, d.diagnostics.sigma_reference
    n, r = (np.pad(a.astype(np.float64), 32) for a in (d.science, d.reference))
    p_n, p_r = (_transform_of(psf(100, 100), n.shape) for psf in (pair.psf_science, pair.psf_reference))
    root = np.sqrt(sigma_n**2 * np.abs(p_r) ** 2 + sigma_r**2 * np.abs(p_n) ** 2)
    f_d = 1.0 / np.sqrt(sigma_n**2 + sigma_r**2)  # eq. 15
    d_hat = (p_r * np.fft.fft2(n) - p_n * np.fft.fft2(r)) / root  # eq. 13
    p_d = p_n * p_r / (f_d * root)  # eq. 14
    s_hat = f_d * d_hat * np.conj(p_d)  # eq. 12, 17
    k_n, k_r = np.conj(p_n) * np.abs(p_r) ** 2 / root**2, np.conj(p_r) * np.abs(p_n) ** 2 / root**2  # eq. 28, 29
    s_n, s_r = (np.fft.ifft2(k * np.fft.fft2(a)).real for k, a in ((k_n, n), (k_r, r)))
    spread = [s**2 * np.sum(np.fft.ifft2(k).real ** 2) for s, k in ((sigma_n, k_n), (sigma_r, k_r))]  # eq. 26, 27
    scatter, epsilon = d.diagnostics.shift_scatter_px, d.diagnostics.model_error
    slope = np.minimum(*(sum(g**2 for g in np.gradient(s)) for s in (s_n, s_r)))
    static = np.minimum(np.abs(s_n), np.abs(s_r))
    core = (slice(32, -32), slice(32, -32))
    fwhm_px = 2.0 * max(psf_radius_px(psf(100, 100)) for psf in (pair.psf_science, pair.psf_reference))
    near = maximum_filter(static[core], size=2 * round(fwhm_px) + 1)  # the model's error reaches as far as a core
    noise = np.sqrt(sum(spread) + scatter**2 * slope[core] + (epsilon * near) ** 2)
    norm = np.mean(np.abs(p_n * p_r) ** 2 / root**2)
    difference = (np.fft.ifft2(d_hat).real / f_d)[core]
    # The sky that was taken from D: smooth, while D's frequencies without power (see below) are not. One count of it is
    # one count of D and the filter's sum of S.
    sky = gaussian_filter(difference - d.difference, 8.0)
    score = np.fft.ifft2(s_hat).real[core] - f_d**2 * sky
    return d, {
        "difference": difference,
        "sky": sky,
        "score": score / noise,  # eq. 25
        "flux": score / norm,
        "psf_d": np.fft.fftshift(np.fft.ifft2(p_d).real),
    }


def test_the_flux_is_that_of_the_papers_equations():
    d, slow = _slow()
    ours, theirs = d.flux[_inner(d.mask.shape)], slow["flux"][_inner(d.mask.shape)]
    # Single precision, and the sky as smoothed: measured 4e-3 of the noise, 4e-2 where the sky bends most.
    assert np.abs(ours - theirs).mean() < 0.01 * theirs.std()
    assert np.abs(ours - theirs).max() < 0.06 * theirs.std()


def test_the_difference_is_that_of_the_papers_equations():
    d, slow = _slow()
    sky = slow["sky"]
    ours, theirs = (d.difference + sky)[_inner(d.mask.shape)], slow["difference"][_inner(d.mask.shape)]
    # What is taken off is smooth and below the noise: the sky, which the paper takes as known.
    assert np.abs(sky).max() < 0.3 * theirs.std()
    # Where both PSFs let less than 3e-4 of the amplitude pass, the denominator is held up: 4 % of the noise's rms, in
    # frequencies that the score does not use.
    assert (ours - theirs).std() < 0.06 * theirs.std()
    assert np.sum(ours * theirs) / np.sum(theirs**2) == pytest.approx(1.0, abs=0.01)


def test_the_score_is_that_of_the_papers_equations():
    d, slow = _slow()
    inner = _inner(d.mask.shape)
    ours, theirs = d.score[inner] * d.noise_rescale, slow["score"][inner]
    # The noise of a place is measured in blocks of 128 px, each to 1 %; the slow one takes the median of the frame.
    assert np.corrcoef(ours, theirs)[0, 1] > 0.9995
    assert np.sum(ours * theirs) / np.sum(theirs**2) == pytest.approx(1.0, abs=0.02)


def test_the_psf_of_the_difference_is_that_of_the_papers_equations():
    d, slow = _slow()
    stamp = d.psf_d(100, 100)
    half, centre = stamp.shape[0] // 2, slow["psf_d"].shape[0] // 2
    theirs = slow["psf_d"][centre - half : centre + half + 1, centre - half : centre + half + 1]
    assert stamp.sum() == pytest.approx(1.0, abs=1e-6)
    # The cut-off wings (1 % of the flux) are spread over all: 1 % of the peak.
    assert np.abs(stamp - theirs).max() < 0.015 * theirs.max()


# --- symmetry and units ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"reference_flux_share": 0.5},
        {"reference_flux_share": 0.5, "fwhm_science_px": 4.0, "fwhm_reference_px": 3.0},
    ],
    ids=["alike", "half the flux", "half the flux and sharper"],
)
def test_swapping_the_frames_turns_the_sign_of_the_score_and_the_unit_of_the_difference(changes):
    pair = pair_of(31, **changes)
    there, back = difference_of(31, **changes), subtract(pair.reference, pair.science)
    inner = _inner(there.mask.shape)
    # Sky and flux scale are measured on the one frame or the other: hundredths of a sigma.
    assert np.abs(there.score + back.score)[inner].mean() < 0.05
    assert np.corrcoef(there.score[inner], -back.score[inner])[0, 1] > 0.997
    scale = there.flux_scale.image()
    # Thirty stars of 3 % each; a surface's corners are three times less sure.
    assert np.median(scale * back.flux_scale.image()) == pytest.approx(1.0, abs=0.01)
    left = (there.difference + scale * back.difference)[inner]
    assert left.std() < 0.03 * there.difference[inner].std()


def test_a_sky_that_is_higher_by_a_constant_changes_nothing():
    pair = pair_of(32)
    lifted = replace(pair.science, data=pair.science.data + np.float32(500.0))
    a, b = difference_of(32), subtract(lifted, pair.reference)
    np.testing.assert_allclose(a.score, b.score, atol=0.02)
    # A count of 1e3 has steps of 6e-5; what the sky's mesh makes of them stays below 1e-2.
    np.testing.assert_allclose(a.difference, b.difference, atol=0.1)


def test_counts_of_another_unit_give_the_same_score_and_a_difference_in_that_unit():
    pair = pair_of(32)
    # 4 is a power of two: no pixel is rounded differently.
    fourfold = replace(pair.science, data=4 * pair.science.data, gain=pair.science.gain / 4)
    a, b = difference_of(32), subtract(fourfold, pair.reference)
    np.testing.assert_allclose(a.score, b.score, atol=0.02)
    np.testing.assert_allclose(4 * a.difference, b.difference, atol=0.1)
    assert b.diagnostics.flux_scale_median == pytest.approx(4 * a.diagnostics.flux_scale_median, rel=1e-3)


def test_turning_both_frames_upside_down_turns_the_score():
    pair = pair_of(33, ellipticity=0.0)
    a = difference_of(33, ellipticity=0.0)
    turned = [
        replace(f, data=f.data[::-1, ::-1].copy(), mask=f.mask[::-1, ::-1].copy(), mask_bits=None)
        for f in (pair.science, pair.reference)
    ]
    b = subtract(turned[0], turned[1])
    inner = _inner(a.mask.shape)
    # A round PSF is its own image; the blocks of the sky's mesh lie elsewhere.
    assert np.abs(a.score - b.score[::-1, ::-1])[inner].mean() < 0.1


# --- statistics of the empty sky -------------------------------------------------------------------------------------

NOISE_CASES = {
    "alike": ({}, None),
    "science twice as blurred": ({"fwhm_science_px": 4.4, "fwhm_reference_px": 2.8}, None),
    "science sharper": ({"fwhm_science_px": 2.8, "fwhm_reference_px": 4.4}, None),
    "shallow reference": ({"reference_flux_share": 0.45, "reference_sky_e": 3000.0}, None),
    "shifted by half a pixel": ({"offset_px": (0.5, 0.5)}, ((0.5, 0.5), 0.0)),
    "shifted and turned": ({"offset_px": (37.4, -12.3), "rotation_deg": 0.46}, ((37.4, -12.3), 0.46)),
}


@pytest.mark.parametrize("case", NOISE_CASES)
def test_the_score_of_empty_sky_has_mean_zero_and_variance_one(case):
    changes, movement = NOISE_CASES[case]
    pair = pair_of(41, shape=(320, 320), n_stars=60, **changes)
    reference = pair.reference if movement is None else _resampled(pair, *movement)
    d = (
        difference_of(41, shape=(320, 320), n_stars=60, **changes)
        if movement is None
        else subtract(pair.science, reference)
    )
    blank = _inner(d.mask.shape) & np.isfinite(d.score) & far_from(d.mask.shape, pair.star_x, pair.star_y, 14.0)
    sky = d.score[blank]
    assert sky.size > 30_000
    # 40 000 px of a score that is correlated over some 12: the scatter is known to 1 %.
    assert sky.std() == pytest.approx(1.0, abs=0.04)
    # Wings of the wider PSF lift the median of a block; of equal PSFs they cancel.
    seeing_differs = "fwhm_science_px" in changes
    assert abs(sky.mean()) < (0.3 if seeing_differs else 0.12)
    # Quintic splines take noise away in a way that lags of 3 px hold to 9 % at half a pixel, the worst.
    assert d.noise_rescale == pytest.approx(1.0, abs=0.1 if movement or seeing_differs else 0.05)
    # Of 4 000 independent places none reaches 5 sigma, once in 400.
    assert np.abs(sky).max() < 5.3


def test_the_empty_sky_gives_no_candidate_on_a_static_field():
    for seed in (41, 42):
        d = difference_of(seed, shape=(320, 320), n_stars=60)
        assert not _inside(find(d), d.mask.shape).any()


def test_unknown_gain_is_no_zero_gain():
    pair = pair_of(45)
    blind = [replace(f, gain=None, read_noise=None) for f in (pair.science, pair.reference)]
    a, b = difference_of(45), subtract(blind[0], blind[1])
    blank = _inner(a.mask.shape) & far_from(a.mask.shape, pair.star_x, pair.star_y, 14.0)
    # On empty sky the noise is measured, with or without a gain.
    np.testing.assert_allclose(a.score[blank], b.score[blank], atol=0.2)


def test_a_frame_less_itself_has_no_noise_and_is_refused():
    frame = pair_of(45).science
    with pytest.raises(ValueError, match="noise"):
        subtract(frame, frame)


# --- injection and recovery ------------------------------------------------------------------------------------------


def test_a_source_of_known_flux_appears_in_flux_and_difference_as_itself():
    pair = pair_of(51)
    x, y, flux = 120.0, 140.0, 3000.0
    without = difference_of(51)
    with_it = subtract(with_source(pair.science, pair.psf_science, x, y, flux), pair.reference)
    # It lifts the sky of its own block of 32 px by half a count: 1.3 % of its flux at this S/N of 16.
    assert with_it.flux[140, 120] - without.flux[140, 120] == pytest.approx(flux, rel=0.02)
    psf = without.psf_d(x, y)
    half = psf.shape[0] // 2
    window = (slice(140 - half, 141 + half), slice(120 - half, 121 + half))
    added = (with_it.difference - without.difference)[window]
    assert np.abs(added - flux * psf).max() < 0.02 * flux * psf.max()
    # flux_error holds the source's own photon noise, so that S/N grows slower than the flux.
    assert with_it.flux_error[140, 120] > without.flux_error[140, 120]


def test_a_source_that_left_is_as_negative_as_a_new_one_is_positive():
    pair = pair_of(51)
    scale = difference_of(51).flux_scale.image()[140, 120]
    gone = subtract(pair.science, with_source(pair.reference, pair.psf_reference, 120.0, 140.0, 3000.0))
    left = gone.flux[140, 120] - difference_of(51).flux[140, 120]
    assert left == pytest.approx(-3000.0 * scale, rel=0.03)  # the sky as above, and the scale of one star more


RECOVERY_CASES = {
    "seeing and depth differ": (
        {"fwhm_science_px": 2.6, "fwhm_reference_px": 3.8, "reference_flux_share": 0.5},
        None,
        False,
    ),
    "blurred science": ({"fwhm_science_px": 4.2, "fwhm_reference_px": 3.0}, None, False),
    "shifted and turned": ({"offset_px": (21.4, -12.3), "rotation_deg": 0.3}, ((21.4, -12.3), 0.3), False),
    "psf from the stars": ({"n_stars": 120}, None, True),
    "psf varies, with galaxies": ({"psf_variation": 0.15, "n_galaxies": 8}, None, False),
}


def _flux_of_snr(pair, changes, snr):
    """Return the fluxes in science ADU that an ideal difference on empty sky shows at these S/N."""
    share = changes.get("reference_flux_share", 1.0)
    sky_noise = np.sqrt(900.0 + 9.0**2) / pair.science.gain
    stamps = pair.psf_science(160, 160), pair.psf_reference(160, 160)
    return snr / matched_filter_snr(np.ones(1), *stamps, sky_noise, sky_noise / share)[0]


@pytest.mark.parametrize("case", RECOVERY_CASES)
def test_every_transient_above_ten_sigma_is_found_at_its_place_with_its_flux(case):
    changes, movement, estimate_psf = RECOVERY_CASES[case]
    pair = pair_of(52, shape=(320, 320), **{"n_stars": 60, **changes})
    rng = np.random.default_rng(52)
    y, x = (a.ravel() + rng.uniform(-6, 6, a.size) for a in np.mgrid[40:300:40, 40:300:40].astype(float))
    flux = _flux_of_snr(pair, changes, rng.uniform(13.0, 45.0, x.size))
    science = with_sources(pair.science, pair.psf_science, x, y, flux)
    reference = pair.reference if movement is None else _resampled(pair, *movement)
    if estimate_psf:
        science, reference = replace(science, psf=None), replace(reference, psf=None)
    d = subtract(science, reference)
    found = find(d)
    measured = measure(d, found, science)
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    sure = (flux / d.flux_error[row, column] > 10.0) & ~d.mask[row, column]
    distance = np.hypot(found.x[:, None] - x, found.y[:, None] - y)
    nearest = distance.argmin(axis=0)
    assert sure.sum() > 25
    # A centroid of S/N 10 and FWHM 3 to 4 px has an error of 0.2 px.
    assert (distance[nearest, np.arange(x.size)][sure] < 1.0).all()
    ratio = measured.flux[nearest[sure]] / flux[sure]
    # 40 to 90 fluxes of S/N 10 to 40: 1 % by chance; the sky of its block takes 1 to 2 % of a transient.
    assert np.average(ratio, weights=flux[sure]) == pytest.approx(1.0, abs=0.03)
    pull = (measured.flux[nearest[sure]] - flux[sure]) / measured.flux_error[nearest[sure]]
    # The transients come without photon noise of their own, which flux_error holds.
    assert 0.5 < np.std(pull) < 1.3
    for found_at, true_at in ((measured.x, x), (measured.y, y)):
        assert np.mean((found_at[nearest] - true_at)[sure]) == pytest.approx(0.0, abs=0.05)
    false = (distance.min(axis=1) > 6.0) & _inside(found, d.mask.shape)
    # A PSF from some sixty stars leaves 1 % of a bright one: 6 sigma beside one star in two hundred.
    assert false.sum() <= (1 if estimate_psf else 0)


def _inside(found, shape):
    return (
        (found.x > RIM_PX) & (found.y > RIM_PX) & (found.x < shape[1] - 1 - RIM_PX) & (found.y < shape[0] - 1 - RIM_PX)
    )


# --- flux scale, shift, tiles ----------------------------------------------------------------------------------------


def test_haze_that_thickens_across_the_frame_is_taken_up_by_the_flux_scale():
    pair = pair_of(61, shape=(320, 320), n_stars=120)
    haze = np.linspace(0.5, 0.7, 320)[None, :] * np.ones((320, 1))
    sky = float(np.median(pair.science.data))
    hazy = replace(pair.science, data=((pair.science.data - sky) * haze + sky).astype(np.float32))
    d = subtract(hazy, pair.reference)
    left = d.flux_scale.image() / haze - 1.0
    # Some 80 stars of S/N 10 to 500; the corners of a quadratic are three times less sure than its middle.
    assert np.sqrt(np.mean(left**2)) < 0.02
    assert np.abs(left).max() < 0.08


def test_a_flux_scale_that_varies_makes_no_sky_of_the_level_under_the_stars():
    # Detectors without a bias frame keep a level of hundreds of counts under a sky of next to nothing.
    pair = pair_of(61, shape=(320, 320), n_stars=120)
    v, u = np.mgrid[-1:1:320j, -1:1:320j]
    haze = 1.0 - 0.15 * (u**2 + v**2)
    sky = float(np.median(pair.science.data))
    hazy = replace(pair.science, data=((pair.science.data - sky) * haze + sky + 20000.0).astype(np.float32))
    high = replace(pair.reference, data=pair.reference.data + np.float32(20000.0))
    d = subtract(hazy, high)
    corners = np.abs(u * v) > 0.7
    assert abs(np.nanmedian(d.score[corners])) < 0.5
    assert d.diagnostics.blank_share > 0.7
    # The corners' sky is no noise of the pixels either, which the haze has lessened with the light.
    plain = subtract(pair.science, pair.reference).diagnostics.sigma_science
    assert d.diagnostics.sigma_science == pytest.approx(plain * haze.mean(), rel=0.05)


def test_a_reference_that_lies_a_third_of_a_pixel_off_is_brought_back():
    pair = pair_of(62, faintest_e=3e4, offset_px=(0.33, -0.21))
    d = subtract(pair.science, pair.reference)
    assert d.shift_px == pytest.approx((0.33, -0.21), abs=0.02)
    blank = _inner(d.mask.shape)
    # Uncorrected, the stars of S/N 300 would leave dipoles of 30 sigma.
    assert np.abs(d.score[blank]).max() < 6.0


def test_tiles_join_without_a_seam():
    pair = pair_of(63, shape=(180, 300), n_stars=60)
    whole = subtract(pair.science, pair.reference, parameters=replace(ZOGY, tile_px=300))
    parts = subtract(pair.science, pair.reference, parameters=replace(ZOGY, tile_px=100))
    inner = _inner(whole.mask.shape)
    # The tiles take the median noise of their own place: the filter differs by a per cent or so.
    assert np.abs(whole.score - parts.score)[inner].max() < 0.35
    seam = np.abs(whole.difference - parts.difference)[:, 98:102]
    assert seam[RIM_PX:-RIM_PX].max() < 0.1 * whole.difference.std() + 0.02 * np.abs(whole.difference).max()


def test_x_and_y_are_not_mixed_up_on_a_frame_that_is_no_square():
    pair = pair_of(64, shape=(160, 300), offset_px=(0.3, 0.0))
    d = subtract(with_source(pair.science, pair.psf_science, 270.0, 60.0, 4000.0), pair.reference)
    assert d.score.shape == d.difference.shape == d.flux.shape == d.flux_error.shape == d.mask.shape == (160, 300)
    assert d.shift_px == pytest.approx((0.3, 0.0), abs=0.02)
    found = find(d)
    assert (found.x[0], found.y[0]) == pytest.approx((270.0, 60.0), abs=0.3)


# --- holes and refusals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("which", "value"), [("science", np.nan), ("reference", np.nan), ("science", -1e7)])
def test_a_hole_in_either_frame_stays_a_hole_and_disturbs_no_score_around_it(which, value):
    pair = pair_of(71)
    frames = {"science": pair.science, "reference": pair.reference}
    hole = (slice(100, 106), slice(140, 146))
    data, mask = frames[which].data.copy(), frames[which].mask.copy()
    data[hole] = value
    mask[hole] = True
    frames[which] = replace(frames[which], data=data, mask=mask)
    d = subtract(frames["science"], frames["reference"])
    assert np.isnan(d.score[hole]).all() and d.mask[hole].all()
    assert np.isfinite(d.score[~d.mask]).all()
    for image in (d.difference, d.flux, d.flux_error):
        assert np.isfinite(image).all()
    around = np.zeros(d.mask.shape, dtype=bool)
    around[80:126, 120:166] = True
    assert np.nanmax(np.abs(d.score[around])) < 6.0
    far = far_from(d.mask.shape, np.array([142.5]), np.array([102.5]), 40.0) & _inner(d.mask.shape)
    np.testing.assert_allclose(d.score[far], difference_of(71).score[far], atol=0.15)


def test_nan_that_nobody_masked_is_masked():
    pair = pair_of(71)
    data = pair.science.data.copy()
    data[50, 60] = np.nan
    d = subtract(replace(pair.science, data=data), pair.reference)
    assert d.mask[50, 60] and np.isnan(d.score[50, 60])
    assert d.mask.sum() == (pair.science.mask | pair.reference.mask).sum() + 1


def test_the_frames_stay_untouched():
    pair = pair_of(71)
    before = [a.copy() for f in (pair.science, pair.reference) for a in (f.data, f.mask)]
    subtract(pair.science, pair.reference)
    after = [a for f in (pair.science, pair.reference) for a in (f.data, f.mask)]
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_same_pair_gives_the_same_pixels():
    pair = pair_of(71)
    np.testing.assert_array_equal(subtract(pair.science, pair.reference).score, difference_of(71).score)


def test_frames_of_two_shapes_are_refused():
    with pytest.raises(ValueError, match="grid"):
        subtract(pair_of(71).science, pair_of(64, shape=(160, 300), offset_px=(0.3, 0.0)).reference)


@pytest.mark.parametrize("which", [0, 1])
def test_a_frame_that_is_masked_through_is_refused(which):
    pair = pair_of(71)
    frames = [pair.science, pair.reference]
    frames[which] = replace(frames[which], mask=np.ones(frames[which].shape, dtype=bool))
    with pytest.raises(ValueError, match="mask"):
        subtract(frames[0], frames[1])


def test_frames_without_a_common_star_are_refused():
    rng = np.random.default_rng(72)
    frames = [frame_of(rng.normal(1000.0, 20.0, (128, 128)), gain=1.5) for _ in range(2)]
    with pytest.raises(TooFewStars):
        subtract(frames[0], frames[1], psf_science=gaussian_stamp(1.3), psf_reference=gaussian_stamp(1.3))


def test_frames_of_different_fields_are_refused():
    with pytest.raises(ValueError, match=r"stars|scale"):
        subtract(pair_of(71).science, pair_of(51).reference)


@pytest.mark.parametrize("shape", [(24, 24), (24, 25), (5, 24, 24)])
def test_a_psf_that_is_no_odd_square_is_refused(shape):
    pair = pair_of(71)
    with pytest.raises(ValueError, match="odd square"):
        subtract(pair.science, pair.reference, psf_science=np.ones(shape) / np.prod(shape))


def test_one_array_serves_as_psf_everywhere():
    pair = pair_of(71)
    d = subtract(
        pair.science, pair.reference, psf_science=pair.psf_science(0, 0), psf_reference=pair.psf_reference(0, 0)
    )
    np.testing.assert_allclose(d.score, difference_of(71).score, atol=1e-3)


def test_a_frame_of_sixty_pixels_can_be_subtracted():
    whole = pair_of(73, n_stars=250, faintest_e=1e4)
    cut = [
        replace(f, data=f.data[100:160, 90:150].copy(), mask=f.mask[100:160, 90:150].copy(), mask_bits=None)
        for f in (whole.science, whole.reference)
    ]
    d = subtract(cut[0], cut[1], parameters=replace(ZOGY, min_stars=3))
    assert np.isfinite(d.score[~d.mask]).all()
    assert d.score.shape == (60, 60)
