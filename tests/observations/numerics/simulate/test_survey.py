"""Survey pairs: what is in them is what was asked for, and what is known of them is true."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from observations.numerics.frame import MaskBit
from observations.numerics.simulate.survey import (
    SurveyParameters,
    distorted,
    dithered,
    simulate_survey_pair,
)

# 256 x 256 px hold a sixteenth of a Mpx: 11 stars, 11 galaxies, 14 transients.
SMALL = SurveyParameters(
    seed=5, shape=(256, 256), stars_per_mpx=180, galaxies_per_mpx=180, transients_per_mpx=220, fading_share=0.4
)
NOTHING = replace(SMALL, stars_per_mpx=0, galaxies_per_mpx=0, transients_per_mpx=0)


@pytest.fixture(scope="module")
def pair():
    return simulate_survey_pair(SMALL)


def test_the_same_parameters_give_the_same_pixels(pair):
    again = simulate_survey_pair(SMALL)
    np.testing.assert_array_equal(again.science.frame.data, pair.science.frame.data)
    np.testing.assert_array_equal(again.reference.frame.data, pair.reference.frame.data)
    other = simulate_survey_pair(replace(SMALL, seed=6))
    assert (other.science.frame.data != pair.science.frame.data).mean() > 0.99


def test_what_fades_is_in_the_reference_only_and_what_appears_in_the_science_frame_only(pair):
    t = pair.transients
    assert 0 < t.is_fading.sum() < t.x.size
    row, column = np.rint(t.y).astype(int), np.rint(t.x).astype(int)
    science, reference = pair.science.changes[row, column], pair.reference.changes[row, column]
    # Wings of the others may reach a place; the peak of the faintest, at S/N 2.6, is a tenth of the sky's noise.
    assert (science[~t.is_fading] > 1).all()
    assert (reference[t.is_fading] > 1).all()
    assert science[t.is_fading].max() < 0.1 * np.abs(t.flux[t.is_fading]).min()
    assert reference[~t.is_fading].max() < 0.1 * t.flux[~t.is_fading].min()
    # Aperture sums tell the same of the frames themselves, in units of the brightest fading source.
    brightest = int(np.argmin(t.flux))
    box = np.s_[row[brightest] - 8 : row[brightest] + 9, column[brightest] - 8 : column[brightest] + 9]
    lost = (pair.reference.frame.data - pair.reference.static)[box].sum() * pair.flux_scale
    left = (pair.science.frame.data - pair.science.static)[box].sum()
    noise = 17 * math.sqrt(float(pair.science.variance[box].mean()))
    assert lost == pytest.approx(-t.flux[brightest], abs=5 * noise)
    assert left == pytest.approx(0, abs=5 * noise)


def test_the_reference_has_its_share_of_all_light():
    # One PSF for both: then nothing but the share differs, what lies beyond the edge included.
    same = replace(SMALL, fwhm_reference_px=SMALL.fwhm_science_px, ellipticity=0.0, transients_per_mpx=0)
    one = simulate_survey_pair(same)
    light = one.science.static - one.science.sky
    np.testing.assert_allclose(one.reference.static - one.reference.sky, light / one.flux_scale, rtol=1e-3, atol=1e-2)


def test_the_distortion_is_what_was_asked_for():
    p = replace(SMALL, offset_px=0.3, distortion_px=0.25)
    middle, corner = 127.5, 255.0
    x, y = distorted(np.array([middle, corner]), np.array([middle, corner]), p, 0.0)
    assert (x[0] - middle, y[0] - middle) == pytest.approx((0.3, 0.0))
    assert math.hypot(x[1] - corner - 0.3, y[1] - corner) == pytest.approx(0.25)


def test_a_star_stands_in_the_reference_where_offset_and_distortion_put_it():
    lonely = replace(NOTHING, stars_per_mpx=16, star_e=(1e5, 1.1e5), seed=2)
    places = {}
    for offset, bend in ((0.0, 0.0), (0.3, 0.0), (0.0, 0.25)):
        side = simulate_survey_pair(replace(lonely, offset_px=offset, distortion_px=bend)).reference
        places[offset, bend] = _centroid(side.static - side.sky)
    plain = places[0.0, 0.0]
    assert all(30 < v < 225 for v in plain)  # inside, with its wings
    # Stamps are cut at whole pixels, which moves a centroid by a few thousandths.
    assert math.dist(places[0.3, 0.0], plain) == pytest.approx(0.3, abs=0.005)
    x, y = distorted(*map(np.atleast_1d, plain), replace(lonely, distortion_px=0.25), 0.0)
    assert math.dist((x[0], y[0]), plain) > 0.02
    assert places[0.0, 0.25] == pytest.approx((x[0], y[0]), abs=0.005)


def _centroid(image: np.ndarray) -> tuple[float, float]:
    y, x = np.indices(image.shape)
    return float((x * image).sum() / image.sum()), float((y * image).sum() / image.sum())


def test_the_noise_is_as_the_variance_says(pair):
    for side in (pair.science, pair.reference):
        # 65 536 pixels give a scatter to 0.3 %.
        assert (side.noise / np.sqrt(side.variance)).std() == pytest.approx(1, abs=0.015)


def test_the_noise_of_a_stack_is_lower_and_correlated():
    p = replace(NOTHING, reference_frames=4)
    side = simulate_survey_pair(p).reference
    white = side.variance.mean()
    assert white == pytest.approx((p.reference_sky_e + p.read_noise_e**2) / (4 * p.gain_e_per_adu**2), rel=1e-3)
    point = np.zeros((16, 16))
    point[8, 8] = 1.0
    kernels = [dithered(point, move) for move in side.dithers_px]
    expected = np.mean([np.sum(k**2) for k in kernels])
    assert side.noise.var() / white == pytest.approx(expected, rel=0.03)
    neighbour = np.mean([np.sum(k * np.roll(k, 1, axis=1)) for k in kernels])
    assert (side.noise[:, 1:] * side.noise[:, :-1]).mean() / white == pytest.approx(neighbour, abs=0.02)


def test_what_is_a_pixel_away_from_any_mask_holds_nothing_but_light_and_noise():
    hard = replace(SMALL, saturated_per_mpx=40, cosmic_rays=80, bad_columns=20, bad_pixels=800, seed=2)
    side = simulate_survey_pair(hard).science
    # A bleed ends in a pixel that is partly filled, next to the last one that is full.
    good = ~ndimage.binary_dilation(side.frame.mask)
    expected = side.static + side.changes
    # Single precision of the brightest pixel is a thousandth of a count; six sigma of 65 000 pixels is nothing.
    assert np.abs((side.frame.data - expected)[good] / np.sqrt(side.variance[good])).max() < 6
    bits = side.frame.mask_bits
    assert {bit for bit in MaskBit if (bits & np.uint16(bit)).any()} == {
        MaskBit.BAD,
        MaskBit.SATURATED,
        MaskBit.COSMIC_RAY,
    }
    assert (side.frame.data[(bits & np.uint16(MaskBit.SATURATED)) == 0] < side.frame.saturation).all()


def test_sources_of_another_colour_have_another_width_and_another_ratio_of_fluxes():
    few = replace(SMALL, galaxies_per_mpx=0, transients_per_mpx=0, stars_per_mpx=320, ellipticity=0.0, seed=8)
    same = replace(few, fwhm_reference_px=few.fwhm_science_px)
    grey, red = (
        simulate_survey_pair(replace(same, colour_flux=flux, colour_fwhm=width))
        for flux, width in ((0.0, 0.0), (0.05, 0.02))
    )

    def ratio(one):
        light = one.science.static - one.science.sky
        bright = light > 0.003 * light.max()  # counts; the cores of several stars
        return (one.reference.static - one.reference.sky)[bright] / light[bright] * one.flux_scale

    assert ratio(grey).std() < 1e-4
    assert 0.01 < ratio(red).std() < 0.15
    width = red.science.static - grey.science.static
    assert np.abs(width).max() > 1  # counts: cores of another height
    assert width.sum() == pytest.approx(0, abs=1e-3 * float((grey.science.static - grey.science.sky).sum()))


@pytest.mark.parametrize("variation", [0.0, 0.18])
def test_the_ideal_signal_to_noise_belongs_to_the_flux(variation):
    p = replace(SMALL, variation_science=variation, transient_snr=(10.0, 10.0), host_share=0.0)
    t = simulate_survey_pair(p).transients
    np.testing.assert_allclose(t.snr, 10.0)
    spread = np.abs(t.flux).max() / np.abs(t.flux).min()
    # A PSF 18 % wider wants more light for the same S/N.
    assert spread == pytest.approx(1.0, abs=1e-6) if variation == 0 else spread > 1.05
