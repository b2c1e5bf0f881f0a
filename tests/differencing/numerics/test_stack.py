from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
import pytest

from differencing.numerics import stack as stacking
from differencing.numerics.tie import TooFewStars
from observations.numerics.simulate.sources import point_sources
from tests.differencing.numerics.scenes import far_from, frame_of, pair_of, with_source
from tests.parameters import STACK

stack = partial(stacking.stack, parameters=STACK)

SHAPE = (200, 200)
GAIN, READ_NOISE_E = 1.5, 9.0
FIELD = {"noise": False, "sky_gradient": 0.0}


@lru_cache(maxsize=4)
def _clean(fwhm_px=3.0):
    return pair_of(91, fwhm_science_px=fwhm_px, **FIELD)


def _exposure(seed, *, transparency=1.0, sky_e=900.0, fwhm_px=3.0):
    """Another exposure of one and the same field: Poisson and read noise of their own."""
    pair = _clean(fwhm_px)
    stars = np.maximum((pair.science.data - 600.0) * GAIN, 0.0)  # 900 e- of sky
    rng = np.random.default_rng(seed)
    electrons = rng.poisson(stars * transparency + sky_e) + rng.normal(0.0, READ_NOISE_E, SHAPE)
    return replace(pair.science, data=(electrons / GAIN).astype(np.float32), mjd_utc=58000.0 + seed)


def _sky():
    pair = _clean()
    out = far_from(SHAPE, pair.star_x, pair.star_y, 14.0)
    out[:16] = out[-16:] = out[:, :16] = out[:, -16:] = False
    return out


def _truth_pixels():
    pair = _clean()
    return pair.science.data - 600.0


def test_one_frame_is_its_own_stack():
    frame = _exposure(1)
    alone = stack([frame])
    # Its own mesh of the sky is made flat: a fifth of the noise of 21 counts at the corners.
    assert np.abs(alone.data - frame.data).max() < 6.0
    np.testing.assert_array_equal(alone.mask, frame.mask)
    assert alone.gain == pytest.approx(GAIN, rel=1e-6)


def test_the_noise_of_n_equal_frames_falls_with_the_root_of_n():
    stacked, sky = _three(), _sky()
    assert stacked.data[sky].std() == pytest.approx(_exposure(1).data[sky].std() / np.sqrt(3.0), rel=0.03)
    # The variance it claims is the one it has.
    assert np.median(stacked.variance[sky]) == pytest.approx(stacked.data[sky].var(), rel=0.06)


def test_stars_keep_their_light_and_the_sky_that_of_the_first():
    stacked, truth = _three(), _truth_pixels()
    bright = (truth > 500.0) & ~stacked.mask
    light = (stacked.data[bright] - 600.0).sum() / truth[bright].sum()
    # The scale of each member hangs on its PSF, fitted to some twenty stars: 1 to 2 %.
    assert light == pytest.approx(1.0, abs=0.025)
    assert np.median(stacked.data[_sky()]) == pytest.approx(600.0, abs=4.0)  # the median holds wings of stars


def test_a_hazy_member_under_a_bright_sky_is_brought_to_the_counts_of_the_first():
    frames = [_exposure(1), _exposure(2, transparency=0.5, sky_e=2500.0), _exposure(3)]
    stacked = stack(frames)
    truth = _truth_pixels()
    bright = (truth > 500.0) & ~stacked.mask
    assert (stacked.data[bright] - 600.0).sum() / truth[bright].sum() == pytest.approx(1.0, abs=0.025)
    sky = _sky()
    assert np.median(stacked.data[sky]) == pytest.approx(600.0, abs=4.0)  # the median holds wings of stars
    # Noise in counts of the first: 1 and 1 and (sqrt(2581) / sqrt(981)) / 0.5 = 3.24 times.
    sigma = frames[0].data[sky].std()
    assert stacked.data[sky].std() == pytest.approx(sigma / np.sqrt(2.0 + 1 / 3.24**2), rel=0.04)


def test_the_scale_and_sky_are_those_of_the_first_member():
    hazy, clear = _exposure(2, transparency=0.5, sky_e=2500.0), _exposure(1)
    stacked = stack([hazy, clear])
    truth = 0.5 * _truth_pixels()
    bright = (truth > 300.0) & ~stacked.mask
    sky = float(np.median(hazy.data[_sky()]))
    assert (stacked.data[bright] - sky).sum() / truth[bright].sum() == pytest.approx(1.0, abs=0.025)


@pytest.mark.parametrize(("which", "flux"), [(0, 3000.0), (2, 3000.0), (0, 100000.0), (1, 100000.0)])
def test_an_asteroid_that_only_one_of_three_frames_shows_is_not_in_the_stack(which, flux):
    frames = [_exposure(seed) for seed in range(1, 4)]
    x, y = _empty_place()
    frames[which] = with_source(frames[which], _clean().psf_science, x, y, flux)
    left = _flux_at(stack(frames), x, y) - _flux_at(_three(), x, y)
    # A pixel stays under 4 sigma of one frame plus what the median's own noise allows, so that the wings of a faint
    # one survive: less than 6 of the 124 counts that one frame knows a flux to. Unclipped it would be a third.
    assert left < 6 * 124.0
    assert left < 0.75 * flux / 3


@lru_cache(maxsize=1)
def _three():
    return stack([_exposure(seed) for seed in range(1, 4)])


def _flux_at(frame, x, y):
    psf = point_sources(SHAPE, np.array([x]), np.array([y]), np.ones(1), _clean().psf_science)
    return ((frame.data - 600.0) * psf).sum() / (psf**2).sum()


def _empty_place():
    pair = _clean()
    grid = np.array([(x, y) for x in range(30, 170, 4) for y in range(30, 170, 4)], dtype=float)
    distance = np.hypot(grid[:, :1] - pair.star_x, grid[:, 1:] - pair.star_y).min(axis=1)
    return tuple(grid[distance.argmax()])


def test_a_satellite_over_one_of_two_frames_is_not_in_the_stack():
    frames = [_exposure(1), _exposure(2)]
    trail = frames[1].data.copy()
    trail[int(_empty_place()[1]), :] += 5000.0
    stacked = stack([frames[0], replace(frames[1], data=trail)])
    row = stacked.data[int(_empty_place()[1]), 20:-20]
    assert np.median(row) == pytest.approx(600.0, abs=20.0)


def test_the_cores_of_stars_survive_where_the_seeing_of_the_members_differs():
    stacked = stack([_exposure(1), _exposure(2, fwhm_px=4.4), _exposure(3, fwhm_px=2.7)])
    pair = _clean()
    bright = (pair.star_flux > 2e4) & (np.abs(pair.star_x - 100) < 75) & (np.abs(pair.star_y - 100) < 75)
    v, u = np.indices(SHAPE)
    truths = [_clean(f).science.data - 600.0 for f in (3.0, 4.4, 2.7)]
    for x, y in zip(pair.star_x[bright], pair.star_y[bright], strict=True):
        disc = (u - x) ** 2 + (v - y) ** 2 < 9.0**2
        expected = np.mean([t[disc].sum() for t in truths])
        # A core that is clipped loses tens of per cent.
        assert (stacked.data[disc] - 600.0).sum() / expected == pytest.approx(1.0, abs=0.04)


def test_a_pixel_is_masked_only_where_no_member_is_good():
    frames = [_exposure(1), _exposure(2), _exposure(3)]
    masks = [f.mask.copy() for f in frames]
    for mask in masks:
        mask[40:44, 50] = True
    masks[0][100, 100:110] = masks[1][100, 105:115] = True
    data = [f.data.copy() for f in frames]
    for d, m in zip(data, masks, strict=True):
        d[m] = np.nan
    stacked = stack([replace(f, data=d, mask=m) for f, d, m in zip(frames, data, masks, strict=True)])
    assert stacked.mask[40:44, 50].all() and not stacked.mask[100].any()
    assert np.isfinite(stacked.data).all() and np.isfinite(stacked.variance).all()
    # One member instead of three: three times the sky's variance.
    sky_variance = np.median(stacked.variance[_sky()])
    assert stacked.variance[100, 107] > 2.5 * sky_variance


def test_the_gain_of_the_stack_holds_all_electrons():
    stacked = _three()
    # Three frames of one gain and depth: three times the electrons for each count of the mean.
    assert stacked.gain == pytest.approx(3 * GAIN, rel=0.02)
    assert stacked.read_noise is None and stacked.psf is None


def test_the_photon_noise_of_a_bright_star_is_in_the_variance():
    stacked, truth = _three(), _truth_pixels()
    core = (truth > 2000.0) & ~stacked.mask
    expected = (truth + 600.0 + READ_NOISE_E**2 / GAIN) / GAIN / 3.0
    assert np.median(stacked.variance[core] / expected[core]) == pytest.approx(1.0, abs=0.1)


def test_a_member_of_unknown_gain_makes_the_gain_unknown():
    assert stack([_exposure(1), replace(_exposure(2), gain=None)]).gain is None


def test_the_time_is_the_mean_of_all_or_unknown():
    assert _three().mjd_utc == 58002.0
    assert stack([_exposure(1), replace(_exposure(2), mjd_utc=None)]).mjd_utc is None


def test_the_members_stay_untouched():
    frames = [_exposure(1), _exposure(2)]
    before = [f.data.copy() for f in frames]
    stack(frames)
    for frame, data in zip(frames, before, strict=True):
        np.testing.assert_array_equal(frame.data, data)


def test_nothing_makes_no_stack():
    with pytest.raises(ValueError, match="at least one"):
        stack([])


def test_frames_of_two_shapes_make_no_stack():
    small = replace(_exposure(1), data=np.ones((9, 9), np.float32), mask=np.zeros((9, 9), bool), mask_bits=None)
    with pytest.raises(ValueError, match="one grid"):
        stack([_exposure(1), small])


def test_a_member_without_the_stars_of_the_first_is_refused():
    empty = frame_of(np.random.default_rng(5).normal(600.0, 20.0, SHAPE), gain=GAIN)
    with pytest.raises((TooFewStars, ValueError)):
        stack([_exposure(1), empty])
