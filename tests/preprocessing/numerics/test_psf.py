from dataclasses import dataclass

import numpy as np
import pytest
from scipy.spatial import cKDTree

from observations.numerics.frame import PsfModel
from observations.numerics.simulate.sources import Galaxies, MoffatPsf, galaxies, point_sources
from preprocessing.numerics.photometry import psf_fluxes
from preprocessing.numerics.psf import PsfError, fit_psf
from preprocessing.numerics.psf_shape import core_of, windowed_centroid
from preprocessing.numerics.stars import find_stars
from tests.preprocessing.numerics.scenes import moffat_stars, star_field


def _fit(field, **options):
    stars = find_stars(field.image, field.no_mask, background=400.0, noise=field.noise)
    return fit_psf(field.image, field.no_mask, stars, background=400.0, noise=field.noise, **options), stars


@dataclass(frozen=True)
class _Sky:
    """A PSF fitted to a noisy sky of 700 px, and the true one."""

    psf: PsfModel
    truth: MoffatPsf

    def errors(self):
        """Return model less truth at 16 places, (n, k, k), over the true peak, light made equal within the core."""
        out = []
        for x, y in np.random.default_rng(0).uniform(40, 660, (16, 2)):
            model = self.psf(x, y)
            fwhm, e1, e2 = self.truth.local(x, y)
            half = model.shape[0] // 2
            true = MoffatPsf(fwhm, (1, 1), self.truth.beta, e1, e2).stamp(0.0, 0.0, half)
            radius = np.hypot(*np.mgrid[-half : half + 1, -half : half + 1])
            core = radius < 2 * fwhm
            out.append((model * true[core].sum() / model[core].sum() - true) / true.max())
        return np.array(out)


SATURATION = 60_000.0


def _sky(seed, *, stars, many_galaxies=0, variation=0.0, brightest=4e5, halo=0.0):
    rng = np.random.default_rng(seed)
    shape, fwhm, many = (700, 700), 3.0, many_galaxies
    truth = MoffatPsf(fwhm, shape, 3.0, 0.05, 0.02, variation)
    x, y = rng.uniform(5, 694, (2, stars))
    flux = 4e3 * rng.uniform((4e3 / brightest) ** 0.7, 1, stars) ** (-1 / 0.7)
    image = point_sources(shape, x, y, flux * (1 - halo), truth)
    if halo:
        image += point_sources(shape, x, y, flux * halo, MoffatPsf(4 * fwhm, shape, 1.8), faintest=0.1)
    if many:
        gx, gy = rng.uniform(5, 694, (2, many))
        bright = 4e3 * rng.uniform(0.05, 1, many) ** (-1 / 0.7)
        size = np.exp(rng.uniform(np.log(0.3), np.log(6.0), many))
        angle, ratio, index = rng.uniform(0, np.pi, many), rng.uniform(0.4, 1, many), rng.choice([1.0, 4.0], many)
        image += galaxies(shape, Galaxies(gx, gy, bright, size, index, ratio, angle), truth)
    image = np.minimum(rng.poisson(image + 900.0) + rng.normal(0, 9, shape), SATURATION).astype(np.float32)
    mask = image >= SATURATION
    found = find_stars(image, mask, background=900.0, noise=31.3)
    return _Sky(fit_psf(image, mask, found, background=900.0, noise=31.3), truth)


def _truth(fwhm, beta, size):
    one = np.array([float(size // 2)])
    return moffat_stars((size, size), (one, one, np.ones(1)), fwhm, beta)


# At FWHM 1.8 the PSF is undersampled: a Fourier shift aliases 5 % at the Nyquist frequency.
@pytest.mark.parametrize(
    ("fwhm", "beta", "tolerance"), [(1.8, 3.0, 0.04), (2.5, 3.0, 0.02), (4.0, 2.5, 0.02), (4.0, 4.0, 0.02)]
)
def test_the_psf_is_the_truth_to_two_per_cent_of_its_peak(fwhm, beta, tolerance):
    psf, _ = _fit(star_field(21, size=600, count=90, fwhm=fwhm, beta=beta))
    truth = _truth(fwhm, beta, psf.size_px)
    assert np.abs(psf(300, 300) - truth).max() / truth.max() < tolerance


@pytest.mark.parametrize("fwhm", [2.0, 3.0, 6.0])
def test_psf_photometry_is_unbiased_to_one_per_cent(fwhm):
    field = star_field(22, size=600, count=90, fwhm=fwhm)
    psf, stars = _fit(field)
    distance, index = cKDTree(np.column_stack([field.x, field.y])).query(stars.xy)
    flux, error = psf_fluxes(field.image, field.no_mask, psf, stars, background=400.0, noise=field.noise)
    good = stars.is_clean & (distance < 1) & (flux / error > 50)
    ratio = flux[good] / field.flux[index[good]]
    assert good.sum() > 15
    assert abs(np.median(ratio) - 1) < 0.01


def test_every_position_has_sum_one_and_is_centred():
    psf, _ = _fit(star_field(23, size=600, count=120), degree=2)
    for x, y in [(0, 0), (300, 300), (599, 0), (20, 580)]:
        stamp = psf(x, y)
        assert stamp.shape[0] % 2 == 1
        assert stamp.sum() == pytest.approx(1.0, abs=1e-9)
        assert np.hypot(*windowed_centroid(stamp, 3.0)) < 0.02


def test_the_stamp_fades_to_zero_at_its_rim():
    psf, _ = _fit(star_field(24))
    stamp = psf(200, 200)
    rim = np.concatenate([stamp[0], stamp[-1], stamp[:, 0], stamp[:, -1]])
    assert np.abs(rim).max() < 1e-3 * stamp.max()


def test_a_width_that_grows_across_the_field_is_followed():
    rng = np.random.default_rng(25)
    image = np.full((600, 600), 400.0)
    x, y = rng.uniform(20, 580, (2, 110))
    flux = 3e4 * rng.uniform(0.1, 1, 110) ** -1
    for one in zip(x, y, flux, strict=True):
        image += moffat_stars((600, 600), tuple(np.array([v]) for v in one), 2.6 + 1.2 * one[0] / 600)
    image = rng.normal(image, np.sqrt(image)).astype(np.float32)
    none = np.zeros(image.shape, dtype=bool)
    stars = find_stars(image, none, background=400.0, noise=20.0)
    psf = fit_psf(image, none, stars, background=400.0, noise=20.0)
    assert psf.degree >= 1
    assert core_of(psf(550, 300))[0] - core_of(psf(50, 300))[0] == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize(("count", "variation", "degrees"), [(140, 0.0, {0}), (140, 0.18, {3, 4, 5}), (9, 0.18, {0})])
def test_the_degree_is_as_high_as_the_stars_show_and_their_number_allows(count, variation, degrees):
    # Widths that vary quadratically make stamps that vary by the third and fourth power.
    sky = _sky(26, stars=count, variation=variation)
    assert sky.psf.degree in degrees


def test_masked_pixels_and_cosmic_rays_leave_no_trace():
    field = star_field(27)
    clean, stars = _fit(field, degree=0)
    image = field.image.copy()
    bright = np.argsort(-stars.flux)[:12]
    columns, rows = np.round(stars.x[bright]).astype(int) + 2, np.round(stars.y[bright]).astype(int)
    image[rows[:6], columns[:6]] = np.nan
    image[rows[6:] + 3, columns[6:]] += 20_000
    hit = fit_psf(image, field.no_mask, stars, background=400.0, noise=field.noise, degree=0)
    assert np.abs(hit(200, 200) - clean(200, 200)).max() < 0.01 * clean(200, 200).max()


def test_without_stars_there_is_no_psf():
    image = np.random.default_rng(28).normal(400, 20, (200, 200)).astype(np.float32)
    none = np.zeros(image.shape, dtype=bool)
    stars = find_stars(image, none, background=400.0, noise=20.0)
    with pytest.raises(PsfError):
        fit_psf(image, none, stars, background=400.0, noise=20.0)


def test_an_even_stamp_is_refused():
    with pytest.raises(ValueError, match="odd"):
        _fit(star_field(29), size_px=20)


def test_a_width_that_varies_by_a_fifth_is_followed_to_two_per_cent_of_the_peak():
    errors = _sky(31, stars=200, variation=0.18).errors()
    assert np.abs(errors).max() < 0.02


@pytest.mark.parametrize("variation", [0.0, 0.18])
def test_galaxies_twice_as_many_as_stars_do_not_widen_the_psf(variation):
    errors = _sky(32, stars=150, many_galaxies=300, variation=variation).errors()
    # Half of the galaxies have 0.3 to 1.3 px, less than half of the PSF: taken for stars they would cost 20 %.
    assert np.sqrt(np.mean(np.abs(errors).max(axis=(1, 2)) ** 2)) < 0.015
    assert np.abs(errors).max() < 0.04  # in a corner


@pytest.mark.parametrize("seed", [38, 41, 42])
def test_galaxies_most_of_them_small_and_as_bright_as_the_stars_feign_no_width_and_no_gradient(seed):
    rng = np.random.default_rng(seed)
    shape, truth = (700, 700), MoffatPsf(3.4, (700, 700), 3.0, 0.05, 0.02)
    x, y = rng.uniform(5, 694, (2, 40))
    gx, gy = rng.uniform(5, 694, (2, 220))
    bright = [1e4 * rng.uniform(0.02, 1, n) ** (-1 / 0.7) for n in (40, 220)]
    size = np.exp(rng.uniform(np.log(0.3), np.log(3.0), 220))
    hosts = Galaxies(gx, gy, bright[1], size, rng.choice([0.5, 1.0, 1.5, 2.5, 4.0], 220), rng.uniform(0.4, 1, 220), gx)
    image = point_sources(shape, x, y, bright[0], truth) + galaxies(shape, hosts, truth)
    image = (rng.poisson(image + 900.0) + rng.normal(0, 9, shape)).astype(np.float32)
    none = np.zeros(shape, dtype=bool)
    found = find_stars(image, none, background=900.0, noise=31.3)
    psf = fit_psf(image, none, found, background=900.0, noise=31.3)
    errors = _Sky(psf, truth).errors()
    assert np.sqrt(np.mean(np.abs(errors).max(axis=(1, 2)) ** 2)) < 0.02
    # The flux of a star in this PSF over the true one.
    half = psf.size_px // 2
    true = truth.stamp(0.0, 0.0, half)
    biases = [float((psf(*at) * true).sum() / (psf(*at) ** 2).sum()) - 1 for at in ((350, 350), (60, 60), (640, 60))]
    assert np.abs(biases).max() < 0.01


def test_where_two_stars_are_among_galaxies_the_psf_is_as_wide_as_the_two():
    rng = np.random.default_rng(40)
    shape, truth = (500, 500), MoffatPsf(4.0, (500, 500))
    x, y = np.array([120.3, 390.8]), np.array([140.6, 350.1])
    gx, gy = np.array([60.2, 250.4, 430.7, 90.1, 300.9]), np.array([400.3, 250.8, 90.5, 250.2, 440.4])
    size, index = np.array([1.0, 1.2, 1.35, 1.5, 1.65]), np.full(5, 1.0)
    hosts = Galaxies(gx, gy, np.full(5, 2e5), size, index, np.full(5, 0.8), index)
    image = point_sources(shape, x, y, np.full(2, 2e5), truth) + galaxies(shape, hosts, truth) + 400
    image = rng.normal(image, np.sqrt(image)).astype(np.float32)
    none = np.zeros(shape, dtype=bool)
    found = find_stars(image, none, background=400.0, noise=20.0)
    psf = fit_psf(image, none, found, background=400.0, noise=20.0)
    half = psf.size_px // 2
    assert core_of(psf(250, 250))[0] == pytest.approx(core_of(truth.stamp(0.0, 0.0, half))[0], rel=0.01)


def test_the_wings_of_saturated_stars_are_followed_out_to_where_they_show():
    sky = _sky(33, stars=150, brightest=8e6, halo=0.05)
    model = sky.psf(350, 350)
    half = model.shape[0] // 2
    halo = MoffatPsf(12.0, (1, 1), 1.8).stamp(0.0, 0.0, half)
    true = 0.95 * MoffatPsf(3.0, (1, 1), 3.0, 0.05, 0.02).stamp(0.0, 0.0, half) + 0.05 * halo
    radius = np.hypot(*np.mgrid[-half : half + 1, -half : half + 1])
    for low, high in ((6, 9), (9, 12), (12, 16), (16, 22)):
        ring = (radius >= low) & (radius < high)
        # A stamp of 4 FWHM ends at 13 px; a Moffat that was fitted to the core has a third of this light.
        assert 0.6 < model[ring].sum() / true[ring].sum() < 1.4


@pytest.mark.parametrize(("stars", "variation"), [(200, 0.0), (200, 0.18), (45, 0.18)])
def test_the_error_found_on_held_out_stars_is_the_true_one_to_one_per_cent(stars, variation):
    sky = _sky(34, stars=stars, many_galaxies=stars // 2, variation=variation)
    errors = sky.errors()
    half = errors.shape[-1] // 2
    core = np.hypot(*np.mgrid[-half : half + 1, -half : half + 1]) < 3.0
    peak = MoffatPsf(3.0, (1, 1), 3.0).stamp(0.0, 0.0, half)
    true = np.sqrt((errors[:, core] ** 2).sum(axis=1) / ((peak / peak.max())[core] ** 2).sum())
    held_out = sky.psf.held_out
    assert held_out is not None
    assert held_out.core_residual == pytest.approx(np.sqrt(np.mean(true**2)), abs=0.01)
    assert abs(held_out.peak_bias) < 0.01
    assert held_out.stars >= 5


def test_a_handful_of_stars_spares_none_to_be_held_out():
    field = star_field(35, count=4)
    assert _fit(field)[0].held_out is None


def test_the_stamp_reaches_thirty_pixels_or_what_the_frame_allows():
    assert _fit(star_field(36))[0].size_px == 61
    small = star_field(37, size=50, count=8)
    stars = find_stars(small.image, small.no_mask, background=400.0, noise=small.noise)
    assert fit_psf(small.image, small.no_mask, stars, background=400.0, noise=small.noise).size_px == 47
