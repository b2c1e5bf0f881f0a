"""Stacks: depth, weights, what is left out of them and what must not be, in strips of any height."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np
import pytest

from differencing.numerics import stack as stacking
from differencing.numerics.stack import StackMember, depth_weights, flux_scale
from differencing.numerics.tie import TooFewStars
from observations.numerics.frame import Stars
from observations.numerics.simulate.pair import power_law_fluxes
from observations.numerics.simulate.sources import MoffatPsf, point_sources
from tests.parameters import STACK

SHAPE = (220, 220)
GAIN, SKY_E, READ_NOISE_E = 1.5, 900.0, 9.0
stack = partial(stacking.stack, parameters=STACK)


@lru_cache(maxsize=1)
def stars():
    """Positions and fluxes in electrons, the middle left empty."""
    rng = np.random.default_rng(17)
    x, y = rng.uniform(4, 215, (2, 90))
    far = np.hypot(x - 110, y - 110) > 22
    return x[far], y[far], power_law_fluxes(rng, 90, 400.0, 3e5)[far]


def psf_of(fwhm_px):
    return MoffatPsf(fwhm_px, SHAPE, 3.0, 0.03, -0.02, 0.1)


def scene(fwhm_px, extra=()):
    """Return expected electrons of an exposure of full transparency, without sky; `extra` are (x, y, flux)."""
    x, y, flux = stars()
    more = np.array(extra, dtype=float).reshape(-1, 3).T
    columns = (np.append(a, b) for a, b in zip((x, y, flux), more, strict=True))
    return point_sources(SHAPE, *columns, psf_of(fwhm_px))


def exposure(seed, *, fwhm_px=3.0, transparency=1.0, sky_e=SKY_E, extra=(), noise=True):
    """Return an image in counts of full transparency without sky, its noise and its PSF."""
    expected = scene(fwhm_px, extra) * transparency
    if noise:
        rng = np.random.default_rng(seed)
        expected = rng.poisson(expected + sky_e) + rng.normal(0.0, READ_NOISE_E, SHAPE) - sky_e
    return (expected / transparency / GAIN).astype(np.float32)


def member(image, *, fwhm_px=3.0, transparency=1.0, sky_e=SKY_E, gain=GAIN):
    sigma = np.sqrt(sky_e + READ_NOISE_E**2) / transparency / GAIN
    own_gain = None if gain is None else gain * transparency
    return StackMember(lambda low, high: image[low:high], sigma, own_gain, np.asarray(psf_of(fwhm_px)(110.0, 110.0)))


def taken(seed, **how):
    return member(exposure(seed, **how), **{k: v for k, v in how.items() if k in ("fwhm_px", "transparency", "sky_e")})


def sky():
    return scene(4.5) < 3.0


def noise_of(stacked):
    return stacked.data[sky()].std()


def snr_unit(sigma, psf):
    """S/N of a point source of flux 1 by a matched filter."""
    return np.sqrt((psf**2).sum()) / sigma


@pytest.mark.parametrize("count", [3, 4, 7])
def test_n_equal_frames_are_deeper_by_the_root_of_n(count):
    one = taken(1)
    stacked = stack([taken(seed) for seed in range(count)], SHAPE)
    assert noise_of(stacked) == pytest.approx(one.sigma / np.sqrt(count), rel=0.03)
    assert stacked.sigma == pytest.approx(one.sigma / np.sqrt(count), rel=1e-6)
    assert np.sqrt(np.median(stacked.variance[sky()])) == pytest.approx(noise_of(stacked), rel=0.03)


KINDS = (
    {"fwhm_px": 2.6}, {"fwhm_px": 3.6, "transparency": 0.7}, {"fwhm_px": 3.0, "sky_e": 2500.0}, {"fwhm_px": 4.4},
)  # fmt: skip


def mean_psf(weights, members):
    """Return the PSF of the weighted mean; stamps are as wide as the seeing."""
    size = max(m.psf.shape[0] for m in members)
    return sum(w * np.pad(m.psf, (size - m.psf.shape[0]) // 2) for w, m in zip(weights, members, strict=True))


def test_unlike_frames_reach_nearly_the_depth_of_all_their_light():
    members = [taken(seed, **how) for seed, how in enumerate(KINDS)]
    psf = mean_psf(depth_weights(members), members)
    reached = snr_unit(noise_of(stack(members, SHAPE)), psf)
    alone = [snr_unit(m.sigma, m.psf) for m in members]
    # A mean of unlike PSFs loses 2 % against filtering each by itself, what is left out 1, the noise of this noise 1.
    assert reached > 0.95 * np.hypot.reduce(alone)
    assert reached > 1.3 * max(alone)


def test_no_other_weights_make_a_point_source_deeper():
    members = [taken(seed, **how) for seed, how in enumerate(KINDS)]

    def depth(weights):
        weights = np.asarray(weights) / np.sum(weights)
        noise = np.sqrt(sum((w * m.sigma) ** 2 for w, m in zip(weights, members, strict=True)))
        return snr_unit(noise, mean_psf(weights, members))

    best = depth_weights(members)
    assert best.sum() == pytest.approx(1.0)
    rng = np.random.default_rng(3)
    others = [best * np.exp(rng.normal(0.0, 0.3, len(best))) for _ in range(200)]
    assert max(map(depth, others)) <= depth(best) * (1 + 1e-9)
    assert depth(best) > 1.01 * depth([1 / m.sigma**2 for m in members])


def left_of(fluxes, members, images, psfs, at):
    """Return what share of a transient is in the stack of the members that hold it: its light, without the noise."""
    light = 0.0
    keep = stacking._kept(np.stack(images), members, stacking._smoothing(members), STACK)
    weights = depth_weights(members)
    total = sum(w * k for w, k in zip(weights, keep, strict=True))
    for k, flux in fluxes.items():
        own = point_sources(SHAPE, np.array([at[0]]), np.array([at[1]]), np.array([flux]), psfs[k])
        light += (weights[k] * keep[k] * own / np.maximum(total, 1e-9)).sum()
    return light / max(fluxes.values())


@pytest.mark.parametrize("flux", [6e3, 2e4, 3e5])
@pytest.mark.parametrize("which", [0, 3])
def test_less_than_a_hundredth_of_a_transient_in_one_of_four_frames_is_in_the_stack(flux, which):
    at = (110.3, 109.6)
    extra = [((*at, flux),) if k == which else () for k in range(4)]
    images = [exposure(k, extra=more, **how) for k, (more, how) in enumerate(zip(extra, KINDS, strict=True))]
    members = [member(image, **how) for image, how in zip(images, KINDS, strict=True)]
    psfs = [psf_of(how["fwhm_px"]) for how in KINDS]
    # S/N 30 and more in its frame; unclipped a quarter would be there.
    assert left_of({which: flux}, members, images, psfs, at) < 0.01


def test_what_moves_through_half_of_the_frames_is_in_none_of_the_stack():
    at, flux = (110.3, 109.6), 2e4
    images = [exposure(k, extra=((*at, flux),) if k < 2 else ()) for k in range(4)]
    members = [member(image) for image in images]
    assert left_of({0: flux, 1: flux}, members, images, [psf_of(3.0)] * 4, at) < 0.02


def test_a_satellite_and_a_cosmic_ray_in_one_of_three_frames_are_not_in_the_stack():
    images = [exposure(k) for k in range(3)]
    images[1][108:111, :] += 300.0
    images[2][60, 40] += 12.0 * taken(0).sigma
    clean = stack([taken(k) for k in range(3)], SHAPE)
    left = stack([member(image) for image in images], SHAPE).data - clean.data
    empty = sky()
    assert np.abs(left[108:111][empty[108:111]].mean()) < 3.0
    assert left[60, 40] < 2.0 * clean.sigma


@pytest.mark.parametrize("seeings", [(3.0, 3.0, 3.0, 3.0), (2.6, 3.0, 3.3, 3.6), (2.5, 3.0, 4.0, 5.0), (2.7, 3.0, 4.4)])
def test_no_stars_core_is_cut(seeings):
    images = [exposure(k, fwhm_px=fwhm) for k, fwhm in enumerate(seeings)]
    members = [member(image, fwhm_px=fwhm) for image, fwhm in zip(images, seeings, strict=True)]
    keep = stacking._kept(np.stack(images), members, stacking._smoothing(members), STACK)
    x, y, flux = stars()
    inside = (flux > 3e3) & (np.abs(x - 110) < 100) & (np.abs(y - 110) < 100)
    columns, rows = np.round(x[inside]).astype(int), np.round(y[inside]).astype(int)
    cores = np.array([keep[:, r - 2 : r + 3, c - 2 : c + 3].mean() for r, c in zip(rows, columns, strict=True)])
    assert len(cores) > 15
    # A neighbour's wing may be taken for something new where noise adds to it; nowhere half of a member's core is.
    assert cores.min() > 1.0 - 0.5 / len(seeings) and cores.mean() > 0.995


@pytest.mark.parametrize("seeings", [(3.0, 3.7, 3.9), (2.6, 3.0, 3.3, 3.6), (2.7, 3.0, 4.4)])
def test_the_wings_of_a_bright_star_are_those_of_all_members(seeings):
    """Their light goes as the fourth power of the seeing: left out, no PSF would describe the star."""
    images = [exposure(k, fwhm_px=fwhm, extra=((110.0, 110.0, 1e6),)) for k, fwhm in enumerate(seeings)]
    members = [member(image, fwhm_px=fwhm) for image, fwhm in zip(images, seeings, strict=True)]
    keep = stacking._kept(np.stack(images), members, stacking._smoothing(members), STACK)
    y, x = np.indices(SHAPE)
    ring = (np.hypot(x - 110, y - 110) < 22) & (scene(4.4) < 30.0)
    assert (~keep[:, ring]).mean() < 0.03


def test_light_is_neither_lost_nor_gained_under_haze():
    kinds: tuple[dict[str, float], ...] = ({}, {"transparency": 0.5, "sky_e": 2500.0}, {})
    stacked = stack([taken(k, **how) for k, how in enumerate(kinds)], SHAPE)
    truth = scene(3.0) / GAIN
    bright = truth > 300.0
    assert stacked.data[bright].sum() / truth[bright].sum() == pytest.approx(1.0, abs=0.005)
    assert np.median(stacked.data[sky()]) == pytest.approx(0.0, abs=1.5)


def test_strips_of_any_height_give_the_same_stack(monkeypatch):
    images = [exposure(k, extra=((110.0, 100.0, 2e4),) if k == 0 else ()) for k in range(3)]
    members = [member(image) for image in images]
    whole = stack(members, SHAPE)
    monkeypatch.setattr(stacking, "STRIP_PIXELS", 1)
    in_strips = stack(members, SHAPE)
    np.testing.assert_allclose(in_strips.data, whole.data, atol=1e-3)
    np.testing.assert_array_equal(in_strips.mask, whole.mask)


def test_no_more_rows_are_asked_for_than_a_strip_and_its_margin_has(monkeypatch):
    monkeypatch.setattr(stacking, "STRIP_PIXELS", 1)
    image, asked = exposure(1), []

    def rows(low, high):
        asked.append(high - low)
        return image[low:high]

    kept = member(image)
    stack([StackMember(rows, kept.sigma, kept.gain, kept.psf)] * 3, SHAPE)
    assert max(asked) < 160 and sum(asked) >= 3 * SHAPE[0]


def test_a_pixel_is_masked_only_where_no_member_is_good_and_noisier_where_few_are():
    images = [exposure(k) for k in range(3)]
    for image in images:
        image[40:44, 50] = np.nan
    images[0][100, 100:110] = images[1][100, 105:115] = np.nan
    stacked = stack([member(image) for image in images], SHAPE)
    assert stacked.mask[40:44, 50].all() and not stacked.mask[100].any()
    assert np.isfinite(stacked.data).all() and np.isfinite(stacked.variance).all()
    assert stacked.variance[100, 107] > 2.5 * np.median(stacked.variance[sky()])


def test_the_gain_of_the_stack_holds_all_electrons_and_gives_its_photon_noise():
    members = [taken(k) for k in range(3)]
    stacked = stack(members, SHAPE)
    assert stacked.gain == pytest.approx(3 * GAIN, rel=1e-6)
    truth = scene(3.0) / GAIN
    core = truth > 2000.0
    expected = (truth + (SKY_E + READ_NOISE_E**2) / GAIN) / GAIN / 3.0
    assert np.median(stacked.variance[core] / expected[core]) == pytest.approx(1.0, abs=0.05)


def test_a_member_of_unknown_gain_makes_the_gain_unknown():
    assert stack([taken(1), member(exposure(2), gain=None)], SHAPE).gain is None


def test_one_frame_is_its_own_stack():
    image = exposure(1)
    np.testing.assert_allclose(stack([member(image)], SHAPE).data, image, rtol=1e-6)


def test_nothing_makes_no_stack():
    with pytest.raises(ValueError, match="at least one"):
        stack([], SHAPE)


def measured(count=60, seed=5, *, scale=1.0, galaxies=0, scatter=0.01, tilt=0.0):
    """Return stars of two frames: the other's fluxes are divided by a scale that is tilted along x."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 220, (2, count))
    flux = power_law_fluxes(rng, count, 3e3, 1e5)
    width = 3.0 * (1 + 0.1 * x / 220) * (1 + rng.normal(0.0, 0.015, count))
    true = scale * (1 + tilt * (x / 110 - 1))
    other = flux / true * (1 + rng.normal(0.0, scatter, count))
    is_galaxy = np.arange(count) < galaxies
    # What is not a point has more light in the aperture of the worse seeing.
    other, width = np.where(is_galaxy, other * 1.2, other), np.where(is_galaxy, width * 1.25, width)

    def made(fluxes):
        no = np.zeros(count, dtype=bool)
        return Stars(x, y, fluxes, 0.005 * fluxes, width, np.zeros(count), no, ~no, float(np.median(width)))

    return made(flux), made(other)


def scale_of(first, other):
    return flux_scale(first, other, np.column_stack([np.arange(len(first))] * 2), SHAPE)


def test_the_scale_is_that_of_the_stars_and_follows_haze_over_the_field():
    first, other = measured(scale=2.0, tilt=0.15)
    scale = scale_of(first, other)
    for x in (20.0, 110.0, 200.0):
        assert scale(np.array([x]), np.array([110.0]))[0] == pytest.approx(2.0 * (1 + 0.15 * (x / 110 - 1)), rel=0.01)


def test_galaxies_do_not_move_the_scale():
    first, other = measured(scale=2.0, galaxies=25)
    # With the galaxies in it would be 7 % off.
    assert scale_of(first, other)(np.array([110.0]), np.array([110.0]))[0] == pytest.approx(2.0, rel=0.01)


def test_without_three_common_stars_there_is_no_scale():
    first, other = measured(count=2)
    with pytest.raises(TooFewStars, match="3 are needed"):
        scale_of(first, other)
