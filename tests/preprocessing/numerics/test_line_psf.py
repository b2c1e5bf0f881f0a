"""The PSF of lines: their mean shape, and places and fluxes by it."""

import numpy as np
import pytest

from preprocessing.numerics.line_psf import (
    fit_line_psf,
    longest_line_px,
    stars_without_psf,
    width_across,
    width_of,
)
from preprocessing.numerics.psf import PsfError
from preprocessing.numerics.trailed_stars import find_lines
from tests.preprocessing.numerics.scenes import drawn_out, line_field, moffat_stars

SKY = 400.0


def _fitted(field, mask=None):
    mask = field.no_mask if mask is None else mask
    lines = find_lines(field.image, mask, background=SKY, noise=field.noise)
    return fit_line_psf(field.image, mask, lines, background=SKY, noise=field.noise, across_px=3.0)


def _true_stamp(size, length, angle):
    middle = np.array([size // 2], dtype=float)
    return drawn_out(moffat_stars((size, size), (middle, middle, np.ones(1)), 3.0), length, angle)


@pytest.mark.parametrize(("length", "angle"), [(10.0, 0.3), (22.0, -1.1), (40.0, 1.5)])
def test_psf_places_and_fluxes_are_those_of_the_lines(length, angle):
    field = line_field(5, length, angle)
    psf, stars = _fitted(field)
    assert psf.middle.sum() == pytest.approx(1.0)
    truth = _true_stamp(psf.size_px, length, angle)
    # Ten to twenty lines of S/N 40 to 400, each placed to a tenth of a pixel.
    assert np.abs(psf.middle - truth).max() < 0.1 * truth.max()
    good = stars[~stars.is_saturated & stars.is_isolated]
    apart = np.hypot(good.x[:, None] - field.x, good.y[:, None] - field.y)
    nearest = apart.argmin(axis=1)
    assert len(good) >= 10
    assert np.median(apart.min(axis=1)) < 0.25
    # The light in the wings of a Moffat beyond a stamp of 31 px is 2 per cent.
    assert np.median(good.flux / field.flux[nearest]) == pytest.approx(1.0, abs=0.04)


def test_a_hit_on_one_line_is_not_in_the_psf():
    field = line_field(6, 20.0, 0.5)
    clean, _ = _fitted(field)
    brightest = int(np.argmax(field.flux))
    field.image[round(field.y[brightest]) + 6, round(field.x[brightest])] += 30_000
    hit, _ = _fitted(field)
    assert np.abs(hit.middle - clean.middle).max() < 0.05 * clean.middle.max()


def test_lines_that_no_stamp_holds_and_too_few_of_them_are_refused_with_numbers():
    with pytest.raises(PsfError, match=r"lines of \d\d px, and 47 px"):
        _fitted(line_field(7, 62.0, 0.2, size=600))
    assert longest_line_px(3.0) == pytest.approx(46.7, abs=0.1)
    with pytest.raises(PsfError, match="usable lines; a PSF needs 3"):
        _fitted(line_field(8, 20.0, 0.2, count=2))


def test_without_a_psf_lines_are_places_and_nothing_else():
    field = line_field(7, 62.0, 0.2, size=600)
    lines = find_lines(field.image, field.no_mask, background=SKY, noise=field.noise)
    stars = stars_without_psf(lines, 3.0)
    assert stars.is_saturated.all() and not stars.is_isolated.any()
    assert stars.ellipticity[0] > 0.9
    assert np.hypot(stars.x[0] - field.x, stars.y[0] - field.y).min() < 2.0


def test_the_width_of_a_gaussian_is_its_fwhm_and_a_line_has_one_across():
    y, x = np.mgrid[-20:21, -20:21]
    round_one = np.exp(-0.5 * (x**2 + y**2) / 1.5**2)
    width, ellipticity = width_of(round_one / round_one.sum())
    assert width == pytest.approx(1.5 * 2.3548, rel=1e-3)
    assert ellipticity == pytest.approx(0.0, abs=1e-6)
    assert width_across(round_one) is None
    line = drawn_out(round_one, 18.0, 0.7)
    # Only what is above a tenth of the peak counts, which makes a Gaussian's variance an eighth smaller.
    assert width_across(line) == pytest.approx(1.5 * 2.3548, rel=0.15)
