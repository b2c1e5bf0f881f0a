from dataclasses import replace

import numpy as np
import pytest

from differencing.numerics.measure import measure
from differencing.numerics.peaks import Peaks
from observations.numerics.frame import MaskBit
from tests.differencing.numerics.scenes import (
    DIAGNOSTICS,
    SIGMA_TO_FWHM,
    difference_of,
    find,
    frame_of,
    gaussian,
    made_of,
    pair_of,
    subtract,
    with_source,
)

SHAPE = (100, 120)
SEED = 81
# An empty place of that pair, 40 px from every star; tested below.
EMPTY = (114.4, 107.3)


def _peaks(*entries):
    x, y, score = (np.array(column, dtype=float) for column in zip(*entries, strict=True))
    return Peaks(x, y, score, score < 0)


def _blank(**facts):
    return frame_of(np.zeros(SHAPE), **facts)


def _elongated(x, y, a, b, theta_deg, flux=1000.0):
    """A Gaussian of sigmas a (along theta, from +x to +y) and b."""
    v, u = np.indices(SHAPE, dtype=float)
    t = np.radians(theta_deg)
    along, across = (u - x) * np.cos(t) + (v - y) * np.sin(t), -(u - x) * np.sin(t) + (v - y) * np.cos(t)
    return flux * np.exp(-0.5 * ((along / a) ** 2 + (across / b) ** 2)) / (2 * np.pi * a * b)


def _measured(science, reference, x, y, radius=8.0):
    """Subtract, and return the measurements of the peaks around (x, y), strongest first."""
    d = subtract(science, reference)
    peaks = find(d)
    near = np.hypot(peaks.x - x, peaks.y - y) < radius
    peaks = Peaks(peaks.x[near], peaks.y[near], peaks.score[near], peaks.is_negative[near])
    return measure(d, peaks, science)


def test_the_place_for_injections_is_empty():
    pair = pair_of(SEED)
    assert np.hypot(pair.star_x - EMPTY[0], pair.star_y - EMPTY[1]).min() > 40.0
    assert np.abs(difference_of(SEED).score[98:118, 105:125]).max() < 4.0


# --- analytic sources ------------------------------------------------------------------------------------------------


def test_flux_and_error_are_read_between_the_pixels():
    flux = gaussian(SHAPE, 50.4, 40.3, 1.9, flux=2 * np.pi * 1.9**2 * 500.0)
    error = np.full(SHAPE, 20.0, dtype=np.float32)
    d = made_of(flux, flux_error=error)
    m = measure(d, _peaks((50.4, 40.3, 25.0)), _blank())
    # A cubic spline through a Gaussian of sigma 1.9 px; the pixel beside it reads 3 % less.
    assert m.flux[0] == pytest.approx(500.0, rel=2e-3)
    assert m.flux_error[0] == pytest.approx(20.0)
    assert m.snr[0] == pytest.approx(25.0, rel=2e-3)
    assert m.significance[0] == 25.0


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(("a", "b", "theta"), [(1.5, 1.5, None), (2.0, 1.3, 30.0), (2.0, 1.3, 90.0), (1.8, 1.4, 150.0)])
def test_the_shape_is_that_of_the_source_whatever_its_sign(a, b, theta, sign):
    d = made_of(sign * _elongated(50.4, 40.3, a, b, theta or 0.0), sigma_psf=1.4)
    m = measure(d, _peaks((50.4, 40.3, sign * 30.0)), _blank())
    # The weight's window is cut at three of its sigma: 2 %.
    assert m.fwhm[0] == pytest.approx(SIGMA_TO_FWHM * np.sqrt(a * b), rel=0.03)
    assert m.ellipticity[0] == pytest.approx(1.0 - b / a, abs=0.03)
    if theta is not None:
        assert (m.theta_deg[0] - theta + 90.0) % 180.0 - 90.0 == pytest.approx(0.0, abs=1.5)


def test_a_shape_that_is_no_ellipse_is_missing_and_not_invented():
    d = made_of(-gaussian(SHAPE, 50, 40, 1.5, flux=1000.0))
    m = measure(d, _peaks((50.0, 40.0, 10.0)), _blank())  # a positive peak where the difference is negative
    assert np.isnan(m.fwhm[0]) and np.isnan(m.ellipticity[0]) and np.isnan(m.theta_deg[0])


def test_a_hot_pixel_is_much_sharper_than_the_psf():
    image = np.zeros(SHAPE)
    image[40, 50] = 500.0
    m = measure(made_of(image, sigma_psf=1.5), _peaks((50.0, 40.0, 20.0)), _blank())
    assert np.isnan(m.fwhm[0]) or m.fwhm[0] < 0.5 * SIGMA_TO_FWHM * 1.5


def test_no_peak_is_no_measurement():
    m = measure(made_of(np.zeros(SHAPE)), Peaks(*(np.empty(0),) * 3, np.empty(0, dtype=bool)), _blank())
    assert len(m) == 0
    assert m.is_dipole.shape == m.flux.shape == m.is_edge.shape == (0,)


# --- flags -----------------------------------------------------------------------------------------------------------


def test_the_masked_share_is_counted_within_one_fwhm():
    mask = np.zeros(SHAPE, dtype=bool)
    mask[:, 51:] = True
    d = made_of(np.zeros(SHAPE), mask=mask, sigma_psf=1.5)
    m = measure(d, _peaks((50.0, 40.0, 9.0), (40.0, 40.0, 9.0), (60.0, 40.0, 9.0)), _blank())
    v, u = np.indices((21, 21)) - 10
    disc = u**2 + v**2 <= (SIGMA_TO_FWHM * 1.5) ** 2
    assert m.masked_share[0] == pytest.approx((disc & (u >= 1)).sum() / disc.sum(), abs=0.06)
    assert m.masked_share[1] == 0.0 and m.masked_share[2] == 1.0


def test_only_peaks_near_a_saturated_pixel_are_flagged_so():
    bits = np.zeros(SHAPE, dtype=np.uint16)
    bits[40, 50], bits[70, 50] = MaskBit.SATURATED, MaskBit.COSMIC_RAY
    # FWHM 3.5 px: the flag reaches 7 px.
    peaks = _peaks((54.0, 40.0, 9.0), (62.0, 40.0, 9.0), (54.0, 70.0, 9.0))
    m = measure(made_of(np.zeros(SHAPE), sigma_psf=1.5), peaks, _blank(mask_bits=bits))
    np.testing.assert_array_equal(m.is_saturated, [True, False, False])
    assert not measure(made_of(np.zeros(SHAPE)), peaks, _blank()).is_saturated.any()


def test_peaks_near_the_end_of_the_frame_or_of_its_light_are_edge():
    bits = np.zeros(SHAPE, dtype=np.uint16)
    bits[:, 90:] = MaskBit.UNILLUMINATED
    bits[60, 40] = MaskBit.SATURATED
    peaks = _peaks((9.0, 50.0, 9.0), (50.0, 92.0, 9.0), (82.0, 50.0, 9.0), (42.0, 60.0, 9.0), (76.0, 50.0, 9.0))
    m = measure(made_of(np.zeros(SHAPE)), peaks, _blank(mask_bits=bits))
    np.testing.assert_array_equal(m.is_edge, [True, True, True, False, False])


def test_two_peaks_within_two_fwhm_are_blended_and_a_third_is_not():
    peaks = _peaks((50.0, 40.0, 9.0), (55.0, 40.0, -7.0), (80.0, 40.0, 6.0))
    m = measure(made_of(np.zeros(SHAPE), sigma_psf=1.5), peaks, _blank())
    np.testing.assert_array_equal(m.is_blended, [True, True, False])


# --- what a change in the sky is taken for ---------------------------------------------------------------------------


def test_a_new_source_is_neither_ghost_nor_dipole_and_has_its_flux_and_shape():
    pair = pair_of(SEED)
    m = _measured(with_source(pair.science, pair.psf_science, *EMPTY, 5000.0), pair.reference, *EMPTY)
    assert len(m) == 1
    assert (m.x[0], m.y[0]) == pytest.approx(EMPTY, abs=0.25)  # S/N 26 and FWHM 3 px: 0.06 px
    assert m.flux[0] == pytest.approx(5000.0, abs=3.0 * m.flux_error[0])
    assert m.snr[0] == pytest.approx(m.significance[0], rel=0.05)
    assert m.fwhm[0] == pytest.approx(3.2, abs=0.8)
    assert m.ellipticity[0] < 0.35
    assert not (m.is_negative | m.is_reference_ghost | m.is_dipole | m.is_edge | m.is_saturated | m.is_blended)[0]


def test_a_source_that_vanished_from_the_reference_s_place_is_a_ghost():
    pair = pair_of(SEED)
    m = _measured(pair.science, with_source(pair.reference, pair.psf_reference, *EMPTY, 5000.0), *EMPTY)
    assert len(m) == 1
    assert m.is_negative[0] and m.is_reference_ghost[0] and not m.is_dipole[0]
    assert m.flux[0] < 0.0 and m.snr[0] < -10.0


@pytest.mark.parametrize("share", [0.4, 0.7])
def test_a_variable_that_dimmed_is_no_ghost(share):
    pair = pair_of(SEED)
    science = with_source(pair.science, pair.psf_science, *EMPTY, share * 20000.0)
    m = _measured(science, with_source(pair.reference, pair.psf_reference, *EMPTY, 20000.0), *EMPTY)
    assert len(m) == 1
    assert m.is_negative[0] and not m.is_reference_ghost[0] and not m.is_dipole[0]
    assert m.flux[0] == pytest.approx((share - 1.0) * 20000.0, rel=0.08)


def test_a_variable_that_brightened_is_a_positive_source():
    pair = pair_of(SEED)
    science = with_source(pair.science, pair.psf_science, *EMPTY, 20000.0)
    m = _measured(science, with_source(pair.reference, pair.psf_reference, *EMPTY, 12000.0), *EMPTY)
    assert len(m) == 1
    assert not m.is_negative[0] and not m.is_reference_ghost[0] and not m.is_dipole[0]


@pytest.mark.parametrize("unknown", [float("nan"), float("inf")])
def test_an_unknown_scatter_of_the_registration_does_not_count_as_perfect(unknown):
    blind = made_of(np.zeros(SHAPE), diagnostics=replace(DIAGNOSTICS, registration_rms_px=unknown))
    with pytest.raises(ValueError, match="scatter of the registration is not known"):
        measure(blind, _peaks((40.0, 50.0, 9.0)), _blank())


@pytest.mark.parametrize("direction", [(1.0, 0.0), (0.7, -0.7)])
def test_a_static_star_that_stands_a_fifth_of_a_pixel_off_is_a_dipole(direction):
    """The registration of this pair leaves 0.1 px for a star, so that four times that explains it."""
    pair = pair_of(SEED)
    x, y = EMPTY
    off = 0.2
    reference = with_source(pair.reference, pair.psf_reference, x, y, 150000.0)
    science = with_source(pair.science, pair.psf_science, x + off * direction[0], y + off * direction[1], 150000.0)
    m = _measured(science, reference, x, y)
    assert set(m.is_negative.tolist()) == {True, False}
    assert m.is_dipole.all() and not m.is_reference_ghost.any()


@pytest.mark.parametrize(("moved_px", "flux"), [(1.5, 6000.0), (1.5, 40000.0), (2.5, 6000.0), (4.0, 40000.0)])
def test_a_slow_asteroid_is_no_dipole_and_its_old_place_is_a_ghost_once_it_has_left_it(moved_px, flux):
    pair = pair_of(SEED)
    x, y = EMPTY
    reference = with_source(pair.reference, pair.psf_reference, x - moved_px / 2, y, flux)
    m = _measured(with_source(pair.science, pair.psf_science, x + moved_px / 2, y, flux), reference, x, y)
    assert set(m.is_negative.tolist()) == {True, False}
    assert not m.is_dipole.any()
    positive = np.flatnonzero(~m.is_negative)[0]
    assert m.x[positive] > x
    assert not m.is_reference_ghost[~m.is_negative].any()
    if moved_px >= 4.0:  # more than its FWHM
        assert m.is_reference_ghost[m.is_negative].all()


def test_an_asteroid_that_passes_a_static_star_is_no_dipole():
    pair = pair_of(SEED)
    x, y = EMPTY
    star = [with_source(f, p, x, y, 8000.0) for f, p in _sides(pair)]
    science = with_source(star[0], pair.psf_science, x + 6.0, y, 8000.0)
    reference = with_source(star[1], pair.psf_reference, x - 6.0, y, 8000.0)
    m = _measured(science, reference, x, y, radius=10.0)
    assert set(m.is_negative.tolist()) == {True, False}
    assert not m.is_dipole.any()


def _sides(pair):
    return (pair.science, pair.psf_science), (pair.reference, pair.psf_reference)


def test_a_source_on_a_bright_static_star_keeps_its_flux():
    pair = pair_of(SEED)
    x, y = EMPTY
    star = [with_source(f, p, x, y, 30000.0) for f, p in _sides(pair)]
    m = _measured(with_source(star[0], pair.psf_science, x + 2.0, y, 6000.0), star[1], x, y)
    positive = np.flatnonzero(~m.is_negative)
    assert len(positive) == 1
    assert m.flux[positive[0]] == pytest.approx(6000.0, rel=0.1)
    assert not m.is_dipole[positive[0]]


def test_the_difference_stays_untouched():
    image = gaussian(SHAPE, 50, 40, 1.5, flux=1000.0)
    mask = np.zeros(SHAPE, dtype=bool)
    mask[40, 51] = True
    d = made_of(image, mask=mask)
    before = replace(d, difference=d.difference.copy())
    measure(d, _peaks((50.0, 40.0, 9.0)), _blank())
    np.testing.assert_array_equal(d.difference, before.difference)
