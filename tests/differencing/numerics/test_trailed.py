import numpy as np
import pytest

from differencing.numerics import measure as measuring
from differencing.numerics.measure import measure
from differencing.numerics.profiles import DRAWN_COMA, TRAIL, Peak, Profile, Scene, Window, window_about
from differencing.numerics.trailed import fit_trail
from observations.numerics.simulate.sources import MoffatPsf, point_sources
from tests.differencing.numerics.scenes import find, pair_of, subtract, with_sources

SHAPE = (120, 130)
FWHM = 3.0
SIGMA = 10.0
PSF = MoffatPsf(FWHM, SHAPE)
PLACE = (64.3, 58.6)


def drawn(length, theta_deg, flux, *, at=PLACE, shape=SHAPE, psf=PSF):
    """Return a trail as a row of 400 points, which knows nothing of the fit's Fourier transform."""
    along = (np.arange(400) + 0.5) / 400.0 - 0.5
    x = at[0] + length * along * np.cos(np.radians(theta_deg))
    y = at[1] + length * along * np.sin(np.radians(theta_deg))
    return point_sources(shape, x, y, np.full(400, flux / 400.0), psf, faintest=1e-4)


def fitted(image, *, mask=None, guess=None, gain=None, flux=5000.0, at=PLACE):
    """Fit at the place where a peak would be, with the shape of a point unless told."""
    fwhm, ellipticity, theta = guess or (FWHM, 0.2, 0.0)
    scene = Scene(image.astype(np.float32), np.zeros(SHAPE, bool) if mask is None else mask, SIGMA, gain)
    return fit_trail(scene, Peak(*at, flux, fwhm, ellipticity, theta), PSF(*PLACE), FWHM)


@pytest.mark.parametrize("length", [2.5, 6.0, 15.0, 40.0])
@pytest.mark.parametrize("theta", [0.0, 40.0, 135.0])
def test_a_trail_without_noise_is_found_as_it_is(length, theta):
    found = fitted(drawn(length, theta, 2e5), guess=(4.0, 0.4, theta + 10.0))
    assert found is not None
    x, y, measured, _, angle, _, flux, *_ = found
    assert (x, y) == pytest.approx(PLACE, abs=0.01)
    assert measured == pytest.approx(length, abs=0.02)
    assert (angle - theta + 90.0) % 180.0 - 90.0 == pytest.approx(0.0, abs=0.2)
    # Its window holds all but some tenths of a per cent of a Moffat's wings.
    assert flux == pytest.approx(2e5, rel=0.005)


@pytest.mark.parametrize(("length", "flux"), [(4.0, 4000.0), (10.0, 5000.0), (25.0, 8000.0)])
def test_length_angle_place_and_flux_are_unbiased_within_their_errors(length, flux):
    rng = np.random.default_rng(int(length))
    rows = []
    for _ in range(40):
        theta, dx, dy = rng.uniform(0.0, 180.0), *rng.uniform(-0.5, 0.5, 2)
        at = (PLACE[0] + dx, PLACE[1] + dy)
        image = drawn(length, theta, flux, at=at) + rng.normal(0.0, SIGMA, SHAPE)
        found = fitted(image, guess=(4.0, 0.4, theta + rng.normal(0.0, 10.0)), flux=flux / 2, at=at)
        assert found is not None
        _, _, l_found, l_error, angle, angle_error, f_found, f_error, gain = found
        turned = (angle - theta + 90.0) % 180.0 - 90.0
        rows.append([(l_found - length) / l_error, turned / angle_error, (f_found - flux) / f_error])
        assert gain > 25.0
    pulls = np.array(rows)
    # The mean of 40 pulls is known to 0.16, their scatter to 0.11: limits at three sigma.
    assert np.abs(pulls.mean(axis=0)).max() < 0.5
    assert (pulls.std(axis=0) > 0.67).all() and (pulls.std(axis=0) < 1.35).all()


@pytest.mark.parametrize("fwhm", [2.7, 3.0, 3.15, 3.3])
def test_what_a_blur_would_gain_is_foretold_and_is_nothing_where_the_trail_is_sharp(fwhm):
    rng = np.random.default_rng(int(100 * fwhm))
    image = drawn(15.0, 30.0, 1e5, psf=MoffatPsf(fwhm, SHAPE)) + rng.normal(0.0, SIGMA, SHAPE)
    scene = Scene(image.astype(np.float32), np.zeros(SHAPE, bool), SIGMA, None)
    window = window_about(scene, Peak(*PLACE, 1e5, FWHM, 0.2, 30.0), 40.0, FWHM)
    start = np.array([1e5, 0.3, -0.4, 13.0, 7.5, 0.0, 0.0])
    profile = Profile(PSF(*PLACE), window, start)
    trail = profile.fit(start, TRAIL)
    foretold = profile.gain_of_blur(trail)
    start = trail.numbers.copy()
    start[5] = 0.5
    gained = 2.0 * (trail.cost - profile.fit(start, DRAWN_COMA).cost)
    if fwhm > FWHM:
        # To first order in the square of the blur, which is a fifth or a half of the star's here.
        assert gained > 100.0
        assert foretold == pytest.approx(gained, rel=0.3)
    else:
        # By chance half of the sharp ones gain something; five is more than two sigma.
        assert foretold < 5.0 and gained < 5.0


def test_a_point_is_no_trail():
    rng = np.random.default_rng(5)
    point = point_sources(SHAPE, *(np.array([v]) for v in (*PLACE, 8000.0)), PSF)
    found = [fitted(point + rng.normal(0.0, SIGMA, SHAPE), flux=8000.0) for _ in range(40)]
    assert found == [None] * 40


def test_half_of_it_under_a_mask_it_is_fitted_by_the_rest():
    mask = np.zeros(SHAPE, dtype=bool)
    mask[:, 66:69] = True
    image = drawn(20.0, 10.0, 2e5)
    image[mask] = 1e6
    found = fitted(image, mask=mask, guess=(5.0, 0.5, 0.0))
    assert found is not None and found[2] == pytest.approx(20.0, abs=0.05)


def test_a_trail_that_leaves_the_frame_is_none_or_as_long_as_its_error_says():
    dark = drawn(20.0, 0.0, 2e5, at=(3.0, 60.0))
    assert fitted(dark, guess=(5.0, 0.5, 0.0), at=(5.0, 60.0)) is None
    found = fitted(dark + np.random.default_rng(1).normal(0.0, SIGMA, SHAPE), guess=(5.0, 0.5, 0.0), at=(5.0, 60.0))
    assert found is not None
    assert found[2] == pytest.approx(20.0, abs=3.0 * found[3])
    assert found[0] + found[2] / 2.0 == pytest.approx(13.0, abs=0.2)


def test_the_source_s_own_photons_widen_the_errors():
    image = drawn(10.0, 30.0, 2e5)
    plain, noisy = (fitted(image, guess=(4.0, 0.4, 30.0), gain=gain) for gain in (None, 1.0))
    assert plain is not None and noisy is not None
    # Poisson's error of 2e5 electrons is 447; that of the sky under the trail is about 120.
    assert plain[7] < 200.0 < 450.0 < noisy[7] < 700.0


def with_trail(frame, psf, length, theta, flux, at):
    along = (np.arange(100) + 0.5) / 100.0 - 0.5
    x, y = at[0] + length * along * np.cos(np.radians(theta)), at[1] + length * along * np.sin(np.radians(theta))
    return with_sources(frame, psf, x, y, np.full(100, flux / 100))


def test_only_the_strongest_peaks_are_worth_a_fit(monkeypatch):
    pair = pair_of(81)
    science = with_trail(pair.science, pair.psf_science, 8.0, 25.0, 12000.0, (114.4, 107.3))
    science = with_trail(science, pair.psf_science, 8.0, 25.0, 24000.0, (60.0, 60.0))
    difference = subtract(science, pair.reference)
    monkeypatch.setattr(measuring, "_MOST_FITTED", 1)
    found = measure(difference, find(difference), science)
    (fitted_one,) = np.flatnonzero(np.isfinite(found.trails.length_px))
    assert (found.x[fitted_one], found.y[fitted_one]) == pytest.approx((60.0, 60.0), abs=0.5)


def test_an_asteroid_of_a_real_subtraction_is_measured_as_its_trail():
    pair = pair_of(81)
    length, theta, flux, at = 8.0, 25.0, 12000.0, (114.4, 107.3)
    science = with_trail(pair.science, pair.psf_science, length, theta, flux, at)
    difference = subtract(science, pair.reference)
    found = measure(difference, find(difference), science)
    k = int(np.argmin(np.hypot(found.x - at[0], found.y - at[1])))
    assert (found.x[k], found.y[k]) == pytest.approx(at, abs=0.25)
    assert found.trails.length_px[k] == pytest.approx(length, abs=4.0 * found.trails.length_error_px[k])
    assert found.trails.theta_deg[k] == pytest.approx(theta, abs=5.0)
    # A point's flux misses what lies beyond the PSF; the trail's does not. Estimated PSFs err by some per cent.
    assert found.flux[k] < 0.75 * flux
    assert found.trails.flux[k] == pytest.approx(flux, rel=0.06)
    others = np.arange(len(found)) != k
    assert np.isnan(found.trails.length_px[others & ~found.is_dipole]).all()


@pytest.mark.parametrize("width", [2.0, 3.0, 4.0])
def test_a_round_coma_is_no_trail_however_its_noise_draws_it_out(width):
    coma = MoffatPsf(width * FWHM, SHAPE, beta=3.0)
    place = np.array([PLACE[0]]), np.array([PLACE[1]])
    found = []
    for seed in range(6):
        noise = np.random.default_rng(seed).normal(0.0, SIGMA, SHAPE)
        image = point_sources(SHAPE, *place, np.array([3e4]), coma) + noise
        found.append(fitted(image, guess=(width * FWHM, 0.2, 30.0 * seed), flux=8000.0))
    assert found == [None] * 6


@pytest.mark.parametrize("apart", [9.0, 14.0])
def test_two_stars_beside_each_other_are_no_trail(apart):
    rng = np.random.default_rng(8)
    x, y = PLACE[0] + np.array([0.0, apart]), np.full(2, PLACE[1])
    image = point_sources(SHAPE, x, y, np.array([6000.0, 5000.0]), PSF, faintest=1e-4)
    found = fitted(image + rng.normal(0.0, SIGMA, SHAPE), guess=(6.0, 0.6, 0.0), at=(PLACE[0] + 0.5 * apart, PLACE[1]))
    assert found is None


def test_a_coma_that_thins_out_into_wide_wings_is_no_trail_along_them():
    rng = np.random.default_rng(9)
    v, u = np.indices(SHAPE) - np.array(PLACE[::-1])[:, None, None]
    r = np.hypot(u / 2.0, v)
    image = 60.0 * 12.0 * np.exp(-r / 10.0) / np.hypot(r, 2.5)
    found = fitted(image + rng.normal(0.0, SIGMA, SHAPE), guess=(6.0, 0.5, 0.0), flux=2e4)
    assert found is None or found[2] < 2.0 * np.hypot(FWHM, 12.0)


def test_a_window_may_reach_much_further_than_its_psf():
    y, x = np.mgrid[-3:4, -3:4]
    psf = np.exp(-0.5 * (x**2 + y**2) / 1.2**2)
    psf /= psf.sum()
    values = np.zeros((161, 161))
    values[77:84, 77:84] = 500.0 * psf
    window = Window(values, np.zeros(values.shape, dtype=bool), (80, 80), 4.0, 1.0, None)
    start = np.array([400.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    fitted = Profile(psf, window, start).fit(start, (0, 1, 2))
    np.testing.assert_allclose(fitted.numbers[:3], [500.0, 0.0, 0.0], atol=1e-3)
