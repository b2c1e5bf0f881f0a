import numpy as np
import pytest

from differencing.numerics.measure import measure
from differencing.numerics.peaks import fwhm_of
from differencing.numerics.vetoes.displaced import displacement_px
from tests.differencing.numerics.scenes import find, pair_of, subtract, with_source

# An empty place of these pairs.
SEED, X, Y = 71, 90.3, 119.8


def displacements(shift_px, flux, angle_deg=30.0, seed=SEED, refraction_px=None):
    """Put one source into both frames, displaced in the science frame, and look at its peaks."""
    pair = pair_of(seed)
    dx, dy = shift_px * np.cos(np.radians(angle_deg)), shift_px * np.sin(np.radians(angle_deg))
    science = with_source(pair.science, pair.psf_science, X + dx, Y + dy, flux)
    difference = subtract(science, with_source(pair.reference, pair.psf_reference, X, Y, flux))
    measured = measure(difference, find(difference), science)
    fwhm = fwhm_of(difference.psf_science(X, Y))
    near = np.flatnonzero(np.hypot(measured.x - X, measured.y - Y) < 2.0 * fwhm + shift_px)
    return [displacement_px(difference, measured, int(k), fwhm, refraction_px) for k in near]


@pytest.mark.parametrize("flux", [3e4, 1e5])
def test_a_star_that_stands_a_fifth_of_a_pixel_elsewhere_is_a_displaced_star_by_as_much(flux):
    # Within four times the scatter of this pair's registration; a tenth of it leaves no peak at all.
    assert displacements(0.2, flux) == pytest.approx([0.2, 0.2], abs=0.02)


@pytest.mark.parametrize("fwhm_share", [0.3, 0.6, 1.0, 2.0])
def test_what_moves_by_a_good_part_of_a_star_is_none(fwhm_share):
    found = [d for angle in (0.0, 50.0, 140.0) for d in displacements(3.0 * fwhm_share, 2e4, angle)]
    assert found
    assert np.isnan(found).all()


def _along(angle_deg, px):
    return px * np.array([np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))])


def test_refraction_explains_more_along_the_parallactic_angle_and_nothing_more_across_it():
    # Beyond the registration's limit here, which is 0.38 px, and within a quarter of the FWHM.
    assert np.isnan(displacements(0.6, 3e4)).all()
    for angle in (30.0, 210.0):
        assert displacements(0.6, 3e4, refraction_px=_along(angle, 0.5)) == pytest.approx([0.6, 0.6], abs=0.06)
    assert np.isnan(displacements(0.6, 3e4, refraction_px=_along(120.0, 0.5))).all()


@pytest.mark.parametrize("fwhm_share", [0.3, 0.45, 0.6, 1.0, 2.0])
def test_however_strong_the_refraction_what_moves_by_a_good_part_of_a_star_is_none(fwhm_share):
    found = [
        d for angle in (0.0, 50.0, 140.0)
        for d in displacements(3.1 * fwhm_share, 2e4, angle, refraction_px=_along(angle, 5.0))
    ]  # fmt: skip
    assert found
    assert np.isnan(found).all()


def test_a_new_source_on_a_star_is_none():
    pair = pair_of(SEED)
    science = with_source(pair.science, pair.psf_science, X, Y, 3e4)
    science = with_source(science, pair.psf_science, X + 0.4, Y, 6e3)
    difference = subtract(science, with_source(pair.reference, pair.psf_reference, X, Y, 3e4))
    measured = measure(difference, find(difference), science)
    k = int(np.argmin(np.hypot(measured.x - X, measured.y - Y)))
    assert np.hypot(measured.x[k] - X, measured.y[k] - Y) < 2.0
    assert np.isnan(displacement_px(difference, measured, k, fwhm_of(difference.psf_science(X, Y))))
