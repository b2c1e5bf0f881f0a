import numpy as np
import pytest
from scipy import ndimage, signal

from differencing.numerics.profiles import Peak, Scene
from differencing.numerics.trailed import fit_trail
from differencing.numerics.wide import fit_coma
from observations.numerics.simulate.sources import MoffatPsf
from observations.numerics.statistics import FWHM_PER_SIGMA

SHAPE = (141, 141)
FWHM, SIGMA = 3.0, 10.0
PSF = MoffatPsf(FWHM, SHAPE)(70.0, 70.0)
PLACE = (70.3, 69.6)


def coma(width, snr, *, line=(0.0, 0.0)):
    """Return a coma's light, so many times as wide as a star, of an S/N of a filter of its own shape, and its flux."""
    image = np.zeros(SHAPE)
    for t in (np.arange(41) + 0.5) / 41 - 0.5:
        x, y = PLACE[0] + t * line[0], PLACE[1] + t * line[1]
        fx, fy = x - 70, y - 70
        for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
            row, column = 70 + int(np.floor(fy)) + dy, 70 + int(np.floor(fx)) + dx
            image[row, column] += abs(1 - dx - fx % 1.0) * abs(1 - dy - fy % 1.0)
    image = signal.fftconvolve(image / image.sum(), PSF, mode="same")
    if width > 1.0:
        image = ndimage.gaussian_filter(image, FWHM * np.sqrt(width**2 - 1.0) / FWHM_PER_SIGMA)
    flux = snr * SIGMA / np.sqrt((image**2).sum())
    return flux * image, flux


def scene(image, rng, mask=None, gain=None):
    noisy = (image + rng.normal(0.0, SIGMA, SHAPE)).astype(np.float32)
    return Scene(noisy, np.zeros(SHAPE, bool) if mask is None else mask, SIGMA, gain)


def peak_of(seen):
    """Return the highest place by a star's filter near the middle: that is where a candidate is found."""
    by_star = signal.fftconvolve(np.where(seen.mask, 0.0, seen.image), PSF[::-1, ::-1], mode="same") / (PSF**2).sum()
    row, column = np.unravel_index(int(np.argmax(by_star[60:81, 60:81])), (21, 21))
    return Peak(column + 60.0, row + 60.0, float(by_star[row + 60, column + 60]), FWHM, 0.0, 0.0)


@pytest.mark.parametrize("width", [2.0, 3.0, 4.0])
def test_place_and_flux_of_a_coma_are_right_within_their_errors_where_a_star_s_filter_is_far_off(width):
    light, flux = coma(width, 15.0)
    rows, off = [], []
    for seed in range(40):
        seen = scene(light, np.random.default_rng([seed, 1]))
        peak = peak_of(seen)
        found = fit_coma(seen, peak, PSF, FWHM)
        off.append(np.hypot(peak.x - PLACE[0], peak.y - PLACE[1]))
        if found is not None:
            x, y, error, f, f_error, fwhm, gain = found
            assert gain >= 12.0
            rows.append([(x - PLACE[0]) / error, (y - PLACE[1]) / error, (f - flux) / f_error, fwhm / FWHM / width])
    pulls = np.array(rows)
    assert len(rows) >= 38
    # Scatter of 40 pulls is known to 0.11, their mean to 0.16; the pixels of the drawing add a little.
    assert 0.65 < np.sqrt((pulls[:, :2] ** 2).mean()) < 1.35
    assert abs(pulls[:, 2].mean()) < 0.6 and pulls[:, 2].std() < 1.4
    assert np.median(pulls[:, 3]) == pytest.approx(1.0, abs=0.1)
    if width >= 3.0:
        assert np.mean(off) > 1.5 * 0.6 * width * FWHM / 15.0


@pytest.mark.parametrize("snr", [8.0, 30.0, 300.0])
def test_a_star_is_no_coma_even_if_its_psf_is_a_twentieth_too_narrow(snr):
    light, _ = coma(1.0, snr)
    light = ndimage.gaussian_filter(light, FWHM * np.sqrt(1.05**2 - 1.0) / FWHM_PER_SIGMA)
    for seed in range(20):
        seen = scene(light, np.random.default_rng([seed, 2]))
        assert fit_coma(seen, peak_of(seen), PSF, FWHM) is None


def test_a_level_of_sky_is_no_coma():
    light, _ = coma(1.0, 15.0)
    for seed in range(20):
        seen = scene(light + 0.5 * SIGMA, np.random.default_rng([seed, 3]))
        assert fit_coma(seen, peak_of(seen), PSF, FWHM) is None


def test_half_of_it_under_a_mask_a_coma_is_placed_by_the_rest():
    light, _ = coma(3.0, 40.0)
    mask = np.zeros(SHAPE, bool)
    mask[:, 72:] = True
    found = fit_coma(scene(light, np.random.default_rng(4), mask), Peak(70.0, 70.0, 2e3, FWHM, 0.0, 0.0), PSF, FWHM)
    assert found is not None
    assert np.hypot(found[0] - PLACE[0], found[1] - PLACE[1]) < 4.0 * found[2] + 0.1


def test_photons_of_its_own_widen_a_coma_s_errors():
    light, _ = coma(2.0, 200.0)
    dark, bright = (
        fit_coma(scene(light, np.random.default_rng(5), gain=g), Peak(*PLACE, 1e4, FWHM, 0.0, 0.0), PSF, FWHM)
        for g in (None, 0.05)
    )
    assert dark is not None and bright is not None
    assert bright[2] > 1.5 * dark[2] and bright[4] > 1.5 * dark[4]


def test_nothing_is_no_coma():
    seen = scene(np.zeros(SHAPE), np.random.default_rng(6))
    assert fit_coma(seen, Peak(70.0, 70.0, 0.0, FWHM, 0.0, 0.0), PSF, FWHM) is None
    assert fit_coma(seen._replace(sigma=0.0), Peak(70.0, 70.0, 10.0, FWHM, 0.0, 0.0), PSF, FWHM) is None


@pytest.mark.parametrize("width", [2.0, 3.0])
def test_a_coma_that_is_drawn_out_by_its_motion_is_a_trail_of_that_length_and_its_middle_is_its_place(width):
    light, _ = coma(width, 40.0, line=(16.0, 9.0))
    found = 0
    for seed in range(10):
        seen = scene(light, np.random.default_rng([seed, 7]))
        peak = peak_of(seen)._replace(fwhm=6.0, ellipticity=0.4, theta_deg=30.0)
        trail = fit_trail(seen, peak, PSF, FWHM)
        if trail is not None:
            found += 1
            assert np.hypot(trail[0] - PLACE[0], trail[1] - PLACE[1]) < 2.5
            assert trail[2] == pytest.approx(np.hypot(16.0, 9.0), abs=4.5 * trail[3])
            assert trail[4] == pytest.approx(np.degrees(np.arctan2(9.0, 16.0)), abs=5.0 * trail[5] + 1.0)
    assert found >= 9
